"""Splats as octahedra under a Gaussian that is reckoned along each ray: right from every side, and slow."""

from __future__ import annotations

from typing import Any

from ..materials import splats_material
from ..node_tools import Builder, named, store
from .cards import REACH, remove

THINNEST = 0.02
"""Of its longest axis: how thin a splat is drawn at least; flatter ones lose digits in single precision."""


def solids(nodes: Builder, points: Any) -> Any:
    """The mesh of all octahedra around `points`, in their order."""
    points = _store_axes(nodes, points)
    for name in ("scale", "rotation", "radiance:*", "confidence", "view", "da3_*"):
        points = remove(nodes, points, name)
    shape = nodes.node("GeometryNodeMeshUVSphere", {"Segments": 4, "Rings": 2, "Radius": REACH * 3**0.5})
    corners = store(nodes, shape.outputs["Mesh"], "splat_local", nodes.node("GeometryNodeInputPosition").outputs[0])
    instances = nodes.node("GeometryNodeInstanceOnPoints", {"Points": points, "Instance": corners}).outputs[0]
    meshes = nodes.node("GeometryNodeRealizeInstances", {"Geometry": instances}).outputs[0]
    place = named(nodes, "splat_center")
    for axis, step in zip("xyz", nodes.separate(named(nodes, "splat_local")), strict=True):
        row = named(nodes, f"splat_axis_{axis}")
        # The row is the axis over its length, so row / |row|^2 is the axis times its length.
        along = nodes.math("DIVIDE", step, nodes.scalar("DOT_PRODUCT", row, row))
        place = nodes.vector("ADD", place, nodes.vector("SCALE", row, along))
    meshes = nodes.node("GeometryNodeSetPosition", {"Geometry": meshes, "Position": place}).outputs[0]
    meshes = remove(nodes, meshes, "splat_center")
    return nodes.node("GeometryNodeSetMaterial", {"Geometry": meshes, "Material": splats_material()}).outputs[0]


def _store_axes(nodes: Builder, points: Any) -> Any:
    """Store, per splat, its middle and the rows that lead into its own frame."""
    scale = named(nodes, "scale")
    x, y, z = nodes.separate(scale)
    longest = nodes.math("MAXIMUM", nodes.math("MAXIMUM", x, y), z)
    least = nodes.math("MAXIMUM", nodes.math("MULTIPLY", longest, THINNEST), 1e-9)
    drawn = nodes.vector("MAXIMUM", scale, nodes.combine(least, least, least))
    rotation = named(nodes, "rotation", "QUATERNION")
    for axis, unit, length in zip("xyz", ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)), nodes.separate(drawn), strict=True):
        along = nodes.node("FunctionNodeRotateVector", {"Vector": unit, "Rotation": rotation}).outputs[0]
        points = store(
            nodes, points, f"splat_axis_{axis}", nodes.vector("SCALE", along, nodes.math("DIVIDE", 1.0, length))
        )
    return store(nodes, points, "splat_center", nodes.node("GeometryNodeInputPosition").outputs[0])
