"""Copies of DA3 scenes, as Blender makes them: they become results of their own, and share no data that is changed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

import bpy
from bpy.app.handlers import persistent

from . import find
from .marks import ID


def settle_copies() -> None:
    """Give every result that has the identity of another, as a copied or appended one has, an identity of its own.

    The oldest in this session keeps what it has. A copy gets the same new one whenever it is asked for, so that it is
    found again after an undo.
    """
    taken: set[str] = set()
    here = [each for each in bpy.data.collections if ID in each and each.library is None]
    for collection in sorted(here, key=lambda each: each.session_uid):
        if collection[ID] in taken:
            _rename(collection, taken)
        taken.add(collection[ID])


def _rename(collection: bpy.types.Collection, taken: Collection[str]) -> None:
    name = f"{collection[ID]} {collection.session_uid}"
    while (fresh := uuid.uuid5(uuid.NAMESPACE_OID, name).hex) in taken:
        name = fresh
    shared = find.members_of_copies(collection)
    for items in find.parts_of(collection).values():
        for item in items:
            if item not in shared:
                item[ID] = fresh
    collection[ID] = fresh


def make_single_user(items: Iterable[bpy.types.Object]) -> None:
    """Let `items` share their data with no object but each other, as linked duplicates of a whole result do."""
    items = [item for item in items if item.data is not None]
    mine = set(items)
    shared = {item.data for item in bpy.data.objects if item not in mine and item.data is not None}
    for data in {item.data: None for item in items if item.data in shared}:
        copy = data.copy()
        for item in items:
            if item.data == data:
                item.data = copy


@persistent
def _file_changed(*_: object) -> None:
    """At every update, because Blender does not tell of the collections of a new scene; mostly there are no copies."""
    settle_copies()


HANDLERS = (bpy.app.handlers.depsgraph_update_post, bpy.app.handlers.load_post)


def register() -> None:
    for handlers in HANDLERS:
        handlers.append(_file_changed)


def unregister() -> None:
    for handlers in HANDLERS:
        handlers.remove(_file_changed)
