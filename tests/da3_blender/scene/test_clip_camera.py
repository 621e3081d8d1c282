"""A clip is one camera that moves as the film does, with the film behind it, whatever is done to the scene."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.clip_plan import ClipFiles
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from da3_blender.plan.similarity import Similarity
from tests.da3_blender.clips import RATE, walk, walk_eye

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Matrix, Vector  # noqa: E402

from da3_blender.scene import arrival, find, viewing, write_scene  # noqa: E402
from da3_blender.scene.camera_keys import is_keyed  # noqa: E402
from da3_blender.scene.clip_camera import is_clip, key_frames  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402
from da3_blender.scene.transform import animated, set_distance, transform_result  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

SEEN = np.array([[0.0, 4.0, 1.0], [-1.0, 4.0, 0.5], [0.5, 3.0, 0.0]])
"""Points on the room's wall and floor."""


def _png(value: int = 90) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 48), (value, value, value)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def prediction(room):
    return walk(room)


@pytest.fixture
def plan(prediction):
    return plan_scene(prediction, "walk", settings=PlanSettings(sheets=True))


def pixels(scene, camera, frame, points):
    """[N,2] where Blender's camera sees points of the world at a frame, in the clip's pixels."""
    scene.frame_set(frame)
    size = np.array([scene.render.resolution_x, scene.render.resolution_y])
    seen = [world_to_camera_view(scene, camera, Vector(point)) for point in points]
    return np.array([[each.x, 1 - each.y] for each in seen]) * size


def true_pixels(prediction, number, points):
    """The same by the prediction's own camera and points of its world."""
    track = prediction.track
    place = int(np.flatnonzero(track.numbers == number)[0])
    seen = points @ track.extrinsics[place, :3, :3].T + track.extrinsics[place, :3, 3]
    image = seen @ track.intrinsics.T
    return image[:, :2] / image[:, 2:]


def check_follows(scene, camera, prediction, matrix, numbers=(0, 5, 11, 23)):
    """The clip's pictures lie on the scene, which stands at `matrix` [4,4] from the prediction's world."""
    points = SEEN @ matrix[:3, :3].T + matrix[:3, 3]
    for number in numbers:
        there = pixels(scene, camera, number + 1, points)
        assert there == pytest.approx(true_pixels(prediction, number, SEEN), abs=0.02)


def test_one_camera_moves_as_the_film_does(empty_scene, prediction, plan):
    made = write_scene(plan, empty_scene)
    (camera,) = made.cameras
    assert [item.name for item in bpy.data.objects if item.type == "CAMERA"] == [camera.name] == ["DA3 walk camera"]
    assert empty_scene.camera == camera and is_clip(camera)
    check_follows(empty_scene, camera, prediction, plan.motion)
    between = (np.array(walk_eye(3)) + walk_eye(4)) / 2 @ plan.motion[:3, :3].T + plan.motion[:3, 3]
    empty_scene.frame_set(4, subframe=0.5)
    assert np.array(camera.matrix_world.translation) == pytest.approx(between, abs=1e-5)


def test_one_camera_is_told_of_as_one(empty_scene, plan):
    made = write_scene(plan, empty_scene)
    assert arrival.ready_sentence(made.collection).startswith("Scene ready: 1 camera, ")


def test_views_are_key_frames(empty_scene, plan):
    made = write_scene(plan, empty_scene)
    keys = key_frames(made.cameras[0])
    assert [(key.frame, key.name) for key in keys] == [(n + 1.0, f"frame {n}") for n in (0, 8, 16, 23)]
    views = np.empty(len(made.points.data.vertices), np.int32)
    made.points.data.attributes["view"].data.foreach_get("value", views)
    assert set(views) == {0, 1, 2, 3}
    assert len(made.surfaces) == 4  # a sheet of each


def test_a_still_camera_has_no_keys(empty_scene, room):
    prediction = walk(room, still=True)
    plan = plan_scene(prediction, "still")
    (camera,) = write_scene(plan, empty_scene).cameras
    assert camera.animation_data is None and not is_keyed(camera)
    assert (empty_scene.frame_start, empty_scene.frame_end) == (1, 24)
    transform_result(find.results(empty_scene)[0], Similarity.of(3.0, room.rotation_about((0, 1, 1), 30)))
    matrix = Similarity.of(3.0, room.rotation_about((0, 1, 1), 30)).matrix @ plan.motion
    check_follows(empty_scene, camera, prediction, matrix)


def test_the_camera_goes_where_the_scene_does(empty_scene, room, prediction, plan):
    made = write_scene(plan, empty_scene)
    similarity = Similarity(2.5, room.rotation_about((1, 2, 3), 40), np.array([3.0, -1.0, 2.0]))
    transform_result(made.collection, similarity)
    check_follows(empty_scene, made.cameras[0], prediction, similarity.matrix @ plan.motion)
    positions = np.empty((len(made.points.data.vertices), 3), np.float32)
    made.points.data.vertices.foreach_get("co", positions.ravel())
    assert positions == pytest.approx(similarity.points(plan.points.position), abs=1e-4)


