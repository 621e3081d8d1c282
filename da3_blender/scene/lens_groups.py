"""Node groups for the compositor that send a render back through a photo's lens, and a photo out of it.

Each holds an STMap (`model_runtime/contract/export/stmap.py`) as a packed image. Map UV reads it as it is: measured in
Blender 4.2 to 5.2, a pixel's middle lies half a pixel inside, and what comes out is as large as the map, whatever the
render's size. What differs is how it looks between pixels: up to 4.5 it can only snap to pixels, or by quarters of
them, so there the group mixes the four pixels around a place by itself; from 5.0 on Map UV can.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.export.stmap import distort_map, lens_key, undistort_map, write_map
from model_runtime.contract.lens import Lens, Pinhole
from model_runtime.contract.messages import JobError

from .lenses import read_lens, read_pinhole
from .node_tools import Builder, Operand, arrange, socket

DISTORT, UNDISTORT = "DISTORT", "UNDISTORT"
NAMES = {DISTORT: "DA3 Distort {camera} v1", UNDISTORT: "DA3 Undistort {camera} v1"}
MAPS: dict[str, Callable[[Lens, Pinhole], np.ndarray]] = {DISTORT: distort_map, UNDISTORT: undistort_map}

LENS = "da3_lens"
"""On the groups: way and `lens_key`, by which cameras of one lens share them."""


def lens_group(camera: bpy.types.Object, way: str) -> bpy.types.NodeTree:
    """The compositor's node group of the lens of a photo's camera, made where the file has none yet.

    way: DISTORT takes a render of the camera, at its full size, onto the original photo; UNDISTORT the photo onto the
    straightened one. Raises JobError for a camera without a lens.
    """
    lens, straight = read_lens(camera.data), read_pinhole(camera.data)
    if lens is None or straight is None:
        sentence = f"The photo of the camera '{camera.name}' was not straightened, so its lens needs no map."
        raise JobError("no-lens", sentence, "Choose a camera whose facts tell of a lens.")
    mark = f"{way} {lens_key(lens, straight)}"
    for tree in bpy.data.node_groups:
        if tree.get(LENS) == mark and tree.library is None:
            return tree
    name = NAMES[way].format(camera=camera.name)
    image = _map_image(name, MAPS[way](lens, straight))
    tree: Any = bpy.data.node_groups.new(name, "CompositorNodeTree")
    _build(Builder(tree), image, straight.size if way == DISTORT else lens.size)
    arrange(tree)
    tree[LENS] = mark
    tree.use_fake_user = True  # files keep it before it is used
    return tree


def compositor_of(scene: Any) -> Any:
    """The node tree with which the scene's renders are composited, or None."""
    if hasattr(scene, "compositor_effects"):  # from 5.3 on
        effect = scene.compositor_effects.active
        return effect and effect.node_group
    if hasattr(scene, "compositing_node_group"):  # from 5.0 on
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def add_to_compositor(scene: bpy.types.Scene, group: bpy.types.NodeTree) -> bool:
    """Add a node of the group, unconnected, where the scene has a compositor that can be changed and lacks one;
    whether it has one now."""
    tree = compositor_of(scene)
    if tree is None or tree.library is not None:
        return False
    if not any(getattr(node, "node_tree", None) == group for node in tree.nodes):
        lowest = min((node.location.y - node.height for node in tree.nodes), default=0.0)
        node = tree.nodes.new("CompositorNodeGroup")
        node.node_tree = group
        node.location = (0.0, lowest - 100)
    return True


def _map_image(name: str, stmap: np.ndarray) -> bpy.types.Image:
    """Packed as the bytes of an EXR file: Blender's own packing of pixels is three times as large."""
    height, width = stmap.shape[:2]
    with tempfile.TemporaryDirectory(prefix="da3_") as folder:
        file = Path(folder) / "map.exr"
        write_map(file, stmap)
        data = file.read_bytes()
    image: Any = bpy.data.images.new(name, width, height, alpha=True, float_buffer=True)
    image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"  # red and green are no colours that alpha could have dimmed
    return image


def _build(nodes: Builder, stmap: bpy.types.Image, source: tuple[int, int]) -> None:
    """source: (width, height) of the picture that goes in."""
    socket(nodes.tree, "Image", "Color")
    socket(nodes.tree, "Image", "Color", "OUTPUT")
    picture = nodes.node("NodeGroupInput").outputs["Image"]
    place = nodes.node("CompositorNodeImage", image=stmap).outputs["Image"]
    look = nodes.node("CompositorNodeMapUV", {"Image": picture, "UV": place})
    if "Interpolation" in look.inputs:
        look.inputs["Interpolation"].default_value = "Bilinear"
        seen = look.outputs["Image"]
    else:
        nodes.tree.nodes.remove(look)
        seen = _between_pixels(nodes, picture, place, source)
    nodes.node("NodeGroupOutput", {"Image": seen})


def _between_pixels(nodes: Builder, picture: Operand, place: Operand, size: tuple[int, int]) -> Operand:
    """What the picture of (width, height) shows there, between the middles of its four nearest pixels."""
    across, up, inside = nodes.node("CompositorNodeSeparateXYZ", {0: place}).outputs
    right, columns = _neighbours(nodes, across, size[0])
    above, rows = _neighbours(nodes, up, size[1])

    def pixel(column: Operand, row: Operand) -> Operand:
        at = nodes.node("CompositorNodeCombineXYZ", {0: column, 1: row, 2: inside}).outputs[0]
        return nodes.node("CompositorNodeMapUV", {"Image": picture, "UV": at}, filter_type="NEAREST").outputs[0]

    def mixed(share: Operand, first: Operand, second: Operand) -> Operand:
        return nodes.node("CompositorNodeMixRGB", {0: share, 1: first, 2: second}).outputs[0]

    def opacity(image: Operand) -> Operand:
        return nodes.node("CompositorNodeSeparateColor", {0: image}).outputs["Alpha"]

    pixels = [[pixel(column, row) for column in columns] for row in rows]
    color = mixed(above, *(mixed(right, *pair) for pair in pixels))
    alpha = mixed(above, *(mixed(right, *map(opacity, pair)) for pair in pixels))  # a mix has the first one's own
    replaced = nodes.node("CompositorNodeSetAlpha", {"Image": color, "Alpha": alpha}, mode="REPLACE_ALPHA")
    return replaced.outputs[0]


def _neighbours(nodes: Builder, share: Operand, side: int) -> tuple[Operand, list[Operand]]:
    """Along a side of so many pixels: how far a place lies from the pixel before it, in pixels, and the middles of that
    one and of the next, in shares of the side."""

    def math(operation: str, *values: Operand) -> Operand:
        return nodes.node("CompositorNodeMath", dict(enumerate(values)), operation=operation).outputs[0]

    pixel = math("MULTIPLY_ADD", share, float(side), -0.5)
    before = math("FLOOR", pixel)
    middles = [math("MULTIPLY_ADD", before, 1 / side, offset / side) for offset in (0.5, 1.5)]
    return math("SUBTRACT", pixel, before), middles
