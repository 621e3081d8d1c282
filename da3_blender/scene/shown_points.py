"""The points of DA3 scenes that a 3D View shows: points, splats' middles and the corners of surfaces, in the world."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np

from .find import parts_of
from .marks import HIDDEN
from .repeated import REPEATED, keeps_all

SOLID = 0.5
"""Least opacity of a splat that one can point at."""


def shown_points(
    collections: Iterable[bpy.types.Collection], graph: bpy.types.Depsgraph, space: Any = None
) -> list[tuple[bpy.types.Object, np.ndarray]]:
    """The parts that are shown, each with its shown points [P,3] float32; of points and surfaces after modifiers.

    graph: as evaluated now. space: the 3D View, where its local view and hidden types of objects count too.
    """
    parts = {item: role for each in collections for role, items in parts_of(each).items() for item in items}
    shown = []
    for instance in graph.object_instances:
        item = instance.object.original
        role = parts.get(item)
        own = not instance.is_instance or instance.parent.original == item
        if role in (None, "camera") or not own or not _visible(item, space):
            continue
        # What shows splats are stand-ins about them; their middles are in the mesh itself.
        points = _middles(item) if role == "splats" else _positions(instance.object.data)
        if len(points):
            matrix = np.array(instance.matrix_world, dtype=np.float32)
            shown.append((item, points @ matrix[:3, :3].T + matrix[:3, 3]))
    return shown


def _visible(item: bpy.types.Object, space: Any) -> bool:
    return item.visible_get() and (space is None or item.visible_in_viewport_get(space))


def _positions(data: Any) -> np.ndarray:
    attribute = data.attributes.get("position")
    return np.empty((0, 3), np.float32) if attribute is None else _read(attribute, "vector", 3)


def _middles(item: bpy.types.Object) -> np.ndarray:
    mesh: Any = item.data
    attributes = mesh.attributes
    base = attributes["radiance:base"]
    kept = _read(base, "vector" if base.data_type == "FLOAT4" else "color", 4)[:, 3] >= SOLID
    for name in (HIDDEN,) if keeps_all(item) else (HIDDEN, REPEATED):
        if name in attributes:
            hidden = np.empty(len(kept), bool)
            attributes[name].data.foreach_get("value", hidden)
            kept &= ~hidden
    return _positions(mesh)[kept]


def _read(attribute: Any, member: str, width: int) -> np.ndarray:
    values = np.empty((len(attribute.data), width), np.float32)
    attribute.data.foreach_get(member, values.reshape(-1))
    return values
