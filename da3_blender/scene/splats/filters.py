"""Which splats show, and how large: a modifier whose output is splats again, without those that are left out.

What draws, renders, exports or counts splats reads the evaluated object, so that all of these heed the same choice.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..marks import HIDDEN
from ..node_tools import Builder, group, named, named_or, socket, store, switch
from ..repeated import KEEP_ALL, keep_all_socket, kept
from .crops import KEEP_INSIDE, REMOVE_INSIDE, crop_sockets, cropped

GROUP = "DA3 Splat Filter v1"

CONFIDENCE_RANK, FLOATER, RANK, ALONE = "confidence_rank", "da3_floater", "da3_rank", "da3_alone"
"""Point attributes of numbers in 0..1 that filters go by; where one is missing, its filter hides nothing.

What share of the splats is no surer; how much a splat looks like a floater; in which order they are left out; from
which share on a splat need not grow to cover for others (see `thinning`)."""

SHARE = {"subtype": "FACTOR", "min_value": 0.0, "max_value": 1.0}


def filter_group() -> bpy.types.NodeTree:
    """The geometry node group that leaves splats out: of a mesh of vertices or a point cloud, whose kind it keeps."""
    return group(GROUP, "GeometryNodeTree", _build)


def _build(nodes: Builder) -> None:
    _sockets(nodes.tree)
    inputs = nodes.node("NodeGroupInput").outputs
    splats = _without(nodes, inputs["Geometry"], _unwanted(nodes, inputs))
    splats = cropped(nodes, splats, inputs[KEEP_INSIDE], keep=True)
    splats = cropped(nodes, splats, inputs[REMOVE_INSIDE], keep=False)
    splats, share = _thinned(nodes, splats, inputs["Shown"], inputs["At Most"])
    size = nodes.math("MULTIPLY", _growth(nodes, share), inputs["Splat Size"])
    scale = nodes.vector("SCALE", named(nodes, "scale"), size)
    nodes.node("NodeGroupOutput", {"Geometry": store(nodes, splats, "scale", scale)})


def _sockets(tree: bpy.types.NodeTree) -> None:
    socket(tree, "Geometry", "Geometry")
    socket(tree, "Geometry", "Geometry", "OUTPUT")
    # The first two in this order, as in the groups of older versions: their animation goes by it.
    socket(
        tree,
        "Shown",
        "Float",
        default_value=1.0,
        description="Share of the splats to show: those that are missed least go first, the others grow to cover for "
        "them. Fewer are faster",
        **SHARE,
    )
    socket(
        tree, "Splat Size", "Float", default_value=1.0, min_value=0.0, description="Makes every splat larger or smaller"
    )
    keep_all_socket(tree, "splats")
    socket(
        tree, "Confidence", "Float", description="Hides this share of the splats, the least sure ones first", **SHARE
    )
    socket(tree, "Least Opacity", "Float", description="Hides splats that are less opaque than this", **SHARE)
    for name, compared in (("Smallest Size", "smaller"), ("Largest Size", "larger")):
        description = f"Hides splats that are {compared} than this many times the typical one; 0 hides none"
        socket(tree, name, "Float", min_value=0.0, description=description)
    socket(
        tree,
        "Hide Floaters",
        "Float",
        description="Hides splats that float about: with few others around them, seen by one photo only, or seen "
        "through by other photos; the farther up, the more of them",
        **SHARE,
    )
    socket(
        tree,
        "At Most",
        "Int",
        min_value=0,
        description="Shows no more splats than this, as Shown does; 0 shows all",
    )
    crop_sockets(tree)


def _without(nodes: Builder, splats: Any, gone: Any) -> Any:
    return nodes.node("GeometryNodeDeleteGeometry", {"Geometry": splats, "Selection": gone}, domain="POINT").outputs[0]


def _unwanted(nodes: Builder, inputs: Any) -> Any:
    """1 where a splat is hidden for what it is, else 0."""
    opacity = nodes.node("FunctionNodeSeparateColor", {0: named(nodes, "radiance:base", "FLOAT_COLOR")}).outputs[3]
    sure = nodes.math("GREATER_THAN", named_or(nodes, CONFIDENCE_RANK, 2.0), inputs["Confidence"])
    most = nodes.math("SUBTRACT", 1.0, inputs["Hide Floaters"])
    reasons = (
        named(nodes, HIDDEN, "BOOLEAN"),
        nodes.math("SUBTRACT", 1.0, kept(nodes, inputs[KEEP_ALL])),
        nodes.math("SUBTRACT", 1.0, sure),
        nodes.math("LESS_THAN", opacity, inputs["Least Opacity"]),
        nodes.math("GREATER_THAN", named(nodes, FLOATER, "FLOAT"), most),
        _of_unwanted_size(nodes, inputs),
    )
    unwanted = reasons[0]
    for reason in reasons[1:]:
        unwanted = nodes.math("MAXIMUM", unwanted, reason)
    return unwanted


def _of_unwanted_size(nodes: Builder, inputs: Any) -> Any:
    """1 where a splat's longest axis is too short or too long for its limits, else 0."""
    x, y, z = nodes.separate(named(nodes, "scale"))
    size = nodes.math("MAXIMUM", nodes.math("MAXIMUM", x, y), z)
    typical = nodes.node(
        "GeometryNodeAttributeStatistic",
        {"Geometry": inputs["Geometry"], "Attribute": size},
        data_type="FLOAT",
        domain="POINT",
    ).outputs["Median"]
    small = nodes.math("LESS_THAN", size, nodes.math("MULTIPLY", typical, inputs["Smallest Size"]))
    large = nodes.math("GREATER_THAN", size, nodes.math("MULTIPLY", typical, inputs["Largest Size"]))
    either = nodes.math("MAXIMUM", inputs["Smallest Size"], inputs["Largest Size"])
    large = nodes.math("MULTIPLY", large, nodes.math("GREATER_THAN", inputs["Largest Size"], 0.0))
    # The median is looked for only where it is asked for.
    return switch(nodes, "FLOAT", nodes.math("GREATER_THAN", either, 0.0), 0.0, nodes.math("MAXIMUM", small, large))


