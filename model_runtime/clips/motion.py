"""How much a picture moved between two frames of a clip, told by their features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pycolmap

from model_runtime.cameras.features.matching import SEED, match_descriptors
from model_runtime.cameras.features.memory import PhotoFeatures

MAX_ERROR = 3.0
"""Distance in working pixels that a match may have from its epipolar line."""

ENOUGH = 1000
"""Features, the largest ones, that tell the motion."""

FEWEST = 12
"""Matches below which nothing is told of the motion."""

TYPICAL = 0.7
"""Of the features' ways, the one by which the motion is told: where a camera keeps looking at one thing, half of the
picture hardly moves."""

STEPS = 15
CLOSE = 0.5
"""Working pixels from the common motion from which on a match counts less for it: the noise of one feature."""


@dataclass(frozen=True)
class Motion:
    """typical: way of the features, in longest sides of the picture. shared: verified matches, as a share of the
    features of the frame that has fewer. common: how far the motion that most features share (a shift, a turn and a
    zoom) moves the picture at most, in longest sides. together: share of the matches that move with it.
    All of unmatched frames: inf, 0, inf, 0.
    """

    typical: float
    shared: float
    common: float
    together: float


UNKNOWN = Motion(np.inf, 0.0, np.inf, 0.0)


def motion_between(one: PhotoFeatures, other: PhotoFeatures, size: tuple[float, float]) -> Motion:
    """From one frame to the other. size: of a frame, working pixels."""
    at, there, smaller = verified(one, other)
    if len(at) < FEWEST:
        return UNKNOWN
    way = there - at
    longest = max(size)
    common, together = _common(at - np.array(size) / 2, way, float(np.hypot(*size)) / 2)
    typical = float(np.quantile(np.linalg.norm(way, axis=1), TYPICAL))
    return Motion(typical / longest, len(at) / smaller, common / longest, together)


def verified(one: PhotoFeatures, other: PhotoFeatures) -> tuple[np.ndarray, np.ndarray, int]:
    """Where both frames show the same, [M,2] each, working pixels, and how many features of the one with fewer were
    looked at."""
    one, other = _largest(one), _largest(other)
    matched = alike(one, other)
    smaller = max(1, min(len(one.keypoints), len(other.keypoints)))
    at, there = one.keypoints[matched[:, 0]], other.keypoints[matched[:, 1]]
    if len(at) < FEWEST:
        return at[:0], there[:0], smaller
    options = pycolmap.RANSACOptions()
    options.max_error, options.random_seed = MAX_ERROR, SEED
    found = pycolmap.estimate_fundamental_matrix(at, there, options)
    inside = np.zeros(len(at), bool) if found is None else np.asarray(found["inlier_mask"], bool)
    return at[inside], there[inside], smaller


def _largest(features: PhotoFeatures) -> PhotoFeatures:
    return PhotoFeatures(features.keypoints[:ENOUGH], features.descriptors[:ENOUGH], features.plain)


def alike(one: PhotoFeatures, other: PhotoFeatures) -> np.ndarray:
    """[M,2], which features of two frames look alike."""
    return match_descriptors(one.descriptors, other.descriptors).astype(np.int64)


def _common(at: np.ndarray, way: np.ndarray, reach: float) -> tuple[float, float]:
    """Working pixels that the similarity which most of [M,2] go by moves what is `reach` from the middle, at most, and
    how many go by it: weighted least squares again and again (Holland and Welsch 1977), with Cauchy's weights."""
    nought, one = np.zeros(len(at)), np.ones(len(at))
    across = np.stack((one, nought, at[:, 0], -at[:, 1]), axis=1)
    down = np.stack((nought, one, at[:, 1], at[:, 0]), axis=1)
    rows = np.stack((across, down), axis=1)
    change = np.array([*np.median(way, axis=0), 0.0, 0.0])
    for _ in range(STEPS):
        miss = way - rows @ change
        weight = 1 / (1 + np.square(miss).sum(1) / CLOSE**2)
        weighted = (rows * weight[:, None, None]).reshape(-1, 4)
        flat = rows.reshape(-1, 4)
        change = np.linalg.solve(flat.T @ weighted + 1e-9 * np.eye(4), weighted.T @ way.ravel())
    together = np.linalg.norm(way - rows @ change, axis=1) < 3 * CLOSE
    return float(np.hypot(*change[:2]) + np.hypot(*change[2:]) * reach), float(together.mean())
