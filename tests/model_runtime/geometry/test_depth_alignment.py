"""Depth alignment on made-up depths with known scale and shift."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.geometry.depth_alignment import LEAST_KNOWN, align_depth


def made_up(
    seed: int, scale: float, shift: float, outliers: float, noise: float = 0.02, count: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.5, 5.0, count)
    known = (scale * depth + shift) * (1 + noise * rng.normal(size=count))
    wrong = rng.random(count) < outliers
    known[wrong] *= rng.uniform(1.3, 6.0, int(wrong.sum()))
    return depth, known


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("outliers", [0.0, 0.3, 0.45])
def test_scale_despite_outliers_on_one_side(seed: int, outliers: float) -> None:
    found = align_depth(*made_up(seed, 2.7, 0.0, outliers))
    assert found is not None and found.shift == 0
    assert found.scale == pytest.approx(2.7, rel=0.01)
    assert found.inliers == pytest.approx(1 - outliers, abs=0.08)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.8])
def test_scale_and_shift(seed: int, shift: float) -> None:
    found = align_depth(*made_up(seed, 1.6, shift, 0.3), with_shift=True)
    assert found is not None
    assert found.scale == pytest.approx(1.6, rel=0.03)
    assert found.shift == pytest.approx(shift, abs=0.06)


def test_without_noise_it_is_least_squares() -> None:
    depth, known = made_up(0, 0.3, 0.2, 0.0, noise=0.01)
    found = align_depth(depth, known, with_shift=True)
    weights = 1 / known
    scale, shift = np.polyfit(depth, known, 1, w=weights)
    assert found is not None
    assert (found.scale, found.shift) == pytest.approx((scale, shift))


def test_far_and_near_count_alike() -> None:
    """One far depth ten times as wrong in metres as a near one must not rule the scale."""
    depth = np.concatenate((np.full(50, 1.0), np.full(50, 100.0)))
    known = np.concatenate((np.full(50, 2.0), np.full(50, 204.0)))
    found = align_depth(depth, known)
    assert found is not None and found.scale == pytest.approx(2.02, rel=1e-3)


def test_the_same_every_time() -> None:
    depth, known = made_up(3, 1.2, 0.1, 0.3, count=5000)
    assert align_depth(depth, known, with_shift=True) == align_depth(depth, known, with_shift=True)


def test_too_little_decides_nothing() -> None:
    depth, known = made_up(0, 2.0, 0.0, 0.0)
    assert align_depth(depth[: LEAST_KNOWN - 1], known[: LEAST_KNOWN - 1]) is None
    assert align_depth(np.zeros(50), np.ones(50)) is None
    known[LEAST_KNOWN - 1 :] = np.nan
    assert align_depth(depth, known) is None
    spread = 10.0 ** np.arange(20)
    assert align_depth(np.ones(20), spread) is None


def test_depth_that_is_not_related_is_not_fitted_by_a_shift_alone() -> None:
    rng = np.random.default_rng(0)
    found = align_depth(rng.uniform(1, 10, 200), rng.uniform(9.9, 10.1, 200), with_shift=True)
    assert found is None or abs(found.shift) <= 5.0
