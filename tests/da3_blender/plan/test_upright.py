"""Up and floor of a tilted room, recovered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.conventions import OPENCV_TO_Z_UP
from da3_blender.plan.scene_plan import plan_scene
from da3_blender.plan.upright import camera_up, upright_motion

EYES = [(0.0, 0.0, 1.6), (1.5, 0.5, 1.4), (-1.5, 1.0, 1.8)]


def tilted_views(room, degrees: float, axis=(1.0, 0.3, 0.2)) -> tuple[tuple, np.ndarray]:
    """Three views of the room as a prediction would hold them: y down and tilted by `degrees` on top."""
    world = np.eye(4)
    world[:3, :3] = room.rotation_about(axis, degrees) @ OPENCV_TO_Z_UP.T
    world[:3, 3] = (3, -2, 5)
    return tuple(room.view(eye=eye, target=(0, 4, 0.3), world=world) for eye in EYES), world


def up_error(motion: np.ndarray, world: np.ndarray) -> float:
    """Degrees between Blender's +z and the room's own up after the motion."""
    up = motion[:3, :3] @ world[:3, :3] @ (0, 0, 1)
    return float(np.degrees(np.arccos(np.clip(up[2], -1, 1))))


@pytest.mark.parametrize("degrees", [0.0, 10.0, 35.0, 80.0])
def test_recovers_a_tilt(room, degrees):
    views, world = tilted_views(room, degrees)
    motion = upright_motion(views, upright=True, centre=True, keep_frame=False)
    assert up_error(motion, world) < 0.1
    np.testing.assert_allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3), atol=1e-12)
    floor = motion @ world @ (0.5, 2, 0, 1)
    assert floor[2] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.3, 0.2)])
@pytest.mark.parametrize("degrees", [90.0, 180.0])
def test_a_world_of_given_cameras_on_its_side_comes_out_upright(room, axis, degrees):
    """As COLMAP's worlds are; the axes are of a room with y down."""
    views, world = tilted_views(room, degrees, axis)
    motion = plan_scene(room.prediction(*views, source="given"), "room").motion
    assert up_error(motion, world) < 0.1
    assert (motion @ world @ (0.5, 2, 0, 1))[2] == pytest.approx(0, abs=1e-3)


def test_recovers_a_tilt_from_noisy_depth(room):
    views, world = tilted_views(room, 20)
    rng = np.random.default_rng(0)
    noisy = tuple(replace(view, depth=view.depth * rng.normal(1, 0.02, view.depth.shape).astype("f")) for view in views)
    assert up_error(upright_motion(noisy, True, True, False), world) < 1


def test_one_photo_that_looks_down_finds_its_floor(room):
    world = np.eye(4)
    world[:3, :3] = OPENCV_TO_Z_UP.T
    view = room.view(eye=(0, 0, 1.6), target=(0, 3, 0), world=world)
    assert up_error(upright_motion((view,), True, True, False), world) < 0.1


def test_cameras_decide_where_there_is_no_floor(room):
    views, world = tilted_views(room, 25)
    bare = tuple(replace(view, sky=np.ones_like(view.sky)) for view in views)
    assert up_error(upright_motion(bare, True, True, False), world) < 1


def test_camera_up_ignores_a_rolled_photo(room):
    rotations = np.stack([room.look_at(np.array([np.cos(a), np.sin(a), 1]), np.zeros(3))[:3, :3] for a in range(7)])
    rotations[3] = room.rotation_about((0, 0, 1), 90) @ rotations[3]
    up, certainty = camera_up(rotations)
    assert np.degrees(np.arccos(up[2])) < 1.5
    assert certainty == 1


def test_photos_upside_down_to_each_other_still_have_an_up(room):
    first = room.look_at(np.array([0, 0, 1.5]), np.array([0, 4, 1]))[:3, :3]
    up, _ = camera_up(np.stack([first, np.diag([-1.0, -1, 1]) @ first]))
    assert np.degrees(np.arccos(up[2])) < 10


def test_photos_straight_down(room):
    down = room.look_at(np.array([0, 0, 3]), np.array([0, 0.001, 0]))
    views = []
    for degrees in (0, 80, 170, 260):
        extrinsics = down.copy()
        extrinsics[:3] = room.rotation_about((0, 0, 1), degrees) @ extrinsics[:3]
        view = room.view()
        views.append(replace(view, extrinsics=extrinsics, depth=np.full_like(view.depth, 3.0)))
    motion = upright_motion(tuple(views), True, True, False)
    assert up_error(motion, np.eye(4)) < 0.1
    assert (motion @ (0, 0, 0, 1))[2] == pytest.approx(0, abs=0.01)


def test_first_camera_looks_along_y(room):
    views, _ = tilted_views(room, 15)
    motion = upright_motion(views, True, True, False)
    forward = motion[:3, :3] @ views[0].extrinsics[2, :3]
    assert forward[0] == pytest.approx(0, abs=1e-9) and forward[1] > 0.5


def test_switched_off_it_only_changes_axes(room):
    views, _ = tilted_views(room, 15)
    motion = upright_motion(views, upright=False, centre=False, keep_frame=False)
    np.testing.assert_array_equal(motion[:3, :3], OPENCV_TO_Z_UP)
    np.testing.assert_array_equal(upright_motion(views, False, False, keep_frame=True), np.eye(4))


def test_centred_scene_stands_on_the_ground_around_the_origin(room):
    views, world = tilted_views(room, 0)
    off = upright_motion(views, True, centre=False, keep_frame=False)
    on = upright_motion(views, True, centre=True, keep_frame=False)
    np.testing.assert_array_equal(off[:3, 3], 0)
    np.testing.assert_array_equal(on[:3, :3], off[:3, :3])
    middle = on @ world @ (0, 3, 0, 1)
    assert np.abs(middle[:2]).max() < 2
