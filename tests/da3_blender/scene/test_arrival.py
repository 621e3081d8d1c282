"""A finished scene is seen when it is there, and told of where the artist is elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender import live, timer  # noqa: E402
from da3_blender.jobs import placing  # noqa: E402
from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.jobs.state import JobTarget, Result  # noqa: E402
from da3_blender.panels.status import draw_status  # noqa: E402
from da3_blender.photos import photo_list  # noqa: E402
from da3_blender.plan.size_and_place import sized  # noqa: E402
from da3_blender.scene import arrival, find, looking, viewing  # noqa: E402
from da3_blender.scene.standing import standing  # noqa: E402


@pytest.fixture
def startup(addon_scene) -> Iterator[object]:
    """The default startup file: a cube, a light, a camera."""
    bpy.ops.wm.read_factory_settings()
    yield bpy.context.scene
    arrival.dismiss()


@pytest.fixture
def placed(startup, room) -> object:
    """A result as a job places it."""
    views = [room.view(eye=(0.3 * i, 0, 1.6), name=f"{i}.jpg") for i in range(2)]
    plan = sized(plan_scene(room.prediction(*views, gaussians=room.gaussians(np.zeros((3, 3)))), "kitchen"))
    target = JobTarget("kitchen", startup.session_uid, startup.name)
    return find.result(startup, placing.write(Result(plan, target), startup))


def view_of(scene) -> object:
    window = bpy.context.window_manager.windows[0]
    window.scene = scene
    return next(area for area in window.screen.areas if area.type == "VIEW_3D")


def test_what_stands_there_is_measured(startup):
    cube = startup.objects["Cube"]
    cube.location, cube.scale = (1, 2, 3), (1, 1, 2)
    np.testing.assert_allclose(standing(startup), [[[0, 1, 1], [2, 3, 5]]], atol=1e-6)
    cube.hide_viewport = True
    assert len(standing(startup)) == 0


def test_instances_and_photo_cameras_are_in_the_way(startup, placed):
    bpy.data.objects.remove(startup.objects["Cube"])
    asset = bpy.data.collections.new("asset")
    asset.objects.link(bpy.data.objects.new("box", bpy.data.meshes.new("box")))
    asset.objects[0].data.from_pydata([(0, 0, 0), (1, 1, 1)], [], [])
    empty = bpy.data.objects.new("instance", None)
    empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", asset, (5, 0, 0)
    startup.collection.objects.link(empty)
    boxes = standing(startup)
    assert any(np.allclose(box, [[5, 0, 0], [6, 1, 1]]) for box in boxes)
    eye = np.array(find.objects_of(placed, "camera")[0].matrix_world.translation)
    assert sum(bool(((box[0] < eye) & (eye < box[1])).all()) for box in boxes) >= 1


def test_a_few_points_far_off_do_not_count(startup, placed):
    cloud = find.objects_of(placed, "points")[0]
    before = standing(startup)
    for point in cloud.data.attributes["position"].data[:20]:
        point.vector = (0, 900, 0)
    assert np.abs(standing(startup) - before).max() < 0.5


def test_it_stands_beside_the_cube(startup, placed):
    cloud = find.objects_of(placed, "points")[0]
    positions = np.zeros(3 * len(cloud.data.vertices), np.float32)
    cloud.data.attributes["position"].data.foreach_get("vector", positions)
    inside = (np.abs(positions.reshape(-1, 3)) < 1).all(axis=1)
    assert not inside.any() and startup.camera == startup.objects["Camera"]


def test_it_arrives_in_sight(startup, placed):
    area = view_of(startup)
    area.spaces.active.shading.type = "SOLID"
    arrival.arrive(placed, startup, new=True)
    assert area.spaces.active.region_3d.view_perspective == "CAMERA"
    assert startup.camera == find.objects_of(placed, "camera")[0] and viewing.looks(startup)
    assert area.spaces.active.shading.type == "MATERIAL" and area.spaces.active.show_region_ui
    told = arrival.notice()
    assert told.sentence == "Scene ready: 2 cameras, 6,144 points, 3 splats" and told.until is not None
    assert bpy.ops.da3.dismiss_notice() == {"FINISHED"} and arrival.notice() is None


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 480)])
def test_the_frame_fits_the_view_as_blender_fits_it(startup, placed, size, fit):
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)  # the operator's override of the context must not meet one: see `arrival._fit_frame`
    area = view_of(startup)
    region_3d, window = area.spaces.active.region_3d, bpy.context.window_manager.windows[0]
    arrival.arrive(placed, startup, new=True)
    startup.render.resolution_x, startup.render.resolution_y = size
    startup.render.pixel_aspect_x, startup.camera.data.sensor_fit = 1.25, fit
    region_3d.view_camera_offset, region_3d.view_camera_zoom = (0.2, 0.1), 100
    arrival.show(placed, startup)
    ours, offset = region_3d.view_camera_zoom, tuple(region_3d.view_camera_offset)
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_center_camera()
    assert ours == pytest.approx(region_3d.view_camera_zoom, abs=2e-3) and offset == (0, 0)


def test_an_update_leaves_the_view_alone(startup, placed):
    area = view_of(startup)
    area.spaces.active.region_3d.view_perspective = "PERSP"
    arrival.arrive(placed, startup, new=False)
    assert area.spaces.active.region_3d.view_perspective == "PERSP" and not viewing.looks(startup)
    assert arrival.notice().sentence.startswith("Scene updated: 2 cameras")


def test_it_is_told_of_until_it_is_found(startup, placed):
    other = bpy.data.scenes.new("other")
    area = view_of(other)
    arrival.arrive(placed, startup, new=True)
    assert arrival.notice().until is None and not viewing.looks(startup)
    assert area.spaces.active.region_3d.view_perspective != "CAMERA"
    assert bpy.ops.da3.show_result() == {"FINISHED"}
    timer.pump()
    assert bpy.context.window.scene == startup and viewing.looks(startup) and arrival.notice() is None


def test_a_scene_that_is_gone_is_not_found(startup, placed):
    view_of(bpy.data.scenes.new("other"))
    arrival.arrive(placed, startup, new=True)
    bpy.ops.da3.remove(result=find.identity(placed))
    bpy.data.scenes.remove(startup)
    assert bpy.ops.da3.show_result() == {"CANCELLED"} and arrival.notice() is None


def test_nobody_looks_any_more(startup, placed):
    area = view_of(startup)
    arrival.arrive(placed, startup, new=True)
    assert looking.watch() and viewing.looks(startup)
    area.spaces.active.region_3d.view_perspective = "PERSP"
    assert not looking.watch() and not viewing.looks(startup)
    assert startup.camera == startup.objects["Camera"] and startup.render.resolution_x == 1920


class Line:
    """A layout that notes what is written on it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.buttons: list[str] = []

    def row(self, **_: object) -> Line:
        return self

    def label(self, text: str = "", **_: object) -> None:
        self.texts.append(text)

    def operator(self, name: str, **_: object) -> None:
        self.buttons.append(name)


