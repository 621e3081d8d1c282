"""The scene's camera and render size are the artist's: photos borrow them, and what was there comes back."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Vector  # noqa: E402

from da3_blender.scene import find, viewing, write_scene  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402


@pytest.fixture
def startup(empty_scene):
    """The default startup file, which has a camera."""
    bpy.ops.wm.read_factory_settings()
    return bpy.context.scene


@pytest.fixture
def plan(room):
    sizes = {"a.jpg": (640, 480), "b.jpg": (480, 640)}
    views = [room.view(name=name, photo_size=size, focal=(520.0, 500.0)) for name, size in sizes.items()]
    return plan_scene(room.prediction(*views, gaussians=room.gaussians(np.zeros((4, 3)))), "kitchen")


def settings(scene) -> dict[str, object]:
    """Everything that renders of a scene depend on."""
    render = {name: getattr(scene.render, name) for name in viewing.SIZE}
    span = {name: getattr(scene, name) for name in viewing.SPAN}
    bounces = (scene.cycles.transparent_max_bounces, scene.cycles.min_transparent_bounces)
    markers = [(marker.name, marker.frame, marker.camera) for marker in scene.timeline_markers]
    return {**render, **span, "bounces": bounces, "camera": scene.camera, "markers": markers}


def test_nothing_of_the_artists_is_touched(startup, plan):
    before = settings(startup)
    made = write_scene(plan, startup)
    assert settings(startup) == before and not viewing.is_bound(made.collection, startup)
    startup.frame_set(2)
    startup.frame_set(1)
    assert settings(startup) == before
    update_scene(plan, made.collection, startup)
    assert settings(startup) == before
    remove_scene(made.collection)
    assert settings(startup) == before


@pytest.mark.parametrize("what", ["camera", "marker", "animation", "material"])
def test_only_a_free_scene_is_bound(empty_scene, plan, what):
    assert viewing.is_free(empty_scene)
    if what == "camera":
        own = bpy.data.objects.new("own", bpy.data.cameras.new("own"))
        empty_scene.collection.objects.link(own)
    elif what == "marker":
        empty_scene.timeline_markers.new("cut", frame=10)
    elif what == "material":
        bpy.data.materials.new("gold").keyframe_insert("roughness", frame=1)
    else:
        cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
        empty_scene.collection.objects.link(cube)
        cube.keyframe_insert("location", frame=1)
    assert not viewing.is_free(empty_scene)
    assert not viewing.is_bound(write_scene(plan, empty_scene).collection, empty_scene)


def test_a_second_result_is_bound_after_the_first(empty_scene, plan):
    first, second = write_scene(plan, empty_scene), write_scene(plan, empty_scene)
    frames = [(marker.frame, marker.camera) for marker in empty_scene.timeline_markers]
    assert frames == list(enumerate((*first.cameras, *second.cameras), start=1))
    remove_scene(second.collection)
    assert len(empty_scene.timeline_markers) == 2 and empty_scene.camera in first.cameras


def test_a_photo_is_looked_through_and_given_back(addon, startup, plan):
    before = settings(startup)
    made = write_scene(plan, startup)
    for camera, size in zip(made.cameras, ((640, 480), (480, 640)), strict=True):
        assert bpy.ops.da3.look_through(camera=camera.name) == {"FINISHED"}
        assert startup.camera == camera and viewing.looks(startup)
        assert (startup.render.resolution_x, startup.render.resolution_y) == size
        assert startup.render.pixel_aspect_y == pytest.approx(520 / 500) and startup.frame_current == 1
    assert bpy.ops.da3.look_back() == {"FINISHED"}
    assert settings(startup) == before and not viewing.looks(startup)


def test_what_the_artist_sets_while_looking_stays(startup, plan):
    made = write_scene(plan, startup)
    viewing.switch_to(startup, made.cameras[0])
    own = bpy.data.objects.new("own", bpy.data.cameras.new("own"))
    startup.collection.objects.link(own)
    startup.camera, startup.render.resolution_x = own, 1000
    viewing.look_back(startup)
    assert startup.camera == own and startup.render.resolution_x == 1000


def test_files_hold_the_artists_camera_and_size(addon, startup, plan, tmp_path):
    before = settings(startup) | {"camera": startup.camera.name}
    made = write_scene(plan, startup)
    viewing.switch_to(startup, made.cameras[1])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert startup.camera == made.cameras[1] and startup.render.resolution_x == 480
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene = bpy.context.scene
    assert settings(scene) | {"camera": scene.camera.name} == before


@pytest.mark.parametrize("through", ["remove", "unbind"])
def test_binding_is_chosen_and_taken_back(addon, startup, plan, tmp_path, through):
    startup.frame_end = 1
    startup.render.resolution_percentage = 50
    before = settings(startup) | {"camera": startup.camera.name}
    made = write_scene(plan, startup)
    identity = find.identity(made.collection)
    assert bpy.ops.da3.bind_photos(result=identity) == {"FINISHED"}
    assert [(marker.frame, marker.camera) for marker in startup.timeline_markers] == list(enumerate(made.cameras, 1))
    assert startup.camera == made.cameras[0] and startup.frame_end == 2
    startup.frame_set(2)
    assert startup.camera == made.cameras[1]
    size = (startup.render.resolution_x, startup.render.resolution_y, startup.render.resolution_percentage)
    assert size == (480, 640, 100)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "bound.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "bound.blend"))
    scene = bpy.context.scene
    collection = find.result(scene, identity)
    assert viewing.is_bound(collection, scene)
    if through == "remove":
        assert bpy.ops.da3.remove(result=identity) == {"FINISHED"}
    else:
        assert bpy.ops.da3.bind_photos(result=identity, bind=False) == {"FINISHED"}
        assert not viewing.is_bound(collection, scene)
        assert bpy.ops.da3.show_part(result=identity, role="splats") == {"FINISHED"}  # which lets Cycles see through
        assert bpy.ops.da3.remove(result=identity) == {"FINISHED"}
    assert settings(scene) | {"camera": scene.camera.name} == before | {"frame_current": 2}


def test_a_bound_result_that_is_appended_elsewhere_takes_nothing(addon, empty_scene, plan, tmp_path):
    made = write_scene(plan, empty_scene)
    assert viewing.is_bound(made.collection, empty_scene)
    bpy.data.libraries.write(str(tmp_path / "bound.blend"), {made.collection})
    bpy.ops.wm.read_factory_settings()
    scene = bpy.context.scene
    before = settings(scene)
    with bpy.data.libraries.load(str(tmp_path / "bound.blend")) as (_, wanted):
        wanted.collections = ["DA3 kitchen"]
    collection = wanted.collections[0]
    scene.collection.children.link(collection)
    camera = find.objects_of(collection, "camera")[1]
    viewing.switch_to(scene, camera)
    assert viewing.looks(scene) and scene.render.resolution_x == 480
    viewing.look_back(scene)
    assert settings(scene) == before
    update_scene(plan, collection, scene)
    remove_scene(collection)
    assert settings(scene) == before


def test_scenes_that_share_a_result_are_bound_by_themselves(addon, empty_scene, plan):
    made = write_scene(plan, empty_scene)
    bpy.ops.scene.new(type="LINK_COPY")
    other = bpy.context.scene
    viewing.unbind(made.collection, other)
    assert not viewing.is_bound(made.collection, other) and not other.timeline_markers
    assert viewing.is_bound(made.collection, empty_scene) and len(empty_scene.timeline_markers) == 2


def test_what_was_there_before_photos_that_were_deleted_by_hand_is_forgotten(startup, plan):
    made = write_scene(plan, startup, bound=True)
    for item in list(made.collection.all_objects):
        bpy.data.objects.remove(item)
    bpy.data.collections.remove(made.collection)
    startup.timeline_markers.clear()
    own = bpy.data.objects.new("own", bpy.data.cameras.new("own"))
    startup.collection.objects.link(own)
    startup.camera, startup.render.resolution_x, startup.frame_end = own, 4000, 90
    before = settings(startup)
    second = write_scene(plan, startup, bound=True)
    remove_scene(second.collection)
    assert settings(startup) == before | {"bounces": (8, 0)}


def test_markers_of_cameras_that_were_deleted_by_hand_go_too(empty_scene, plan):
    before = settings(empty_scene)
    made = write_scene(plan, empty_scene)
    bpy.data.objects.remove(made.cameras[0])
    remove_scene(made.collection)
    assert settings(empty_scene) == before


def test_a_camera_that_was_deleted_meanwhile_does_not_come_back(startup, plan):
    made = write_scene(plan, startup)
    viewing.switch_to(startup, made.cameras[0])
    startup.collection.children["Collection"].objects.unlink(startup.objects["Camera"])
    viewing.look_back(startup)
    assert startup.camera is None and startup.render.resolution_x == 1920


def test_what_the_artist_sets_while_photos_are_bound_stays(empty_scene, plan):
    made = write_scene(plan, empty_scene)
    empty_scene.frame_end, empty_scene.render.resolution_percentage = 100, 50
    second = write_scene(plan, empty_scene)
    empty_scene.render.resolution_percentage = 50
    empty_scene.frame_set(77)
    remove_scene(second.collection)
    remove_scene(made.collection)
    render = empty_scene.render
    assert (empty_scene.frame_end, render.resolution_percentage, empty_scene.frame_current) == (100, 50, 77)
    assert (render.resolution_x, render.resolution_y, empty_scene.camera) == (1920, 1080, None)


def test_binding_leaves_cycles_alone(startup, plan):
    before = settings(startup)
    made = write_scene(plan, startup)
    viewing.bind(made.collection, startup)
    viewing.unbind(made.collection, startup)
    assert settings(startup) == before


def test_a_save_that_fails_does_not_look_through_later(addon, startup, plan, tmp_path):
    made = write_scene(plan, startup)
    viewing.switch_to(startup, made.cameras[1])
    with pytest.raises(RuntimeError):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "nowhere" / "shot.blend"))
    assert startup.camera == made.cameras[1]
    viewing.look_back(startup)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert startup.camera == startup.objects["Camera"] and startup.render.resolution_x == 1920


def test_removing_a_photo_that_is_looked_through(startup, plan):
    before = settings(startup)
    made = write_scene(plan, startup)
    viewing.switch_to(startup, made.cameras[0])
    remove_scene(made.collection)
    assert settings(startup) == before


def test_an_update_fits_cameras_to_the_artists_frame_while_a_photo_is_looked_through(startup, plan):
    made = write_scene(plan, startup)
    fits = [(camera.data.sensor_fit, camera.data.sensor_height) for camera in made.cameras]
    viewing.switch_to(startup, made.cameras[1])
    update_scene(plan, made.collection, startup)
    assert [(camera.data.sensor_fit, camera.data.sensor_height) for camera in made.cameras] == fits
    assert startup.camera == made.cameras[1] and startup.render.resolution_x == 480


def test_a_size_that_an_update_brings_is_given_back(startup, room, plan):
    before = settings(startup)
    made = write_scene(plan, startup)
    viewing.switch_to(startup, made.cameras[0])
    views = [room.view(name=name, photo_size=(800, 600)) for name in ("a.jpg", "b.jpg")]
    update_scene(plan_scene(room.prediction(*views), "kitchen"), made.collection, startup)
    assert startup.render.resolution_x == 800
    viewing.look_back(startup)
    assert settings(startup) == before


def test_update_of_bound_photos_keeps_them_bound(empty_scene, room, plan):
    before = settings(empty_scene)
    made = write_scene(plan, empty_scene)
    views = [room.view(name=name) for name in ("b.jpg", "c.jpg")]
    made = update_scene(plan_scene(room.prediction(*views), "kitchen"), made.collection, empty_scene)
    assert {marker.camera for marker in empty_scene.timeline_markers} == set(made.cameras)
    assert empty_scene.camera in made.cameras
    remove_scene(made.collection)
    assert settings(empty_scene) == before


def test_photos_lie_whole_in_the_artists_frame(startup, room):
    """Where the artist chooses a photo's camera at a size of their own, of another shape than the photo."""
    sizes = {"a.jpg": (640, 480), "b.jpg": (480, 640)}
    views = [room.view(name=name, photo_size=size, focal=(520.0, 500.0)) for name, size in sizes.items()]
    plan = plan_scene(room.prediction(*views), "kitchen", settings=PlanSettings(upright=False, centre=False))
    made = write_scene(plan, startup)
    bpy.context.view_layer.update()
    for view, camera in zip(views, made.cameras, strict=True):
        inside = np.array([[-0.5, -0.4, 3, 1], [0.4, 0.6, 3, 1], [0.2, -0.1, 2, 1]])
        pixel = inside[:, :3] @ view.intrinsics.T
        pixel = pixel[:, :2] / pixel[:, 2:]
        world = inside @ np.linalg.inv(view.extrinsics @ np.linalg.inv(plan.motion)).T
        seen = [world_to_camera_view(startup, camera, Vector(point[:3])) for point in world]
        seen = np.array([(each.x * 1920, (1 - each.y) * 1080) for each in seen])
        stretch = np.array([1, 520 / 500])
        scale = min((1920, 1080) / (view.photo_size * stretch))
        np.testing.assert_allclose(
            seen, (960, 540) + (pixel - np.array(view.photo_size) / 2) * stretch * scale, atol=0.1
        )
