"""Vertex-only meshes with attributes, filled from arrays: no Python loop over points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import bpy
import numpy as np


class Attribute(NamedTuple):
    """A point attribute to store. kind: Blender's attribute type. member: which of its properties `values` fill."""

    kind: str
    member: str
    values: np.ndarray


def cloud_mesh(name: str, position: np.ndarray, attributes: Mapping[str, Attribute]) -> bpy.types.Mesh:
    """A mesh of vertices alone at `position` [P,3] float32 with the named point attributes."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(position))
    fill(mesh, position, attributes)
    return mesh


def fill(data: Any, position: np.ndarray, attributes: Mapping[str, Attribute]) -> None:
    """Put [P,3] float32 positions and the named point attributes into a mesh or point cloud of P points."""
    if len(position):  # no vertices have no positions either
        data.attributes["position"].data.foreach_set("vector", np.ascontiguousarray(position).ravel())
    for key, (kind, member, values) in attributes.items():
        attribute = data.attributes.new(key, kind, "POINT")
        attribute.data.foreach_set(member, np.ascontiguousarray(values).ravel())
    refresh(data)


def refresh(data: Any) -> None:
    """Let Blender know that the attributes of a mesh or point cloud have changed."""
    if isinstance(data, bpy.types.Mesh):
        data.update()
    data.update_tag()


def point_count(data: Any) -> int:
    """How many vertices or points a mesh or point cloud has; 0 of other data."""
    position = getattr(data, "attributes", {}).get("position")
    return 0 if position is None else len(position.data)


def read_attribute(
    attributes: Any,
    name: str,
    member: str,
    width: int,
    missing: float = 0.0,
    kind: type = np.float32,
    count: int = 0,
) -> np.ndarray:
    """[N,width] of `kind`; [count,width] of `missing` where there is no such attribute."""
    if name not in attributes:
        return np.full((count, width), missing, kind)
    return read_values(attributes[name], member, width, kind)


def read_values(attribute: Any, member: str, width: int, kind: type = np.float32) -> np.ndarray:
    """[N,width] of `kind`, what an attribute has."""
    values = np.empty((len(attribute.data), width), kind)
    attribute.data.foreach_get(member, values.reshape(-1))
    return values


def cloud_object(
    name: str, mesh: bpy.types.ID, group: bpy.types.NodeTree, collection: bpy.types.Collection
) -> tuple[bpy.types.Object, bpy.types.NodesModifier]:
    """An object of `mesh` in `collection` that shows through the geometry node group `group`."""
    item = bpy.data.objects.new(name, mesh)
    collection.objects.link(item)
    return item, add_nodes(item, group)


def add_nodes(item: bpy.types.Object, group: bpy.types.NodeTree) -> bpy.types.NodesModifier:
    """A modifier of the geometry node group `group`, after those that `item` has."""
    modifier = item.modifiers.new(group.name, "NODES")
    assert isinstance(modifier, bpy.types.NodesModifier)
    modifier.node_group = group
    return modifier


def input_property(modifier: bpy.types.NodesModifier, name: str) -> tuple[Any, str]:
    """Where a modifier keeps the group input called `name`, as owner and property for `UILayout.prop`.

    Blender 5.2 keeps it in the modifier's properties, older ones as an item. Raises KeyError where there is none.
    """
    group = modifier.node_group
    sockets = [] if group is None else group.interface.items_tree
    for socket in sockets:
        if socket.item_type == "SOCKET" and socket.in_out == "INPUT" and socket.name == name:
            if hasattr(modifier, "properties"):
                return getattr(modifier.properties.inputs, socket.identifier), "value"
            return modifier, f'["{socket.identifier}"]'
    raise KeyError(name)


def input_value(modifier: bpy.types.NodesModifier, name: str) -> Any:
    """The value of the group input called `name`; raises KeyError where there is none."""
    owner, place = input_property(modifier, name)
    return owner.value if place == "value" else owner[place[2:-2]]


def set_input(modifier: bpy.types.NodesModifier, name: str, value: float | bool | bpy.types.ID) -> None:
    """Set the group input called `name`."""
    owner, place = input_property(modifier, name)
    if place == "value":
        owner.value = value
    else:
        owner[place[2:-2]] = value
    modifier.id_data.update_tag()
