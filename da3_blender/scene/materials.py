"""Materials that show colours as they are: light given off, none received; sRGB in the data, linear in the render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from .node_tools import Builder, arrange, group, socket

POINTS = "DA3 Points v1"
SPLATS = "DA3 Splats v1"
POINT_COLOR = "Color"
"""Not `color`: Cycles finds no attribute of that name on a point cloud."""

SRGB_TO_LINEAR = "DA3 sRGB to Linear v1"


def points_material() -> bpy.types.Material:
    """Emits the point attribute POINT_COLOR, which Blender decodes from sRGB because it is a byte colour."""

    def build(nodes: Builder) -> None:
        color = nodes.node("ShaderNodeAttribute", attribute_name=POINT_COLOR).outputs["Color"]
        output(nodes, nodes.node("ShaderNodeEmission", {"Color": color}).outputs[0])

    return material(POINTS, build)


def photo_material(image: bpy.types.Image) -> bpy.types.Material:
    """A new material that gives off `image` by the active UV map."""

    def build(nodes: Builder) -> None:
        photo = nodes.node("ShaderNodeTexImage", image=image, extension="EXTEND")
        nodes.tree.nodes.active = photo  # what Solid shading with texture colours shows
        output(nodes, nodes.node("ShaderNodeEmission", {"Color": photo.outputs["Color"]}).outputs[0])

    return make_material(f"{image.name} DA3 Photo v1", build)


def lit_material(image: bpy.types.Image | None) -> bpy.types.Material:
    """A new material that light falls on, of the colours of `image`: for software that knows no other."""

    def build(nodes: Builder) -> None:
        color = {}
        if image is not None:
            color["Base Color"] = nodes.node("ShaderNodeTexImage", image=image, extension="EXTEND").outputs["Color"]
        output(nodes, nodes.node("ShaderNodeBsdfPrincipled", color).outputs[0])

    return make_material(f"{image.name if image else 'DA3'} lit", build)


def splats_material() -> bpy.types.Material:
    """A Gaussian seen along each ray: opacity * exp(-distance^2 / 2), colour decoded from sRGB and given off.

    Works in the splat's own frame, where it is a unit Gaussian: `splat_local` is the shaded point there,
    `splat_axis_x/y/z` are the rows of the matrix that takes directions there. What counts is the ray's distance from
    the splat's middle, |P x D|; where on its stand-in mesh the ray struck does not matter.
    Back faces are left out, so that closed stand-ins count once.
    """

    def build(nodes: Builder) -> None:
        def attribute(name: str) -> Any:
            return nodes.node("ShaderNodeAttribute", attribute_name=name).outputs

        shaded = nodes.node("ShaderNodeNewGeometry").outputs
        incoming, back = shaded["Incoming"], shaded["Backfacing"]
        ray = nodes.node(
            "ShaderNodeVectorTransform",
            {"Vector": incoming},  # not the first input since Blender 5.3
            vector_type="VECTOR",
            convert_from="WORLD",
            convert_to="OBJECT",
        ).outputs["Vector"]
        axes = [attribute(f"splat_axis_{axis}")["Vector"] for axis in "xyz"]
        direction = nodes.vector("NORMALIZE", nodes.combine(*(nodes.scalar("DOT_PRODUCT", row, ray) for row in axes)))
        off = nodes.vector("CROSS_PRODUCT", attribute("splat_local")["Vector"], direction)
        density = nodes.math("EXPONENT", nodes.math("MULTIPLY", nodes.scalar("DOT_PRODUCT", off, off), -0.5))
        color = attribute("splat_color")
        front = nodes.math("SUBTRACT", 1.0, back)
        alpha = nodes.math("MULTIPLY", nodes.math("MULTIPLY", density, color["Alpha"]), front)
        linear = nodes.node("ShaderNodeGroup", node_tree=srgb_to_linear_group())
        nodes.feed(linear.inputs[0], color["Color"])
        mixed = nodes.node(
            "ShaderNodeMixShader",
            {
                0: alpha,
                1: nodes.node("ShaderNodeBsdfTransparent").outputs[0],
                2: nodes.node("ShaderNodeEmission", {"Color": linear.outputs[0]}).outputs[0],
            },
        )
        output(nodes, mixed.outputs[0])

    made = material(SPLATS, build)
    made.surface_render_method = "BLENDED"
    return made


def srgb_to_linear_group() -> bpy.types.NodeTree:
    """Shader group: decodes a colour, channel by channel (IEC 61966-2-1)."""

    def build(nodes: Builder) -> None:
        socket(nodes.tree, "Color", "Color")
        socket(nodes.tree, "Color", "Color", "OUTPUT")

        def decode(encoded: Any) -> Any:
            encoded = nodes.math("MAXIMUM", encoded, 0.0)
            low = nodes.math("DIVIDE", encoded, 12.92)
            high = nodes.math("POWER", nodes.math("DIVIDE", nodes.math("ADD", encoded, 0.055), 1.055), 2.4)
            return nodes.node(
                "ShaderNodeMix", {0: nodes.math("GREATER_THAN", encoded, 0.04045), 2: low, 3: high}
            ).outputs[0]

        color = nodes.separate(nodes.node("NodeGroupInput").outputs[0])
        nodes.node("NodeGroupOutput", {0: nodes.combine(*(decode(channel) for channel in color))})

    return group(SRGB_TO_LINEAR, "ShaderNodeTree", build)


def material(name: str, build: Callable[[Builder], None]) -> bpy.types.Material:
    """The material `name`, built by `build` unless this file already has it. It is no lamp: nothing samples it."""
    return bpy.data.materials.get(name) or make_material(name, build)


def make_material(name: str, build: Callable[[Builder], None]) -> bpy.types.Material:
    """A new material, built by `build`."""
    made = bpy.data.materials.new(name)
    if made.node_tree is None:
        made.use_nodes = True
    tree = made.node_tree
    assert tree is not None
    tree.nodes.clear()
    build(Builder(tree))
    arrange(tree)
    if hasattr(made, "cycles"):  # the Cycles add-on may be switched off
        made.cycles.emission_sampling = "NONE"
    return made


def output(nodes: Builder, shader: object) -> None:
    """Let `shader` be what the material shows."""
    nodes.node("ShaderNodeOutputMaterial", {"Surface": shader})
