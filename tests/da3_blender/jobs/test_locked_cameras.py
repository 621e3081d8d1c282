"""Locked cameras: what an update asks the worker for, and where the scene is afterwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import plan_scene
from da3_blender.plan.similarity import Similarity
from da3_blender.plan.transform import transform_plan
from model_runtime.contract.lens import BROWN, Lens
from model_runtime.contract.messages import JobError

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix, Vector  # noqa: E402

from da3_blender import live, timer  # noqa: E402
from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.photos import known_cameras, photo_list  # noqa: E402
from da3_blender.scene import find, locks, write_scene  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

INTRINSICS = [[80, 0, 50], [0, 80, 37.5], [0, 0, 1]]
"""Of the worker's cameras."""


@pytest.fixture
def made(addon_scene, two_photos):
    """A result of two photos, which the artist has turned and moved with a parent."""
    photo_list.add_folder(addon_scene.da3, two_photos)
    addon_scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30)
    (collection,) = find.results(addon_scene)
    parent = bpy.data.objects.new("parent", None)
    addon_scene.collection.objects.link(parent)
    for item in collection.all_objects:
        item.parent = parent
    parent.matrix_world = Matrix.LocRotScale(Vector((1, 2, 3)), Euler((0.1, 0.2, 0.3)), Vector((2, 2, 2)))
    return collection


def asked(made):
    read, target = job_request.make_job(bpy.context.scene, collection_id=made["da3_id"])
    return read(), target.plan_settings


def test_nothing_locked_asks_as_ever(made):
    request, plan = asked(made)
    assert request.cameras is None and request.camera_source == "auto" and not plan.in_world


def test_a_locked_camera_is_known_where_it_stands_now(made):
    _, second = find.objects_of(made, "camera")
    second.location.x += 0.5
    second.data.lens *= 1.25
    second.data.shift_x = 0.05
    locks.lock(second, locks.CAMERA)
    request, plan = asked(made)
    assert request.camera_source == "given" and plan.in_world and request.cameras is not None
    poses, pixels = request.cameras.extrinsics, request.cameras.intrinsics
    assert np.isnan(poses[0]).all() and np.isnan(pixels[0]).all()
    place, turn, _ = second.matrix_world.decompose()
    np.testing.assert_allclose(-poses[1][:3, :3].T @ poses[1][:3, 3], place, atol=1e-5)
    np.testing.assert_allclose(poses[1][:3, :3].T, np.array(turn.to_matrix()) * (1, -1, -1), atol=1e-6)
    shift = 0.05 * (100 if second.data.sensor_fit == "HORIZONTAL" else 75)
    np.testing.assert_allclose(pixels[1], [[100, 0, 50 - shift], [0, 100, 37.5], [0, 0, 1]], rtol=1e-6)


def test_of_copies_of_a_camera_the_first_counts(made):
    first, _ = find.objects_of(made, "camera")
    locks.lock(first, locks.CAMERA)
    copy = first.copy()
    copy.location.x += 5
    made.objects.link(copy)
    request, _ = asked(made)
    assert request.cameras is not None
    place = -request.cameras.extrinsics[0][:3, :3].T @ request.cameras.extrinsics[0][:3, 3]
    np.testing.assert_allclose(place, first.matrix_world.translation, atol=1e-5)


def test_a_locked_lens_leaves_the_pose_open(made):
    first, _ = find.objects_of(made, "camera")
    locks.lock(first, locks.LENS)
    request, plan = asked(made)
    assert request.cameras is not None and request.camera_source == "auto" and not plan.in_world
    assert np.isnan(request.cameras.extrinsics).all() and np.isnan(request.cameras.intrinsics[1]).all()
    np.testing.assert_allclose(request.cameras.intrinsics[0], INTRINSICS, rtol=1e-6)
    locks.lock(first, "")
    assert asked(made)[0].cameras is None


def test_photos_in_another_order_and_new_ones(made, tmp_path):
    first, _ = find.objects_of(made, "camera")
    locks.lock(first, locks.CAMERA)
    settings = bpy.context.scene.da3
    photo_list.move(settings, 0, 1)
    request, _ = asked(made)
    assert [photo.name for photo in request.photos] == ["b.png", "a.png"] and request.cameras is not None
    assert np.isnan(request.cameras.extrinsics).all((1, 2)).tolist() == [True, False]
    photo_list.remove(settings, 1)
    assert asked(made)[0].cameras is None


