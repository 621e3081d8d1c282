"""Crops: splats inside, or outside, closed meshes in a collection; nodes that heed them as they are moved."""

from __future__ import annotations

from typing import Any

import bpy

from ..node_tools import Builder, Operand, named, socket, store, switch

KEEP_INSIDE, REMOVE_INSIDE = "Keep Inside", "Remove Inside"
"""Inputs of the filter's node group."""

RAYS = ((0.8123, 0.4711, 0.3437), (-0.8123, -0.4711, -0.3437))
"""Directions to look in, along no edge that one would build. Both must leave the mesh: where it has a hole, seldom does
one alone tell.
"""
FAR = 1e9
INSIDE = "da3_inside"


def crop_sockets(tree: bpy.types.NodeTree) -> None:
    socket(
        tree,
        KEEP_INSIDE,
        "Collection",
        description="Shows only splats inside a closed mesh of this collection; without a mesh there, all",
    )
    socket(tree, REMOVE_INSIDE, "Collection", description="Hides splats inside the closed meshes of this collection")


def cropped(nodes: Builder, splats: Any, collection: Any, keep: bool) -> Any:
    """`splats` without those outside of all meshes of `collection` where `keep`, else without those inside of any."""
    meshes = nodes.node(
        "GeometryNodeCollectionInfo",
        {"Collection": collection, "Separate Children": True},
        transform_space="RELATIVE",
    ).outputs[0]
    count = nodes.node("GeometryNodeAttributeDomainSize", {0: meshes}, component="INSTANCES").outputs["Instance Count"]
    told = _told_inside(nodes, splats, meshes, count)
    inside = named(nodes, INSIDE, "BOOLEAN")
    gone = nodes.math("SUBTRACT", 1.0, inside) if keep else inside
    left = nodes.node("GeometryNodeDeleteGeometry", {"Geometry": told, "Selection": gone}, domain="POINT").outputs[0]
    left = nodes.node("GeometryNodeRemoveAttribute", {"Geometry": left, "Name": INSIDE}).outputs[0]
    return switch(nodes, "GEOMETRY", nodes.math("GREATER_THAN", count, 0.0), splats, left)


def _told_inside(nodes: Builder, splats: Any, meshes: Any, count: Any) -> Any:
    """`splats` with the attribute INSIDE: whether one of the instances `meshes` holds them. One after the other, since
    of several that overlap the nearest face does not tell."""
    start = nodes.node("GeometryNodeRepeatInput")
    end = nodes.node("GeometryNodeRepeatOutput")
    start.pair_with_output(end)
    end.repeat_items.clear()
    end.repeat_items.new("GEOMETRY", "Splats")
    end.repeat_items.new("INT", "Number")
    for key, value in (("Iterations", count), ("Splats", splats), ("Number", 0)):
        nodes.feed(start.inputs[key], value)
    number = start.outputs["Number"]
    mesh = _instance(nodes, meshes, number)
    before = named(nodes, INSIDE, "BOOLEAN")
    inside = nodes.math("MAXIMUM", before, _inside(nodes, mesh))
    nodes.feed(end.inputs["Splats"], store(nodes, start.outputs["Splats"], INSIDE, inside, "BOOLEAN"))
    nodes.feed(end.inputs["Number"], nodes.math("ADD", number, 1.0))
    return end.outputs["Splats"]


def _instance(nodes: Builder, instances: Any, number: Any) -> Any:
    """The mesh of one of the `instances`, where it stands."""
    index = nodes.node("GeometryNodeInputIndex").outputs[0]
    other = nodes.math("GREATER_THAN", nodes.math("ABSOLUTE", nodes.math("SUBTRACT", index, number)), 0.5)
    one = nodes.node(
        "GeometryNodeDeleteGeometry", {"Geometry": instances, "Selection": other}, domain="INSTANCE"
    ).outputs[0]
    return nodes.node("GeometryNodeRealizeInstances", {"Geometry": one}).outputs[0]


def _inside(nodes: Builder, mesh: Any) -> Any:
    """Whether points are inside a closed `mesh`: on it, rays from there meet faces from behind."""
    outward = _outward(nodes, mesh)
    inside: Operand = 1.0
    for direction in RAYS:
        ray = nodes.node(
            "GeometryNodeRaycast", {"Target Geometry": mesh, "Ray Direction": direction, "Ray Length": FAR}
        ).outputs
        along = nodes.math("MULTIPLY", nodes.scalar("DOT_PRODUCT", ray["Hit Normal"], direction), outward)
        left = nodes.math("MULTIPLY", ray["Is Hit"], nodes.math("GREATER_THAN", along, 0.0))
        inside = nodes.math("MULTIPLY", inside, left)
    return inside


def _outward(nodes: Builder, mesh: Any) -> Any:
    """1 where the normals of a closed `mesh` point outward, -1 where inward, as after mirroring: the sign of its
    volume, by the divergence theorem."""
    position = nodes.node("GeometryNodeInputPosition").outputs[0]
    normal = nodes.node("GeometryNodeInputNormal").outputs[0]
    area = nodes.node("GeometryNodeInputMeshFaceArea").outputs[0]
    share = nodes.math("MULTIPLY", nodes.scalar("DOT_PRODUCT", position, normal), area)
    volume = nodes.node(
        "GeometryNodeAttributeStatistic", {"Geometry": mesh, "Attribute": share}, data_type="FLOAT", domain="FACE"
    ).outputs["Sum"]
    return nodes.math("SIGN", volume)
