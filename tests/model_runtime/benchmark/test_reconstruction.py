"""Alignment to true cameras and distances between surfaces, on analytic cases."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.benchmark.fusion import DepthView
from model_runtime.benchmark.reconstruction import (
    Protocol,
    align,
    compare_surfaces,
    sampled_surface,
    score_surface,
    thinned,
)

PROTOCOL = Protocol(cell=0.02, truncation=0.06, threshold=0.05, points=100_000)


def cameras(centres: np.ndarray, seed: int = 0) -> np.ndarray:
    rotations = Rotation.random(len(centres), random_state=seed).as_matrix()
    extrinsics = np.tile(np.eye(4), (len(centres), 1, 1))
    extrinsics[:, :3, :3] = rotations
    extrinsics[:, :3, 3] = -np.einsum("nij,nj->ni", rotations, centres)
    return extrinsics


def moved(extrinsics: np.ndarray, scale: float = 0.4) -> np.ndarray:
    """The same cameras in a world turned, shifted and scaled."""
    turn = Rotation.from_euler("xyz", (0.3, -1.1, 2.0)).as_matrix()
    centres = np.linalg.inv(extrinsics)[:, :3, 3] @ turn.T * scale + (1.0, -2.0, 3.0)
    result = extrinsics.copy()
    result[:, :3, :3] = extrinsics[:, :3, :3] @ turn.T
    result[:, :3, 3] = -np.einsum("nij,nj->ni", result[:, :3, :3], centres)
    return result


def realigned(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    return align(predicted, true).extrinsics(torch.from_numpy(predicted)).numpy()


@pytest.mark.parametrize(
    "centres",
    [
        np.random.default_rng(1).normal(size=(9, 3)),
        np.random.default_rng(2).normal(size=(2, 3)),
        np.outer(np.linspace(0, 3, 7), (1.0, 2.0, -1.0)),
    ],
    ids=["many", "two", "on one line"],
)
def test_cameras_come_back_from_another_frame(centres):
    true = cameras(centres)
    assert np.allclose(realigned(moved(true), true), true, atol=1e-9)


def test_false_cameras_have_no_say():
    true = cameras(np.random.default_rng(3).normal(size=(12, 3)))
    predicted = moved(true)
    false = [2, 7, 8]
    predicted[false] = cameras(np.random.default_rng(4).normal(scale=3, size=(3, 3)), seed=9)
    good = np.setdiff1d(np.arange(12), false)
    assert np.allclose(realigned(predicted, true)[good], true[good], atol=1e-6)


def test_cameras_that_were_not_found_are_left_out():
    true = cameras(np.random.default_rng(5).normal(size=(5, 3)))
    predicted = moved(true)
    predicted[1] = np.nan
    assert np.allclose(realigned(predicted, true)[[0, 2, 3, 4]], true[[0, 2, 3, 4]], atol=1e-9)


def sheet(z: float, width: float = 1.0, step: float = 0.01) -> np.ndarray:
    x, y = np.meshgrid(np.arange(0, width, step), np.arange(0, 1, step))
    return np.stack([x, y, np.full_like(x, z)], -1).reshape(-1, 3)


def test_a_sheet_three_centimetres_off_is_three_centimetres_off():
    scores = compare_surfaces(sheet(0.03), sheet(0), PROTOCOL)
    assert scores.accuracy == scores.completeness == scores.chamfer == pytest.approx(0.03)
    assert scores.fscore == 1
    assert compare_surfaces(sheet(0.051), sheet(0), PROTOCOL).fscore == 0


def test_half_a_sheet_is_accurate_but_incomplete():
    scores = compare_surfaces(sheet(0, 0.5), sheet(0), PROTOCOL)
    assert scores.accuracy == 0
    assert scores.precision == 1
    # The nearest column is at 0.49; columns below 0.54 lie within 5 cm of it (0.54 itself just does not).
    assert scores.recall == pytest.approx(0.54, abs=0.011)
    assert scores.completeness == pytest.approx(np.maximum(np.arange(0, 1, 0.01) - 0.49, 0).mean(), abs=1e-9)
    assert scores.fscore == pytest.approx(2 * scores.recall / (1 + scores.recall))


def test_outliers_beyond_the_limit_do_not_count_for_distances():
    stray = np.concatenate([sheet(0.01), sheet(50.0)])
    limited = Protocol(cell=0.02, truncation=0.06, threshold=0.05, outlier=20)
    scores = compare_surfaces(stray, sheet(0), limited)
    assert scores.accuracy == pytest.approx(0.01)
    assert scores.precision == pytest.approx(0.5)


def test_points_that_are_not_judged_do_not_count():
    stray = np.concatenate([sheet(0), sheet(1.0)])
    scores = compare_surfaces(stray, sheet(0), PROTOCOL, lambda p, t: (p[:, 2] < 0.5, np.ones(len(t), bool)))
    assert scores.accuracy == 0


def test_no_surface_scores_nothing():
    scores = compare_surfaces(np.zeros((0, 3)), sheet(0), PROTOCOL)
    assert scores.fscore == 0
    assert np.isinf(scores.chamfer)


def test_samples_spread_by_area():
    """Two triangles, one nine times the other, far apart."""
    vertices = np.array([(0, 0, 0), (3, 0, 0), (0, 3, 0), (10, 0, 0), (11, 0, 0), (10, 1, 0)], float)
    points = sampled_surface(vertices, np.array([(0, 1, 2), (3, 4, 5)]), 20_000)
    assert (points[:, 0] < 5).mean() == pytest.approx(0.9, abs=0.01)
    assert np.allclose(points[:, 2], 0)


def test_thinning_keeps_one_mean_per_cell():
    points = np.array([(0.0, 0, 0), (0.2, 0, 0), (1.5, 0, 0), (0, 0, 5.5), (0, 0, 5.7)])
    assert sorted(map(tuple, thinned(points, 1.0).round(6))) == [(0, 0, 5.6), (0.1, 0, 0), (1.5, 0, 0)]


def test_a_wall_seen_two_centimetres_too_far():
    size, intrinsics = (60, 80), np.array([[60.0, 0, 40], [0, 60, 30], [0, 0, 1]])
    x, y = np.meshgrid((np.arange(80) + 0.5 - 40) / 60 * 2, (np.arange(60) + 0.5 - 30) / 60 * 2)
    truth = np.stack([x, y, np.full_like(x, 2)], -1).reshape(-1, 3)
    views = [DepthView(np.full(size, 2.02), intrinsics, np.eye(4))]
    scores = score_surface(views, truth, PROTOCOL)
    # The truth's points are 33 mm apart, so that a fused point is up to 24 mm beside the nearest.
    assert 0.02 <= scores.accuracy < 0.03
    assert scores.fscore > 0.99
