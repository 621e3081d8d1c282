"""The splats of one view layer, as the GPU has them: found, read where they changed, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import bpy
import numpy as np

from ..scene.splats.native import is_native
from .atlas import Atlas, is_readable, make_atlas
from .order_process import OrderProcess, Positions
from .view import Placed

Key = tuple[int, ...]
"""What tells an object, or one of its instances, from others while Blender runs."""


class Drawn(NamedTuple):
    """A splat object as it stands. owner: name and library of the object that is selected or hidden for it: its own, or
    that of the empty which shows its collection. matrix [4,4]: into the world."""

    owner: tuple[str, str | None]
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class Loaded:
    """What the GPU has: the splats of the objects `keys`, in their order."""

    atlas: Atlas
    positions: Positions
    keys: tuple[Key, ...]


def found_splats(graph: bpy.types.Depsgraph, natives: bool = False) -> Iterator[tuple[Key, Drawn, Any]]:
    """Every splat object that is evaluated in `graph`, and its data. natives: those, too, that Blender draws itself."""
    if not any("radiance:base" in data.attributes for data in _clouds()):
        return
    for instance in graph.object_instances:
        item = instance.object
        data = item.data if item.type in {"MESH", "POINTCLOUD"} else None
        if data is None or not is_readable(data.attributes) or (is_native(data) and not natives):
            continue
        original = item.original
        owner = instance.parent.original if instance.is_instance else original
        key = (original.session_uid, *(instance.persistent_id if instance.is_instance else ()))
        library = owner.library.filepath if owner.library else None
        yield key, Drawn((owner.name, library), np.array(instance.matrix_world, np.float64)), data


def _clouds() -> Iterator[Any]:
    yield from bpy.data.meshes
    yield from bpy.data.pointclouds


def changed_geometry(graph: bpy.types.Depsgraph) -> set[int]:
    """`session_uid` of the objects whose geometry was evaluated anew."""
    updates = (each for each in graph.updates if each.is_updated_geometry and isinstance(each.id, bpy.types.Object))
    return {each.id.original.session_uid for each in updates}


class Cloud:
    """The splats of a view layer; `look` brings it up to date."""

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        self.drawn: dict[Key, Drawn] = {}
        self.moved = True
        """Whether anything may have changed since the last look."""
        self.changed: set[int] | None = None
        """The `session_uid` of objects whose geometry has changed since; all where None."""

    def look(self, graph: bpy.types.Depsgraph, orders: OrderProcess) -> None:
        """Find the splats, and read them anew where their geometry is not what it was. Raises MemoryError."""
        if not self.moved:
            return
        self.moved = False
        before, self.drawn = self.drawn, {}
        data = []
        for key, drawn, its in found_splats(graph):
            self.drawn[key] = drawn
            data.append(its)
        for key, drawn in before.items():  # in Edit Mode, its data cannot be read
            if key not in self.drawn and _is_edited(drawn):
                self.drawn[key] = drawn
        if len(self.drawn) > len(data):
            return
        keys = tuple(self.drawn)
        if self.loaded is None or self.loaded.keys != keys or self._is_stale(keys):
            self.changed = set()
            self.loaded = None if not keys else self._load(keys, data, orders)

    def _is_stale(self, keys: tuple[Key, ...]) -> bool:
        return self.changed is None or any(key[0] in self.changed for key in keys)

    @staticmethod
    def _load(keys: tuple[Key, ...], data: list[Any], orders: OrderProcess) -> Loaded:
        atlas, positions = make_atlas(data)
        return Loaded(atlas, orders.keep(positions), keys)

    def placed(self, loaded: Loaded, space: Any) -> list[Placed]:
        """How the objects of `loaded` stand in the 3D View `space` now; what is gone is not shown."""
        return [self._placed(key, space) for key in loaded.keys]

    def _placed(self, key: Key, space: Any) -> Placed:
        drawn = self.drawn.get(key)
        owner = None if drawn is None else bpy.data.objects.get(drawn.owner)
        if drawn is None or owner is None:  # it may have another name by now
            self.moved = True
            return Placed(np.eye(4), shown=False)
        shown = owner.visible_get() and owner.visible_in_viewport_get(space)
        selected = owner.select_get()
        active = selected and bpy.context.view_layer.objects.active == owner
        return Placed(drawn.matrix, shown, float(selected and not active), float(active))


def _is_edited(drawn: Drawn) -> bool:
    item = bpy.data.objects.get(drawn.owner)
    return item is not None and item.mode == "EDIT"
