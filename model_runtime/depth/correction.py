"""A smooth correction of a depth map by known depths of some of its pixels, for what one scale leaves wrong.

Gaussian process regression (Rasmussen and Williams 2006) of the error of log depth over the picture and the depth
itself, with Cauchy noise, so that wrong points count little. The process lives on the nodes of a bilateral grid
(Chen et al. 2007), between which it is interpolated. Its prior is plain scale: that is what remains where no points
are, where they are few, and where the depth is right already.
"""

from __future__ import annotations

import numpy as np

LEAST_KNOWN = 20
"""Fewer known depths than this decide no more than a scale."""

SMOOTH_SHARE = 0.5
"""Share of the spread of the errors that is expected to be smooth, and not noise of points or finest detail."""

LARGEST_SPREAD = 0.4
"""Standard deviation of the smooth error of log depth that is never exceeded by what is expected."""

STEEPNESS = 1.5
"""How much a steady rise of the error from near to far is expected, per unit of log depth, in standard deviations."""

NOISE = 0.05
"""Relative error of a known depth, and of the network beside it, that is taken for noise."""

LEAST_RISE = 0.2
"""Of the corrected log depth per unit of log depth: what is nearer stays nearer."""

CELLS = (8, 6, 5)
"""Nodes of the grid along the picture's width and height and along log depth."""

REACH = (0.25, 0.25, 0.3)
"""How far errors are alike: shares of the picture's width and height, and log depth."""

CONSTANT = 1.0
"""Standard deviation of the whole map's error of log depth: large, since the points decide the scale."""

OUTER_SHARE = 1.0
"""Per cent of a picture's pixels that are nearer, and farther, than the grid; they are corrected as its rim is."""

REFITS = 8


def smooth_correction(depth: np.ndarray, position: np.ndarray, at: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """[h,w] float32, positive: what a depth map [h,w], right but for errors of its own, is to be multiplied by.

    position: [M,2], points in the picture as shares of its width and height. at: [M], the map's depths there.
    known: [M], the depths there really. None where the map or too few of the points can be used.
    At any one place in the picture the corrected depth rises with the map's.
    """
    usable = np.isfinite(at) & np.isfinite(known) & (at > 0) & (known > 0)
    if usable.sum() < LEAST_KNOWN or not (np.isfinite(depth) & (depth > 0)).all():
        return None
    log_at, log_depth = np.log(at[usable].astype(np.float64)), np.log(depth.astype(np.float64))
    error = np.log(known[usable]) - log_at
    nearest, middle, farthest = np.percentile(log_depth, (OUTER_SHARE, 50, 100 - OUTER_SHARE))
    axes = [np.linspace(0, 1, count) for count in CELLS[:2]]
    axes.append(np.linspace(min(nearest, middle - NOISE), max(farthest, middle + NOISE), CELLS[2]) - middle)
    points = np.column_stack((position[usable], log_at - middle))
    nodes = _rising(_fit(axes, points, error).reshape(CELLS), axes[2])

    height, width = depth.shape
    across, down = (_shares(axis, (np.arange(n) + 0.5) / n) for axis, n in zip(axes[:2], (width, height), strict=True))
    columns = np.einsum("wi,hj,ijk->hwk", across, down, nodes, optimize=True)
    into = _shares(axes[2], log_depth.ravel() - middle).reshape(columns.shape)
    return np.exp((columns * into).sum(-1)).astype(np.float32)


def _fit(axes: list[np.ndarray], points: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The process at the grid's nodes after iteratively reweighted least squares, which begin from plain scale."""
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    middle = float(np.median(error))
    error = error - middle
    spread = min(SMOOTH_SHARE * 1.4826 * float(np.median(np.abs(error))), LARGEST_SPREAD)
    apart = (((nodes[:, None] - nodes) / REACH) ** 2).sum(-1)
    alike = np.exp(-apart / 2) + STEEPNESS**2 * np.outer(nodes[:, 2], nodes[:, 2])
    prior = CONSTANT**2 + spread**2 * alike
    root = np.linalg.cholesky(prior + 1e-6 * np.eye(len(nodes)))
    across, down, into = (_shares(axis, place) for axis, place in zip(axes, points.T, strict=True))
    design = np.einsum("mi,mj,mk->mijk", across, down, into).reshape(len(points), -1) @ root
    left, solution = error, np.zeros(len(nodes))
    for _ in range(REFITS):
        certainty = 2 / (NOISE**2 + left**2)
        weighted = design.T * certainty
        solution = np.linalg.solve(weighted @ design + np.eye(len(nodes)), weighted @ error)
        left = error - design @ solution
    return root @ solution + middle


def _rising(nodes: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """Corrections at the nodes [.., .., D] that nowhere turn the log depths [D] round, with the same mean over them."""
    corrected = nodes + depths
    steps = np.maximum(np.diff(corrected, axis=2), LEAST_RISE * np.diff(depths))
    risen = np.concatenate((np.zeros_like(corrected[..., :1]), np.cumsum(steps, axis=2)), axis=2)
    return risen + (corrected - risen).mean(2, keepdims=True) - depths


def _shares(axis: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[M,D] of evenly spaced nodes [D] in linear interpolation at places [M], which the rim's stand for beyond it."""
    apart = np.abs(np.clip(places, axis[0], axis[-1])[:, None] - axis)
    return np.maximum(1 - apart / (axis[1] - axis[0]), 0)
