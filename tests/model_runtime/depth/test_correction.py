"""Maps that are wrong in known ways, and points that are wrong as those of features are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from model_runtime.depth.correction import LEAST_KNOWN, LEAST_RISE, smooth_correction

HEIGHT, WIDTH = 60, 80
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]
U, V = (COLUMN + 0.5) / WIDTH, (ROW + 0.5) / HEIGHT


def bumpy(seed: int) -> np.ndarray:
    """A slope with boxes standing in front of it, 1 to 6 deep."""
    rng = np.random.default_rng(seed)
    depth = 2.5 + 3 * gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), 12) * 12 + 1.5 * V
    for _ in range(4):
        top, left = rng.integers(0, HEIGHT - 20), rng.integers(0, WIDTH - 20)
        depth[top : top + 20, left : left + 20] = rng.uniform(1.2, 2.5)
    return depth.clip(1, 6)


def points(
    depth: np.ndarray, truth: np.ndarray, count: int, noise: float, outliers: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    row, column = rng.integers(HEIGHT, size=count), rng.integers(WIDTH, size=count)
    known = truth[row, column] * np.exp(noise * rng.normal(size=count))
    wrong = rng.random(count) < outliers
    known[wrong] *= np.exp(rng.uniform(-1.2, 1.2, wrong.sum()))
    return np.column_stack((U[row, column], V[row, column])), depth[row, column], known


def left_over(depth: np.ndarray, truth: np.ndarray) -> float:
    """Mean relative error after the one scale that no depth map tells."""
    ratio = depth / truth
    return float(np.abs(ratio / np.median(ratio) - 1).mean())


@pytest.mark.parametrize("seed", range(3))
def test_smooth_errors_are_taken_away(seed: int) -> None:
    """Depth squeezed together, its left side too near: far more than a scale and a shift can mend."""
    truth = bumpy(seed)
    depth = truth**0.7 * np.exp(0.4 * np.sin(3 * U))
    factor = smooth_correction(depth, *points(depth, truth, 400, 0.01, 0.15, seed))
    assert factor is not None and left_over(depth, truth) > 0.12
    assert left_over(depth * factor, truth) < 0.02
    assert np.abs(np.median(depth * factor / truth) - 1) < 0.02


@pytest.mark.parametrize(("noise", "outliers", "bound"), [(0.0, 0.0, 1e-3), (0.01, 0.1, 0.004), (0.05, 0.2, 0.02)])
@pytest.mark.parametrize("seed", range(3))
def test_depth_that_is_right_stays(seed: int, noise: float, outliers: float, bound: float) -> None:
    truth = bumpy(seed)
    factor = smooth_correction(truth, *points(truth, truth, 300, noise, outliers, seed))
    assert factor is not None and left_over(truth * factor, truth) < bound


def test_few_points_give_little_and_fewer_nothing() -> None:
    truth = bumpy(0)
    few = points(truth, truth, LEAST_KNOWN, 0.02, 0.2)
    factor = smooth_correction(truth, *few)
    assert factor is not None and left_over(truth * factor, truth) < 0.02
    assert smooth_correction(truth, *(column[1:] for column in few)) is None


def test_far_from_all_points_the_scale_stays() -> None:
    """Points on the left half alone say that its upper part is 1.5 times too near: the right edge keeps its shape."""
    depth = np.exp(0.2 * np.random.default_rng(0).normal(size=(HEIGHT, WIDTH)))
    truth = depth * np.where(V < 0.5, 1.5, 1.0)
    position, at, known = points(depth, truth, 600, 0.01, 0)
    left = position[:, 0] < 0.35
    factor = smooth_correction(depth, position[left], at[left], known[left])
    assert factor is not None
    assert np.median(factor[:20, :25]) / np.median(factor[40:, :25]) == pytest.approx(1.5, rel=0.06)
    assert np.median(factor[:20, -5:]) / np.median(factor[40:, -5:]) == pytest.approx(1.0, rel=0.06)


def test_near_stays_nearer_even_where_points_say_the_reverse() -> None:
    """Two depths everywhere side by side, and points that swap them: the order at a place stays."""
    depth = np.where((ROW + COLUMN) % 2, 2.0, 3.0)
    position, at, known = points(depth, 6 / depth, 600, 0.0, 0)
    factor = smooth_correction(depth, position, at, known)
    assert factor is not None and (factor > 0).all()
    corrected = np.log(depth * factor)
    rise = (corrected[:, 1:] - corrected[:, :-1]) * np.sign(depth[:, 1:] - depth[:, :-1])
    assert rise.min() > 0.7 * LEAST_RISE * np.log(1.5), "steps of a pixel aside"


def test_the_same_points_give_the_same_and_bad_ones_are_passed_over() -> None:
    truth = bumpy(1)
    depth = truth**0.8
    position, at, known = points(depth, truth, 200, 0.01, 0.1)
    first = smooth_correction(depth, position, at, known)
    bad = np.array([np.nan, np.inf, 0.0, -1.0])
    again = smooth_correction(depth, np.vstack((position, position[:4])), np.append(at, at[:4]), np.append(known, bad))
    assert first is not None and again is not None and (first == again).all()
    depth[3, 3] = np.nan
    assert smooth_correction(depth, position, at, known) is None, "the depth itself is refused elsewhere"
