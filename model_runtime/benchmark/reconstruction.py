"""Surface accuracy: predicted cameras brought to the true ones, depth fused, the surface compared point by point.

Accuracy, completeness and F-score after Knapitsch et al. 2017; the protocol is that of Depth Anything 3 (Lin et al.
2025), as are the numbers of each data set's `PROTOCOL`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from scipy.spatial import KDTree

from model_runtime.benchmark.fusion import DepthView, fuse
from model_runtime.geometry.similarity import Similarity, align_cameras

SEED = 42
ROUNDS = 10
SMALLEST_SAMPLE = 3
SAMPLED_POINTS = 1_000_000


@dataclass(frozen=True)
class Protocol:
    """How a data set's surfaces are compared, in its unit of length. cell: edge of the fusion's cells and of the grid
    that thins points out. threshold: distance within which a point counts for the F-score. farthest: depth beyond
    which nothing is fused. outlier: distances beyond it do not count for accuracy and completeness.
    """

    cell: float
    truncation: float
    threshold: float
    farthest: float = np.inf
    outlier: float = np.inf
    points: int = SAMPLED_POINTS


Judge = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Tells which predicted [P,3] and which true points [Q,3] count: two masks, [P] and [Q]."""


@dataclass(frozen=True)
class SurfaceScores:
    """accuracy: mean distance from predicted points to the truth; completeness: from the truth to the prediction;
    chamfer: their mean. precision, recall: shares of these distances below the threshold; fscore: harmonic mean.
    """

    accuracy: float
    completeness: float
    chamfer: float
    precision: float
    recall: float
    fscore: float


NOTHING = SurfaceScores(np.inf, np.inf, np.inf, 0.0, 0.0, 0.0)


def align(predicted: np.ndarray, true: np.ndarray) -> Similarity:
    """The similarity (float64) from predicted cameras [N,4,4] to true ones, in which false cameras have no say.

    RANSAC over samples of half the cameras (at least three). The threshold is the median, over the cameras aligned
    all together, of the distance to the nearest true one; the largest set within it is fitted again. Every fit uses
    the cameras' axes too, so that two cameras, or cameras on one line, leave nothing open. Cameras that are NaN are
    left out.
    """
    found = np.isfinite(predicted).all((1, 2))
    source, target = torch.from_numpy(predicted[found]).double(), torch.from_numpy(true[found]).double()
    first = align_cameras(source, target)
    count = len(source)
    size = max(SMALLEST_SAMPLE, (count + 1) // 2)
    if count <= size:
        return first
    goal = _centres(target)
    threshold = float(np.median(KDTree(goal).query(_centres(first.extrinsics(source)))[0]))
    rng = np.random.default_rng(SEED)
    best, best_inliers = (-1, -np.inf), np.ones(count, bool)
    for _ in range(ROUNDS):
        sample = torch.from_numpy(rng.choice(count, size, replace=False))
        fit = align_cameras(source[sample], target[sample])
        errors = np.linalg.norm(_centres(fit.extrinsics(source)) - goal, axis=1)
        inliers = errors <= threshold
        score = (int(inliers.sum()), -float(errors[inliers].mean()) if inliers.any() else -np.inf)
        if score > best:
            best, best_inliers = score, inliers if inliers.sum() >= SMALLEST_SAMPLE else _members(sample, count)
    kept = torch.from_numpy(best_inliers)
    return align_cameras(source[kept], target[kept])


def _members(sample: torch.Tensor, count: int) -> np.ndarray:
    members = np.zeros(count, bool)
    members[sample.numpy()] = True
    return members


def _centres(extrinsics: torch.Tensor) -> np.ndarray:
    return torch.linalg.inv(extrinsics)[:, :3, 3].numpy()


def sampled_surface(vertices: np.ndarray, faces: np.ndarray, count: int) -> np.ndarray:
    """`count` points [count,3] spread evenly over the triangles; none where there are no triangles."""
    if len(faces) == 0:
        return np.zeros((0, 3))
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    return np.asarray(trimesh.sample.sample_surface(mesh, count, seed=SEED)[0])


def thinned(points: np.ndarray, cell: float) -> np.ndarray:
    """The mean of the points [P,3] in each cube of edge `cell`."""
    if len(points) == 0:
        return points
    whole = np.floor((points - points.min(0)) / cell).astype(np.int64)
    _, y, z = whole.max(0) + 1
    _, group, counts = np.unique(
        (whole[:, 0] * y + whole[:, 1]) * z + whole[:, 2], return_inverse=True, return_counts=True
    )
    sums = np.stack([np.bincount(group, points[:, k], len(counts)) for k in range(3)], -1)
    return sums / counts[:, None]


def compare_surfaces(
    predicted: np.ndarray, true: np.ndarray, protocol: Protocol, judge: Judge | None = None
) -> SurfaceScores:
    """Scores of points [P,3] against true points [Q,3]; `judge` tells which of either are measured from."""
    if len(predicted) == 0 or len(true) == 0:
        return NOTHING
    ours, theirs = (slice(None), slice(None)) if judge is None else judge(predicted, true)
    to_true = KDTree(true).query(predicted[ours])[0]
    to_predicted = KDTree(predicted).query(true[theirs])[0]
    if len(to_true) == 0 or len(to_predicted) == 0:
        return NOTHING
    accuracy, completeness = (_mean_below(d, protocol.outlier) for d in (to_true, to_predicted))
    precision, recall = (float((d < protocol.threshold).mean()) for d in (to_true, to_predicted))
    fscore = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return SurfaceScores(accuracy, completeness, (accuracy + completeness) / 2, precision, recall, fscore)


def _mean_below(distances: np.ndarray, limit: float) -> float:
    near = distances[distances < limit]
    return float(near.mean()) if len(near) else np.inf


def score_surface(
    views: Sequence[DepthView], truth: np.ndarray, protocol: Protocol, judge: Judge | None = None
) -> SurfaceScores:
    """Fused depth of views, already in the true world, against true points [Q,3]."""
    vertices, faces = fuse(views, protocol.cell, protocol.truncation, protocol.farthest)
    points = thinned(sampled_surface(vertices, faces, protocol.points), protocol.cell)
    return compare_surfaces(points, thinned(truth, protocol.cell), protocol, judge)