def move_all(scene, by):
    """As an artist who selects all and drags it: of what is selected with its parent, the parent alone moves."""
    for item in scene.objects:
        if item.parent is None:
            item.matrix_world = by @ item.matrix_world
    bpy.context.view_layer.update()


def by_hand(room):
    matrix = np.eye(4)
    matrix[:3, :3] = 0.5 * room.rotation_about((0, 0, 1), 70)
    matrix[:3, 3] = 1.0, 2.0, -3.0
    return matrix


def test_what_the_artist_does_to_all_parts_stays(empty_scene, room, prediction, plan):
    made = write_scene(plan, empty_scene)
    hand = by_hand(room)
    move_all(empty_scene, Matrix(hand.tolist()))
    check_follows(empty_scene, made.cameras[0], prediction, hand @ plan.motion)
    similarity = Similarity.of(2.0, room.rotation_about((1, 0, 0), 20))
    transform_result(made.collection, similarity)
    check_follows(empty_scene, made.cameras[0], prediction, hand @ similarity.matrix @ plan.motion)
    update_scene(plan, made.collection, empty_scene)
    check_follows(empty_scene, made.cameras[0], prediction, hand @ similarity.matrix @ plan.motion)


def test_a_parent_of_all_parts_carries_the_camera(empty_scene, room, prediction, plan):
    made = write_scene(plan, empty_scene)
    empty = bpy.data.objects.new("mine", None)
    empty_scene.collection.objects.link(empty)
    for item in made.collection.all_objects:
        if item.parent is None:
            item.parent = empty
    empty.matrix_world = Matrix(by_hand(room).tolist())
    check_follows(empty_scene, made.cameras[0], prediction, by_hand(room) @ plan.motion)
    frame = by_hand(room) @ plan.motion
    corners = SEEN @ frame[:3, :3].T + frame[:3, 3]
    set_distance(made.collection, corners[0], corners[1], 7.0)
    factor = 7.0 / np.linalg.norm(corners[0] - corners[1])
    check_follows(empty_scene, made.cameras[0], prediction, by_hand(room) @ Similarity.of(factor).matrix @ plan.motion)


def test_an_update_keeps_what_the_artist_did(empty_scene, room, prediction, plan):
    made = write_scene(plan, empty_scene)
    camera = made.cameras[0]
    camera.name, camera.data.passepartout_alpha = "hero", 0.3
    constraint = camera.constraints.new("LIMIT_DISTANCE")
    constraint.mute = True
    camera.data.dof.keyframe_insert("focus_distance", frame=3)
    turned = walk(room, world=Similarity(1.0, room.rotation_about((0, 0, 1), 90), np.array([5.0, 0, 0])).matrix)
    again = update_scene(plan_scene(turned, "walk"), made.collection, empty_scene)
    assert again.cameras == (camera,) and camera.name == "hero" and len(camera.constraints) == 1
    assert camera.data.passepartout_alpha == pytest.approx(0.3) and camera.data.animation_data.action is not None
    assert len(find.objects_of(made.collection, "rig")) == 1 and len(bpy.data.cameras) == 1
    check_follows(empty_scene, camera, prediction, plan.motion)


def test_an_update_may_find_more_frames_or_a_still_camera(empty_scene, room, plan):
    made = write_scene(plan, empty_scene)
    longer = walk(room, numbers=range(40), keys=(0, 20, 39))
    update_scene(plan_scene(longer, "walk"), made.collection, empty_scene)
    assert (empty_scene.frame_start, empty_scene.frame_end) == (1, 40)
    check_follows(empty_scene, made.cameras[0], longer, plan.motion, (0, 20, 39))
    update_scene(plan_scene(walk(room, still=True), "walk"), made.collection, empty_scene)
    assert not is_keyed(made.cameras[0])
    update_scene(plan, made.collection, empty_scene)
    assert is_keyed(made.cameras[0])


def test_a_lost_camera_or_rig_comes_back(empty_scene, prediction, plan):
    made = write_scene(plan, empty_scene)
    bpy.data.objects.remove(made.cameras[0])
    again = update_scene(plan, made.collection, empty_scene)
    assert again.cameras[0].parent in find.objects_of(made.collection, "rig")
    viewing.switch_to(empty_scene, again.cameras[0])
    check_follows(empty_scene, again.cameras[0], prediction, plan.motion)
    bpy.data.objects.remove(again.cameras[0].parent)
    again = update_scene(plan, made.collection, empty_scene)
    check_follows(empty_scene, again.cameras[0], prediction, plan.motion)


