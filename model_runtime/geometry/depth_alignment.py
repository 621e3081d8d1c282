"""Depth maps brought to known depths of some of their pixels: RANSAC (Fischler and Bolles 1981), then least squares.

For depth of a network against sparse points of matched features, and for pseudo-labels in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 0.1
"""Relative error up to which a known depth counts as explained."""

TRIALS = 256
REFITS = 4
LEAST_KNOWN = 8
"""Fewer known depths than this decide nothing."""

SHIFT_RANGE = 0.5
"""Share of the median known depth that a shift may have: more is a fit of noise."""


@dataclass(frozen=True)
class DepthAlignment:
    """known ~ scale * depth + shift. inliers: share of the known depths explained within the tolerance."""

    scale: float
    shift: float
    inliers: float


def align_depth(
    depth: np.ndarray, known: np.ndarray, with_shift: bool = False, seed: int = 0, tolerance: float = TOLERANCE
) -> DepthAlignment | None:
    """The scale, or scale and shift, that takes `depth` [M] to `known` [M] and bears with many wrong ones among them.

    Minimises relative errors, so that near and far count alike. Pairs that are not finite and positive are left out.
    None where fewer than LEAST_KNOWN are left, or no positive scale explains as many. The same seed gives the same.
    """
    usable = np.isfinite(depth) & np.isfinite(known) & (depth > 0) & (known > 0)
    x, y = depth[usable].astype(np.float64), known[usable].astype(np.float64)
    if len(x) < LEAST_KNOWN:
        return None
    columns = np.stack((x / y, 1 / y), axis=1) if with_shift else (x / y)[:, None]
    limit = SHIFT_RANGE * float(np.median(y))
    rng = np.random.default_rng(seed)
    best: tuple[float, np.ndarray] | None = None
    for candidate in _candidates(columns, rng):
        if _is_sane(candidate, x, limit):
            cost = float(np.minimum(np.abs(columns @ candidate - 1) / tolerance, 1).sum())
            if best is None or cost < best[0]:
                best = cost, candidate
    if best is None:
        return None
    solution = best[1]
    for _ in range(REFITS):
        explained = np.abs(columns @ solution - 1) < tolerance
        if explained.sum() < LEAST_KNOWN:
            return None
        refit = np.linalg.lstsq(columns[explained], np.ones(int(explained.sum())), rcond=None)[0]
        if not _is_sane(refit, x, limit):
            break
        solution = refit
    explained = np.abs(columns @ solution - 1) < tolerance
    shift = float(solution[1]) if with_shift else 0.0
    return DepthAlignment(float(solution[0]), shift, float(explained.mean()))


def _candidates(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[T, parameters], each exact for one pair of depths, or for two where there is a shift."""
    if columns.shape[1] == 1:
        chosen = columns[:, 0] if len(columns) <= TRIALS else rng.choice(columns[:, 0], TRIALS, replace=False)
        return 1 / chosen[:, None]
    first = rng.integers(len(columns), size=TRIALS)
    second = (first + rng.integers(1, len(columns), size=TRIALS)) % len(columns)
    systems = np.stack((columns[first], columns[second]), axis=1)
    solvable = np.abs(np.linalg.det(systems)) > 1e-9
    return np.linalg.solve(systems[solvable], np.ones((int(solvable.sum()), 2, 1)))[..., 0]


def _is_sane(solution: np.ndarray, x: np.ndarray, limit: float) -> bool:
    """A positive scale and, with a shift, one that is not large and leaves every depth positive."""
    scale, shift = solution[0], solution[1] if len(solution) > 1 else 0.0
    return bool(scale > 0 and abs(shift) <= limit and scale * x.min() + shift > 0)
