"""One outcome against the truth of its scene: every number of the table."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from model_runtime.benchmark import novel_views
from model_runtime.benchmark.datasets.scene import TruthScene
from model_runtime.benchmark.depth import nearest_resize, scene_depth_scores
from model_runtime.benchmark.fusion import DepthView
from model_runtime.benchmark.methods import Outcome, Runner
from model_runtime.benchmark.pose import area_under_recall, pair_errors, pair_rotations, pose_auc, rotation_angles
from model_runtime.benchmark.reconstruction import align, score_surface
from model_runtime.geometry.overlap import view_overlap

Scores = dict[str, float]

OVERLAP = 0.5
"""Pairs of photos that share this much (mean of both directions) are scored on their own too."""


def score_cameras(outcome: Outcome, scene: TruthScene) -> Scores:
    """AUC in percent; photos placed and focal error in percent; median rotation error in degrees after alignment."""
    found = np.isfinite(outcome.extrinsics).all((1, 2))
    scores = {"placed": 100 * float(found.mean())}
    if len(scene.views) > 1:
        scores |= {f"auc{t}": 100 * value for t, value in pose_auc(outcome.extrinsics, scene.extrinsics).items()}
    if found.any():
        aligned = _aligned_extrinsics(outcome, scene)[found]
        scores["rotation"] = float(np.median(rotation_angles(aligned[:, :3, :3], scene.extrinsics[found, :3, :3])))
        ours, theirs = (k[found][:, (0, 1), (0, 1)] for k in (outcome.intrinsics, scene.intrinsics))
        scores["focal"] = 100 * float(np.median(np.abs(ours / theirs - 1)))
    return scores


def score_overlapping_pairs(outcome: Outcome, scene: TruthScene) -> Scores:
    """Median error of the rotation between two photos, degrees, and AUC30 in percent, of the pairs that overlap by
    OVERLAP; empty where there is none, or no true depth to tell."""
    errors = pair_errors(outcome.extrinsics, scene.extrinsics)
    chosen = _overlapping(scene)
    if not chosen.any() or not np.isfinite(errors[chosen]).any():
        return {}
    rotations = pair_rotations(outcome.extrinsics, scene.extrinsics)[chosen]
    return {
        "pair_rotation": float(np.median(rotations)),
        "pair_auc30": 100 * area_under_recall(errors[chosen], 30),
    }


def _overlapping(scene: TruthScene) -> np.ndarray:
    """Which pairs of views [N(N-1)/2] share enough."""
    first, second = np.triu_indices(len(scene.views), 1)
    depths = [view.depth() for view in scene.views if view.depth is not None]
    if len(depths) != len(scene.views) or len({depth.shape for depth in depths}) != 1:
        return np.zeros(len(first), bool)
    depth = np.nan_to_num(np.stack(depths))
    to_depth = []
    for view in scene.views:
        height, width = _photo_size(view.photo)
        to_depth.append(np.diag([depth.shape[2] / width, depth.shape[1] / height, 1.0]) @ view.intrinsics)
    batch = [torch.from_numpy(x.astype(np.float64))[None] for x in (depth, np.stack(to_depth), scene.extrinsics)]
    shared = view_overlap(batch[0], batch[1], batch[2])[0].numpy()
    return (shared[first, second] + shared[second, first]) / 2 >= OVERLAP


def _aligned_extrinsics(outcome: Outcome, scene: TruthScene) -> np.ndarray:
    return align(outcome.extrinsics, scene.extrinsics).extrinsics(torch.from_numpy(outcome.extrinsics)).numpy()


def score_depth(outcome: Outcome, scene: TruthScene) -> Scores:
    """Every measure of `DepthScores` in percent; empty where the method or the data set has no depth."""
    truths = [view.depth() for view in scene.views if view.depth is not None]
    if outcome.depths is None or len(truths) != len(scene.views):
        return {}
    scores: Scores = {}
    for name, values in scene_depth_scores(outcome.depths, truths).items():
        scores |= {f"{measure}_{name}": 100 * value for measure, value in vars(values).items()}
    return scores


def score_reconstruction(outcome: Outcome, scene: TruthScene) -> Scores:
    """F-score, precision and recall in percent; distances in the data set's unit; empty where there is no surface.

    Depth counts only where the truth has depth, as in the released evaluation.
    """
    if outcome.depths is None or scene.surface is None:
        return {}
    similarity = align(outcome.extrinsics, scene.extrinsics)
    extrinsics, scale = _aligned_extrinsics(outcome, scene), float(similarity.scale)
    views = []
    for depth, intrinsics, matrix, truth in zip(
        outcome.depths, outcome.intrinsics, extrinsics, scene.views, strict=True
    ):
        if not np.isfinite(matrix).all():
            continue
        true_depth = truth.depth() if truth.depth is not None else None
        height, width = _photo_size(truth.photo)
        resized = np.diag([depth.shape[1] / width, depth.shape[0] / height, 1.0]) @ intrinsics
        counted = depth if true_depth is None else np.where(nearest_resize(true_depth, depth.shape) > 0, depth, 0)
        views.append(DepthView(counted * scale, resized, matrix))
    values = vars(score_surface(views, scene.surface(), scene.protocol, scene.judge))
    return {name: value * (100 if name in ("precision", "recall", "fscore") else 1) for name, value in values.items()}


def _photo_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as photo:
        return photo.height, photo.width


def score_novel_views(runner: Runner, method: str, scene: TruthScene) -> Scores:
    """PSNR in dB and SSIM of views kept back, of the nearest photo instead, and the gain over that in dB: means over
    all of them; and how many thousand splats it takes. Empty for a scene with fewer than two others, or without
    splats."""
    qualities: list[novel_views.Quality] = []
    counts: list[int] = []
    for inputs, targets in novel_views.splits(np.linalg.inv(scene.extrinsics)[:, :3, 3]):
        part = replace(scene, views=tuple(scene.views[i] for i in inputs))
        outcome = runner.run(method, part, gaussians=True) if len(inputs) > 1 else None
        if outcome is None or outcome.gaussians is None:
            return {}
        counts.append(len(outcome.gaussians.means))
        kept_back = [scene.views[i] for i in targets]
        qualities += novel_views.score_targets(outcome.gaussians, outcome.extrinsics, part.views, kept_back)
    psnr, ssim, nearest_psnr, nearest_ssim = np.mean([astuple(quality) for quality in qualities], axis=0).tolist()
    scores = {"psnr": psnr, "ssim": ssim, "nearest_psnr": nearest_psnr, "nearest_ssim": nearest_ssim}
    return scores | {"psnr_gain": psnr - nearest_psnr, "thousand_splats": float(np.mean(counts)) / 1000}


def pair_errors_of(outcome: Outcome, scene: TruthScene) -> list[float]:
    """For plots; pairs with a photo that was not placed are infinite."""
    return pair_errors(outcome.extrinsics, scene.extrinsics).tolist()
