"""Materials that show colours as they are: light given off, none received; linear in the render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from .node_tools import Builder, arrange

POINTS = "DA3 Points v1"
SPLATS, SPLAT_CARDS = "DA3 Splats v2", "DA3 Splat Cards v1"
POINT_COLOR = "Color"
"""Not `color`: Cycles finds no attribute of that name on a point cloud."""

SPLAT_COLOR, CARD_PLACE = "splat_color", "splat_place"
"""Point attributes of splats' stand-ins: linear colour and opacity; the place on a flat one, in standard deviations."""

LARGEST_ALPHA = 0.99
"""As in 3D Gaussian Splatting: no splat hides all that is behind it."""


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
    """A Gaussian seen along each ray: opacity * exp(-distance^2 / 2), its colour given off.

    Works in the splat's own frame, where it is a unit Gaussian: `splat_local` is the shaded point there,
    `splat_axis_x/y/z` are the rows of the matrix that takes directions there. What counts is the ray's distance from
    the splat's middle, |P x D|; where on its stand-in mesh the ray struck does not matter.
    Back faces are left out, so that closed stand-ins count once.
    """

    def build(nodes: Builder) -> None:
        shaded = nodes.node("ShaderNodeNewGeometry").outputs
        incoming, back = shaded["Incoming"], shaded["Backfacing"]
        ray = nodes.node(
            "ShaderNodeVectorTransform",
            {"Vector": incoming},  # not the first input since Blender 5.3
            vector_type="VECTOR",
            convert_from="WORLD",
            convert_to="OBJECT",
        ).outputs["Vector"]
        axes = [_attribute(nodes, f"splat_axis_{axis}")["Vector"] for axis in "xyz"]
        direction = nodes.vector("NORMALIZE", nodes.combine(*(nodes.scalar("DOT_PRODUCT", row, ray) for row in axes)))
        off = nodes.vector("CROSS_PRODUCT", _attribute(nodes, "splat_local")["Vector"], direction)
        _splat_output(nodes, nodes.scalar("DOT_PRODUCT", off, off), nodes.math("SUBTRACT", 1.0, back))

    return _blended(material(SPLATS, build))


def splat_cards_material() -> bpy.types.Material:
    """A Gaussian painted on a flat piece: opacity * exp(-distance^2 / 2) out to 3, its colour given off.

    CARD_PLACE is the shaded point in standard deviations from the splat's middle.
    """

    def build(nodes: Builder) -> None:
        place = _attribute(nodes, CARD_PLACE)["Vector"]
        squared = nodes.scalar("DOT_PRODUCT", place, place)
        _splat_output(nodes, squared, nodes.math("LESS_THAN", squared, 9.0))

    return _blended(material(SPLAT_CARDS, build))


def _attribute(nodes: Builder, name: str) -> Any:
    return nodes.node("ShaderNodeAttribute", attribute_name=name).outputs


def _splat_output(nodes: Builder, squared: Any, there: Any) -> None:
    """Output of SPLAT_COLOR, as opaque as it is at `squared` standard deviations, where `there` is 1."""
    color = _attribute(nodes, SPLAT_COLOR)
    density = nodes.math("EXPONENT", nodes.math("MULTIPLY", squared, -0.5))
    alpha = nodes.math("MINIMUM", nodes.math("MULTIPLY", density, color["Alpha"]), LARGEST_ALPHA)
    clear = nodes.node("ShaderNodeBsdfTransparent").outputs[0]
    light = nodes.node("ShaderNodeEmission", {"Color": color["Color"]}).outputs[0]
    mixed = nodes.node("ShaderNodeMixShader", {0: nodes.math("MULTIPLY", alpha, there), 1: clear, 2: light})
    output(nodes, mixed.outputs[0])


def _blended(made: bpy.types.Material) -> bpy.types.Material:
    made.surface_render_method = "BLENDED"
    return made


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
