"""What stands in a scene already, as boxes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import bpy
import numpy as np

from ..plan.size_and_place import USUAL
from . import find
from .meshes import point_count, read_values

SOLID = ("MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME", "GREASEPENCIL", "GPENCIL")
"""Types of objects that hide what is behind them, or are hidden by it."""


def standing(scene: bpy.types.Scene) -> np.ndarray:
    """[N,2,3] lowest and highest corner in the world of every visible object of `scene` that has a shape, and of the
    cameras of DA3 scenes, before which nothing else should stand."""
    for layer in scene.view_layers:
        layer.update()
    boxes = [box for item in scene.objects if _is_visible(item, scene) for box in _boxes(item)]
    return np.array(boxes).reshape(-1, 2, 3)


def _is_visible(item: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    return any(item.visible_get(view_layer=layer) for layer in scene.view_layers)


def _boxes(item: bpy.types.Object) -> Iterator[np.ndarray]:
    matrix = np.array(item.matrix_world)
    if item.type in SOLID:
        yield _box(_corners(item), matrix)
    elif item.type == "CAMERA" and find.identity(item):
        yield _box(item.data.display_size / 2 * np.array([[-1, -1, -1], [1, 1, 1]]), matrix)
    elif item.type == "EMPTY" and item.instance_type == "COLLECTION" and item.instance_collection:
        offset = np.eye(4)
        offset[:3, 3] = -np.array(item.instance_collection.instance_offset)
        for inside in item.instance_collection.all_objects:
            if inside.type in SOLID:
                yield _box(_corners(inside), matrix @ offset @ np.array(inside.matrix_world))


def _corners(item: bpy.types.Object) -> np.ndarray:
    """[8,3] of the object's box in its own space; of clouds, where a few points lie far off, without those."""
    if find.identity(item) and item.type in ("MESH", "POINTCLOUD") and point_count(item.data):
        position = read_values(item.data.attributes["position"], "vector", 3)
        low, high = np.percentile(position, USUAL, axis=0)
        return np.array(list(product(*zip(low, high, strict=True))))
    return np.array([tuple(corner) for corner in item.bound_box])


def _box(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """[2,3] around points [N,3] that `matrix` [4,4] takes to the world."""
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    return np.array([points.min(axis=0), points.max(axis=0)])
