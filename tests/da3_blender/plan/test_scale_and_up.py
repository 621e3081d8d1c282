"""Scale and floor from picked points, against plain geometry; and which point a click means."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.plan.scale_and_up import (
    TransformError,
    least_turn_up,
    pick_point,
    scale_to_distance,
    stand_on_axes,
    stand_on_floor,
    within,
)
from da3_blender.plan.similarity import Similarity


def test_scale_to_distance():
    assert scale_to_distance(np.array([1, 2, 3]), np.array([1, 5, 7]), 2.5) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("first", "second", "distance", "told"),
    [
        ((1, 2, 3), (1, 2, 3.000001), 1, "The two points are the same."),
        ((0, 0, 0), (0, 0, 0), 1, "The two points are the same."),
        ((0, 0, 0), (1, 0, 0), 0, "The distance is zero."),
        ((0, 0, 0), (1, 0, 0), np.nan, "The distance is zero."),
        ((0, 0, 0), (1, 0, 0), 1e9, "a million times"),
        ((0, 0, 0), (np.nan, 0, 0), 1, "The two points are the same."),
    ],
)
def test_useless_distances_are_refused(first, second, distance, told):
    with pytest.raises(TransformError, match=told) as error:
        scale_to_distance(np.array(first), np.array(second), distance)
    assert error.value.failure.advice


@pytest.mark.parametrize("seed", range(5))
def test_floor_comes_to_zero_with_the_cameras_above(room, seed):
    rng = np.random.default_rng(seed)
    turn = room.rotation_about(tuple(rng.normal(size=3)), rng.uniform(0, 180))
    shift = rng.normal(size=3)
    flat = np.column_stack([rng.uniform(-3, 3, (40, 2)), np.zeros(40)]) @ turn.T + shift
    eyes = np.column_stack([rng.uniform(-3, 3, (7, 2)), rng.uniform(0.5, 2, 7)]) @ turn.T + shift
    for corners in (flat[:3], flat[2::-1]):
        motion = stand_on_floor(corners, eyes)
        assert motion.scale == 1
        np.testing.assert_allclose(motion.rotation @ motion.rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(motion.points(flat)[:, 2], 0, atol=1e-9)
        assert motion.points(eyes)[:, 2].min() > 0.4
        np.testing.assert_allclose(motion.points(corners.mean(axis=0))[:2], corners.mean(axis=0)[:2])
        again = stand_on_floor(motion.points(corners), motion.points(eyes))
        np.testing.assert_allclose(again.matrix, np.eye(4), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_origin_and_axes_come_to_the_worlds(room, seed):
    """Whatever stood in a world that was turned and moved stands in its own again, on which side the third point is."""
    rng = np.random.default_rng(seed)
    turn, shift = room.rotation_about(tuple(rng.normal(size=3)), rng.uniform(0, 180)), rng.normal(size=3)
    things = rng.uniform((-3, -3, 0), (3, 3, 2), (20, 3))
    eyes = rng.uniform((-3, -3, 0.5), (3, 3, 2), (7, 3))
    for side in (1.5, -0.7):
        picks = np.array([(0, 0, 0), (2.5, 0, 0), (0.8, side, 0)])
        motion = stand_on_axes(*(picks @ turn.T + shift), eyes @ turn.T + shift)
        assert motion.scale == 1
        np.testing.assert_allclose(motion.rotation @ turn, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(motion.points(things @ turn.T + shift), things, atol=1e-12)


@pytest.mark.parametrize(
    ("third", "told"),
    [((2, 0, 0.001), "lie on one line"), ((np.nan, 0, 0), "are the same"), ((1, 0, 0), "on one line")],
)
def test_axes_need_three_points_apart(third, told):
    with pytest.raises(TransformError, match=told):
        stand_on_axes(np.zeros(3), np.array([1.0, 0, 0]), np.array(third), np.empty((0, 3)))


def test_turn_is_the_least(room):
    normal = room.rotation_about((1, 2, 0), 35) @ (0, 0, 1)
    turn = least_turn_up(normal)
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(35)
    np.testing.assert_allclose(turn @ normal, (0, 0, 1), atol=1e-12)


@pytest.mark.parametrize("normal", [(0.0, 0.0, -1.0), (1e-5, 0.0, -1.0), (0.0, 1e-7, -1.0)])
def test_floor_above_ones_head_is_turned_over(normal):
    normal = np.array(normal) / np.linalg.norm(normal)
    turn = least_turn_up(normal)
    np.testing.assert_allclose(turn @ normal, (0, 0, 1), atol=1e-8)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-8)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_side_of_the_floor_is_most_cameras():
    corners = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0.0)])
    lower = np.array([(0, 0, -1), (0, 1, -1), (0, 0, 5.0)])
    assert stand_on_floor(corners, lower).rotation[2, 2] == -1
    assert stand_on_floor(corners, np.zeros((2, 3))).rotation[2, 2] == 1
    assert stand_on_floor(corners, np.zeros((0, 3))).rotation[2, 2] == 1


@pytest.mark.parametrize(
    ("corners", "told"),
    [
        ([(0, 0, 0), (1, 1, 1), (2, 2, 2)], "on one line"),
        ([(0, 0, 0), (1, 0, 0), (2, 0, 0.01)], "on one line"),
        ([(0, 0, 0), (1, 0, 0), (0, 0, 0)], "on one line"),
        ([(3, 3, 3)] * 3, "are the same"),
        ([(0, 0, 0)] * 3, "are the same"),
        ([(0, 0, 0), (1, 0, 0), (0, np.nan, 0)], "are the same"),
    ],
)
def test_points_that_are_no_floor_are_refused(corners, told):
    with pytest.raises(TransformError, match=told):
        stand_on_floor(np.array(corners, dtype=float), np.zeros((1, 3)))


def test_motion_within_a_frame(room):
    frame = Similarity(2.5, room.rotation_about((1, 0, 1), 50), np.array([3.0, -1, 2])).matrix
    motion = Similarity(1.0, room.rotation_about((0, 1, 3), 20), np.array([0.0, 4, 1]))
    np.testing.assert_allclose(frame @ within(frame, motion).matrix, motion.matrix @ frame, atol=1e-12)
    with pytest.raises(TransformError, match="unevenly"):
        within(np.diag([1.0, 1, 2, 1]), motion)


SIZE = (800, 600)


def perspective(room, near: float = 0.1, far: float = 1000.0) -> np.ndarray:
    """Clip space of a camera at the origin that looks along +y with z up; focal length 400 pixels (OpenGL's matrix)."""
    width, height = SIZE
    projection = np.array(
        [
            [2 * 400 / width, 0, 0, 0],
            [0, 2 * 400 / height, 0, 0],
            [0, 0, (far + near) / (near - far), 2 * far * near / (near - far)],
            [0, 0, -1, 0],
        ]
    )
    return projection @ np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])


