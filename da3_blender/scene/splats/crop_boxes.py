"""The objects that crop splats: made, listed, turned from keeping to removing, and taken away again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .. import find
from ..marks import CROP, PART
from ..meshes import input_value, read_attribute, set_input
from .crops import KEEP_INSIDE, REMOVE_INSIDE
from .filters import filter_of

CORNERS = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]

REMOVED = 0.25
"""Of the splats' width: that of a box that removes, which else would remove them all at once."""

LEAST = 1e-4
"""Of the largest: how wide a box is made at least where what it is fitted to is flat."""

SELECTED = ".selection"
"""Attribute of a point cloud's points that are selected in Edit Mode; without it, all are."""


def crops_of(item: bpy.types.Object) -> list[tuple[bpy.types.Object, bool]]:
    """The meshes that crop the splats of `item`, and whether they keep what is inside."""
    crops = []
    for keep in (True, False):
        collection = _collection(item, keep)
        if collection is not None:
            crops += [(each, keep) for each in collection.all_objects if each.type == "MESH"]
    return crops


def add_box(item: bpy.types.Object, keep: bool, corners: np.ndarray | None = None) -> bpy.types.Object:
    """A box that crops the splats of `item`, moves along with it and does not render.

    It is fitted to `corners` [P,3] in the frame of `item`, else to its splats that are selected in Edit Mode, else to
    all that it shows; one that removes starts as a part of these. Raises KeyError where `item` has no filter.
    """
    share = 1.0
    if corners is None:
        corners = _selected(item)
    if corners is None:
        corners, share = _shown(item), 1.0 if keep else REMOVED
    low, high = (corners.min(0), corners.max(0)) if len(corners) else (-np.ones(3), np.ones(3))
    half = (high - low) / 2 * share
    half = np.maximum(half * 1.001, max(half.max(), 1e-3) * LEAST)
    mesh = bpy.data.meshes.new("Crop Box")
    mesh.from_pydata(CORNERS, [], FACES)
    box = bpy.data.objects.new("Crop Box", mesh)
    box[CROP] = True
    box.parent = item
    box.matrix_basis = Matrix.Translation(((low + high) / 2).tolist()) @ Matrix.Diagonal((*half.tolist(), 1.0))
    box.display_type, box.hide_render, box.show_in_front = "WIRE", True, True
    add_crops(item, keep, [box])
    return box


def add_crops(item: bpy.types.Object, keep: bool, crops: Iterable[bpy.types.Object]) -> None:
    """Let closed meshes crop the splats of `item`: keep what is inside, or remove it."""
    other = _collection(item, not keep)
    collection = _collection(item, keep) or _new_collection(item, keep)
    for crop in crops:
        if crop.name not in collection.objects:
            collection.objects.link(crop)
        if other is not None and crop.name in other.objects:
            other.objects.unlink(crop)


def drop_crop(item: bpy.types.Object, crop: bpy.types.Object) -> None:
    """Let `crop` crop the splats of `item` no longer. A box made for that is gone; other meshes stay in the scene."""
    if crop.get(CROP):
        bpy.data.batch_remove([crop, crop.data] if crop.data.users == 1 else [crop])
        return
    for keep in (True, False):
        collection = _collection(item, keep)
        if collection is not None and crop.name in collection.objects:
            collection.objects.unlink(crop)
    if not crop.users_collection:
        (item.users_collection or (bpy.context.scene.collection,))[0].objects.link(crop)


def own_boxes(item: bpy.types.Object) -> list[bpy.types.Object]:
    """The boxes that were made to crop `item` alone."""
    return [crop for crop, _ in crops_of(item) if crop.get(CROP) and crop.parent == item]


def take_along(item: bpy.types.Object, matrix: np.ndarray) -> None:
    """Let the boxes of `item` stand about its splats as before once these are mapped by `matrix` [4,4] in its frame."""
    for box in own_boxes(item):
        box.matrix_parent_inverse = Matrix(matrix.tolist()) @ box.matrix_parent_inverse


def _collection(item: bpy.types.Object, keep: bool) -> bpy.types.Collection | None:
    modifier = filter_of(item)
    return None if modifier is None else input_value(modifier, KEEP_INSIDE if keep else REMOVE_INSIDE)


def _new_collection(item: bpy.types.Object, keep: bool) -> bpy.types.Collection:
    """One for the input of the filter of `item`, inside of the DA3 scene that it belongs to, if any."""
    name = KEEP_INSIDE if keep else REMOVE_INSIDE
    modifier = filter_of(item)
    if modifier is None:
        raise KeyError(name)
    collection = bpy.data.collections.new(f"{item.name} {name}")
    scene = bpy.context.scene
    result = find.result(scene, find.identity(item)) if find.identity(item) else None
    if result is not None:
        collection[PART] = name
    (scene.collection if result is None else result).children.link(collection)
    set_input(modifier, name, collection)
    return collection


def _selected(item: bpy.types.Object) -> np.ndarray | None:
    """[P,3] what is selected in Edit Mode; None where that is nothing."""
    if item.mode != "EDIT":
        return None
    data: Any = item.data
    if isinstance(data, bpy.types.Mesh):
        item.update_from_editmode()  # which fills the vertices, but not the attributes
        position, chosen = np.empty((len(data.vertices), 3), np.float32), np.empty(len(data.vertices), np.bool_)
        data.vertices.foreach_get("co", position.reshape(-1))
        data.vertices.foreach_get("select", chosen)
    else:
        position = read_attribute(data.attributes, "position", "vector", 3)
        chosen = read_attribute(data.attributes, SELECTED, "value", 1, True, np.bool_, len(position)).ravel()
    return position[chosen] if chosen.any() else None


def _shown(item: bpy.types.Object) -> np.ndarray:
    """[P,3] the splats that `item` shows; all where that is none."""
    graph = bpy.context.evaluated_depsgraph_get()
    for data in (item.evaluated_get(graph).data, item.data):
        position = read_attribute(data.attributes, "position", "vector", 3)
        if len(position):
            break
    return position
