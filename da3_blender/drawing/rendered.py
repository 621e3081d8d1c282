"""Which objects renders show, where viewports show them, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import bpy


def shown_in_renders(layer: bpy.types.ViewLayer) -> Callable[[bpy.types.Object, bpy.types.Object], bool]:
    """What tells whether renders of `layer` show an object, itself or by `owner`, which shows an instance of it."""
    there = set(_not_hidden(layer.layer_collection))

    def shown(item: bpy.types.Object, owner: bpy.types.Object) -> bool:
        return not item.hide_render and owner.session_uid in there

    return shown


def _not_hidden(layer: bpy.types.LayerCollection) -> Iterator[int]:
    """`session_uid` of the objects that neither themselves nor with all their collections are hidden in renders."""
    if layer.collection.hide_render:
        return
    if not layer.exclude:
        yield from (item.session_uid for item in layer.collection.objects if not item.hide_render)
    for child in layer.children:
        yield from _not_hidden(child)
