"""What splats change in a scene so that they render well: nothing that the artist made, and it all goes with them."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from da3_blender.plan.splat_cloud import lone_splats  # noqa: E402
from da3_blender.scene.splats import photo_colors, scene_settings  # noqa: E402
from da3_blender.scene.splats.native import has_native  # noqa: E402
from da3_blender.scene.splats.write import write_splats  # noqa: E402

stand_ins_only = pytest.mark.skipif(has_native(), reason="Blender's own splats need no compositor")
SHARED_TREES = "compositing_node_group" in bpy.types.Scene.bl_rna.properties
own_tree_only = pytest.mark.skipif(SHARED_TREES, reason="from Blender 5.0 on a scene keeps no unused tree")


def splats(scene, count=3):
    plan = lone_splats(
        np.zeros((count, 3), np.float32),
        np.full((count, 3), 0.1, np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        np.ones((count, 4), np.float32),
        np.zeros((0, count, 3), np.float32),
    )
    return write_splats(plan, "some", scene.collection)


def settings(scene):
    """All that may have been changed, but for an unused tree of nodes."""
    composited = scene.compositing_node_group if SHARED_TREES else scene.use_nodes
    layers = [
        (
            layer.eevee.use_pass_transparent,
            layer.use_pass_cryptomatte_material,
            [each.name for each in layer.lightgroups],
        )
        for layer in scene.view_layers
    ]
    bounces = scene.cycles.transparent_max_bounces, scene.cycles.min_transparent_bounces
    return composited, scene.render.use_compositing, layers, bounces, set(scene.keys()) - {"cycles"}


@pytest.mark.skipif(bpy.app.version < (4, 3), reason="Blender 4.2 removes no light groups")
def test_all_of_it_goes_with_the_splats(empty_scene):
    empty_scene.render.use_compositing = False
    empty_scene.view_layers.new("other").use_pass_cryptomatte_material = True
    before = settings(empty_scene)
    item = splats(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    assert settings(empty_scene) != before
    scene_settings.forget_splats(empty_scene)
    assert settings(empty_scene) != before  # there still are some
    bpy.data.objects.remove(item)
    scene_settings.forget_splats(empty_scene)
    assert settings(empty_scene) == before


def test_files_are_saved_without_what_deleted_splats_needed(addon, empty_scene, tmp_path):
    item = splats(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "with.blend"))
    assert empty_scene.cycles.transparent_max_bounces == 256
    bpy.data.objects.remove(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "without.blend"))
    assert empty_scene.cycles.transparent_max_bounces == 8 and not photo_colors.blends_as_displayed(empty_scene)


@stand_ins_only
@own_tree_only
def test_a_compositor_that_is_switched_off_stays_off(empty_scene):
    empty_scene.use_nodes = True
    empty_scene.node_tree.nodes.new("CompositorNodeInvert")
    empty_scene.use_nodes = False
    splats(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    assert not empty_scene.use_nodes and not photo_colors.blends_as_displayed(empty_scene)


@stand_ins_only
@own_tree_only
def test_an_emptied_compositor_hands_on_the_picture(empty_scene):
    empty_scene.use_nodes = True
    empty_scene.node_tree.nodes.clear()
    empty_scene.use_nodes = False
    splats(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    end = next(node for node in empty_scene.node_tree.nodes if node.bl_idname == "CompositorNodeComposite")
    ours = end.inputs["Image"].links[0].from_node
    assert ours.name == photo_colors.OWN and ours.inputs["Image"].links[0].from_node.type == "R_LAYERS"


@stand_ins_only
def test_splats_of_instanced_collections_have_photo_colours(empty_scene):
    shown = bpy.data.collections.new("shown")
    item = splats(empty_scene)
    empty_scene.collection.objects.unlink(item)
    shown.objects.link(item)
    assert not photo_colors.has_stand_ins(empty_scene)
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", shown
    empty_scene.collection.objects.link(instance)
    scene_settings.prepare_renders(empty_scene)
    assert photo_colors.blends_as_displayed(empty_scene) and item.lightgroup == photo_colors.LIGHT_GROUP


@stand_ins_only
def test_view_layers_that_are_added_later_get_the_passes(addon, empty_scene, tmp_path):
    splats(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    added = empty_scene.view_layers.new("added")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert photo_colors.LIGHT_GROUP in added.lightgroups and added.use_pass_cryptomatte_material


@stand_ins_only
def test_scripts_may_change_the_view_transform(addon, empty_scene, tmp_path):
    splats(empty_scene)
    spaces = []
    for view in ("Standard", "Raw", "AgX"):
        empty_scene.view_settings.view_transform = view
        if not spaces:
            scene_settings.prepare_renders(empty_scene)
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
        tree = empty_scene.compositing_node_group if SHARED_TREES else empty_scene.node_tree
        nodes = [] if tree is None else tree.nodes
        spaces.append([node.node_tree.name for node in nodes if node.bl_idname == "CompositorNodeGroup"])
        assert photo_colors.blends_as_displayed(empty_scene)
    assert spaces == [["DA3 Photo Colors of sRGB v1"], [], ["DA3 Photo Colors of AgX Base sRGB v1"]]


@stand_ins_only
def test_without_its_nodes_nothing_blends_as_displayed(addon, empty_scene, tmp_path):
    """Deleted by the artist, or in a new scene with the settings of another."""
    splats(empty_scene)
    scene_settings.prepare_renders(empty_scene)
    bpy.ops.scene.new(type="EMPTY")
    other = next(scene for scene in bpy.data.scenes if scene != empty_scene)
    assert photo_colors.is_out_of_date(other) and not photo_colors.is_out_of_date(empty_scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert not photo_colors.blends_as_displayed(other) and photo_colors.blends_as_displayed(empty_scene)
