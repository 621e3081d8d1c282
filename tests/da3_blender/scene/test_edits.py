"""What the artist did to geometry by hand is noticed, and kept beside what an update makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.scene import edits, find, visibility, write_scene  # noqa: E402
from da3_blender.scene.transform import set_distance  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402


@pytest.fixture
def made(kitchen_plan, empty_scene):
    return write_scene(kitchen_plan, empty_scene)


def positions(item) -> np.ndarray:
    values = np.zeros(3 * len(item.data.attributes["position"].data), np.float32)
    item.data.attributes["position"].data.foreach_get("vector", values)
    return values.reshape(-1, 3)


def delete_half(item: Any) -> None:
    if item.type == "POINTCLOUD":
        item.data.resize(len(item.data.points) // 2)
        return
    count = len(item.data.vertices)
    item.data.clear_geometry()
    item.data.vertices.add(count // 2)


def move_one(item: Any) -> None:
    item.data.attributes["position"].data[0].vector = (1, 2, 3)


def paint(item: Any) -> None:
    item.data.attributes["Color"].data[0].color = (1, 0, 1, 1)


def unwrap(item: Any) -> None:
    item.data.uv_layers[0].uv[0].vector = (0.5, 5)


def add_mask(item: Any) -> None:
    item.data.attributes.new("mask", "FLOAT", "POINT")


def add_group(item: Any) -> None:
    item.vertex_groups.new(name="chosen")


def add_shape(item: Any) -> None:
    item.shape_key_add(name="Basis")


@pytest.mark.parametrize("edit", [delete_half, move_one, paint, unwrap, add_mask, add_group, add_shape])
def test_edits_of_surfaces_are_noticed(made, edit: Callable[[Any], None]):
    assert edits.edited_parts(made.collection) == []
    edit(made.surfaces[0])
    assert edits.edited_parts(made.collection) == [made.surfaces[0]]


@pytest.mark.parametrize("edit", [delete_half, move_one, add_mask])
def test_edits_of_clouds_are_noticed(made, edit: Callable[[Any], None]):
    for item in (made.points, made.splats):
        edit(item)
    assert edits.edited_parts(made.collection) == [made.points, made.splats]


def test_what_the_add_on_and_the_artist_do_otherwise_is_no_edit(made, tmp_path):
    set_distance(made.collection, np.zeros(3), np.array([0, 1.0, 0]), 2.0)
    visibility.hide_photos(made.collection, ["a.jpg"])
    made.surfaces[0].data.shade_smooth()
    made.surfaces[0].data.materials.append(bpy.data.materials.new("gold"))
    made.points.location.x = 3
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kitchen.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kitchen.blend"))
    assert edits.edited_parts(find.results(bpy.context.scene)[0]) == []


def test_an_edit_stays_one_when_the_scene_is_scaled(made):
    move_one(made.points)
    set_distance(made.collection, np.zeros(3), np.array([0, 1.0, 0]), 2.0)
    assert edits.edited_parts(made.collection) == [made.points]


def test_update_keeps_what_was_edited_beside(made, kitchen_plan, empty_scene):
    home, count = made.points.users_collection[0], len(made.points.data.vertices)
    made.points.name = "my points"
    delete_half(made.points)
    move_one(made.points)
    edited = positions(made.points)
    updated = update_scene(kitchen_plan, made.collection, empty_scene)
    assert updated.points.name == "my points" and len(updated.points.data.vertices) == count
    kept = home.objects["my points edited"]
    np.testing.assert_array_equal(positions(kept), edited)
    assert kept.hide_viewport and kept.hide_render and kept.modifiers and not find.identity(kept)
    assert "my points edited" in updated.collection["da3_notes"]
    assert edits.edited_parts(updated.collection) == [] and len(find.objects_of(updated.collection, "points")) == 1


def test_an_edited_sheet_whose_photo_is_gone_is_kept(made, room, empty_scene):
    move_one(made.surfaces[1])
    prediction = room.prediction(room.view(name="a.jpg"))
    update_scene(plan_scene(prediction, "kitchen", settings=PlanSettings(sheets=True)), made.collection, empty_scene)
    assert "b_sheet" not in bpy.data.objects
    assert tuple(positions(bpy.data.objects["b_sheet edited"])[0]) == (1, 2, 3)
