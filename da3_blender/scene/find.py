"""Finding the parts of DA3 scenes by their marks, whatever the artist has named or moved them."""

from __future__ import annotations

import bpy

from .marks import ID, INDEX, ROLE, ROLES, VIEW


def results(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The top collections of the DA3 scenes in `scene`, in the order of the outliner."""
    return [collection for collection in scene.collection.children_recursive if ID in collection]


def result(scene: bpy.types.Scene, identity: str) -> bpy.types.Collection | None:
    """The top collection whose `da3_id` is `identity`, or None."""
    return next((collection for collection in results(scene) if collection[ID] == identity), None)


def parts_of(collection: bpy.types.Collection) -> dict[str, list[bpy.types.Object]]:
    """All objects of a result by their role, in the order of the views; also those moved to other collections."""
    identity = collection[ID]
    parts: dict[str, list[bpy.types.Object]] = {role: [] for role in ROLES}
    for item in bpy.data.objects:
        if item.get(ID) == identity:
            parts.setdefault(item.get(ROLE, ""), []).append(item)
    for items in parts.values():
        items.sort(key=lambda item: item.get(INDEX, 0))
    return parts


def objects_of(collection: bpy.types.Collection, role: str) -> list[bpy.types.Object]:
    """The result's objects of one role, as in `parts_of`."""
    return parts_of(collection)[role]


def camera_of(collection: bpy.types.Collection, photo: str) -> bpy.types.Object | None:
    """The camera of the photo of this name, or None."""
    return next((camera for camera in objects_of(collection, "camera") if camera.get(VIEW) == photo), None)
