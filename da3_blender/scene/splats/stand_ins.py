"""What shows splats in renders: a stand-in mesh around each of them, under a Gaussian material."""

from __future__ import annotations

from typing import Any

import bpy
from model_runtime.contract.harmonics import BASE, higher_basis

from ..materials import splats_material
from ..node_tools import Builder, Number, group, socket
from .filters import named, store

GROUP = "DA3 Splats degree {degree} v4"

REACH = 3.0
"""Standard deviations a splat is drawn out to, as in 3D Gaussian Splatting."""

THINNEST = 0.02
"""Of its longest axis: how thin a splat is drawn at least; flatter ones lose digits in single precision."""


def splats_group(degree: int) -> bpy.types.NodeTree:
    """The geometry node group that shows splats with harmonics of `degree`."""
    return group(GROUP.format(degree=degree), "GeometryNodeTree", lambda nodes: _build(nodes, degree))


def _build(nodes: Builder, degree: int) -> None:
    tree = nodes.tree
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
    inputs = nodes.node("NodeGroupInput").outputs
    camera = nodes.node("GeometryNodeInputActiveCamera").outputs[0]
    eye = nodes.node("GeometryNodeObjectInfo", {"Object": camera}, transform_space="RELATIVE").outputs["Location"]
    points = _sorted_points(nodes, inputs["Geometry"], eye)
    points = _store_color(nodes, points, eye, degree)
    points = _store_axes(nodes, points)
    meshes = _stand_ins(nodes, points, eye, inputs["Face Camera"])
    shown = nodes.node("GeometryNodeSetMaterial", {"Geometry": meshes, "Material": splats_material()}).outputs[0]
    nodes.node("NodeGroupOutput", {"Geometry": shown})


def _remove(nodes: Builder, geometry: Any, name: str) -> Any:
    """Remove a point attribute, or with a * all that match, so that it is not copied to every corner."""
    node = nodes.node("GeometryNodeRemoveAttribute", {"Geometry": geometry, "Name": name})
    if name.endswith("*"):  # a property before Blender 5.0, an input since
        if hasattr(node, "pattern_mode"):
            node.pattern_mode = "WILDCARD"
        else:
            nodes.feed(node.inputs["Pattern Mode"], "Wildcard")
    return node.outputs[0]


def _sorted_points(nodes: Builder, splats: Any, eye: Any) -> Any:
    """The splats, farthest first: blended materials draw in the order of the mesh."""
    points = nodes.node("GeometryNodeMeshToPoints", {"Mesh": splats}).outputs[0]
    position = nodes.node("GeometryNodeInputPosition").outputs[0]
    nearness = nodes.math("MULTIPLY", nodes.scalar("DISTANCE", position, eye), -1.0)
    return nodes.node(
        "GeometryNodeSortElements", {"Geometry": points, "Sort Weight": nearness}, domain="POINT"
    ).outputs[0]


def _store_color(nodes: Builder, points: Any, eye: Any, degree: int) -> Any:
    """Store, per splat, its colour (sRGB) as seen from the active camera, and its opacity."""
    base = named(nodes, "radiance:base", "FLOAT_COLOR")
    *channels, opacity = nodes.node("FunctionNodeSeparateColor", {0: base}).outputs
    color = nodes.vector("ADD", nodes.vector("SCALE", nodes.combine(*channels), BASE), (0.5, 0.5, 0.5))
    if degree:
        sight = nodes.vector(
            "NORMALIZE", nodes.vector("SUBTRACT", nodes.node("GeometryNodeInputPosition").outputs[0], eye)
        )
        x, y, z = (Number(nodes, part) for part in nodes.separate(sight))
        for index, function in enumerate(higher_basis(x, y, z)[: (degree + 1) ** 2 - 1]):
            term = nodes.vector("SCALE", named(nodes, f"radiance:sh_{index}"), function.value)
            color = nodes.vector("ADD", color, term)
    red, green, blue = nodes.separate(color)
    rgba = nodes.node("FunctionNodeCombineColor", {0: red, 1: green, 2: blue, 3: opacity}).outputs[0]
    return store(nodes, points, "splat_color", rgba, "FLOAT_COLOR")


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


