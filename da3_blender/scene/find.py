"""Finding the parts of DA3 scenes by their marks, whatever the artist has named or moved them."""

from __future__ import annotations

import bpy

from .marks import ID, INDEX, ROLE, VIEW


def results(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The top collections of the DA3 scenes in `scene`, in the order of the outliner."""
    return [collection for collection in scene.collection.children_recursive if ID in collection]


def result(scene: bpy.types.Scene, identity: str) -> bpy.types.Collection | None:
    """The top collection whose `da3_id` is `identity`, or None."""
    return next((collection for collection in results(scene) if collection[ID] == identity), None)


def objects_of(collection: bpy.types.Collection, role: str) -> list[bpy.types.Object]:
    """The result's objects of one role, in the order of the views; also those moved to other collections."""
    identity = collection[ID]
    found = [item for item in bpy.data.objects if item.get(ID) == identity and item.get(ROLE) == role]
    return sorted(found, key=lambda item: item.get(INDEX, 0))


def camera_of(collection: bpy.types.Collection, photo: str) -> bpy.types.Object | None:
    """The camera of the photo of this name, or None."""
    return next((camera for camera in objects_of(collection, "camera") if camera.get(VIEW) == photo), None)