def _thinned(nodes: Builder, splats: Any, shown: Any, most: Any) -> tuple[Any, Any]:
    """The share `shown` of `splats`, no more than `most` of them unless that is 0; and what share that is."""
    chance = nodes.node("FunctionNodeRandomValue", {"Min": 0.0, "Max": 1.0}, data_type="FLOAT").outputs["Value"]
    rank = named_or(nodes, RANK, chance)
    splats = _without(nodes, splats, nodes.math("GREATER_THAN", rank, shown))
    sizes = [nodes.node("GeometryNodeAttributeDomainSize", {0: splats}, component=each) for each in POINTS]
    count = nodes.math("ADD", *(size.outputs["Point Count"] for size in sizes))
    too_many = nodes.math("MULTIPLY", nodes.math("GREATER_THAN", most, 0.0), nodes.math("GREATER_THAN", count, most))
    ranked = nodes.node("GeometryNodeSortElements", {0: splats, "Sort Weight": rank}, domain="POINT").outputs[0]
    index = nodes.node("GeometryNodeInputIndex").outputs[0]
    first = _without(nodes, ranked, nodes.math("GREATER_THAN", index, nodes.math("SUBTRACT", most, 0.5)))
    share = nodes.math("MULTIPLY", shown, nodes.math("DIVIDE", most, nodes.math("MAXIMUM", count, 1.0)))
    return switch(nodes, "GEOMETRY", too_many, splats, first), switch(nodes, "FLOAT", too_many, shown, share)


def _growth(nodes: Builder, share: Any) -> Any:
    """How much larger a splat is drawn where a `share` of all shows.

    It stands for n = alone / share of them, where that is more than one, and gets their area and up to one more, since
    what lay side by side is covered by a round one with gaps: measured, at half the splats that is 0.9 dB.
    """
    count = nodes.math("DIVIDE", named(nodes, ALONE, "FLOAT"), nodes.math("MAXIMUM", share, 1e-6))
    count = nodes.math("MAXIMUM", count, 1.0)
    spare = nodes.math("SUBTRACT", 1.0, nodes.math("DIVIDE", 1.0, count))
    return nodes.math("SQRT", nodes.math("ADD", count, spare))


POINTS = ("MESH", "POINTCLOUD")
"""Components that hold splats; one of them is empty."""


def filter_of(item: bpy.types.Object) -> bpy.types.NodesModifier | None:
    """The modifier of `item` that filters its splats."""
    for modifier in item.modifiers:
        group = modifier.node_group if isinstance(modifier, bpy.types.NodesModifier) else None
        if group is not None and group.name == GROUP:
            return modifier
    return None


def has_filter(item: bpy.types.Object | None) -> bool:
    """Whether `item` has splats that are filtered."""
    return item is not None and filter_of(item) is not None