def status() -> Line:
    line = Line()
    draw_status(SimpleNamespace(layout=line), bpy.context)
    return line


def test_the_status_bar_tells_of_everything(startup, two_photos):
    photo_list.add_folder(startup.da3, two_photos)
    startup.da3.scene_name, startup.da3.model = "kitchen", "fail"
    assert status().texts == []
    bpy.ops.da3.run()
    live.jobs().state.fraction = 0.42
    assert status().texts == ["Making 'kitchen'  42%"] and status().buttons == ["da3.cancel"]
    assert timer.wait(30)
    assert status().texts == ["There is not enough memory."] and status().buttons == ["da3.dismiss_failure"]
    startup.da3.model = "room"
    bpy.ops.da3.run()
    live.jobs().file_changed()
    assert timer.wait(30)
    assert status().texts == ["'kitchen' is ready. It was started in another file."]
    assert status().buttons == ["da3.place_result"]


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (["house/kitchen"], "kitchen"),
        (["house/photos"], "house"),
        (["house/kitchen", "house/hall"], "house"),
        (["trip/DCIM/100CANON", "trip/DCIM/101CANON"], "trip"),
        ([], "Photos"),
    ],
)
def test_a_scene_has_the_name_of_the_folder_that_tells(folders, name):
    root = Path(Path.cwd().anchor)
    sources = tuple(job_request.PhotoSource("a.jpg", root / folder / "a.jpg") for folder in folders)
    assert job_request.default_name(sources) == name