def pixel(point) -> tuple[float, float]:
    return 400 + 400 * point[0] / point[1], 300 + 400 * point[2] / point[1]


def test_click_takes_the_point_under_it(room):
    points = np.random.default_rng(1).uniform((-4, 5, -3), (4, 6, 3), (5000, 3)).astype(np.float32)
    for index in (3, 77, 4000):
        x, y = pixel(points[index])
        drawn = np.stack([pixel(point) for point in points])
        near = np.linalg.norm(drawn - (x, y), axis=1) <= 1e-3
        points = points[~near | (np.arange(len(points)) == index)]
        chosen = pick_point(points, perspective(room), SIZE, (x + 1e-4, y), 1e-2)
        assert chosen is not None
        np.testing.assert_allclose(pixel(points[chosen]), (x, y), atol=1e-3)


def test_click_takes_the_front_surface_and_there_the_nearest_point(room):
    wall = [(0, 10, 0), (0.02, 10, 0), (0.1, 10, 0), (0.1, 9.9, 0)]
    behind = [(0.002, 20, 0)]
    points = np.array(wall + behind)
    assert pick_point(points, perspective(room), SIZE, pixel((0, 20, 0)), 8) == 0
    assert pick_point(points, perspective(room), SIZE, pixel((0.09, 10, 0)), 8) == 2
    assert pick_point(points[4:], perspective(room), SIZE, pixel((0, 20, 0)), 8) == 0


def test_click_on_a_grazing_floor_is_not_pulled_towards_the_viewer(room):
    across, along = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(3, 12, 361))
    floor = np.stack([across, along, np.full_like(across, -1.2)], axis=-1).reshape(-1, 3)
    for target in ((0.5, 5.0, -1.2), (-0.9, 6.5, -1.2)):
        chosen = pick_point(floor, perspective(room), SIZE, pixel(target), 8)
        assert chosen is not None
        np.testing.assert_allclose(floor[chosen], target, atol=0.03)


def test_click_beside_everything(room):
    points = np.array([(0, 10, 0), (0, -10, 0), (0, 5000, 0)], dtype=np.float32)
    assert pick_point(points[:1], perspective(room), SIZE, (420, 300), 8) is None
    assert pick_point(points[1:], perspective(room), SIZE, (400, 300), 8) is None
    assert pick_point(points[:0], perspective(room), SIZE, (400, 300), 8) is None


def test_click_in_an_orthographic_view(room):
    flat = np.diag([0.25, 1 / 3, -1e-3, 1.0])  # 8 by 6 units, seen from above: 100 pixels a unit
    points = np.array([(1, 1, 0), (1.02, 1, 0.05), (1, 1, -4)])
    assert pick_point(points, flat, SIZE, (500, 400), 8) == 0
    assert pick_point(points, flat, SIZE, (501.8, 400), 8) == 1
    assert pick_point(points[[2]], flat, SIZE, (503, 400), 8) == 0
