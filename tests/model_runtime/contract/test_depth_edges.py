"""Flying pixels go, surfaces stay."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.contract.depth_edges import flying_pixels, torn_steps

FOCAL = (400.0, 400.0)


def step_depth(ramp: int, near: float = 2.0, far: float = 4.0) -> np.ndarray:
    """[20,60]: a wall at `near`, then `ramp` pixels between, then a wall at `far`."""
    row = np.concatenate([np.full(30, near), np.linspace(near, far, ramp + 2)[1:-1], np.full(30 - ramp, far)])
    return np.tile(row, (20, 1))


def plane_depth(grazing: float, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    """A floor that the ray through the middle of the image meets at `grazing` degrees."""
    pitch = np.radians(grazing)
    v = (np.arange(shape[0]) + 0.5 - shape[0] / 2) / FOCAL[1]
    depth = 1.5 / (np.sin(pitch) + v * np.cos(pitch))
    return np.tile(np.where(depth > 0, depth, 0)[:, None], (1, shape[1]))


@pytest.mark.parametrize("ramp", [1, 2, 4, 6])
@pytest.mark.parametrize("turned", [False, True])
def test_pixels_between_the_walls_of_a_step_go_and_the_walls_stay(ramp, turned):
    depth = step_depth(ramp)
    between = (depth > 2) & (depth < 4)
    flying = flying_pixels(depth.T, FOCAL, 10).T if turned else flying_pixels(depth, FOCAL, 10)
    np.testing.assert_array_equal(flying, between)


def test_blurred_step_loses_all_but_its_feet():
    x = np.arange(60) - 29.5
    depth = np.tile(3 + np.tanh(x / 2), (20, 1))
    flying = flying_pixels(depth, FOCAL, 10)
    off_both = np.minimum(depth - 2, 4 - depth)
    assert flying[off_both > 0.1].all()
    assert not flying[off_both < 0.01].any()


def test_clean_step_keeps_everything():
    assert not flying_pixels(step_depth(0), FOCAL, 10).any()


@pytest.mark.parametrize("grazing", [8.0, 15.0, 45.0])
def test_slanted_plane_stays_whole(grazing):
    depth = plane_depth(grazing)
    # The flattest of these is far steeper in depth per pixel than the limit: only its length tells it from an edge.
    assert grazing > 8 or np.abs(np.diff(np.log(depth[:, 0]))).max() > 1 / (FOCAL[1] * np.tan(np.radians(10)))
    assert not flying_pixels(depth, FOCAL, 10).any()


def test_angle_zero_keeps_everything():
    assert not flying_pixels(step_depth(4), FOCAL, 0).any()


def test_smaller_angle_drops_less():
    depth = step_depth(4, far=2.1)
    assert flying_pixels(depth, FOCAL, 20).any()
    assert not flying_pixels(depth, FOCAL, 2).any()


def test_holes_are_not_flying():
    depth = step_depth(2)
    depth[5, 10] = 0
    depth[6, 12] = np.nan
    flying = flying_pixels(depth, FOCAL, 10)
    assert not flying[5, 10] and not flying[6, 12]


@pytest.mark.parametrize("turned", [False, True])
def test_a_clean_step_is_torn_and_nothing_else(turned):
    depth = step_depth(0)
    rows, columns = torn_steps(depth.T if turned else depth, FOCAL, 10)
    across, along = (columns.T, rows.T) if turned else (rows, columns)
    assert across[:, 29].all()
    assert across.sum() == len(depth) and not along.any()


@pytest.mark.parametrize("grazing", [8.0, 15.0, 45.0])
def test_a_slanted_plane_is_not_torn(grazing):
    assert not any(torn.any() for torn in torn_steps(plane_depth(grazing), FOCAL, 10))


def test_with_angle_zero_only_holes_tear():
    depth = step_depth(0)
    depth[5, 10] = 0
    rows, columns = torn_steps(depth, FOCAL, 0)
    assert rows.sum() == 2 and rows[5, 9:11].all()
    assert columns.sum() == 2 and columns[4:6, 10].all()
