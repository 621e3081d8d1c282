"""Camera accuracy: the area under the recall curve of relative poses (AUC), as the paper of Depth Anything 3 counts it.

Lin et al. 2025. All cameras are world-to-camera [N,4,4]; a camera that a method did not find is NaN.
"""

from __future__ import annotations

import numpy as np

THRESHOLDS = (3, 5, 15, 30)
"""Degrees."""

UNKNOWN_DIRECTION = 90.0
"""Error in degrees of a translation without length: the largest that folded directions can have."""


def pose_auc(predicted: np.ndarray, true: np.ndarray) -> dict[int, float]:
    """AUC, 0..1, for each of THRESHOLDS. predicted, true: [N,4,4], N >= 2."""
    errors = pair_errors(predicted, true)
    return {threshold: area_under_recall(errors, threshold) for threshold in THRESHOLDS}


def area_under_recall(errors: np.ndarray, threshold: int) -> float:
    """Mean, over whole degrees up to `threshold`, of the share of pairs with a smaller error. errors: [P] degrees."""
    counts, _ = np.histogram(errors[np.isfinite(errors)], bins=np.arange(threshold + 1))
    return float(np.cumsum(counts).mean() / len(errors))


def pair_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Error of each pair of views [N(N-1)/2] in degrees: the larger of rotation and translation; infinite where one
    of the two cameras was not found.

    The cameras are first made relative to the first one that was found (the paper's first view). The relative pose of
    views i and j is inv(W_i) W_j of these world-to-camera matrices. The directions of translations are compared
    without their sign.
    """
    first, second = np.triu_indices(len(true), 1)
    found = np.isfinite(predicted).all((1, 2))
    errors = np.full(len(first), np.inf)
    pairs = found[first] & found[second]
    if pairs.any():
        i, j = first[pairs], second[pairs]
        reference = int(np.argmax(found))
        ours, truth = _relative(predicted, reference, i, j), _relative(true, reference, i, j)
        rotation = rotation_angles(ours[:, :3, :3], truth[:, :3, :3])
        errors[pairs] = np.maximum(rotation, folded_angles(ours[:, :3, 3], truth[:, :3, 3]))
    return errors


def pair_rotations(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Error of the rotation between the two cameras of each pair [N(N-1)/2], degrees; NaN where one was not found."""
    first, second = np.triu_indices(len(true), 1)
    ours, truth = (turns[second] @ np.swapaxes(turns[first], 1, 2) for turns in (predicted[:, :3, :3], true[:, :3, :3]))
    return rotation_angles(ours, truth)


def _relative(extrinsics: np.ndarray, reference: int, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    seen = extrinsics.astype(np.float64) @ np.linalg.inv(extrinsics[reference].astype(np.float64))
    return np.linalg.inv(seen[i]) @ seen[j]


def rotation_angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles [...] in degrees between rotations [...,3,3], exact for small ones too."""
    chord = np.linalg.norm(a - b, axis=(-2, -1)) / np.sqrt(8)
    return np.degrees(2 * np.arcsin(np.clip(chord, 0, 1)))


def folded_angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles [...] in degrees, 0..90, between the lines along vectors [...,3]; 90 where one has no length."""
    sine, cosine = np.linalg.norm(np.cross(a, b), axis=-1), np.abs((a * b).sum(-1))
    angles = np.degrees(np.arctan2(sine, cosine))
    still = np.minimum(np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1)) < 1e-12
    return np.where(still, UNKNOWN_DIRECTION, angles)
