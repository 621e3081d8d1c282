"""Blender's cameras as known cameras: against Blender's own projection, matrices and renders' conventions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix, Vector  # noqa: E402

from da3_blender.photos.known_cameras import CameraPhoto, given_cameras, match_cameras, scene_cameras  # noqa: E402
from da3_blender.plan.conventions import any_blender_camera, from_blender_camera, to_blender_camera  # noqa: E402
from da3_blender.plan.scene_plan import CameraPlan, plan_scene  # noqa: E402
from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.cameras import write_camera  # noqa: E402
from da3_blender.scene.marks import PIXEL_ASPECT, VIEW  # noqa: E402
from model_runtime.contract.lens import BROWN, Lens, straight_camera  # noqa: E402
from model_runtime.contract.messages import Cameras, JobError  # noqa: E402

world_to_camera_view = pytest.importorskip("bpy_extras.object_utils").world_to_camera_view

POINTS = np.random.default_rng(0).uniform((-2, -2, -9), (2, 2, -3), (20, 3))
"""In front of a camera, in its own axes."""


def photo(size: tuple[int, int] = (640, 480), **more: Any) -> CameraPhoto:
    return CameraPhoto(**{"name": "a.jpg", "width": size[0], "height": size[1], **more})


def add_camera(scene, name: str = "Camera"):
    item = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    scene.collection.objects.link(item)
    item.location, item.rotation_euler = (1.5, -3.0, 2.0), Euler((1.2, 0.1, 0.6))
    return item


def known(scene, item, size: tuple[int, int] = (640, 480)) -> Cameras:
    return given_cameras([photo(size)], [item], scene)


def pixels(given: Cameras, world: np.ndarray) -> np.ndarray:
    seen = world @ given.extrinsics[0, :3, :3].T + given.extrinsics[0, :3, 3]
    projected = seen @ given.intrinsics[0].T
    return projected[:, :2] / projected[:, 2:]


def world_points(item) -> np.ndarray:
    place, turn, _ = item.matrix_world.decompose()
    return POINTS @ np.array(turn.to_matrix()).T + np.array(place)


def blender_pixels(scene, item, size: tuple[int, int], world: np.ndarray) -> np.ndarray:
    """By Blender's helper for scripts, which knows one resolution: that of the scene."""
    scene.render.resolution_x, scene.render.resolution_y = size
    share = np.array([world_to_camera_view(scene, item, Vector(point)) for point in world])
    return np.stack([share[:, 0] * size[0], (1 - share[:, 1]) * size[1]], axis=1)


