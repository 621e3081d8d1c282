"""Splats of the kind that another Blender keeps become this one's, and lose nothing: vertices and native point clouds,
both ways as far as this Blender has them, and what older versions of the add-on made."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

import da3_blender.scene.splats.convert as convert_module  # noqa: E402
from da3_blender.plan.scene_plan import PlanSettings, plan_scene  # noqa: E402
from da3_blender.plan.splat_cloud import lone_splats  # noqa: E402
from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.animated_inputs import find_inputs_again  # noqa: E402
from da3_blender.scene.edits import edited_parts  # noqa: E402
from da3_blender.scene.meshes import add_nodes, input_property, input_value, set_input  # noqa: E402
from da3_blender.scene.splats import native  # noqa: E402
from da3_blender.scene.splats.convert import convert  # noqa: E402
from da3_blender.scene.splats.native import has_native, is_native  # noqa: E402
from da3_blender.scene.splats.read import read_splats  # noqa: E402
from da3_blender.scene.splats.write import write_splats  # noqa: E402

FILTER, STAND_INS = "DA3 Splat Filter v1", "DA3 Splats degree 2 v4"
NATIVE_ONLY = pytest.mark.skipif(not has_native(), reason="This Blender has no splats of its own")


def as_if(monkeypatch, native_splats: bool) -> None:
    """Let the add-on think that this Blender has splats of its own, or has not."""
    for module in (native, convert_module):
        monkeypatch.setattr(module, "has_native", lambda: native_splats)


def splats(count: int = 30, degree: int = 2):
    random = np.random.default_rng(0)
    rotation = random.normal(size=(count, 4)).astype(np.float32)
    rotation /= np.linalg.norm(rotation, axis=1, keepdims=True)
    higher = random.normal(size=((degree + 1) ** 2 - 1, count, 3))
    scale, base = random.uniform(0.01, 0.2, (count, 3)), random.uniform(0, 1, (count, 4))
    return lone_splats(random.normal(size=(count, 3)), scale, rotation, base, higher)


def furnished(scene) -> Any:
    """A splat object with all that an artist may do to it, and a linked duplicate, hidden."""
    item = write_splats(splats(), "kitchen", scene.collection)
    parent, child = (bpy.data.objects.new(name, None) for name in ("parent", "child"))
    room = bpy.data.collections.new("room")
    scene.collection.children.link(room)
    for each, home in ((parent, scene.collection), (child, scene.collection), (item, room)):
        home.objects.link(each)
    parent.location, item.parent, child.parent = (0, 1, 0), parent, item
    item.matrix_parent_inverse = parent.matrix_basis.inverted()
    item.rotation_mode, item.rotation_euler, item.scale = "ZYX", (0.1, 0.2, 0.5), (1, 2, 1)
    item["mine"], item.data["ours"], item.visible_glossy = "x", 7, False
    item.data.materials.append(bpy.data.materials.new("gold"))
    item.data.attributes.new("mask", "FLOAT", "POINT").data.foreach_set("value", np.arange(30) / 30)
    set_input(item.modifiers[0], "Splat Size", 0.7)
    owner, place = input_property(item.modifiers[0], "Shown")
    for frame, value in ((1, 1.0), (11, 0.5)):
        set_input(item.modifiers[0], "Shown", value)
        owner.keyframe_insert(place, frame=frame)
    item.driver_add("location", 2).driver.expression = "3"
    item.constraints.new("LIMIT_LOCATION").max_x = 5
    child.constraints.new("COPY_SCALE").target = item
    twin = item.copy()
    twin.name = "twin"
    scene.collection.objects.link(twin)
    twin.hide_set(True)
    twin.hide_render = True
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    return item


def everything(scene) -> dict[str, object]:
    """What must be the same of the splat objects, whatever their data are."""
    scene.frame_set(6)
    told: dict[str, object] = {}
    for name in ("kitchen splats", "twin"):
        item = bpy.data.objects[name]
        plan = read_splats(item.data)
        told[name] = {
            "place": [round(value, 6) for row in item.matrix_world for value in row],
            "turn": (item.rotation_mode, *item.rotation_euler),
            "parent": (item.parent.name, [each.name for each in item.children]),
            "homes": sorted(home.name for home in item.users_collection),
            "marks": {key: value for key, value in item.items() if key != "cycles"},
            "seen": (item.hide_get(), item.hide_render, item.select_get(), item.visible_glossy),
            "active": bpy.context.view_layer.objects.active.name,
            "constraints": [(each.type, each.mute) for each in item.constraints],
            "target": bpy.data.objects["child"].constraints[0].target.name,
            "values": [round(float(input_value(item.modifiers[0], each)), 5) for each in ("Shown", "Splat Size")],
            "data": (item.data.name, item.data["ours"], [each.name for each in item.data.materials], item.data.users),
            "arrays": [array.tobytes() for array in vars(plan).values() if isinstance(array, np.ndarray)],
            "mask": [round(each.value, 5) for each in item.data.attributes["mask"].data],
        }
    return told


@NATIVE_ONLY
def test_vertices_become_native_and_native_vertices(empty_scene, monkeypatch):
    as_if(monkeypatch, False)
    item = furnished(empty_scene)
    assert item.type == "MESH" and [each.name for each in item.modifiers] == [FILTER, STAND_INS]
    before = everything(empty_scene)
    as_if(monkeypatch, True)
    assert convert(bpy.data.objects) == []
    item = bpy.data.objects["kitchen splats"]
    assert is_native(item.data) and [each.name for each in item.modifiers] == [FILTER]
    assert everything(empty_scene) == before
    assert not any("degree" in group.name for group in bpy.data.node_groups) and not bpy.data.meshes
    as_if(monkeypatch, False)
    item.data.type = "POINTS"  # as where there is no other
    assert convert(bpy.data.objects) == []
    item = bpy.data.objects["kitchen splats"]
    assert item.type == "MESH" and [each.name for each in item.modifiers] == [FILTER, STAND_INS]
    assert not item.modifiers[1].show_viewport and item.modifiers[1].show_render
    assert everything(empty_scene) == before and not bpy.data.pointclouds


@pytest.mark.skipif(has_native(), reason="This Blender has splats of its own")
def test_a_point_cloud_of_a_newer_blender_becomes_vertices(empty_scene):
    """There it was native; here, it has come as common points."""
    item = write_splats(splats(), "kitchen", empty_scene.collection)
    before = read_splats(item.data)
    item.modifiers.remove(item.modifiers[1])
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    if "POINTCLOUD" not in bpy.ops.object.convert.get_rna_type().properties["target"].enum_items:
        pytest.skip("This Blender makes no point clouds")
    assert bpy.ops.object.convert(target="POINTCLOUD") == {"FINISHED"}
    assert convert(bpy.data.objects) == [] and item.type == "POINTCLOUD"  # this is the artist's
    item.data["da3_native"] = True
    assert convert(bpy.data.objects) == []
    item = bpy.data.objects["kitchen splats"]
    assert item.type == "MESH" and item.modifiers[-1].name == STAND_INS
    for name, array in vars(read_splats(item.data)).items():
        np.testing.assert_array_equal(array, getattr(before, name), err_msg=name)


@NATIVE_ONLY
def test_common_points_become_splats_again(empty_scene):
    """An older Blender that had not this add-on has saved the file."""
    item = write_splats(splats(), "kitchen", empty_scene.collection)
    item.data.type = "POINTS"
    assert convert(bpy.data.objects) == [] and is_native(item.data)


@NATIVE_ONLY
def test_what_would_lose_something_stays(empty_scene, monkeypatch):
    as_if(monkeypatch, False)
    bent, grouped, shaped, other = (write_splats(splats(), name, empty_scene.collection) for name in "abcd")
    bent.modifiers.new("lattice", "LATTICE")
    grouped.vertex_groups.new(name="some")
    shaped.shape_key_add(name="Basis")
    other.modifiers.clear()  # an artist's mesh
    as_if(monkeypatch, True)
    assert convert(bpy.data.objects) == [bent, grouped, shaped]
    assert {each.type for each in (bent, grouped, shaped, other)} == {"MESH"}
    assert bent.modifiers[1].name == STAND_INS


@NATIVE_ONLY
def test_conversion_is_no_edit_and_edits_stay_edits(room, empty_scene, monkeypatch):
    as_if(monkeypatch, False)
    gaussians = room.gaussians(np.random.default_rng(0).normal(size=(9, 3)))
    plans = [plan_scene(room.prediction(gaussians=gaussians), name, settings=PlanSettings()) for name in "ab"]
    made = [write_scene(plan, empty_scene) for plan in plans]
    (item,) = find.objects_of(made[1].collection, "splats")
    item.data.attributes["position"].data[0].vector = (9, 9, 9)
    as_if(monkeypatch, True)
    convert(bpy.data.objects)
    assert [len(edited_parts(each.collection)) for each in made] == [0, 1]
    assert all(is_native(item.data) for each in made for item in find.objects_of(each.collection, "splats"))


def test_opened_files_are_converted(empty_scene, tmp_path, monkeypatch):
    """With the one group that did both in version 3, and without homes; values and hidden groups stay."""
    as_if(monkeypatch, False)
    item = write_splats(splats(degree=0), "old", empty_scene.collection)
    item.modifiers.clear()
    item.data.attributes.remove(item.data.attributes["da3_home"])
    group = bpy.data.node_groups.new("DA3 Splats degree 0 v3", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    for name, kind in {"Geometry": "Geometry", "Shown": "Float", "Splat Size": "Float", "Keep All": "Bool"}.items():
        group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
    modifier = add_nodes(item, group)
    set_input(modifier, "Splat Size", 0.7)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "old.blend"))
    monkeypatch.undo()
    convert_module.register()
    try:
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    finally:
        convert_module.unregister()
    item = bpy.data.objects["old splats"]
    names = [each.node_group.name for each in item.modifiers]
    assert names == ([FILTER] if has_native() else [FILTER, "DA3 Splats degree 0 v4"])
    assert is_native(item.data) == has_native() and "da3_home" in item.data.attributes
    assert input_value(item.modifiers[0], "Splat Size") == pytest.approx(0.7)
    assert not any("v3" in group.name for group in bpy.data.node_groups)


def test_linked_splats_stay(empty_scene, tmp_path):
    write_splats(splats(), "far", empty_scene.collection)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "far.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "far.blend"), link=True) as (_, wanted):
        wanted.objects = ["far splats"]
    item = bpy.data.objects["far splats"]
    assert convert(bpy.data.objects) == [] and item.library is not None and item.data.library is not None


@pytest.mark.skipif(
    "properties" in bpy.types.NodesModifier.bl_rna.properties, reason="This Blender keeps inputs where later ones do"
)
def test_animation_and_drivers_that_a_later_blender_saved_find_their_inputs(empty_scene):
    item = write_splats(splats(), "kitchen", empty_scene.collection)
    owner, place = input_property(item.modifiers[0], "Shown")
    for frame, value in ((1, 1.0), (11, 0.5)):
        set_input(item.modifiers[0], "Shown", value)
        owner.keyframe_insert(place, frame=frame)
    action = item.animation_data.action
    curves = action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves
    for curve in (*curves, *item.animation_data.drivers):
        curve.data_path = re.sub(r'\["(Socket_\d+)"\]', r".properties.inputs.\1.value", curve.data_path)
    empty_scene.frame_set(11)
    empty_scene.frame_set(1)
    assert input_value(item.modifiers[0], "Shown") == 0.5  # nothing animates it
    find_inputs_again([item])
    empty_scene.frame_set(6)
    assert input_value(item.modifiers[0], "Shown") == pytest.approx(0.75)
    item.update_tag()
    bpy.context.view_layer.update()
    assert all(each.is_valid for each in item.animation_data.drivers)
