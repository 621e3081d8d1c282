"""Splats whose positions changed without them, as when a transform is applied, objects are joined or vertices are moved
in Edit Mode: scale, rotation and harmonics follow.

Each splat keeps its home, the position at which they were last right. What makes a splat right is thereby in its data
alone, so that undo, redo and files bring back nothing that would not be put right in the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from model_runtime.contract.harmonics import MAX_DEGREE

from ... import handlers
from ...plan.splat_affine import transform_shapes, turn_harmonics, turn_of
from ...plan.splat_maps import Moved, find_maps
from ..marks import HOME
from ..meshes import read_values, refresh
from .native import is_splats
from .read import bands_of, degree_in, read_harmonics
from .stand_ins import GROUP, splats_group


def settle(items: Iterable[bpy.types.Object]) -> None:
    """Let the splats of `items` follow what moved them. Others, and what is linked or being edited, stay."""
    for item in items:
        if _may_follow(item):
            settle_data(item.data)
            _show_degree(item)


def _may_follow(item: bpy.types.Object) -> bool:
    data = item.data
    if not isinstance(data, bpy.types.Mesh | bpy.types.PointCloud) or item.mode != "OBJECT" or data.library is not None:
        return False
    return HOME in data.attributes and is_splats(data)


def settle_data(data: Any) -> bool:
    """Let scale, rotation and harmonics of the splats of `data` follow their positions; whether any had to.

    Splats that have no home yet are taken to be right where they are.
    """
    home = data.attributes.get(HOME)
    if home is None or home.data_type != "FLOAT_VECTOR":
        return False
    before, now = read_values(home, "vector", 3), read_values(data.attributes["position"], "vector", 3)
    if np.array_equal(before.view(np.uint32), now.view(np.uint32)):
        return False
    for moved in find_maps(before, now):
        if moved.linear is not None:
            _map(data, moved)
    home.data.foreach_set("vector", now.ravel())
    refresh(data)
    return True


def _show_degree(item: bpy.types.Object) -> None:
    """Let the stand-ins show the harmonics that there are: of the highest degree that was joined."""
    degree = degree_in(item.data)
    others = {GROUP.format(degree=each) for each in range(MAX_DEGREE + 1) if each != degree}
    for modifier in item.modifiers:
        if isinstance(modifier, bpy.types.NodesModifier) and modifier.node_group and modifier.node_group.name in others:
            modifier.node_group = splats_group(degree)


def come_home(data: Any) -> None:
    """Take the splats of `data` to be right where they are."""
    home = data.attributes.get(HOME) or data.attributes.new(HOME, "FLOAT_VECTOR", "POINT")
    home.data.foreach_set("vector", read_values(data.attributes["position"], "vector", 3).ravel())


def _map(data: Any, moved: Moved) -> None:
    scale, rotation = data.attributes["scale"], data.attributes["rotation"]
    scales, rotations = read_values(scale, "vector", 3), read_values(rotation, "value", 4)
    linear = moved.linear
    assert linear is not None
    whole = linear.ndim == 2 and len(moved.which) == len(scales)
    index = slice(None) if whole else moved.which
    scales[index], rotations[index] = transform_shapes(scales[index], rotations[index], linear)
    scale.data.foreach_set("vector", scales.ravel())
    rotation.data.foreach_set("value", rotations.ravel())
    bands = bands_of(data)
    if bands:
        # Where each splat was mapped in its own way, all colours turn as these turned on the whole.
        turn = turn_of(linear if linear.ndim == 2 else linear.mean(axis=0))
        values = read_harmonics(data)
        values[:, index] = turn_harmonics(values[:, index], turn)
        for band, turned in zip(bands, values, strict=True):
            band.data.foreach_set("vector", turned.ravel())


@persistent
def _changed(_: object, graph: bpy.types.Depsgraph | None = None) -> None:
    """Whatever changed the data of an object: not its modifiers alone. In Edit Mode nothing is done until that is
    left."""
    if graph is None:
        return
    changed = [each.id.original for each in graph.updates if each.is_updated_geometry]
    data = {each for each in changed if isinstance(each, bpy.types.Mesh | bpy.types.PointCloud)}
    settle(each for each in changed if isinstance(each, bpy.types.Object) and each.data in data)


@persistent
def _replaced(*_: object) -> None:
    """Files, undo and redo bring other data."""
    settle(bpy.data.objects)


@persistent
def _before_render(*_: object) -> None:
    """Scripts may render before anything was evaluated; where a window renders, that has been."""
    if threading.current_thread() is threading.main_thread():
        settle(bpy.data.objects)


HANDLERS = (
    (bpy.app.handlers.depsgraph_update_post, _changed),
    (bpy.app.handlers.load_post, _replaced),
    (bpy.app.handlers.undo_post, _replaced),
    (bpy.app.handlers.redo_post, _replaced),
    (bpy.app.handlers.render_init, _before_render),
)


def register() -> None:
    handlers.add(HANDLERS)


def unregister() -> None:
    handlers.remove(HANDLERS)