def _stand_ins(nodes: Builder, points: Any, eye: Any, face_camera: Any) -> Any:
    """A mesh around each splat, all as one, with the splats' attributes on its vertices.

    Renders get a rectangle that faces the active camera: two triangles, hit once by a ray, and crossed in the order
    of the splats' middles. Viewports, mirrors and such look from anywhere and need octahedra.
    """
    points = _store_screen_axes(nodes, points, eye)
    for name in ("scale", "rotation", "radiance:*"):
        points = _remove(nodes, points, name)
    square = nodes.node(
        "GeometryNodeMeshGrid", {"Size X": 2.0, "Size Y": 2.0, "Vertices X": 2, "Vertices Y": 2}
    ).outputs["Mesh"]
    sphere = nodes.node("GeometryNodeMeshUVSphere", {"Segments": 4, "Rings": 2, "Radius": 3**0.5}).outputs["Mesh"]
    viewport = nodes.node("GeometryNodeIsViewport").outputs[0]
    solid = nodes.math("MAXIMUM", viewport, nodes.math("SUBTRACT", 1.0, face_camera))
    shape = nodes.node(
        "GeometryNodeSwitch", {"Switch": solid, "False": square, "True": sphere}, input_type="GEOMETRY"
    ).outputs[0]
    corners = store(nodes, shape, "splat_corner", nodes.node("GeometryNodeInputPosition").outputs[0])
    instances = nodes.node("GeometryNodeInstanceOnPoints", {"Points": points, "Instance": corners}).outputs[0]
    meshes = nodes.node("GeometryNodeRealizeInstances", {"Geometry": instances}).outputs[0]

    corner = named(nodes, "splat_corner")
    right, up, _ = nodes.separate(corner)
    facing = nodes.vector(
        "ADD",
        nodes.vector("SCALE", named(nodes, "splat_right"), right),
        nodes.vector("SCALE", named(nodes, "splat_up"), up),
    )
    local = nodes.node(
        "GeometryNodeSwitch",
        {"Switch": solid, "False": facing, "True": nodes.vector("SCALE", corner, REACH)},
        input_type="VECTOR",
    ).outputs[0]
    meshes = store(nodes, meshes, "splat_local", local)
    place = named(nodes, "splat_center")
    for axis, step in zip("xyz", nodes.separate(named(nodes, "splat_local")), strict=True):
        row = named(nodes, f"splat_axis_{axis}")
        # The row is the axis over its length, so row / |row|^2 is the axis times its length.
        along = nodes.math("DIVIDE", step, nodes.scalar("DOT_PRODUCT", row, row))
        place = nodes.vector("ADD", place, nodes.vector("SCALE", row, along))
    meshes = nodes.node("GeometryNodeSetPosition", {"Geometry": meshes, "Position": place}).outputs[0]
    for name in ("splat_corner", "splat_right", "splat_up", "splat_center"):
        meshes = _remove(nodes, meshes, name)
    return meshes


def _store_screen_axes(nodes: Builder, points: Any, eye: Any) -> Any:
    """Store, per splat, half the sides of the rectangle across the line of sight, in the splat's own frame.

    There the splat is a sphere of radius REACH; seen from distance d its outline in the plane through its middle has
    radius REACH * d / sqrt(d^2 - REACH^2). From inside, or nearly, there is no outline and the rectangle stays finite.
    """
    to_eye = nodes.vector("SUBTRACT", eye, nodes.node("GeometryNodeInputPosition").outputs[0])
    local_eye = nodes.combine(*(nodes.scalar("DOT_PRODUCT", named(nodes, f"splat_axis_{a}"), to_eye) for a in "xyz"))
    squared = nodes.scalar("DOT_PRODUCT", local_eye, local_eye)
    outline = nodes.math(
        "SQRT", nodes.math("DIVIDE", squared, nodes.math("MAXIMUM", nodes.math("SUBTRACT", squared, REACH**2), 1.0))
    )
    reach = nodes.math("MULTIPLY", outline, REACH)
    facing = nodes.vector("NORMALIZE", local_eye)
    across_z = nodes.vector("CROSS_PRODUCT", facing, (0.0, 0.0, 1.0))
    across_x = nodes.vector("CROSS_PRODUCT", facing, (1.0, 0.0, 0.0))
    along_z = nodes.math("GREATER_THAN", nodes.math("ABSOLUTE", nodes.separate(facing)[2]), 0.7)
    side = nodes.node(
        "GeometryNodeSwitch", {"Switch": along_z, "False": across_z, "True": across_x}, input_type="VECTOR"
    ).outputs[0]
    right = nodes.vector("NORMALIZE", side)
    up = nodes.vector("CROSS_PRODUCT", facing, right)
    points = store(nodes, points, "splat_right", nodes.vector("SCALE", right, reach))
    return store(nodes, points, "splat_up", nodes.vector("SCALE", up, reach))
