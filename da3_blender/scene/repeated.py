"""Points and splats that another photo shows better: hidden, so that a scene is one surface and not a layer per photo,
until the artist wants all of them."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .meshes import Attribute, input_value
from .node_tools import Builder, Operand, socket

REPEATED = "repeated"
"""Point attribute, bool; where it is missing, as in scenes of older versions, nothing is repeated."""

KEEP_ALL = "Keep All"
"""Input of the node groups."""


def repeated_attribute(repeated: np.ndarray) -> dict[str, Attribute]:
    """What to store of `repeated` [P] bool."""
    return {REPEATED: Attribute("BOOLEAN", "value", repeated)} if repeated.any() else {}


def tells_repeated(item: bpy.types.Object) -> bool:
    return REPEATED in getattr(item.data, "attributes", ())


def keep_all_socket(tree: bpy.types.NodeTree, things: str) -> None:
    description = f"Shows the {things} of every photo, also where another photo shows the same place better"
    socket(tree, KEEP_ALL, "Bool", description=description)


def kept(nodes: Builder, keep_all: Operand) -> Any:
    """1 where a point is not repeated, or all are kept; else 0."""
    attribute = nodes.node("GeometryNodeInputNamedAttribute", {"Name": REPEATED}, data_type="BOOLEAN")
    return nodes.math("MAXIMUM", keep_all, nodes.math("SUBTRACT", 1.0, attribute.outputs["Attribute"]))


def keeps_all(item: bpy.types.Object) -> bool:
    """Whether `item` shows what is repeated: as its input says, or because its node group does not know of that."""
    for modifier in item.modifiers:
        if isinstance(modifier, bpy.types.NodesModifier):
            try:
                return bool(input_value(modifier, KEEP_ALL))
            except KeyError:  # a group of the artist's own, or of an older version
                continue
    return True
