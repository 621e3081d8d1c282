"""Depth accuracy: AbsRel and delta1 after the scale, or scale and shift, that no photo tells is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DELTA = 1.25
SMALLEST = 1e-6


@dataclass(frozen=True)
class DepthScores:
    """abs_rel: mean of |depth - truth| / truth. delta1: share of pixels within a factor of 1.25 of the truth. within2,
    within5: shares whose relative error is below 2 and 5 %."""

    abs_rel: float
    delta1: float
    within2: float
    within5: float


def scale_aligned(depth: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Depth [P] times the one factor that gives it the median of `truth` [P]."""
    return depth * (np.median(truth) / max(float(np.median(depth)), SMALLEST))


def scale_shift_aligned(depth: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """a * depth + b [P], weighted least squares against `truth` [P] with weights 1 / truth, never below SMALLEST."""
    root = np.sqrt(1 / truth)
    columns = np.stack([depth * root, root], -1)
    (scale, shift), *_ = np.linalg.lstsq(columns, truth * root, rcond=None)
    return np.maximum(scale * depth + shift, SMALLEST)


def depth_scores(depth: np.ndarray, truth: np.ndarray) -> DepthScores:
    """Scores of depth [P] against truth [P], both positive, same unit, nothing aligned."""
    depth = np.maximum(depth, SMALLEST)
    ratio = np.maximum(depth / truth, truth / depth)
    error = np.abs(depth - truth) / truth
    within2, within5 = (float((error < share).mean()) for share in (0.02, 0.05))
    return DepthScores(float(error.mean()), float((ratio < DELTA).mean()), within2, within5)


def comparable(depths: list[np.ndarray], truths: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pixels of each view that have a true depth: [P_i] float64 each, depth looked up at the truth's pixels.

    depths: [h,w], truths: [H,W] (0 or not finite where unknown); both cover the whole photo.
    """
    ours, theirs = [], []
    for depth, truth in zip(depths, truths, strict=True):
        known = np.isfinite(truth) & (truth > 0)
        ours.append(nearest_resize(depth, truth.shape)[known].astype(np.float64))
        theirs.append(truth[known].astype(np.float64))
    return ours, theirs


def nearest_resize(image: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Image [h,w,...] at `size` (height, width): each pixel's centre takes the value of the pixel it falls into."""
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(int) for new, old in zip(size[:2], image.shape[:2], strict=True)
    )
    return image[rows[:, None], columns]


def scene_depth_scores(depths: list[np.ndarray], truths: list[np.ndarray]) -> dict[str, DepthScores]:
    """Scores of a scene's views together: `scene` aligns all views by one scale, `view` each by its own scale, and
    `shift` each by its own scale and shift. Arguments as for `comparable`; views weigh by their known pixels.
    """
    ours, theirs = comparable(depths, truths)
    truth = np.concatenate(theirs)
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "scene": depth_scores(scale_aligned(np.concatenate(ours), truth), truth),
        "view": depth_scores(np.concatenate([scale_aligned(d, t) for d, t in pairs]), truth),
        "shift": depth_scores(np.concatenate([scale_shift_aligned(d, t) for d, t in pairs]), truth),
    }
