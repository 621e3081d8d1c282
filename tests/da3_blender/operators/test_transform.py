"""Scale and floor by the operators: from Python, undone and redone, and by clicks in a 3D View."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from da3_blender.operators import picking, transform  # noqa: E402
from da3_blender.panels.transform import scale_line  # noqa: E402
from da3_blender.scene import find, visibility, write_scene  # noqa: E402
from da3_blender.scene.meshes import set_input  # noqa: E402
from da3_blender.scene.shown_points import shown_points  # noqa: E402
from da3_blender.scene.transform import set_distance  # noqa: E402

SIZE = (800, 600)


@pytest.fixture
def made(room, empty_scene, addon):
    views = [room.view(eye=(x, 0, 1.6), name=f"{x}.jpg", detail=20) for x in (0.0, 0.6)]
    splats = room.gaussians([(0, 2, 0.5), (0, 2.5, 0.5)], opacities=[0.9, 0.1])
    plan = plan_scene(
        room.prediction(*views, gaussians=splats, source="given"),
        "room",
        settings=PlanSettings(upright=False, centre=False, confidence_threshold=0),
    )
    return write_scene(plan, empty_scene)


def points(made) -> np.ndarray:
    data = made.points.data
    values = np.zeros(3 * len(data.vertices), np.float32)
    data.attributes["position"].data.foreach_get("vector", values)
    return values.reshape(-1, 3)


def identity(made) -> str:
    return made.collection["da3_id"]


def test_distance_from_python(made):
    before = points(made)
    result = bpy.ops.da3.set_distance(result=identity(made), first=before[0], second=before[9], distance=2.0)
    assert result == {"FINISHED"}
    assert np.linalg.norm(points(made)[0] - points(made)[9]) == pytest.approx(2, rel=1e-5)


def test_floor_from_python(made):
    wall = points(made)[np.abs(points(made)[:, 1] - 4) < 1e-4]
    a, b, c = (wall[index] for index in (wall[:, 0].argmin(), wall[:, 0].argmax(), wall[:, 2].argmax()))
    assert bpy.ops.da3.set_floor(result=identity(made), a=a, b=b, c=c) == {"FINISHED"}
    bpy.context.view_layer.update()
    assert np.count_nonzero(np.abs(points(made)[:, 2]) < 1e-4) == len(wall)
    assert all(camera.matrix_world.translation.z == pytest.approx(4, abs=1e-4) for camera in made.cameras)


def test_refusals_are_told(made):
    with pytest.raises(RuntimeError, match=r"The two points are the same\. Pick two points"):
        bpy.ops.da3.set_distance(result=identity(made))
    with pytest.raises(RuntimeError, match="not in the file any more"):
        bpy.ops.da3.set_floor(result="gone", a=(0, 0, 0), b=(1, 0, 0), c=(0, 1, 0))


def test_undo_and_redo(made):
    before, name, camera = points(made), made.points.name, made.cameras[1].name
    place = np.array(made.cameras[1].matrix_basis)
    result = identity(made)
    bpy.ops.ed.undo_push(message="made")
    bpy.ops.da3.set_distance("EXEC_DEFAULT", True, result=result, first=before[0], second=before[9], distance=7.0)
    bpy.ops.da3.set_floor("EXEC_DEFAULT", True, result=result, a=(0, 0, 1), b=(1, 0, 1), c=(0, 1, 2))
    after = points(made)
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()

    def now() -> SimpleNamespace:
        return SimpleNamespace(points=bpy.data.objects[name], cameras=[bpy.data.objects[camera]])

    np.testing.assert_array_equal(points(now()), before)
    np.testing.assert_array_equal(np.array(now().cameras[0].matrix_basis), place)
    assert "da3_distance_set" not in find.results(bpy.context.scene)[0]
    bpy.ops.ed.redo()
    bpy.ops.ed.redo()
    np.testing.assert_array_equal(points(now()), after)
    assert find.results(bpy.context.scene)[0]["da3_distance_set"] == 7.0


def test_unit_is_told(made):
    scene = bpy.context.scene
    assert scale_line(made.collection, scene) == "In units of its own, not meters"
    made.collection["da3_metric"] = True
    assert scale_line(made.collection, scene) == "In meters"
    bpy.ops.da3.set_distance(result=identity(made), first=(0, 0, 0), second=(1, 0, 0), distance=2.5)
    assert scale_line(made.collection, scene) == "Scale set by you: 2.5 m between two points"
    scene.unit_settings.system = "IMPERIAL"
    assert "8.20" in scale_line(made.collection, scene)
    scene.unit_settings.system = "NONE"
    assert "2.5" in scale_line(made.collection, scene)


def shown(made) -> dict[str, int]:
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    return {item["da3_role"]: len(there) for item, there in shown_points([made.collection], graph)}


def test_only_what_is_shown_can_be_picked(made):
    every = len(points(made))
    assert shown(made) == {"points": every}
    visibility.show_part(made.collection, "splats", True)
    assert shown(made) == {"points": every, "splats": 1}
    set_input(made.points.modifiers[0], "Confidence", 0.5)
    assert shown(made)["points"] == pytest.approx(every / 2, abs=3)
    set_input(made.points.modifiers[0], "Confidence", 0.0)
    visibility.hide_photos(made.collection, ["0.0.jpg"])
    assert shown(made) == {"points": every / 2}
    visibility.show_part(made.collection, "points", False)
    assert shown(made) == {}


def test_repeated_splats_can_be_picked_when_they_are_shown(room, empty_scene):
    splats = replace(room.gaussians([(0, 2, 0.5), (0, 3, 0.5)]), repeated=np.array([False, True]))
    made = write_scene(plan_scene(room.prediction(gaussians=splats), "room"), empty_scene)
    visibility.show_part(made.collection, "points", False)
    visibility.show_part(made.collection, "splats", True)
    assert shown(made) == {"splats": 1}
    set_input(made.splats.modifiers[0], "Keep All", True)
    assert shown(made) == {"splats": 2}


def test_shown_points_are_in_the_world(made):
    made.points.matrix_basis = Matrix.LocRotScale((1, 2, 3), Matrix.Rotation(0.5, 3, "Z").to_quaternion(), (2, 2, 2))
    instance = bpy.data.objects.new("copy", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", made.points.users_collection[0]
    instance.location = (50, 0, 0)
    bpy.context.scene.collection.objects.link(instance)
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    ((item, there),) = shown_points([made.collection], graph)
    matrix = np.array(made.points.matrix_basis)
    assert item == made.points
    np.testing.assert_allclose(there, points(made) @ matrix[:3, :3].T + matrix[:3, 3], rtol=1e-5, atol=1e-5)


def from_above() -> np.ndarray:
    """Clip space of an orthographic view down on (0, 4): 100 pixels a unit."""
    view = np.diag([0.25, 1 / 3, -1e-3, 1.0])
    view[1, 3] = -4 / 3
    return view


class Click(SimpleNamespace):
    """A press of the left button over the point (x, y) of the ground, in a 3D View seen from above."""

    def __init__(self, x: float, y: float, kind: str = "LEFTMOUSE") -> None:
        super().__init__(
            type=kind, value="PRESS", alt=False, mouse_x=int(100 + 400 + 100 * x), mouse_y=int(50 + 300 + 100 * (y - 4))
        )


@pytest.fixture
def window(made):
    """What a modal operator gets of a window with one 3D View and its sidebar."""
    view = SimpleNamespace(type="WINDOW", x=100, y=50, width=SIZE[0], height=SIZE[1])
    view.data = SimpleNamespace(perspective_matrix=from_above())
    sidebar = SimpleNamespace(type="UI", x=850, y=50, width=50, height=SIZE[1])
    area = MagicMock(type="VIEW_3D", regions=[sidebar, view])
    area.spaces.active = None
    window = MagicMock()
    window.screen.areas = [MagicMock(type="OUTLINER", regions=[]), area]
    return SimpleNamespace(
        scene=bpy.context.scene,
        evaluated_depsgraph_get=bpy.context.evaluated_depsgraph_get,
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
        area=area,
        window=window,
        workspace=MagicMock(),
        window_manager=MagicMock(),
    )


class Started:
    """An operator as Blender would have it; operators cannot be made in Python."""

    def __init__(self, kind: type, window: SimpleNamespace, result: str = "") -> None:
        self.kind, self.result, self.reports = kind, result, []
        assert self.invoke(window, None) == {"RUNNING_MODAL"}

    def __getattr__(self, name: str):
        value = getattr(self.kind, name)
        return value.__get__(self) if callable(value) else value

    def report(self, kind, text) -> None:
        self.reports.append(text)


def told(window) -> str | None:
    return window.workspace.status_text_set.call_args.args[0]


def nearest(made, x: float, y: float) -> np.ndarray:
    """[3]: the point that is drawn nearest to (x, y) from above."""
    there = points(made)
    return there[int(np.linalg.norm(there[:, :2] - (x, y), axis=1).argmin())]


def test_three_clicks_make_the_floor(made, window):
    bpy.ops.da3.set_floor(result=identity(made), a=(0, 0, -1), b=(1, 0, -1), c=(0, 1, -1.2))
    bpy.context.view_layer.update()
    floor = np.flatnonzero(np.linalg.norm(points(made) - nearest(made, 0, 2), axis=1) < 1)
    chosen = [nearest(made, *aim) for aim in ((-1, 3), (1, 3), (0, 2))]
    assert np.ptp(points(made)[floor, 2]) > 0.1
    operator = Started(picking.DA3_OT_pick_floor, window)
    assert told(window).startswith("Click on the first of three") and picking._overlays
    assert operator.modal(window, Click(*chosen[0][:2])) == {"RUNNING_MODAL"}
    assert operator.modal(window, Click(-3.9, 6.9)) == {"RUNNING_MODAL"}
    assert told(window).startswith("No point of a DA3 scene is shown here")
    assert operator.modal(window, Click(*chosen[1][:2])) == {"RUNNING_MODAL"}
    assert told(window).startswith("Click on a third point")
    assert operator.modal(window, Click(*chosen[2][:2])) == {"FINISHED"}
    assert told(window) is None and not picking._overlays
    np.testing.assert_allclose(points(made)[floor, 2], 0, atol=1e-5)


def test_two_clicks_and_a_number_make_the_scale(made, window, monkeypatch):
    asked = []

    def answer(collection, first, second, distance, picked):  # without a window the dialog is left out
        asked.append(distance)
        set_distance(collection, first, second, 0.5, picked)

    monkeypatch.setattr(transform, "set_distance", answer)
    first, second = (nearest(made, *aim) for aim in ((-1, 3), (1, 2.5)))
    operator = Started(picking.DA3_OT_pick_distance, window, identity(made))
    operator.modal(window, Click(*first[:2]))
    assert operator.modal(window, Click(*second[:2])) == {"FINISHED"}
    apart = np.linalg.norm(second - first)
    assert asked == [pytest.approx(apart, rel=1e-6)]
    assert np.linalg.norm(nearest(made, *(first * 0.5 / apart)[:2])) == pytest.approx(
        np.linalg.norm(first) * 0.5 / apart, rel=1e-5
    )


def test_points_on_one_line_are_told(made, window):
    operator = Started(picking.DA3_OT_pick_floor, window)
    before = points(made)
    for _ in range(2):
        operator.modal(window, Click(*nearest(made, -1, 3)[:2]))
    assert operator.modal(window, Click(*nearest(made, 1, 3)[:2])) == {"CANCELLED"}
    (report,) = operator.reports
    assert report.startswith("The three points lie on one line. Pick three")
    np.testing.assert_array_equal(points(made), before)


def test_looking_around_and_leaving(made, window):
    operator = Started(picking.DA3_OT_pick_distance, window)
    for kind in ("MIDDLEMOUSE", "WHEELUPMOUSE", "MOUSEMOVE", "NUMPAD_7"):
        assert operator.modal(window, Click(0, 4, kind)) == {"PASS_THROUGH"}
    assert operator.modal(window, Click(0, 4, "X")) == {"RUNNING_MODAL"}
    assert operator.modal(window, Click(3.7, 4)) == {"PASS_THROUGH"}  # the sidebar
    assert operator.modal(window, Click(-4.5, 4)) == {"PASS_THROUGH"}  # another editor
    operator.modal(window, Click(*nearest(made, 0, 3)[:2]))
    assert operator.modal(window, Click(0, 4, "ESC")) == {"CANCELLED"}
    assert told(window) is None and not picking._overlays
    window.window.cursor_modal_restore.assert_called_once()


def test_other_scenes_cannot_be_picked(made, window):
    operator = Started(picking.DA3_OT_pick_distance, window, "another scene")
    operator.modal(window, Click(*nearest(made, 0, 3)[:2]))
    assert operator.picks == []
    operator.modal(window, Click(0, 4, "ESC"))


def test_three_clicks_make_origin_and_axes(made, window):
    parent = bpy.data.objects.new("handle", None)  # seen from above, the room stands where it did
    bpy.context.scene.collection.objects.link(parent)
    for item in made.collection.all_objects:
        item.parent = parent
    bpy.context.view_layer.update()
    origin, along_x, third = (nearest(made, *aim) for aim in ((-1, 3), (1, 3.4), (0, 2)))
    others = points(made)
    operator = Started(picking.DA3_OT_pick_axes, window)
    assert told(window).startswith("Click on the point of the floor that becomes the origin")
    for point in (origin, along_x, third):
        ended = operator.modal(window, Click(*point[:2]))
    assert ended == {"FINISHED"} and told(window) is None and not picking._overlays
    x = (along_x - origin) / np.linalg.norm(along_x - origin)
    z = np.array([0, 0, 1.0])
    expected = (others - origin) @ np.stack([x, np.cross(z, x), z], axis=1)
    np.testing.assert_allclose(points(made), expected, atol=1e-5)
    bpy.context.view_layer.update()
    assert all(camera.matrix_world.translation.z == pytest.approx(1.6, abs=1e-5) for camera in made.cameras)


def test_axes_where_the_scene_was_moved(made):
    """The points are the world's, and so is the origin, whatever the artist did to the objects; undone as one step."""
    parent = bpy.data.objects.new("handle", None)
    bpy.context.scene.collection.objects.link(parent)
    for item in list(made.collection.all_objects):
        item.parent = parent
    turned = Matrix.LocRotScale((3, -2, 1), Matrix.Rotation(0.7, 3, (1, 2, 3)).to_quaternion(), (2, 2, 2))
    parent.matrix_world = turned
    picks = np.array([(0, 2, 0), (0, 3, 0), (1, 2, 0)]) @ np.array(turned)[:3, :3].T + np.array(turned)[:3, 3]
    before, name, result = points(made), made.points.name, identity(made)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.da3.set_axes("EXEC_DEFAULT", True, result=result, origin=picks[0], along_x=picks[1], floor=picks[2])
    bpy.context.view_layer.update()
    world = points(made) @ np.array(made.points.matrix_world)[:3, :3].T + np.array(made.points.matrix_world)[:3, 3]
    x, y, z = before.T
    np.testing.assert_allclose(world, np.stack([2 * (y - 2), -2 * x, 2 * z], axis=1), atol=1e-4)
    bpy.ops.ed.undo()
    after = SimpleNamespace(points=bpy.data.objects[name])
    np.testing.assert_array_equal(points(after), before)
