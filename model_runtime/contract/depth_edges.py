"""Flying pixels: depths that lie on no surface, strung between the two sides of a depth edge. Numpy only.

The rule. Disparity (1 / depth) is linear over the image of any plane, however slanted. A pixel is dropped when,
along its row or its column,
  - disparity changes steeply on both sides of it: as steeply as on a surface seen at less than `angle`, and
  - on neither side it goes on changing at that rate for RUN pixels.
So a short ramp between two surfaces goes, and a long floor seen at a grazing angle stays, as do both sides of a
clean step. Across a clean step, and across what is left of a ramp, a surface is torn: a mesh must not bridge it.
"""

from __future__ import annotations

import numpy as np

RUN = 8
"""Pixels. Networks blur a depth edge over fewer; a slanted surface worth keeping is longer."""

SAME_RATE = 0.5
"""Steps between this and its inverse, times the steepest step beside the pixel, count as the same rate."""


def flying_pixels(depth: np.ndarray, focal: tuple[float, float], angle: float) -> np.ndarray:
    """[h,w] bool, True where `depth` [h,w] (along z) lies between surfaces rather than on one.

    focal: (fx, fy) in pixels of the depth map. angle: degrees between surface and viewing ray; 0 drops nothing.
    Pixels whose depth is not greater than zero are never flying; they are not points either.
    """
    if angle <= 0:
        return np.zeros(depth.shape, dtype=bool)
    disparity = _disparity(depth)
    steepest = 1.0 / np.tan(np.radians(angle))
    rows = _flying_along_rows(disparity, steepest / focal[0])
    columns = _flying_along_rows(disparity.T, steepest / focal[1]).T
    return (rows | columns) & (disparity > 0)


def torn_steps(depth: np.ndarray, focal: tuple[float, float], angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Which neighbouring pixels lie on different surfaces: along rows [h,w-1] and along columns [h-1,w], bool.

    Parameters as of `flying_pixels`; a step to a pixel without depth is torn. With angle 0 no other is.
    """
    disparity = _disparity(depth)
    steepest = 1.0 / np.tan(np.radians(angle)) if angle > 0 else np.inf
    rows = _torn_along_rows(disparity, steepest / focal[0])
    return rows, _torn_along_rows(disparity.T, steepest / focal[1]).T


def _disparity(depth: np.ndarray) -> np.ndarray:
    """1 / depth, and 0 where there is none."""
    return np.divide(1.0, depth, out=np.zeros(depth.shape), where=np.isfinite(depth) & (depth > 0))


def _steps(disparity: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """From each pixel to the next one of its row: the change [h,w-1], and whether it is steep, relative to `limit`."""
    step = np.diff(disparity, axis=1)
    return step, np.abs(step) > limit * np.maximum(np.minimum(disparity[:, 1:], disparity[:, :-1]), 1e-12)


def _torn_along_rows(disparity: np.ndarray, limit: float) -> np.ndarray:
    step, steep = _steps(disparity, limit)
    row, column = np.nonzero(steep)
    padded = np.pad(step, ((0, 0), (RUN - 1, RUN - 1)), mode="edge")
    right = padded[row[:, None], column[:, None] + RUN - 1 + np.arange(RUN)]
    left = padded[row[:, None], column[:, None] + RUN - 1 - np.arange(RUN)]
    steep[row, column] = ~(_keeps_rate(left) | _keeps_rate(right))
    return steep | (disparity[:, 1:] == 0) | (disparity[:, :-1] == 0)


def _flying_along_rows(disparity: np.ndarray, limit: float) -> np.ndarray:
    """limit: relative change of disparity from one pixel to the next that counts as steep."""
    step, steep = _steps(disparity, limit)
    steep = np.pad(steep, ((0, 0), (1, 1)))
    suspect = steep[:, :-1] & steep[:, 1:]
    if not suspect.any():
        return suspect
    # Beyond the image the last step goes on, so that a slanted surface is not cut off at the border.
    padded = np.pad(step, ((0, 0), (RUN, RUN)), mode="edge")
    row, column = np.nonzero(suspect)
    # Step c of `step` joins pixels c and c + 1; with the padding it stands at c + RUN.
    right = padded[row[:, None], column[:, None] + RUN + np.arange(RUN)]
    left = padded[row[:, None], column[:, None] + RUN - 1 - np.arange(RUN)]
    suspect[row, column] = ~(_keeps_rate(left) | _keeps_rate(right))
    return suspect


def _keeps_rate(steps: np.ndarray) -> np.ndarray:
    """steps [S,RUN], nearest first: [S] bool, True where all go the same way at about the same rate."""
    size = np.abs(steps)
    same_way = (np.sign(steps) == np.sign(steps[:, :1])).all(axis=1)
    return same_way & (size.min(axis=1) >= SAME_RATE * size.max(axis=1))
