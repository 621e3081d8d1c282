"""The point cloud in Blender: attributes, what the artist's sliders do, and colours as they come out of a render."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.meshes import set_input  # noqa: E402


def shown_points(item) -> int:
    """How many points the object's node group lets through."""
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    return sum(
        len(instance.object.data.points)
        for instance in graph.object_instances
        if isinstance(instance.object.data, bpy.types.PointCloud) and instance.object.original == item
    )


def read(mesh, name: str, member: str, width: int, kind=np.float32) -> np.ndarray:
    values = np.zeros(width * len(mesh.vertices), kind)
    mesh.attributes[name].data.foreach_get(member, values)
    return values.reshape(-1, width) if width > 1 else values


def test_attributes_hold_the_plan(room, empty_scene):
    plan = plan_scene(room.prediction(room.view(), room.view(eye=(1, 0, 1))), "room")
    mesh = write_scene(plan, empty_scene).points.data
    np.testing.assert_array_equal(read(mesh, "position", "vector", 3), plan.points.position)
    for name in ("confidence", "confidence_rank", "footprint"):
        np.testing.assert_array_equal(read(mesh, name, "value", 1), getattr(plan.points, name))
    np.testing.assert_array_equal(read(mesh, "view", "value", 1, np.int32), plan.points.view)
    encoded = read(mesh, "Color", "color_srgb", 4)[:, :3] * 255
    np.testing.assert_allclose(encoded, plan.points.color, atol=0.01)


def test_sliders_hide_points(room, empty_scene):
    plan = plan_scene(
        room.prediction(room.view(), room.view(eye=(1, 0, 1))), "room", settings=PlanSettings(confidence_threshold=0.25)
    )
    item = write_scene(plan, empty_scene).points
    modifier = item.modifiers[0]
    total = len(plan.points.position)
    assert shown_points(item) == np.count_nonzero(plan.points.confidence_rank > np.float32(0.25))
    set_input(modifier, "Confidence", 0.0)
    assert shown_points(item) == total
    set_input(modifier, "Confidence", 0.9)
    assert shown_points(item) == pytest.approx(0.1 * total, abs=3)
    set_input(modifier, "Confidence", 0.0)
    set_input(modifier, "Only Photo", 2)
    assert shown_points(item) == np.count_nonzero(plan.points.view == 1)


def test_one_surface_until_all_points_are_kept(room, empty_scene):
    first, second = room.view(), room.view(eye=(1, 0, 1))
    repeated = np.zeros(second.depth.shape, bool)
    repeated[:, :20] = True
    plan = plan_scene(
        room.prediction(first, replace(second, repeated=repeated)),
        "room",
        settings=PlanSettings(confidence_threshold=0),
    )
    item = write_scene(plan, empty_scene).points
    modifier, total = item.modifiers[0], len(plan.points.position)
    assert read(item.data, "repeated", "value", 1, bool).sum() == plan.points.repeated.sum() > 500
    assert shown_points(item) == np.count_nonzero(~plan.points.repeated)
    set_input(modifier, "Keep All", True)
    assert shown_points(item) == total
    set_input(modifier, "Keep All", False)
    set_input(modifier, "Only Photo", 2)
    assert shown_points(item) == np.count_nonzero(plan.points.view == 1), "one photo alone is whole"


def test_nothing_is_told_where_nothing_is_repeated(room, empty_scene):
    item = write_scene(plan_scene(room.prediction(), "room"), empty_scene).points
    assert "repeated" not in item.data.attributes


def render_bytes(scene, path) -> np.ndarray:
    """[H,W,4] of what is in the PNG, first row at the top."""
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    pixels = np.zeros(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return (pixels.reshape(image.size[1], image.size[0], 4)[::-1] * 255).round()


def test_render_gives_back_the_photo_colours(room, empty_scene, tmp_path):
    view = room.view(photo_size=(64, 48), focal=(50, 50), detail=1)
    plan = plan_scene(room.prediction(view), "room", settings=PlanSettings(standard_view=True, confidence_threshold=0))
    write_scene(plan, empty_scene)
    empty_scene.render.engine = "CYCLES"
    empty_scene.cycles.samples = 1
    empty_scene.cycles.use_denoising = False
    rendered = render_bytes(empty_scene, tmp_path / "render.png")
    off = np.abs(rendered[..., :3] - view.color).max(axis=-1)
    # All but the seam of floor and wall, where a point's sphere may cover half the next pixel.
    seam = np.flatnonzero(np.any(view.color != view.color[0], axis=(1, 2)))[0]
    away = np.abs(np.arange(48) - seam) > 2
    assert off[away].max() <= 2
    assert (rendered[away][..., 3] == 255).all()


def test_view_transform_changes_only_when_asked(room, empty_scene):
    plan = plan_scene(room.prediction(), "room")
    before = empty_scene.view_settings.view_transform
    write_scene(plan, empty_scene)
    assert empty_scene.view_settings.view_transform == before != "Standard"
    write_scene(replace(plan, standard_view=True), empty_scene)
    assert empty_scene.view_settings.view_transform == "Standard"


def test_node_group_and_material_are_made_once(room, empty_scene):
    first = write_scene(plan_scene(room.prediction(), "a"), empty_scene)
    second = write_scene(plan_scene(room.prediction(), "b"), empty_scene)
    assert first.points.modifiers[0].node_group == second.points.modifiers[0].node_group
    assert sum(material.name.startswith("DA3 Points") for material in bpy.data.materials) == 1
