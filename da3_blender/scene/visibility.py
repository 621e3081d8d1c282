"""Showing and hiding what belongs to single photos, and whole parts: alike in viewports and renders."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .clip_camera import is_clip
from .copies import make_single_user
from .find import objects_of, parts_of
from .marks import HIDDEN, HIDDEN_PARTS, INDEX, ROLE, VIEW
from .meshes import read_attribute, refresh

OF_PHOTOS = ("camera", "sheet")
"""Roles that have an object for every photo."""


def hidden_parts(collection: bpy.types.Collection) -> set[str]:
    """Roles of the result's parts that are hidden, whether or not it has such."""
    return set(str(collection.get(HIDDEN_PARTS, "")).split())


def show_part(collection: bpy.types.Collection, role: str, shown: bool) -> None:
    """Show or hide the result's objects of one role; those of hidden photos stay hidden."""
    hidden = hidden_parts(collection)
    collection[HIDDEN_PARTS] = " ".join(sorted(hidden - {role} if shown else hidden | {role}))
    items = objects_of(collection, role)
    follow(collection, items)
    for item in items if shown else ():
        for scene in item.users_scene:
            for layer in scene.view_layers:
                if item.name in layer.objects:
                    item.hide_set(False, view_layer=layer)


def hidden_photos(collection: bpy.types.Collection) -> set[str]:
    """Names of the result's photos that are hidden."""
    return {camera[VIEW] for camera in objects_of(collection, "camera") if camera.get(HIDDEN)}


def hide_photos(collection: bpy.types.Collection, photos: Iterable[str]) -> None:
    """Hide exactly these photos of a result and show its others. Objects in Edit Mode keep what they show."""
    photos, parts = set(photos), parts_of(collection)
    for camera in parts["camera"]:
        camera[HIDDEN] = camera[VIEW] in photos
    follow(collection, [item for role in OF_PHOTOS for item in parts[role]])
    apply_to_clouds(collection)


def follow(collection: bpy.types.Collection, items: Iterable[bpy.types.Object]) -> None:
    """Let these objects of the result show as its parts and photos do."""
    parts, photos = hidden_parts(collection), hidden_photos(collection)
    for item in items:
        role = item.get(ROLE)
        hidden = role in parts or (role in OF_PHOTOS and item.get(VIEW) in photos)
        item.hide_viewport = item.hide_render = hidden


def apply_to_clouds(collection: bpy.types.Collection) -> None:
    """Let points and splats follow what is hidden; also after their meshes were made anew."""
    cameras = objects_of(collection, "camera")
    hidden = [camera[INDEX] for camera in cameras if camera.get(HIDDEN) and not is_clip(camera)]
    clouds = objects_of(collection, "points") + objects_of(collection, "splats")
    make_single_user(clouds)
    for item in clouds:
        if item.mode == "EDIT":
            continue
        attributes = item.data.attributes
        if not hidden:
            if HIDDEN in attributes:
                attributes.remove(attributes[HIDDEN])
        else:
            views = read_attribute(attributes, "view", "value", 1, kind=np.int32).ravel()
            attribute = attributes.get(HIDDEN) or attributes.new(HIDDEN, "BOOLEAN", "POINT")
            attribute.data.foreach_set("value", np.isin(views, hidden))
        refresh(item.data)
