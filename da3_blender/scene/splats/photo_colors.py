"""Splats blended as they are displayed, with photo colours under whichever view transform: by the compositor.

Splats are trained to blend in sRGB, Blender blends linear light. So they give off displayed colours, which blend as
trained; the compositor takes them out of the picture (EEVEE: the pass of what is transparent; Cycles: the pass of their
light group, and how much they cover from their materials' cryptomatte), applies the view transform to what is behind
them, lays them over that, and takes the view transform back. Where there are no splats the picture stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..find import with_instanced
from ..marks import BEFORE_DISPLAYED, DISPLAYED
from ..materials import SPLAT_CARDS, SPLATS
from ..node_tools import Builder, socket
from .display_group import display_group
from .lens import DISPLAY

LIGHT_GROUP = "DA3 Splats"
PLAIN_VIEW = "Raw"
"""The view transform that shows displayed colours as they are."""
PLAIN = {"CompositorNodeRLayers", "CompositorNodeComposite", "CompositorNodeViewer", "NodeReroute", "NodeGroupOutput"}
"""Nodes of a tree that hands on what was rendered."""
ENDS = ("CompositorNodeRLayers", "CompositorNodeComposite")
OWN = "DA3 Photo Colors"
"""What the names of our nodes in the artist's compositor begin with."""


def by_default(scene: bpy.types.Scene) -> None:
    """`blend_as_displayed`, unless the artist composites `scene`, or no splats are rendered."""
    rendered = not all(item.hide_render for item in _with_stand_ins(scene))
    if blends_as_displayed(scene) or (rendered and not _is_composited(scene)):
        blend_as_displayed(scene)


def blend_as_displayed(scene: bpy.types.Scene) -> None:
    """Let splats blend as displayed under the view transform that `scene` has now. Where there are no stand-ins of
    splats, as with Blender's own, nothing happens."""
    blend_as_light(scene)
    if not has_stand_ins(scene):
        return
    for item in _with_stand_ins(scene):
        item.lightgroup = LIGHT_GROUP
    _show(scene, True)
    view = scene.view_settings.view_transform
    passes = {
        each.name: [each.eevee.use_pass_transparent, each.use_pass_cryptomatte_material] for each in scene.view_layers
    }
    scene[BEFORE_DISPLAYED] = {"compositing": scene.render.use_compositing, "passes": passes, "view": view}
    if view == PLAIN_VIEW:
        return
    space = _space(scene)
    for layer in scene.view_layers:
        if LIGHT_GROUP not in layer.lightgroups:
            layer.lightgroups.add(name=LIGHT_GROUP)
        layer.eevee.use_pass_transparent = layer.use_pass_cryptomatte_material = True
    tree = _compositing(scene)
    for layers in [node for node in tree.nodes if node.bl_idname == "CompositorNodeRLayers"]:
        _insert(scene, tree, layers, space)


def blend_as_light(scene: bpy.types.Scene) -> None:
    """Undo `blend_as_displayed`; what else the artist composites stays."""
    _show(scene, False)
    for layer in scene.view_layers:
        if LIGHT_GROUP in layer.lightgroups and hasattr(layer.lightgroups, "remove"):  # Blender 4.2 cannot
            layer.lightgroups.remove(layer.lightgroups[LIGHT_GROUP])
    before = scene[BEFORE_DISPLAYED].to_dict() if BEFORE_DISPLAYED in scene else {}
    scene.pop(BEFORE_DISPLAYED, None)
    for name, (transparent, matte) in before.get("passes", {}).items():
        if (layer := scene.view_layers.get(name)) is not None:
            layer.eevee.use_pass_transparent, layer.use_pass_cryptomatte_material = bool(transparent), bool(matte)
    tree: Any = _tree(scene)
    if tree is None:
        return
    ours = [node for node in tree.nodes if _is_ours(node)]
    for node in ours:
        source = node.inputs[0].links[0].from_socket if node.inputs and node.inputs[0].is_linked else None
        for target in [link.to_socket for link in node.outputs[0].links]:
            if source is not None:
                tree.links.new(source, target)
        tree.nodes.remove(node)
    for unused in [each for each in bpy.data.node_groups if each.name.startswith(OWN) and not each.users]:
        bpy.data.node_groups.remove(unused)
    if ours and {node.bl_idname for node in tree.nodes} <= PLAIN:
        _composite_no_more(scene, tree)
        if before:
            scene.render.use_compositing = bool(before["compositing"])


def blends_as_displayed(scene: bpy.types.Scene) -> bool:
    return bool(scene.get(DISPLAYED))


def is_out_of_date(scene: bpy.types.Scene) -> bool:
    """Whether `scene` has lost our nodes since `blend_as_displayed`, or got other view layers or another view
    transform."""
    if BEFORE_DISPLAYED not in scene:
        return False
    incomplete = not _has_nodes(scene) or any(LIGHT_GROUP not in layer.lightgroups for layer in scene.view_layers)
    blended_for = scene[BEFORE_DISPLAYED].get("view")
    return blended_for != scene.view_settings.view_transform or (incomplete and blended_for != PLAIN_VIEW)


def bring_up_to_date(scene: bpy.types.Scene) -> None:
    """See to the view transform and all view layers; without nodes, as deleted ones or in a new scene of the same
    settings, blend as light."""
    needs_none = scene[BEFORE_DISPLAYED].get("view") == PLAIN_VIEW
    (blend_as_displayed if needs_none or _has_nodes(scene) else blend_as_light)(scene)


def _has_nodes(scene: bpy.types.Scene) -> bool:
    return any(_is_ours(node) for node in getattr(_tree(scene), "nodes", ()))


