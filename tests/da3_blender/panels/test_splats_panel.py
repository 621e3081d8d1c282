"""The panel of splats and the buttons in it, on splats that belong to no DA3 scene."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from da3_blender.panels.splats import chosen_splats, draw_splats  # noqa: E402
from da3_blender.plan.splat_cloud import lone_splats  # noqa: E402
from da3_blender.scene.meshes import set_input  # noqa: E402
from da3_blender.scene.splats.crop_boxes import crops_of  # noqa: E402
from da3_blender.scene.splats.filters import filter_of  # noqa: E402
from da3_blender.scene.splats.write import write_splats  # noqa: E402


@pytest.fixture
def splats(addon_scene):
    position = np.random.default_rng(0).uniform(-1, 1, (1000, 3))
    rotation, base = np.tile((1.0, 0, 0, 0), (1000, 1)), np.full((1000, 4), 0.5)
    plan = lone_splats(position, np.full((1000, 3), 0.1), rotation, base, np.zeros((0, 1000, 3)))
    item = write_splats(plan, "dust", addon_scene.collection)
    bpy.context.view_layer.objects.active = item
    return item


def shown(item) -> list[str]:
    """The texts of the panel; icons and buttons have to exist."""
    bpy.context.view_layer.update()
    layout = MagicMock()
    draw_splats(layout, context(), item)
    icons = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys()
    texts = []
    for method, arguments, options in layout.mock_calls:
        assert options.get("icon", "NONE") in icons
        if method.rpartition(".")[2] == "operator":
            module, _, verb = arguments[0].partition(".")
            getattr(getattr(bpy.ops, module), verb).get_rna_type()
        texts += [options["text"]] if options.get("text") else []
    return texts


def context() -> SimpleNamespace:
    names = ("scene", "view_layer", "active_object", "mode")
    return SimpleNamespace(
        **{name: getattr(bpy.context, name) for name in names}, space_data=None, preferences=bpy.context.preferences
    )


def test_what_it_says(splats):
    for text in ("dust splats", "1,000 of 1,000 splats", "Splats Shown", "Hide Floaters", "Crop to Box"):
        assert text in shown(splats)
    assert not {"Hide Unsure", "Keep All Splats"} & set(shown(splats)), "all are as sure, and none is repeated"
    set_input(filter_of(splats), "Shown", 0.3)
    assert "300 of 1,000 splats" in shown(splats)
    splats.hide_viewport = True
    assert "1,000 splats" in shown(splats)


def test_crops_come_turn_and_go(splats, addon_scene):
    bpy.ops.da3.add_crop_box(keep=False)
    ((box, keep),) = crops_of(splats)
    assert not keep and bpy.context.view_layer.objects.active == box and box.select_get()
    assert chosen_splats(context()) == splats, "also while its crop is moved"
    texts = shown(splats)
    assert box.name in texts and "Remove" in texts and "1,000 of 1,000 splats" not in texts
    bpy.ops.da3.turn_crop(splats=splats.name, crop=box.name, keep=True)
    assert crops_of(splats) == [(box, True)]
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.5)
    ball = bpy.context.active_object
    bpy.ops.da3.crop_by_selected(splats=splats.name, keep=True)
    assert {crop for crop, _ in crops_of(splats)} == {box, ball}
    bpy.ops.da3.select_crop(crop=box.name)
    assert bpy.context.view_layer.objects.active == box
    for crop in (box.name, ball.name):
        bpy.ops.da3.drop_crop(splats=splats.name, crop=crop)
    assert crops_of(splats) == [] and ball.name in addon_scene.objects and len(addon_scene.objects) == 2


def test_box_around_what_is_selected(splats):
    if splats.type != "MESH":
        pytest.skip("Blender's own splats have no vertices")
    position = np.array([tuple(vertex.co) for vertex in splats.data.vertices])
    chosen = (position[:, 0] > 0.2) & (position[:, 2] < 0)
    for vertex, select in zip(splats.data.vertices, chosen, strict=True):
        vertex.select = bool(select)
    splats.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.da3.add_crop_box(keep=True)
    bpy.ops.object.mode_set(mode="OBJECT")
    assert f"{chosen.sum()} of 1,000 splats" in shown(splats)


def test_errors_are_told(splats):
    bpy.ops.object.empty_add()
    with pytest.raises(RuntimeError, match="no splats that can be cropped"):
        bpy.ops.da3.add_crop_box()
    with pytest.raises(RuntimeError, match="No mesh with faces is selected"):
        bpy.ops.da3.crop_by_selected(splats=splats.name)
