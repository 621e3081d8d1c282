"""What shows splats in renders: a stand-in mesh for each of them, under a Gaussian material."""

from __future__ import annotations

from typing import Any

import bpy

from model_runtime.contract.harmonics import BASE, higher_basis

from ..materials import SPLAT_COLOR
from ..node_tools import Builder, Number, group, named, socket, store, switch
from .cards import camera_depth, cards
from .lens import DISPLAY, FRAME, PERSPECTIVE, PIXEL, SHIFT
from .solids import solids

GROUP = "DA3 Splats degree {degree} v4"


def splats_group(degree: int) -> bpy.types.NodeTree:
    """The geometry node group that shows splats with harmonics of `degree`."""
    return group(GROUP.format(degree=degree), "GeometryNodeTree", lambda nodes: _build(nodes, degree))


def _build(nodes: Builder, degree: int) -> None:
    _sockets(nodes.tree)
    inputs = nodes.node("NodeGroupInput").outputs
    active = nodes.node("GeometryNodeInputActiveCamera").outputs[0]
    seen = nodes.node("GeometryNodeObjectInfo", {"Object": active}, transform_space="RELATIVE").outputs
    camera = seen["Transform"]
    points = nodes.node("GeometryNodeMeshToPoints", {"Mesh": inputs["Geometry"]}).outputs[0]
    # Farthest first: blended materials draw in the order of the mesh.
    nearness = nodes.math("MULTIPLY", camera_depth(nodes, camera), -1.0)
    points = nodes.node("GeometryNodeSortElements", {0: points, "Sort Weight": nearness}, domain="POINT").outputs[0]
    points = _store_color(nodes, points, seen["Location"], degree, inputs[DISPLAY])
    flat = nodes.math("MULTIPLY", inputs["Face Camera"], inputs[PERSPECTIVE])
    flat = nodes.math("MULTIPLY", flat, nodes.math("SUBTRACT", 1.0, nodes.node("GeometryNodeIsViewport").outputs[0]))
    shown = switch(nodes, "GEOMETRY", flat, solids(nodes, points), cards(nodes, points, camera, inputs))
    nodes.node("NodeGroupOutput", {"Geometry": shown})


def _sockets(tree: bpy.types.NodeTree) -> None:
    socket(tree, "Geometry", "Geometry")
    socket(tree, "Geometry", "Geometry", "OUTPUT")
    socket(
        tree,
        "Face Camera",
        "Bool",
        default_value=True,
        description="Renders draw flat pieces turned to the active camera: fast, exact through it. Switch off where "
        "splats are seen from other sides too, as in mirrors",
    )
    for name in (FRAME, PIXEL, SHIFT):
        socket(tree, name, "Vector", hide_in_modifier=True, description="Driven by the scene's camera")
    socket(tree, PERSPECTIVE, "Bool", hide_in_modifier=True, description="Driven by the scene's camera")
    socket(tree, DISPLAY, "Bool", hide_in_modifier=True, description="Driven by the scene, whose compositor needs it")


def _store_color(nodes: Builder, points: Any, eye: Any, degree: int, displayed: Any) -> Any:
    """Store, per splat, its colour as seen from the active camera, linear unless `displayed`, and its opacity."""
    base = named(nodes, "radiance:base", "FLOAT_COLOR")
    *channels, opacity = nodes.node("FunctionNodeSeparateColor", {0: base}).outputs
    color = nodes.vector("ADD", nodes.vector("SCALE", nodes.combine(*channels), BASE), (0.5, 0.5, 0.5))
    if degree:
        sight = nodes.vector(
            "NORMALIZE", nodes.vector("SUBTRACT", nodes.node("GeometryNodeInputPosition").outputs[0], eye)
        )
        x, y, z = (Number(nodes, lambda part=part: part) for part in nodes.separate(sight))
        for index, function in enumerate(higher_basis(x, y, z)[: (degree + 1) ** 2 - 1]):
            term = nodes.vector("SCALE", named(nodes, f"radiance:sh_{index}"), function.value)
            color = nodes.vector("ADD", color, term)
    red, green, blue = (_light(nodes, channel, displayed) for channel in nodes.separate(color))
    rgba = nodes.node("FunctionNodeCombineColor", {0: red, 1: green, 2: blue, 3: opacity}).outputs[0]
    return store(nodes, points, SPLAT_COLOR, rgba, "FLOAT_COLOR")


def _light(nodes: Builder, encoded: Any, displayed: Any) -> Any:
    """A channel decoded from sRGB (IEC 61966-2-1) unless `displayed`; not below zero."""
    encoded = nodes.math("MAXIMUM", encoded, 0.0)
    low = nodes.math("DIVIDE", encoded, 12.92)
    high = nodes.math("POWER", nodes.math("DIVIDE", nodes.math("ADD", encoded, 0.055), 1.055), 2.4)
    bright = nodes.math("GREATER_THAN", encoded, 0.04045)
    return switch(nodes, "FLOAT", displayed, switch(nodes, "FLOAT", bright, low, high), encoded)
