"""Finding the parts of DA3 scenes by their marks, whatever the artist has named or moved them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy

from .marks import GROUND, ID, INDEX, ROLE, ROLES, VIEW


def identity(block: bpy.types.ID) -> str:
    """What tells a result, or the result of one of its parts, from all others: its `da3_id`, and where it is linked
    from another file, that file; what comes from there may be here, too. Empty for what belongs to no result."""
    if ID not in block:
        return ""
    return block[ID] if block.library is None else f"{block[ID]}@{block.library.filepath}"


def scene_of(uid: int) -> bpy.types.Scene | None:
    """The scene whose `session_uid` this is, or None."""
    return next((scene for scene in bpy.data.scenes if scene.session_uid == uid), None)


def results(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The top collections of the DA3 scenes in `scene`, in the order of the outliner."""
    return list(dict.fromkeys(each for each in scene.collection.children_recursive if ID in each))


def result(scene: bpy.types.Scene, wanted: str) -> bpy.types.Collection | None:
    """The top collection in `scene` whose `identity` is `wanted`, or None."""
    return next((collection for collection in results(scene) if identity(collection) == wanted), None)


def own_collections(collection: bpy.types.Collection) -> list[bpy.types.Collection]:
    """The collections inside `collection`, but those of other results in it."""
    inside: dict[bpy.types.Collection, None] = {}
    waiting = [child for child in collection.children if ID not in child]
    while waiting:
        child = waiting.pop(0)
        if child not in inside:
            inside[child] = None
            waiting += [each for each in child.children if ID not in each]
    return list(inside)


def members(collection: bpy.types.Collection) -> set[bpy.types.Object]:
    """The objects in `collection`, but those of other results in it."""
    return {item for each in (collection, *own_collections(collection)) for item in each.objects}


def members_of_copies(collection: bpy.types.Collection) -> set[bpy.types.Object]:
    """The objects in the other collections that have the identity of `collection`."""
    wanted = identity(collection)
    copies = (each for each in bpy.data.collections if each != collection and identity(each) == wanted)
    return {item for copy in copies for item in members(copy)}


def parts_of(collection: bpy.types.Collection) -> dict[str, list[bpy.types.Object]]:
    """All objects of a result by their role, in the order of the views.

    Those in its collection, and those of its identity that the artist has moved elsewhere: not into another result, as
    a copy is before it has an identity of its own, and not into scenes that the result is not in.
    """
    inside = members(collection)
    wanted = identity(collection)
    others = members_of_copies(collection) - inside
    parts: dict[str, list[bpy.types.Object]] = {role: [] for role in (*ROLES, GROUND)}
    for item in bpy.data.objects:
        if identity(item) == wanted and item not in others and (item in inside or _strayed(item, collection)):
            parts.setdefault(item.get(ROLE, ""), []).append(item)
    for items in parts.values():
        items.sort(key=lambda item: item.get(INDEX, 0))
    return parts


def _strayed(item: bpy.types.Object, collection: bpy.types.Collection) -> bool:
    scenes = item.users_scene
    return not scenes or any(collection in scene.collection.children_recursive for scene in scenes)


def objects_of(collection: bpy.types.Collection, role: str) -> list[bpy.types.Object]:
    """The result's objects of one role, as in `parts_of`."""
    return parts_of(collection)[role]


def camera_of(collection: bpy.types.Collection, photo: str) -> bpy.types.Object | None:
    """The camera of the photo of this name, or None."""
    return next((camera for camera in objects_of(collection, "camera") if camera.get(VIEW) == photo), None)


def with_instanced(items: Iterable[bpy.types.Object]) -> Iterator[bpy.types.Object]:
    """`items`, and what is in the collections that they show instances of."""
    found = dict.fromkeys(items)
    left = list(found)
    while left:
        item = left.pop()
        yield item
        shown = item.instance_collection if item.instance_type == "COLLECTION" else None
        new = [] if shown is None else [each for each in shown.all_objects if each not in found]
        found.update(dict.fromkeys(new))
        left += new
