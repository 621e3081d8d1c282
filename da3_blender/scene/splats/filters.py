"""Which splats show, and how large: a modifier whose output is splats again, without those that are left out.

What draws, renders, exports or counts splats reads the evaluated object, so that all of these heed the same choice.
"""

from __future__ import annotations

import bpy

from ..marks import HIDDEN
from ..node_tools import Builder, group, named, socket, store
from ..repeated import KEEP_ALL, keep_all_socket, kept

GROUP = "DA3 Splat Filter v1"


def filter_group() -> bpy.types.NodeTree:
    """The geometry node group that leaves splats out: of a mesh of vertices or a point cloud, whose kind it keeps."""
    return group(GROUP, "GeometryNodeTree", _build)


def _build(nodes: Builder) -> None:
    tree = nodes.tree
    socket(tree, "Geometry", "Geometry")
    socket(tree, "Geometry", "Geometry", "OUTPUT")
    # The order of the first two is that of older versions' groups: their animation goes by it.
    socket(
        tree,
        "Shown",
        "Float",
        subtype="FACTOR",
        default_value=1.0,
        min_value=0.0,
        max_value=1.0,
        description="Share of the splats to show, an even choice; fewer are faster",
    )
    socket(
        tree, "Splat Size", "Float", default_value=1.0, min_value=0.0, description="Makes every splat larger or smaller"
    )
    keep_all_socket(tree, "splats")
    inputs = nodes.node("NodeGroupInput").outputs
    chance = nodes.node("FunctionNodeRandomValue", {"Min": 0.0, "Max": 1.0}, data_type="FLOAT").outputs["Value"]
    shown = nodes.math("LESS_THAN", chance, inputs["Shown"])
    shown = nodes.math("MULTIPLY", shown, nodes.math("SUBTRACT", 1.0, named(nodes, HIDDEN, "BOOLEAN")))
    shown = nodes.math("MULTIPLY", shown, kept(nodes, inputs[KEEP_ALL]))
    left_out = nodes.math("SUBTRACT", 1.0, shown)
    splats = nodes.node(
        "GeometryNodeDeleteGeometry", {"Geometry": inputs["Geometry"], "Selection": left_out}, domain="POINT"
    ).outputs[0]
    scale = nodes.vector("SCALE", named(nodes, "scale"), inputs["Splat Size"])
    nodes.node("NodeGroupOutput", {"Geometry": store(nodes, splats, "scale", scale)})
