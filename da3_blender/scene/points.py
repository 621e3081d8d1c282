"""The point cloud: vertices with attributes, shown as small spheres whose size and threshold the artist moves."""

from __future__ import annotations

import bpy
import numpy as np

from ..plan.point_cloud import PointPlan
from .marks import HIDDEN
from .materials import POINT_COLOR, points_material
from .meshes import Attribute, cloud_mesh, cloud_object, set_input
from .node_tools import Builder, group, socket
from .repeated import KEEP_ALL, keep_all_socket, kept, repeated_attribute

GROUP = "DA3 Points v3"


def write_points(plan: PointPlan, name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """The point cloud's object, linked into `collection`.

    Point attributes: position, Color, confidence, confidence_rank, footprint, view (see `PointPlan`);
    and repeated where any is.
    """
    rgba = np.ones((len(plan.color), 4), dtype=np.float32)
    np.divide(plan.color, 255, out=rgba[:, :3])
    mesh = cloud_mesh(
        f"{name} points",
        plan.position,
        {
            POINT_COLOR: Attribute("BYTE_COLOR", "color_srgb", rgba),
            "confidence": Attribute("FLOAT", "value", plan.confidence),
            "confidence_rank": Attribute("FLOAT", "value", plan.confidence_rank),
            "footprint": Attribute("FLOAT", "value", plan.footprint),
            "view": Attribute("INT", "value", plan.view),
            **repeated_attribute(plan.repeated),
        },
    )
    item, modifier = cloud_object(f"{name} points", mesh, points_group(), collection)
    set_input(modifier, "Confidence", plan.confidence_threshold)
    return item


def points_group() -> bpy.types.NodeTree:
    return group(GROUP, "GeometryNodeTree", _build)


def _build(nodes: Builder) -> None:
    tree = nodes.tree
    socket(tree, "Geometry", "Geometry")
    socket(tree, "Geometry", "Geometry", "OUTPUT")
    socket(
        tree,
        "Confidence",
        "Float",
        subtype="FACTOR",
        min_value=0.0,
        max_value=1.0,
        description="Hides this share of the points, the least sure ones first",
    )
    socket(
        tree,
        "Point Size",
        "Float",
        default_value=1.5,
        min_value=0.0,
        description="1 lets the points of neighbouring pixels touch, 1.5 leaves no gap between them",
    )
    socket(
        tree,
        "Only Photo",
        "Int",
        min_value=0,
        description="Number of the one photo whose points show, all of them; 0 shows those of all photos",
    )
    keep_all_socket(tree, "points")
    inputs = nodes.node("NodeGroupInput").outputs

    def attribute(name: str, kind: str) -> object:
        return nodes.node("GeometryNodeInputNamedAttribute", {"Name": name}, data_type=kind).outputs["Attribute"]

    sure = nodes.math("GREATER_THAN", attribute("confidence_rank", "FLOAT"), inputs["Confidence"])
    every_photo = nodes.math("LESS_THAN", inputs["Only Photo"], 0.5)
    number = nodes.math("ADD", attribute("view", "INT"), 1.0)
    this_photo = nodes.math("COMPARE", number, inputs["Only Photo"])
    one_photo = nodes.math("SUBTRACT", 1.0, every_photo)
    once = kept(nodes, nodes.math("MAXIMUM", inputs[KEEP_ALL], one_photo))
    shown = nodes.math("MULTIPLY", sure, nodes.math("MAXIMUM", every_photo, this_photo))
    shown = nodes.math("MULTIPLY", shown, once)
    shown = nodes.math("MULTIPLY", shown, nodes.math("SUBTRACT", 1.0, attribute(HIDDEN, "BOOLEAN")))
    radius = nodes.math("MULTIPLY", attribute("footprint", "FLOAT"), nodes.math("MULTIPLY", inputs["Point Size"], 0.5))
    points = nodes.node(
        "GeometryNodeMeshToPoints", {"Mesh": inputs["Geometry"], "Selection": shown, "Radius": radius}
    ).outputs[0]
    colored = nodes.node("GeometryNodeSetMaterial", {"Geometry": points, "Material": points_material()}).outputs[0]
    nodes.node("NodeGroupOutput", {"Geometry": colored})
