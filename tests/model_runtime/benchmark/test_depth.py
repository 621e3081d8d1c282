"""Depth accuracy on errors that are known beforehand."""

import numpy as np
import pytest

from model_runtime.benchmark.depth import comparable, depth_scores, nearest_resize, scene_depth_scores


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 6, (24, 32))


def test_ten_percent_too_far_is_an_abs_rel_of_a_tenth(truth):
    scores = depth_scores(1.1 * truth.ravel(), truth.ravel())
    assert scores.abs_rel == pytest.approx(0.1)
    assert scores.delta1 == 1


def test_delta1_counts_factors_of_one_and_a_quarter(truth):
    depth = truth.ravel() * np.where(np.arange(truth.size) % 4 == 0, 1.3, 1 / 1.2)
    assert depth_scores(depth, truth.ravel()).delta1 == pytest.approx(0.75)


def test_shares_within_two_and_five_percent(truth):
    """Of every ten pixels two are 1.5 % too far, one 1.5 % too near, three 4 % too near and four 10 % too far."""
    error = np.array([0.015, 0.015, -0.015, -0.04, -0.04, -0.04, 0.1, 0.1, 0.1, 0.1])
    exact = truth.ravel()[:760]
    scores = depth_scores(exact * (1 + error[np.arange(760) % 10]), exact)
    assert scores.within2 == pytest.approx(0.3)
    assert scores.within5 == pytest.approx(0.6)
    assert (depth_scores(exact, exact).within2, depth_scores(exact, exact).within5) == (1, 1)


def test_one_scale_for_the_scene_cannot_right_views_of_different_scales(truth):
    scores = scene_depth_scores([2 * truth, 3 * truth], [truth, truth])
    assert scores["view"].abs_rel == pytest.approx(0, abs=1e-12)
    assert scores["scene"].abs_rel > 0.15


def test_scale_and_shift_are_found_per_view(truth):
    scores = scene_depth_scores([0.5 * truth + 0.7, 3 * truth - 0.2], [truth, truth])
    assert scores["shift"].abs_rel == pytest.approx(0, abs=1e-9)
    assert scores["view"].abs_rel > 0.02


def test_unknown_truth_is_left_out(truth):
    hole = truth.copy()
    hole[:8], hole[8, 0], hole[9, 0] = 0, np.inf, np.nan
    wrong = np.where(np.isfinite(hole) & (hole > 0), 4 * truth, 1000.0)
    assert scene_depth_scores([wrong], [hole])["scene"].abs_rel == pytest.approx(0, abs=1e-12)


def test_a_coarse_depth_map_is_looked_up_at_the_truth_s_pixels():
    coarse = np.arange(6.0).reshape(2, 3)
    assert (nearest_resize(coarse, (4, 6)) == coarse.repeat(2, 0).repeat(2, 1)).all()
    ours, theirs = comparable([coarse + 1], [np.ones((4, 6))])
    assert len(ours[0]) == len(theirs[0]) == 24
