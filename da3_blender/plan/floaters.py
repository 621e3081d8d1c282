"""Splats that float about where nothing is: few others around them, seen by one photo only, seen through by others.
Numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_runtime.contract.messages import View

from .morton import LEVELS, morton_codes

AROUND = 8.0
"""How wide the cell is in which others are counted, in a splat's largest standard deviations."""

COMPANY = 4
"""Where the typical splat has fewer in its cell, all are as lonely, and none is said to be."""

SHIFTS = (0.0, 1 / 3)
"""Of the grids, so that the border of a cell of one is not that of one of the other."""

WITNESSES = 8
"""Of so many photos, evenly chosen, it is looked at whether they see through a splat: more take longer."""

WIDEST = 128
"""Columns of the depth map of splats of each of them."""

IN_FRONT = 0.9
"""A splat that is nearer to a camera than this share of what its photo shows there is seen through."""


def floating(position: np.ndarray, scale: np.ndarray, view: np.ndarray, views: Sequence[View] = ()) -> np.ndarray:
    """How much each splat looks like a floater, [G] float32 in 0..1.

    Half of it is how lonely it is, half whether two photos see through it, or one: half of that. Loneliness falls with
    the logarithm of the number of splats around, from 1 where it is alone to 0 where they are as many as is typical;
    it counts half where splats of several photos are there. Without `views`, those of the splats' prediction with
    `position` in their world, loneliness is all.
    """
    if not len(position):
        return np.zeros(0, np.float32)
    lonely = _lonely(*_company(position, scale.max(axis=1), view))
    if len(views) < 2:
        return lonely.astype(np.float32)
    seen_through = np.minimum(_seen_through(position, view, views) / 2, 1)
    return ((lonely + seen_through) / 2).astype(np.float32)


def _lonely(count: np.ndarray, several: np.ndarray) -> np.ndarray:
    typical = np.median(count)
    if typical < COMPANY:
        return np.zeros(len(count))
    return np.clip(1 - np.log(count) / np.log(typical), 0, 1) * np.where(several, 0.5, 1.0)


def _company(position: np.ndarray, size: np.ndarray, view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[G] how many splats are in the cell of each, itself among them, and whether they are of several views there, or
    in a cell twice as wide; of two grids, the better."""
    count, several = np.ones(len(position), np.int64), np.zeros(len(position), bool)
    # Small ones among larger ones have them, and not their like, around.
    width = AROUND * np.maximum(size, np.median(size) / 2)
    for shift in SHIFTS:
        codes, unit = morton_codes(position, shift)
        order = np.argsort(codes, kind="stable")
        codes, views = codes[order], view[order]
        levels = np.clip(np.round(np.log2(np.maximum(width[order], unit) / unit)), 0, LEVELS).astype(int)
        for level in np.unique(levels):
            places = np.flatnonzero(levels == level)
            mine = order[places]
            starts, cell = _runs(codes >> np.uint64(3 * level))
            count[mine] = np.maximum(count[mine], np.diff(starts, append=len(codes))[cell[places]])
            starts, cell = _runs(codes >> np.uint64(3 * level + 3))
            mixed = np.minimum.reduceat(views, starts) != np.maximum.reduceat(views, starts)
            several[mine] |= mixed[cell[places]]
    return count, several


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where runs of equal `values` [N] start, and [N] in which of them each is."""
    new = np.concatenate([[True], values[1:] != values[:-1]])
    return np.flatnonzero(new), np.cumsum(new) - 1


def _seen_through(position: np.ndarray, view: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """[G] how many photos show that something farther away is where a splat of another photo is."""
    votes = np.zeros(len(position), np.int32)
    for index in np.unique(np.linspace(0, len(views) - 1, WITNESSES).round().astype(int)):
        witness = views[index]
        width = min(WIDEST, witness.depth.shape[1])
        height = max(round(width * witness.depth.shape[0] / witness.depth.shape[1]), 1)
        pixels = np.diag([width / witness.depth.shape[1], height / witness.depth.shape[0], 1.0])
        pixels = pixels @ witness.map_intrinsics @ witness.extrinsics[:3]
        seen = position @ pixels[:, :3].T.astype(np.float32) + pixels[:, 3].astype(np.float32)
        depth = seen[:, 2]
        with np.errstate(all="ignore"):
            place = seen[:, :2] / depth[:, None]
        inside = np.flatnonzero((depth > 0) & ((place >= 0) & (place < (width, height))).all(axis=1))
        column, row = place[inside].astype(int).T
        own = view[inside] == index
        nearest = np.full((height, width), np.inf, np.float32)
        np.minimum.at(nearest, (row[own], column[own]), depth[inside[own]])
        nearest = _least_around(np.where(np.isinf(nearest), 0, nearest))
        votes[inside] += ~own & (depth[inside] < IN_FRONT * nearest[row, column])
    return votes


def _least_around(values: np.ndarray) -> np.ndarray:
    """[H,W] the least of each of `values` and the eight around it."""
    padded = np.pad(values, 1, mode="edge")
    height, width = values.shape
    return np.min([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
