"""Splats that float about: planted ones are told from those of a room that three photos show."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.plan.floaters import floating
from da3_blender.plan.point_cloud import unproject

EYES = ((-1.0, -1.0, 1.6), (0.0, -1.2, 1.5), (1.0, -1.0, 1.7))
PLANTED = 200


@pytest.fixture(scope="module")
def planted(room):
    """Positions, scales and views of a room's splats, one a pixel, then of planted ones, and the photos.

    Those stand in the air between the first photo's eye and what it shows, ten of them in a clump.
    """
    views = tuple(room.view(eye=eye, target=(0, 4, 0.5), detail=5, name=str(eye)) for eye in EYES)
    position, scale, source = [], [], []
    for index, view in enumerate(views):
        row, column = np.nonzero(view.usable)
        position.append(unproject(view, row, column))
        scale.append(0.7 * view.depth[row, column] / view.map_intrinsics[0, 0])
        source.append(np.full(len(row), index))
    rng = np.random.default_rng(2)
    chosen = rng.choice(len(position[0]), PLANTED)
    share = rng.uniform(0.3, 0.8, (PLANTED, 1))
    chosen[:10], share[:10] = chosen[0], share[0]
    air = np.array(EYES[0]) + share * (position[0][chosen] - np.array(EYES[0]))
    air[:10] += rng.normal(0, 0.01, (10, 3))
    position.append(air)
    scale.append(scale[0][chosen] * share[:, 0])
    source.append(np.zeros(PLANTED, int))
    position, scale, source = map(np.concatenate, (position, scale, source))
    truth = np.arange(len(position)) >= len(position) - PLANTED
    return position.astype(np.float32), np.tile(scale[:, None], 3).astype(np.float32), source, views, truth


def found(score: np.ndarray, truth: np.ndarray, least: float) -> tuple[float, float]:
    """Precision and recall of those above `least`."""
    hidden = score > least
    return truth[hidden].mean(), hidden[truth].mean()


def test_planted_floaters_are_found_by_the_photos(planted):
    position, scale, source, views, truth = planted
    precision, recall = found(floating(position, scale, source, views), truth, 0.4)
    assert precision > 0.97 and recall > 0.97


def test_planted_floaters_are_found_by_their_loneliness(planted):
    position, scale, source, _, truth = planted
    precision, recall = found(floating(position, scale, source), truth, 0.5)
    assert precision > 0.8 and recall > 0.9


def test_size_and_place_of_the_scene_do_not_matter(planted):
    position, scale, source, _, truth = planted
    score = floating(position * np.float32(50) + np.float32(7), scale * np.float32(50), source)
    assert found(score, truth, 0.5)[1] > 0.9
    np.testing.assert_allclose(score.mean(), floating(position, scale, source).mean(), rtol=0.3)


def test_scattered_splats_are_no_floaters():
    rng = np.random.default_rng(0)
    position, scale = rng.uniform(0, 100, (300, 3)).astype(np.float32), np.full((300, 3), 0.1, np.float32)
    assert not floating(position, scale, np.zeros(300, int)).any()
    assert floating(position[:0], scale[:0], np.zeros(0, int)).shape == (0,)
