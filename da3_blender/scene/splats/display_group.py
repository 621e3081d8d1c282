"""The compositor's node group that blends splats with what is behind them as both are displayed."""

from __future__ import annotations

from typing import Any

import bpy

from ..node_tools import Builder, group, socket

GROUP = "DA3 Photo Colors of {space} v1"


def display_group(space: str) -> bpy.types.NodeTree:
    """Takes the splats out of the image and lays them over the rest in the colour space `space`. One group for each."""
    return group(GROUP.format(space=space), "CompositorNodeTree", lambda nodes: _build(nodes, space))


def _build(nodes: Builder, space: str) -> None:
    black = (0.0, 0.0, 0.0, 0.0)
    for name in ("Image", "EEVEE", "Cycles"):
        socket(nodes.tree, name, "Color", default_value=black)
    socket(nodes.tree, "Cycles Matte", "Float")
    socket(nodes.tree, "Image", "Color", "OUTPUT")
    image, eevee, cycles, matte = nodes.node("NodeGroupInput").outputs[:4]
    splats = _mix(nodes, "ADD", eevee, cycles)
    covered = _math(nodes, "MINIMUM", _math(nodes, "ADD", _alpha(nodes, eevee), matte), 1.0)
    alpha = _alpha(nodes, image)
    rest = _math(nodes, "MAXIMUM", _math(nodes, "SUBTRACT", alpha, covered), 0.0)
    behind = _divided(nodes, _mix(nodes, "SUBTRACT", image, splats), rest)
    shown = _mix(nodes, "MULTIPLY", _convert(nodes, behind, to_color_space=space), rest)
    blended = _divided(nodes, _mix(nodes, "ADD", splats, shown), alpha)
    light = _mix(nodes, "MULTIPLY", _convert(nodes, blended, from_color_space=space), alpha)
    there = _math(nodes, "GREATER_THAN", covered, 0.0)
    mixed = _mix(nodes, "MIX", image, light, there)
    nodes.node("NodeGroupOutput", {0: _with_alpha(nodes, mixed, alpha)})


def _divided(nodes: Builder, color: Any, share: Any) -> Any:
    return _mix(nodes, "DIVIDE", color, _math(nodes, "MAXIMUM", share, 1e-3))


def _mix(nodes: Builder, kind: str, first: Any, second: Any, share: Any = 1.0) -> Any:
    name = "CompositorNodeMixRGB" if hasattr(bpy.types, "CompositorNodeMixRGB") else "ShaderNodeMixRGB"
    return nodes.node(name, {0: share, 1: first, 2: second}, blend_type=kind).outputs[0]


def _math(nodes: Builder, operation: str, first: Any, second: Any) -> Any:
    name = "CompositorNodeMath" if hasattr(bpy.types, "CompositorNodeMath") else "ShaderNodeMath"
    return nodes.node(name, {0: first, 1: second}, operation=operation).outputs[0]


def _alpha(nodes: Builder, color: Any) -> Any:
    return nodes.node("CompositorNodeSeparateColor", {0: color}).outputs[3]


def _with_alpha(nodes: Builder, color: Any, alpha: Any) -> Any:
    node = nodes.node("CompositorNodeSetAlpha", {"Image": color, "Alpha": alpha})
    if hasattr(node, "mode"):  # an input since Blender 5.0
        node.mode = "REPLACE_ALPHA"
    else:
        nodes.feed(node.inputs["Type"], "Replace Alpha")
    return node.outputs[0]


def _convert(nodes: Builder, color: Any, **spaces: str) -> Any:
    """`color`, as if opaque, between scene-linear, which the node begins with, and another space."""
    return nodes.node("CompositorNodeConvertColorSpace", {0: _with_alpha(nodes, color, 1.0)}, **spaces).outputs[0]
