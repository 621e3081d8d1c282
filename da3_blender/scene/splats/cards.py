"""Splats as flat pieces before the active camera, shaped as 3D Gaussian Splatting projects them.

A piece stands across the camera's axis, at the depth of its splat's middle: so rays cross the pieces in the order of
the middles' depths, and a Gaussian that is painted on the piece is the same Gaussian in the picture. The projection is
the affine one at the splat's middle (Zwicker et al. 2001), with its low pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..materials import CARD_PLACE, splat_cards_material
from ..node_tools import Builder, named, store
from .lens import FRAME, PIXEL, SHIFT

REACH = 3.0
"""Standard deviations a splat is drawn out to, as in 3D Gaussian Splatting."""

LOW_PASS = 0.3
"""Pixels squared added to the projected variance, so that no splat falls between pixels."""

NEAR = 0.01
FOLLOWED = 1.3
"""How far out the projection follows a splat's middle, in halves of the picture: farther, its error has no bound."""

NARROWEST = 1e-5
"""Least share of a projected splat's height that is not along its width; less is lost in single precision."""

APART = 2e-4
"""Share of its depth by which a piece may stand farther away, by chance: rays see but one of several at one depth."""


class _Projected(NamedTuple):
    """Fields of the splats. place: in the camera's frame. depth: along its axis. slope: place by depth. right: one
    standard deviation to the side and the height that goes with it, and up: that upwards alone; both by depth."""

    place: Any
    depth: Any
    slope: tuple[Any, Any]
    right: tuple[Any, Any]
    up: Any


def camera_depth(nodes: Builder, camera: Any) -> Any:
    """How far the points are from the camera along its axis; `camera` is its matrix in their frame."""
    return nodes.math("MULTIPLY", nodes.separate(_in_camera(nodes, camera))[2], -1.0)


def cards(nodes: Builder, points: Any, camera: Any, lens: Any) -> Any:
    """The mesh of all pieces, in the order of `points`, of which those that the picture does not show are left out.

    camera: the active camera's matrix in the points' frame; lens: sockets called as the inputs of `lens`.
    """
    projected = _project(nodes, camera, lens)
    unseen = _outside(nodes, projected, lens)
    points = nodes.node("GeometryNodeDeleteGeometry", {0: points, "Selection": unseen}, domain="POINT").outputs[0]
    points = store(nodes, points, "splat_matrix", _matrix(nodes, projected, camera), "FLOAT4X4")
    for name in ("scale", "rotation", "radiance:*", "confidence", "view", "da3_*"):
        points = remove(nodes, points, name)
    square = nodes.node(
        "GeometryNodeMeshGrid", {"Size X": 2 * REACH, "Size Y": 2 * REACH, "Vertices X": 2, "Vertices Y": 2}
    ).outputs["Mesh"]
    square = store(nodes, square, CARD_PLACE, nodes.node("GeometryNodeInputPosition").outputs[0])
    placed = nodes.node("GeometryNodeInstanceOnPoints", {"Points": points, "Instance": square}).outputs[0]
    placed = nodes.node(
        "GeometryNodeSetInstanceTransform", {0: placed, "Transform": named(nodes, "splat_matrix", "FLOAT4X4")}
    ).outputs[0]
    placed = remove(nodes, placed, "splat_matrix")
    meshes = nodes.node("GeometryNodeRealizeInstances", {0: placed}).outputs[0]
    return nodes.node("GeometryNodeSetMaterial", {0: meshes, "Material": splat_cards_material()}).outputs[0]


def remove(nodes: Builder, geometry: Any, name: str) -> Any:
    """Remove an attribute, or with a * all that match, so that it is not copied to every corner."""
    node = nodes.node("GeometryNodeRemoveAttribute", {"Geometry": geometry, "Name": name})
    if name.endswith("*"):  # a property before Blender 5.0, an input since
        if hasattr(node, "pattern_mode"):
            node.pattern_mode = "WILDCARD"
        else:
            nodes.feed(node.inputs["Pattern Mode"], "Wildcard")
    return node.outputs[0]


def _in_camera(nodes: Builder, camera: Any) -> Any:
    """The points' places in the camera's frame, which looks along -z."""
    position = nodes.node("GeometryNodeInputPosition").outputs[0]
    return nodes.node(
        "FunctionNodeTransformPoint", {"Vector": position, "Transform": _inverted(nodes, camera)}
    ).outputs[0]


def _inverted(nodes: Builder, matrix: Any) -> Any:
    return nodes.node("FunctionNodeInvertMatrix", {"Matrix": matrix}).outputs[0]