def matrix_pixels(item, size: tuple[int, int], aspect: tuple[float, float], world: np.ndarray) -> np.ndarray:
    """By the matrix that Blender renders with."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    projection = np.array(
        item.evaluated_get(depsgraph).calc_matrix_camera(
            depsgraph, x=size[0], y=size[1], scale_x=aspect[0], scale_y=aspect[1]
        )
    )
    matrix = np.array(item.matrix_world)
    matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    clip = np.c_[world, np.ones(len(world))] @ np.linalg.inv(matrix).T @ projection.T
    share = clip[:, :2] / clip[:, 3:] * (1, -1) / 2 + 0.5
    return share * size


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (500, 500)])
@pytest.mark.parametrize("aspect", [(1.0, 1.0), (1.5, 1.0), (1.0, 1.4)])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, -0.13)])
def test_pixels_are_those_of_blender(empty_scene, fit, size, aspect, shift):
    item = add_camera(empty_scene)
    lens = item.data
    lens.sensor_fit, lens.sensor_width, lens.sensor_height = fit, 23.6, 13.1
    lens.lens, lens.shift_x, lens.shift_y = 28.0, *shift
    empty_scene.render.pixel_aspect_x, empty_scene.render.pixel_aspect_y = aspect
    empty_scene.render.resolution_x, empty_scene.render.resolution_y = 1234, 321
    given = known(empty_scene, item, size)
    world = world_points(item)
    ours = pixels(given, world)
    np.testing.assert_allclose(ours, matrix_pixels(item, size, aspect, world), atol=0.01)
    if aspect == (1.0, 1.0):  # the helper leaves pixel aspects out
        np.testing.assert_allclose(ours, blender_pixels(empty_scene, item, size, world), atol=0.01)


def test_a_lens_set_by_its_field_of_view(empty_scene):
    item = add_camera(empty_scene)
    item.data.lens_unit = "FOV"
    item.data.angle = math.radians(50)
    intrinsics = known(empty_scene, item, (640, 480)).intrinsics[0]
    assert intrinsics[0, 0] == pytest.approx(320 / math.tan(math.radians(25)), rel=1e-6)
    assert intrinsics[:2, 2] == pytest.approx((320, 240))


def test_parents_constraints_and_animation_count_and_scale_does_not(empty_scene):
    item, parent, target = add_camera(empty_scene), bpy.data.objects.new("p", None), bpy.data.objects.new("t", None)
    for empty in (parent, target):
        empty_scene.collection.objects.link(empty)
    item.parent, item.scale = parent, (2.0, 3.0, 0.5)
    parent.location, parent.scale, target.location = (4, 0, 1), (0.3, 0.3, 0.3), (0, 9, 2)
    item.constraints.new("TRACK_TO").target = target
    item.data.lens = 20.0
    item.data.keyframe_insert("lens", frame=1)
    item.data.lens = 80.0
    item.data.keyframe_insert("lens", frame=11)
    parent.keyframe_insert("location", index=0, frame=1)
    parent.location = (6, 0, 1)
    parent.keyframe_insert("location", index=0, frame=11)
    empty_scene.frame_set(11)
    given = known(empty_scene, item)
    eye = -given.extrinsics[0, :3, :3].T @ given.extrinsics[0, :3, 3]
    assert eye == pytest.approx((6 + 0.3 * 1.5, -0.9, 1.6), abs=1e-6)
    assert given.extrinsics[0] @ (0, 9, 2, 1) == pytest.approx((0, 0, np.linalg.norm(eye - (0, 9, 2)), 1), abs=1e-5)
    assert given.intrinsics[0, 0, 0] == pytest.approx(80 / 36 * 640)
    world = world_points(item)
    np.testing.assert_allclose(pixels(given, world), matrix_pixels(item, (640, 480), (1, 1), world), atol=0.01)


@pytest.mark.parametrize(("frame", "fit"), [(0.5, "HORIZONTAL"), (1.5, "VERTICAL")])
def test_cameras_of_the_add_on_come_back(empty_scene, room, frame, fit):
    view = room.view(eye=(1, -2, 1.5), photo_size=(480, 640), focal=(700, 650), principal=(200, 350))
    camera = to_blender_camera(view.extrinsics, view.intrinsics, view.photo_size)
    plan = CameraPlan("a.jpg", camera, None, b"", (0.1, 100.0), 0.2, "given")
    item = write_camera(plan, empty_scene.collection, frame)
    assert item.data.sensor_fit == fit
    given = known(empty_scene, item, view.photo_size)
    np.testing.assert_allclose(given.extrinsics[0], view.extrinsics, atol=1e-6)
    np.testing.assert_allclose(given.intrinsics[0] / 640, view.intrinsics / 640, atol=1e-6)
    assert tuple(item.data[PIXEL_ASPECT]) != (1, 1)


def test_sensors_change_nothing_of_a_camera_that_is_the_same(room):
    view = room.view(eye=(1, -2, 1.5), photo_size=(480, 640), focal=(700, 650), principal=(200, 350))
    camera = to_blender_camera(view.extrinsics, view.intrinsics, view.photo_size)
    tall = 640 / 480 * camera.pixel_aspect[1] / camera.pixel_aspect[0]
    same = any_blender_camera(
        camera.matrix_world @ np.diag([3, 0.2, 1, 1]),
        camera.lens / 36.0 * 11.0 / tall,
        (camera.shift_x / tall, camera.shift_y / tall),
        "VERTICAL",
        (99.0, 11.0),
        camera.resolution,
        camera.pixel_aspect,
    )
    extrinsics, intrinsics = from_blender_camera(same)
    np.testing.assert_allclose(extrinsics, view.extrinsics, atol=1e-12)
    np.testing.assert_allclose(intrinsics, view.intrinsics, atol=1e-9)


def test_cameras_that_cannot_be_known_are_refused_with_a_sentence(empty_scene):
    def refused(said: str) -> None:
        with pytest.raises(JobError, match=said) as caught:
            known(empty_scene, item)
        assert caught.value.failure.code == "bad-cameras" and caught.value.failure.advice

    item = add_camera(empty_scene)
    with pytest.raises(JobError, match=r"How large .* is shows only when it is developed"):
        known(empty_scene, item, (0, 0))
    item.data.type = "ORTHO"
    refused("The camera 'Camera' is no perspective camera")
    item.data.type = "PANO"
    refused("no perspective camera")
    item.data.type = "PERSP"
    item.hide_viewport = True
    refused("hidden or not in this scene")
    item.hide_viewport = False
    item.scale.x = -1
    refused("mirrored")
    item.scale.x = 0
    refused("scale of zero")
    item.scale.x = 1
    parent = bpy.data.objects.new("parent", None)
    empty_scene.collection.objects.link(parent)
    item.parent, parent.scale = parent, (1, 2, 1)
    refused("sheared")
    parent.scale = (1, 1, 1)
    assert known(empty_scene, item).extrinsics.shape == (1, 4, 4)


def test_photos_without_a_camera_and_with_the_same_are_named(empty_scene):
    item = add_camera(empty_scene)
    photos = [photo(name="a.jpg"), photo(name="b.jpg"), photo(name="c.jpg")]
    with pytest.raises(JobError, match=r"No camera is known for b\.jpg, c\.jpg\."):
        given_cameras(photos, [item, None, None], empty_scene)
    with pytest.raises(JobError, match=r"a\.jpg and b\.jpg have the same camera, 'Camera'"):
        given_cameras(photos[:2], [item, item], empty_scene)


def test_cameras_are_matched_by_photo_mark_and_name(empty_scene, tmp_path):
    shows, marked, named, by_data, other = (add_camera(empty_scene, name) for name in ("x", "b.jpg", "C", "y", "z"))
    file = tmp_path / "first.png"
    bpy.data.images.new("first", 8, 8).save(filepath=str(file))
    shows.data.background_images.new().image = bpy.data.images.load(str(file))
    marked[VIEW] = "second.jpg"
    by_data.data.name = "fourth"
    packed = bpy.data.images.new("fifth", 8, 8)
    other.data.background_images.new().image = packed
    photos = [
        photo(name="first.png", path=str(file)),
        photo(name="second.jpg"),
        photo(name="c.jpg"),
        photo(name="fourth.jpg"),
        photo(name="fifth", image=packed),
        photo(name="b.jpg"),  # the camera of this name was made for another photo
    ]
    assert match_cameras(photos, scene_cameras(empty_scene)) == [shows, marked, named, by_data, other, None]


def test_two_cameras_that_would_do_are_not_guessed_from(empty_scene):
    first, second = add_camera(empty_scene, "1"), add_camera(empty_scene, "2")
    first[VIEW] = second[VIEW] = "a.jpg"
    assert match_cameras([photo(name="a.jpg")], [first, second]) == [None]


def test_cameras_without_any_hint_belong_to_the_photos_in_order(empty_scene):
    items = {name: add_camera(empty_scene, name) for name in ("Camera.10", "Camera.2", "Camera.1")}
    photos = [photo(name=name) for name in ("p.jpg", "q.jpg", "r.jpg")]
    in_order = [items["Camera.1"], items["Camera.2"], items["Camera.10"]]
    assert match_cameras(photos, scene_cameras(empty_scene)) == in_order
    assert match_cameras(photos[:2], scene_cameras(empty_scene)) == [None, None]


def test_a_moved_parent_is_seen_without_an_update(empty_scene):
    item, parent = add_camera(empty_scene), bpy.data.objects.new("parent", None)
    empty_scene.collection.objects.link(parent)
    item.parent = parent
    parent.matrix_world = Matrix.Translation((0, 0, 5))
    eye = np.linalg.inv(known(empty_scene, item).extrinsics[0])[:3, 3]
    assert eye == pytest.approx((1.5, -3, 7), abs=1e-6)


def test_a_camera_of_a_straightened_photo_is_known_with_its_lens(room, empty_scene):
    lens = Lens(BROWN, (640, 480), np.array([[500.0, 0, 320], [0, 510, 250], [0, 0, 1]]), np.array([-0.2, 0.05]))
    straight = straight_camera(lens)
    (width, height), k = straight.size, straight.intrinsics
    view = room.view(name="a.jpg", photo_size=(width, height), focal=(k[0, 0], k[1, 1]), principal=(k[0, 2], k[1, 2]))
    plan = plan_scene(room.prediction(replace(view, lens=lens)), "room")
    (camera,) = write_scene(plan, empty_scene).cameras
    given = known(empty_scene, camera)
    np.testing.assert_array_equal(given.intrinsics[0], lens.intrinsics)
    np.testing.assert_allclose(given.lenses[0].coefficients[:2], [-0.2, 0.05])
    place = -given.extrinsics[0, :3, :3].T @ given.extrinsics[0, :3, 3]
    np.testing.assert_allclose(place, camera.matrix_world.translation, atol=1e-6)
    with pytest.raises(JobError, match=r"a\.jpg has another size than the photo whose lens"):
        known(empty_scene, camera, (1280, 960))
    camera.data.lens *= 1.1
    with pytest.raises(JobError, match="was changed since its photo was straightened"):
        known(empty_scene, camera)
