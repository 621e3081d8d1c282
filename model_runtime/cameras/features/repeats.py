"""Whether pairs of photos match in another way than the cameras say, as where a pattern repeats.

A wall whose pattern repeats matches itself one period further along, and cameras that stand there fit as well. What
gives it away are other pairs, whose matches follow the true cameras.
"""

from __future__ import annotations

import numpy as np

from model_runtime.cameras.features.matching import MAX_ERROR, Matches

FEWEST_PAIRS, MOST_PAIRS = 3, 0.2
"""Pairs, and the share of all pairs, that may contradict the cameras. Of plain photos none does, rendered or real; of
rooms with a repeating wallpaper a fifth and more."""

Pair = tuple[int, int]


def check_repeats(extrinsics: np.ndarray, intrinsics: np.ndarray, matches: Matches) -> list[str]:
    """A note where many pairs contradict the cameras [N,4,4], [N,3,3] (photo pixels; NaN for photos without one)."""
    known = np.isfinite(extrinsics).all((1, 2))
    pairs = [pair for pair in matches.geometries if known[list(pair)].all()]
    against = [pair for pair in pairs if _misses(pair, extrinsics, intrinsics, matches)]
    if len(against) < FEWEST_PAIRS or len(against) <= MOST_PAIRS * len(pairs):
        return []
    return [
        f"{len(against)} of {len(pairs)} pairs of photos match in another way than these cameras say, as where a "
        "pattern repeats: some cameras may stand in a wrong place. Look through them; photos closer together help."
    ]


def _misses(pair: Pair, extrinsics: np.ndarray, intrinsics: np.ndarray, matches: Matches) -> bool:
    """Whether the cameras explain less than half of a pair's matches."""
    inliers = matches.geometries[pair].inlier_matches
    at, at_other = (
        np.column_stack((matches.keypoints[n][inliers[:, side]] * matches.pixel[n], np.ones(len(inliers))))
        for side, n in enumerate(pair)
    )
    fundamental = _fundamental(pair, extrinsics, intrinsics)
    line_other, line = at @ fundamental.T, at_other @ fundamental
    normals = (line[:, :2] ** 2).sum(1), (line_other[:, :2] ** 2).sum(1)
    distance = np.abs((at_other * line_other).sum(1)) * np.sqrt(sum(1 / each for each in normals) / 2)
    return float(np.median(distance)) > MAX_ERROR * matches.pixel[list(pair)].max()


def _fundamental(pair: Pair, extrinsics: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """[3,3] that takes pixels of the first photo to their lines in the second."""
    first, second = pair
    motion = extrinsics[second] @ np.linalg.inv(extrinsics[first])
    x, y, z = motion[:3, 3]
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    inverse, inverse_other = (np.linalg.inv(intrinsics[n]) for n in pair)
    return inverse_other.T @ across @ motion[:3, :3] @ inverse
