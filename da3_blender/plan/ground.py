"""How a ground lies under what a result shows, and how far it reaches. Numpy only."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .scale_and_up import least_turn_up
from .size_and_place import USUAL
from .upright import BELOW_SHARE, FLOOR_SHARE, TOLERANCE, Floor

MARGIN = 0.15
"""Of the longer side of what is shown: how much farther a ground reaches, on every side."""

LOWEST = 1.0
"""Percentile of heights that counts as the lowest: a few points lie far off."""


def ground_corners(points: np.ndarray, eyes: np.ndarray, floors: Iterable[Floor], depth: float) -> np.ndarray:
    """[4,3] corners of a rectangle under `points` [P,3] and cameras at `eyes` [N,3], counter-clockwise from above.

    It lies on the first of `floors` that the points bear out, else level under the lowest of them. depth: how far away
    what the cameras see typically is.
    """
    fitting = (floor for floor in floors if _is_borne_out(points @ floor.normal - floor.offset, TOLERANCE * depth))
    lowest = float(np.percentile(points[:, 2], LOWEST)) if len(points) else 0.0
    floor = next(fitting, Floor(np.array([0.0, 0.0, 1.0]), lowest))
    turn = least_turn_up(floor.normal)
    around = [box for box in (_box(points @ turn.T, USUAL), _box(eyes @ turn.T, (0.0, 100.0))) if len(box)]
    low, high = np.min([box[0] for box in around], axis=0), np.max([box[1] for box in around], axis=0)
    margin = MARGIN * float((high - low).max()) or depth
    (left, front), (right, back) = low - margin, high + margin
    flat = np.array([(left, front), (right, front), (right, back), (left, back)])
    return np.column_stack([flat, np.full(4, floor.offset)]) @ turn


def _is_borne_out(heights: np.ndarray, tolerance: float) -> bool:
    """Whether points this high over a plane lie on it as on a floor, as `find_floor` has it."""
    on_it = np.count_nonzero(np.abs(heights) < tolerance)
    below = np.count_nonzero(heights < -3 * tolerance)
    return on_it > FLOOR_SHARE * len(heights) and below <= BELOW_SHARE * len(heights)


def _box(points: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    """[2,2] least and largest x and y, but for those beyond these percentiles; empty where there are no points."""
    return np.percentile(points[:, :2], between, axis=0) if len(points) else np.empty((0, 2))