def test_copies_move_on_their_own(addon, empty_scene, room, prediction, plan):
    made = write_scene(plan, empty_scene)
    layer = bpy.context.view_layer
    for item in made.collection.all_objects:
        item.select_set(True)
    layer.objects.active = made.cameras[0]
    bpy.ops.object.duplicate(linked=True)
    copies = [item for item in bpy.context.selected_objects if item.type == "CAMERA"]
    (copy,) = copies
    assert copy.animation_data.action == made.cameras[0].animation_data.action
    transform_result(made.collection, Similarity.of(2.0))
    matrix = Similarity.of(2.0).matrix @ plan.motion
    check_follows(empty_scene, made.cameras[0], prediction, matrix)
    check_follows(empty_scene, copy, prediction, matrix)  # of the same result


def test_time_is_taken_where_it_is_free_and_given_back(empty_scene, plan):
    before = {name: getattr(empty_scene, name) for name in viewing.SPAN}
    rate = (empty_scene.render.fps, empty_scene.render.fps_base)
    empty_scene.render.fps = 30
    made = write_scene(plan, empty_scene)
    assert viewing.is_bound(made.collection, empty_scene)
    assert (empty_scene.frame_start, empty_scene.frame_end) == (1, 24)
    assert empty_scene.render.fps / empty_scene.render.fps_base == pytest.approx(RATE)
    assert (empty_scene.render.resolution_x, empty_scene.render.resolution_y) == (640, 480)
    remove_scene(made.collection)
    assert {name: getattr(empty_scene, name) for name in viewing.SPAN} == before
    assert (empty_scene.render.fps, empty_scene.render.fps_base) == (30, rate[1])


@pytest.mark.parametrize("asked", [False, True])
def test_an_artists_time_is_taken_only_when_asked(empty_scene, plan, asked):
    bpy.ops.wm.read_factory_settings()
    scene = bpy.context.scene
    own = scene.camera
    before = (scene.frame_start, scene.frame_end, scene.render.fps, scene.render.resolution_x, own)
    made = write_scene(plan, scene, take_time=asked)
    now = (scene.frame_start, scene.frame_end, scene.render.fps, scene.render.resolution_x, scene.camera)
    assert now == ((1, 24, 24, 640, made.cameras[0]) if asked else before)
    remove_scene(made.collection)
    assert (scene.frame_start, scene.frame_end, scene.render.fps, scene.render.resolution_x, scene.camera) == before


def test_removing_leaves_nothing(empty_scene, prediction):
    views = tuple(replace(view, plate=_png()) for view in prediction.views)
    made = write_scene(plan_scene(replace(prediction, views=views), "walk"), empty_scene)
    assert len(bpy.data.images) == 4 and len(bpy.data.actions) == 1
    assert all(key.image is not None and key.image.packed_file for key in key_frames(made.cameras[0]))
    remove_scene(made.collection)
    for kind in ("objects", "cameras", "actions", "images", "movieclips", "meshes", "collections"):
        assert not len(getattr(bpy.data, kind)), kind


def test_key_frames_texture_surfaces_and_follow_an_update(empty_scene, prediction):
    def plan(value):
        views = tuple(replace(view, plate=_png(value)) for view in prediction.views)
        return plan_scene(replace(prediction, views=views), "walk", settings=PlanSettings(sheets=True))

    made = write_scene(plan(40), empty_scene)

    def shown(index):
        material = made.surfaces[index].material_slots[0].material
        return next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")

    assert [shown(index) for index in range(4)] == [key.image for key in key_frames(made.cameras[0])]
    made = update_scene(plan(200), made.collection, empty_scene)
    assert [shown(index) for index in range(4)] == [key.image for key in key_frames(made.cameras[0])]
    assert len(bpy.data.images) == 4
    assert shown(2).pixels[0] == pytest.approx(200 / 255, abs=0.01)


def test_the_camera_is_not_counted_as_the_artists_animation(empty_scene, plan):
    made = write_scene(plan, empty_scene)
    assert not animated(made.collection) and viewing.is_free(empty_scene)
    made.points.keyframe_insert("location", frame=1)
    assert animated(made.collection) == [made.points.name]


def test_files_hold_the_clip(empty_scene, prediction, tmp_path):
    views = tuple(replace(view, plate=_png()) for view in prediction.views)
    plan = plan_scene(replace(prediction, views=views), "walk")
    write_scene(plan, empty_scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walk.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "walk.blend"))
    scene = bpy.context.scene
    check_follows(scene, scene.camera, prediction, plan.motion)
    assert [key.frame for key in key_frames(scene.camera)] == [1.0, 9.0, 17.0, 24.0]
    assert all(key.image.packed_file is not None for key in key_frames(scene.camera))


def test_missing_files_are_told(prediction):
    plan = plan_scene(prediction, "walk", clip=ClipFiles(path=Path("/nowhere/walk.mp4")))
    assert any("not there any more" in note for note in plan.notes) and plan.track.files.path is None