def has_stand_ins(scene: bpy.types.Scene) -> bool:
    return any(True for _ in _with_stand_ins(scene))


def _show(scene: bpy.types.Scene, displayed: bool) -> None:
    if displayed:
        scene[DISPLAYED] = 1
    else:
        scene.pop(DISPLAYED, None)
    for item in _with_stand_ins(scene):
        item.update_tag()


def _with_stand_ins(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    for item in with_instanced(scene.objects):
        for modifier in item.modifiers:
            tree = modifier.node_group if isinstance(modifier, bpy.types.NodesModifier) else None
            if tree is not None and any(each.name == DISPLAY for each in tree.interface.items_tree):
                yield item


def _space(scene: bpy.types.Scene) -> str:
    """The colour space of files that hold what `scene` displays; sRGB where its view transform has none."""
    view, display = scene.view_settings.view_transform, scene.display_settings.display_device
    probe = bpy.data.images.new("probe", 1, 1)
    try:
        for space in (f"{view} Base {display}", f"{view} {display}", display):
            try:
                probe.colorspace_settings.name = space
            except TypeError:  # not a space of this configuration
                continue
            return space
        return "sRGB"
    finally:
        bpy.data.images.remove(probe)


def _tree(scene: bpy.types.Scene) -> Any:
    """What `scene` composites by: its own tree, or from Blender 5.0 on one of the file's; None where it has none."""
    return scene.compositing_node_group if hasattr(scene, "compositing_node_group") else scene.node_tree


def _is_composited(scene: bpy.types.Scene) -> bool:
    """Whether the artist composites `scene`, or did and has switched it off: before Blender 5.0 such a tree is kept."""
    tree = _tree(scene)
    if hasattr(scene, "compositing_node_group"):
        return tree is not None
    return scene.use_nodes or (tree is not None and not {node.bl_idname for node in tree.nodes} <= PLAIN)


def _compositing(scene: bpy.types.Scene) -> Any:
    """The same, which is made where there is none."""
    scene.render.use_compositing = True
    if not hasattr(scene, "compositing_node_group"):
        was_used, scene.use_nodes = scene.use_nodes, True
        if not was_used and {node.bl_idname for node in scene.node_tree.nodes} <= PLAIN:
            _hand_on(scene.node_tree)
        return scene.node_tree
    if scene.compositing_node_group is None:
        tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        socket(tree, "Image", "Color", "OUTPUT")
        nodes = Builder(tree)
        nodes.node("NodeGroupOutput", {0: nodes.node("CompositorNodeRLayers").outputs["Image"]})
        scene.compositing_node_group = tree
    return scene.compositing_node_group


def _hand_on(tree: Any) -> None:
    """Let a scene's own `tree` hand on what is rendered, whatever was left in it."""
    nodes = {kind: next((each for each in tree.nodes if each.bl_idname == kind), None) for kind in ENDS}
    layers, end = (node or tree.nodes.new(kind) for kind, node in nodes.items())
    if not end.inputs["Image"].is_linked:
        tree.links.new(layers.outputs["Image"], end.inputs["Image"])


def _composite_no_more(scene: bpy.types.Scene, tree: Any) -> None:
    """Let `scene` composite by nothing: its `tree` does nothing."""
    if hasattr(scene, "compositing_node_group"):
        scene.compositing_node_group = None
        if not tree.users:
            bpy.data.node_groups.remove(tree)
    else:
        scene.use_nodes = False


def _is_ours(node: Any) -> bool:
    return node.name.startswith(OWN)


def _insert(scene: bpy.types.Scene, tree: Any, layers: Any, space: str) -> None:
    """Put the group between the picture of a Render Layers node and all that it goes to."""
    targets = [link.to_socket for link in layers.outputs["Image"].links]
    node = tree.nodes.new("CompositorNodeGroup")
    node.name, node.node_tree = OWN, display_group(space)
    node.location = layers.location[0] + 300, layers.location[1]
    for target in targets:
        tree.links.new(node.outputs["Image"], target)
    tree.links.new(layers.outputs["Image"], node.inputs["Image"])
    with _each_engine(scene) as engines:
        for engine in engines:
            # The other engine's outputs are kept where something is linked to them.
            for view_layer in scene.view_layers:
                view_layer.update_render_passes()
            names = (f"Combined_{LIGHT_GROUP}",) if engine == "CYCLES" else ("Transparent", "Transp")
            for output in [each for each in layers.outputs if each.name in names and not each.is_unavailable]:
                tree.links.new(output, node.inputs["Cycles" if engine == "CYCLES" else "EEVEE"])
    matte = tree.nodes.new("CompositorNodeCryptomatteV2")
    matte.name, matte.source, matte.scene = f"{OWN} Matte", "RENDER", layers.scene
    matte.layer_name = f"{layers.layer}.CryptoMaterial"
    matte.matte_id = f"{SPLATS},{SPLAT_CARDS}"
    matte.location = layers.location[0], layers.location[1] - 500
    tree.links.new(matte.outputs["Matte"], node.inputs["Cycles Matte"])


@contextmanager
def _each_engine(scene: bpy.types.Scene) -> Iterator[Iterator[str]]:
    """The engines that render splats, each the scene's while it is the turn of it."""
    before = scene.render.engine

    def engines() -> Iterator[str]:
        for engine in ("BLENDER_EEVEE_NEXT", "BLENDER_EEVEE", "CYCLES"):
            try:
                scene.render.engine = engine
            except TypeError:  # called otherwise in this Blender, or switched off
                continue
            yield engine

    try:
        yield engines()
    finally:
        scene.render.engine = before