def _axes(nodes: Builder, camera: Any) -> list[Sequence[Any]]:
    """Parts x, y, z in the camera's frame of each of a splat's axes, as long as its standard deviations."""
    to_camera = _inverted(nodes, camera)
    rotation, axes = named(nodes, "rotation", "QUATERNION"), []
    for unit, length in zip(
        ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)), nodes.separate(named(nodes, "scale")), strict=True
    ):
        axis = nodes.vector("SCALE", unit, length)
        axis = nodes.node("FunctionNodeRotateVector", {"Vector": axis, "Rotation": rotation}).outputs[0]
        axis = nodes.node("FunctionNodeTransformDirection", {"Direction": axis, "Transform": to_camera}).outputs[0]
        axes.append(nodes.separate(axis))
    return axes


def _project(nodes: Builder, camera: Any, lens: Any) -> _Projected:
    place = _in_camera(nodes, camera)
    x, y, z = nodes.separate(place)
    depth = nodes.math("MAXIMUM", nodes.math("MULTIPLY", z, -1.0), NEAR)
    slope = nodes.math("DIVIDE", x, depth), nodes.math("DIVIDE", y, depth)
    axes = _axes(nodes, camera)
    along = nodes.combine(*(axis[2] for axis in axes))
    spread = []  # how far each of the splat's axes reaches to the side, and up, in the picture
    for number in range(2):
        half, middle = (nodes.separate(lens[name])[number] for name in (FRAME, SHIFT))
        reach = nodes.math("MULTIPLY", half, FOLLOWED)
        followed = nodes.math("MINIMUM", slope[number], nodes.math("ADD", middle, reach))
        followed = nodes.math("MAXIMUM", followed, nodes.math("SUBTRACT", middle, reach))
        across = nodes.combine(*(axis[number] for axis in axes))
        across = nodes.vector("ADD", across, nodes.vector("SCALE", along, followed))
        spread.append(nodes.vector("SCALE", across, nodes.math("DIVIDE", 1.0, depth)))
    pixel = nodes.separate(lens[PIXEL])
    wide, tall = (
        nodes.math(
            "ADD",
            nodes.scalar("DOT_PRODUCT", spread[number], spread[number]),
            nodes.math("MULTIPLY", nodes.math("MULTIPLY", pixel[number], pixel[number]), LOW_PASS),
        )
        for number in range(2)
    )
    # The lower triangular root of the covariance (wide, both; both, tall).
    right = nodes.math("SQRT", wide)
    lift = nodes.math("DIVIDE", nodes.scalar("DOT_PRODUCT", *spread), right)
    rest = nodes.math("SUBTRACT", tall, nodes.math("MULTIPLY", lift, lift))
    up = nodes.math("SQRT", nodes.math("MAXIMUM", rest, nodes.math("MULTIPLY", tall, NARROWEST)))
    return _Projected(place, depth, slope, (right, lift), up)


def _outside(nodes: Builder, projected: _Projected, lens: Any) -> Any:
    """1 where a splat is behind the camera, or beside the picture with all of its reach; else 0."""
    tall = nodes.math("SQRT", _squares(nodes, projected.right[1], projected.up))
    outside = nodes.math("GREATER_THAN", nodes.math("MULTIPLY", nodes.separate(projected.place)[2], -1.0), NEAR)
    outside = nodes.math("SUBTRACT", 1.0, outside)
    for number, reach in enumerate((projected.right[0], tall)):
        half, middle = (nodes.separate(lens[name])[number] for name in (FRAME, SHIFT))
        off = nodes.math("ABSOLUTE", nodes.math("SUBTRACT", projected.slope[number], middle))
        off = nodes.math("SUBTRACT", off, nodes.math("MULTIPLY", reach, REACH))
        # A little beyond the picture belongs to it: filters and blur reach out.
        outside = nodes.math("MAXIMUM", outside, nodes.math("GREATER_THAN", off, nodes.math("MULTIPLY", half, 1.1)))
    return outside


def _squares(nodes: Builder, first: Any, second: Any) -> Any:
    return nodes.math("ADD", nodes.math("MULTIPLY", first, first), nodes.math("MULTIPLY", second, second))


def _matrix(nodes: Builder, projected: _Projected, camera: Any) -> Any:
    """What puts a square with its sides along x and y where the piece is, in the points' frame."""
    chance = nodes.node("FunctionNodeRandomValue", {"Min": 1.0, "Max": 1.0 + APART}, data_type="FLOAT")
    farther = chance.outputs["Value"]
    depth = nodes.math("MULTIPLY", projected.depth, farther)
    right = (nodes.math("MULTIPLY", part, depth) for part in projected.right)
    place = nodes.separate(nodes.vector("SCALE", projected.place, farther))
    columns = (
        (*right, 0.0, 0.0),
        (0.0, nodes.math("MULTIPLY", projected.up, depth), 0.0, 0.0),
        (0.0, 0.0, depth, 0.0),
        (*place, 1.0),
    )
    parts: dict[str | int, Any] = dict(enumerate(part for column in columns for part in column))
    matrix = nodes.node("FunctionNodeCombineMatrix", parts).outputs[0]
    return nodes.node("FunctionNodeMatrixMultiply", {0: camera, 1: matrix}).outputs[0]
