"""Showing and hiding what belongs to single photos: their camera, points, splats and sheets."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .find import objects_of
from .marks import HIDDEN, INDEX, VIEW


def hidden_photos(collection: bpy.types.Collection) -> set[str]:
    """Names of the result's photos that are hidden."""
    return {camera[VIEW] for camera in objects_of(collection, "camera") if camera.get(HIDDEN)}


def hide_photos(collection: bpy.types.Collection, photos: Iterable[str]) -> None:
    """Hide exactly these photos of a result and show its others. Objects in Edit Mode keep what they show."""
    photos = set(photos)
    for camera in objects_of(collection, "camera"):
        camera[HIDDEN] = camera[VIEW] in photos
        _hide(camera, camera[HIDDEN])
    for sheet in objects_of(collection, "sheet"):
        _hide(sheet, sheet.get(VIEW) in photos)
    apply_to_clouds(collection)


def apply_to_clouds(collection: bpy.types.Collection) -> None:
    """Let points and splats follow what is hidden; also after their meshes were made anew."""
    hidden = [camera[INDEX] for camera in objects_of(collection, "camera") if camera.get(HIDDEN)]
    for item in objects_of(collection, "points") + objects_of(collection, "splats"):
        if item.mode == "EDIT":
            continue
        attributes = item.data.attributes
        if not hidden:
            if HIDDEN in attributes:
                attributes.remove(attributes[HIDDEN])
        else:
            views = np.empty(len(item.data.vertices), np.int32)
            attributes["view"].data.foreach_get("value", views)
            attribute = attributes.get(HIDDEN) or attributes.new(HIDDEN, "BOOLEAN", "POINT")
            attribute.data.foreach_set("value", np.isin(views, hidden))
        item.data.update()


def _hide(item: bpy.types.Object, hidden: bool) -> None:
    item.hide_viewport = item.hide_render = hidden
