"""The points of DA3 scenes that a 3D View shows: points, splats' middles and the corners of surfaces, in the world."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

import bpy
import numpy as np

from .find import parts_of
from .meshes import read_attribute
from .splats.read import read_base

SOLID = 0.5
"""Least opacity of a splat that one can point at."""


def shown_points(
    collections: Iterable[bpy.types.Collection], graph: bpy.types.Depsgraph, space: Any = None
) -> list[tuple[bpy.types.Object, np.ndarray]]:
    """The parts that are shown, each with its shown points [P,3] float32, after modifiers.

    graph: as evaluated now. space: the 3D View, where its local view and hidden types of objects count too.
    """
    parts = {item: role for each in collections for role, items in parts_of(each).items() for item in items}
    shown = []
    for found, matrix in shown_instances(parts, graph, space):
        item = found.original
        if parts[item] == "camera":
            continue
        points = _middles(found.data) if parts[item] == "splats" else _positions(found.data)
        if len(points):
            placed = points @ matrix[:3, :3].T + matrix[:3, 3]
            shown.append((item, placed.astype(np.float32)))
    return shown


def shown_instances(
    items: Container[bpy.types.Object], graph: bpy.types.Depsgraph, space: Any = None
) -> Iterator[tuple[Any, np.ndarray]]:
    """The evaluated objects of those of `items` that are shown, and where each stands, [4,4] float64; `graph`, `space`:
    as in `shown_points`."""
    for instance in graph.object_instances:
        item = instance.object.original
        own = not instance.is_instance or instance.parent.original == item
        if own and item in items and _visible(item, space):
            yield instance.object, np.array(instance.matrix_world, np.float64)


def _visible(item: bpy.types.Object, space: Any) -> bool:
    return item.visible_get() and (space is None or item.visible_in_viewport_get(space))


def _positions(data: Any) -> np.ndarray:
    return read_attribute(data.attributes, "position", "vector", 3)


def _middles(data: Any) -> np.ndarray:
    """Of the splats that are not too clear; of all where a modifier made something else of them."""
    if "radiance:base" not in data.attributes:
        return _positions(data)
    return _positions(data)[read_base(data.attributes)[:, 3] >= SOLID]