def test_locks_lie_over_chosen_cameras_and_not_over_colmaps(made, tmp_path):
    settings = bpy.context.scene.da3
    settings.camera_source = "given"
    _, second = find.objects_of(made, "camera")
    for photo in settings.photos:
        photo.camera = bpy.data.objects.new(photo.name, bpy.data.cameras.new(photo.name))
        bpy.context.scene.collection.objects.link(photo.camera)
    locks.lock(second, locks.CAMERA)
    request, plan = asked(made)
    assert request.cameras is not None and plan.in_world
    places = [-pose[:3, :3].T @ pose[:3, 3] for pose in request.cameras.extrinsics]
    np.testing.assert_allclose(places, [(0, 0, 0), second.matrix_world.translation], atol=1e-5)
    settings.known_cameras, settings.colmap_folder = "colmap", str(tmp_path)
    with pytest.raises(JobError, match="but a COLMAP folder is to tell all of them"):
        asked(made)


def test_all_locked_stay_where_they_are(made):
    cameras = find.objects_of(made, "camera")
    cameras[0].location.z += 1
    for camera in cameras:
        locks.lock(camera, locks.CAMERA)
    bpy.context.view_layer.update()
    before = [np.array(camera.matrix_world) for camera in cameras]
    bpy.ops.da3.update(result=made["da3_id"])
    assert timer.wait(30) and live.jobs().state.failure is None
    bpy.context.view_layer.update()
    np.testing.assert_allclose([np.array(camera.matrix_world) for camera in cameras], before, atol=1e-5)
    assert [locks.lock_of(camera) for camera in cameras] == [locks.CAMERA] * 2


def test_bent_cameras_are_not_locked(room, empty_scene):
    lens = Lens(BROWN, (640, 480), np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), np.array([-0.1]))
    view = replace(room.view(name="a.jpg"), lens=lens)
    (camera,) = write_scene(plan_scene(room.prediction(view), "room"), empty_scene).cameras
    with pytest.raises(JobError, match=r"The camera of a\.jpg cannot be locked: its photo is straightened"):
        locks.lock(camera, locks.CAMERA)
    camera["da3_locked"] = locks.LENS  # of an update before, when the photo was not straightened
    assert locks.lock_of(camera) == ""


def test_locks_of_cameras_that_become_bent_are_told_and_gone(room, empty_scene):
    lens = Lens(BROWN, (640, 480), np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), np.array([-0.1]))
    straight, bent = room.view(name="a.jpg"), replace(room.view(name="a.jpg"), lens=lens)
    made = write_scene(plan_scene(room.prediction(straight), "room"), empty_scene)
    locks.lock(made.cameras[0], locks.LENS)
    update_scene(plan_scene(room.prediction(bent), "room"), made.collection, empty_scene)
    assert "their photos are straightened now: a.jpg." in made.collection["da3_notes"]
    update_scene(plan_scene(room.prediction(straight), "room"), made.collection, empty_scene)
    assert locks.lock_of(made.cameras[0]) == "" and "straightened" not in made.collection["da3_notes"]


def test_one_known_camera_keeps_the_size(room, empty_scene):
    """A single pose tells nothing about size: the scene keeps its own, and the camera its place."""
    views = [room.view(eye=(0.6 * index, 0, 1.5), name=f"{index}.jpg") for index in range(3)]
    made = write_scene(plan_scene(room.prediction(*views), "room"), empty_scene)
    bpy.context.view_layer.update()
    before = np.array([camera.matrix_world.translation for camera in made.cameras])
    plan = plan_scene(room.prediction(*views, source="features"), "room")
    pose = Similarity(1.0, np.array(made.cameras[1].matrix_world.to_3x3()), before[1])
    back = Similarity(1.0, plan.cameras[1].camera.matrix_world[:3, :3], plan.cameras[1].camera.matrix_world[:3, 3])
    moved = transform_plan(plan, pose @ Similarity.of(scale=7.0) @ back.inverse())
    sources = [replace(camera, source="given" if camera.name == "1.jpg" else "features") for camera in moved.cameras]
    update_scene(replace(moved, cameras=tuple(sources), in_world=True), made.collection, empty_scene)
    bpy.context.view_layer.update()
    after = np.array([camera.matrix_world.translation for camera in made.cameras])
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_locks_of_hidden_cameras_are_told(made):
    bpy.ops.da3.bind_photos(result=made["da3_id"], bind=False)  # Blender evaluates those that are bound, even hidden
    _, second = find.objects_of(made, "camera")
    locks.lock(second, locks.CAMERA)
    second.hide_viewport = True
    with pytest.raises(JobError, match="hidden or not in this scene"):
        known_cameras.locked_cameras(["a.png", "b.png"], made, bpy.context.scene)
