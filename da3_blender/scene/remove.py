"""Taking a DA3 scene out again, with everything that only it used. What the artist put into it stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import bpy

from model_runtime.contract.messages import JobError

from . import find, viewing
from .camera_keys import OURS
from .cameras import MADE_HERE
from .marks import KEY_PICTURES, PART
from .splats.crop_boxes import own_boxes
from .splats.scene_settings import forget_splats

OWN_NAME = "DA3 "
"""In the names of all materials and node groups that the add-on makes; others are the artist's and stay."""


def remove_scene(collection: bpy.types.Collection) -> None:
    """Remove a result: its objects, wherever they have been moved to, its collections, and what only they used.

    The artist's own objects and collections inside it move out to where it was itself. Raises JobError where the
    scene cannot be changed now.
    """
    parts = find.parts_of(collection)
    items = [item for part in parts.values() for item in part]
    check_changeable(collection, items)
    remove_objects([*items, *(box for item in parts["splats"] for box in own_boxes(item))])
    _move_out(collection)
    bpy.data.batch_remove([collection, *_own_collections(collection)])
    _forget_splats()


def remove_from(collection: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """`remove_scene`; where other scenes show the same result, as after a linked copy, it goes out of `scene` alone."""
    others = (each for each in bpy.data.scenes if each != scene)
    shared = any(collection in each.collection.children_recursive for each in others)
    if not shared:
        remove_scene(collection)
        return
    if collection.name not in scene.collection.children:
        raise JobError(
            "scene-shared",
            "This DA3 scene is in another scene, too, inside a collection of yours.",
            "Take it out of that collection first.",
        )
    scene.collection.children.unlink(collection)
    cameras = {item for item in find.objects_of(collection, "camera") if item.name not in scene.objects}
    viewing.leave(scene, cameras)
    _forget_splats()


def check_changeable(collection: bpy.types.Collection, items: Iterable[bpy.types.Object]) -> None:
    """Raise JobError where a result comes from another file, or one of its objects is being edited."""
    items = list(items)
    if collection.library or any(item.library or (item.data and item.data.library) for item in items):
        raise JobError("scene-linked", "This DA3 scene is linked from another file.", "Change it in its own file.")
    if any(item.mode != "OBJECT" for item in items):
        raise JobError("scene-edited", "A part of this DA3 scene is being edited.", "Go to Object Mode first.")


def remove_objects(items: Sequence[bpy.types.Object]) -> None:
    """Remove objects, their markers on the timeline, and what only they used.

    What is parented to them stays where it is. A scene that looked through one gets back what it had before, or
    looks through the camera of its markers, if any.
    """
    used = list(_used_by(items))
    gone = set(items)
    _set_free(gone)
    for scene in bpy.data.scenes:
        viewing.leave(scene, gone)
    bpy.data.batch_remove(items)
    purge(used)


def _forget_splats() -> None:
    for scene in bpy.data.scenes:
        if not find.results(scene):
            forget_splats(scene)


def purge(blocks: Iterable[bpy.types.ID]) -> None:
    """Remove those of `blocks` that nothing uses, and then those that only these used."""
    blocks = list(blocks)
    while unused := [block for block in blocks if block.users == 0]:
        blocks = [block for block in blocks if block.users]
        bpy.data.batch_remove(unused)


def _set_free(parents: set[bpy.types.Object]) -> None:
    """End the parenting of all others to `parents`, without moving them."""
    children = [item for item in bpy.data.objects if item.parent in parents and item not in parents]
    if children:
        bpy.context.view_layer.update()
    for child in children:
        place = child.matrix_world.copy()
        child.parent = None
        child.matrix_world = place


def _used_by(items: Iterable[bpy.types.ID]) -> dict[bpy.types.ID, None]:
    """Meshes, cameras, images and the add-on's own materials and node groups that `items` use, directly or not."""
    found: dict[bpy.types.ID, None] = {}
    waiting = list(items)
    while waiting:
        for block in _directly_used_by(waiting.pop()):
            if block not in found and _removable(block):
                found[block] = None
                waiting.append(block)
    return found


def _removable(block: bpy.types.ID) -> bool:
    if isinstance(block, bpy.types.Material | bpy.types.NodeTree):
        return OWN_NAME in block.name
    if isinstance(block, bpy.types.Action | bpy.types.MovieClip):
        return OURS in block or MADE_HERE in block
    return isinstance(block, bpy.types.Mesh | bpy.types.Camera | bpy.types.PointCloud | bpy.types.Image)


def _directly_used_by(block: bpy.types.ID) -> Iterator[bpy.types.ID]:
    if isinstance(block, bpy.types.Object):
        groups = [modifier.node_group for modifier in block.modifiers if isinstance(modifier, bpy.types.NodesModifier)]
        action = block.animation_data and block.animation_data.action
        used = [block.data, action, *(slot.material for slot in block.material_slots), *groups]
    elif isinstance(block, bpy.types.Camera):
        shown = [(background.image, background.clip) for background in block.background_images]
        used = [*chain.from_iterable(shown), *dict(block.get(KEY_PICTURES, {})).values()]
    elif isinstance(block, bpy.types.Mesh | bpy.types.PointCloud):
        used = list(block.materials)
    elif isinstance(block, bpy.types.Material):
        used = _used_by_nodes(block.node_tree)
    elif isinstance(block, bpy.types.NodeTree):
        used = _used_by_nodes(block)
    else:
        used = []
    return (each for each in used if each is not None)


def _used_by_nodes(tree: bpy.types.NodeTree | None) -> list[bpy.types.ID | None]:
    nodes = [] if tree is None else tree.nodes
    used = [getattr(node, name, None) for node in nodes for name in ("node_tree", "image")]
    return used + [socket.default_value for node in nodes for socket in node.inputs if socket.type == "MATERIAL"]


def _own_collections(top: bpy.types.Collection) -> list[bpy.types.Collection]:
    """The collections that the add-on made inside `top`, and not those that the artist made there, nor those that are
    another result's, too."""
    inside = find.own_collections(top)
    others = [each for each in bpy.data.collections if each != top and each not in inside]
    return [child for child in inside if PART in child and not any(child.name in each.children for each in others)]


def _move_out(top: bpy.types.Collection) -> None:
    """Link what the artist put into `top` to the collections that hold it."""
    own = _own_collections(top)
    holders = [scene.collection for scene in bpy.data.scenes] + list(bpy.data.collections)
    holders = [each for each in holders if each.children.get(top.name) == top]
    for inside in (top, *own):
        for holder in holders:
            for item in inside.objects:
                if item.name not in holder.objects:
                    holder.objects.link(item)
            for child in inside.children:
                if child not in own and child.name not in holder.children:
                    holder.children.link(child)
