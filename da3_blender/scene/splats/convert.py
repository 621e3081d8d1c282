"""Splats that another version of Blender or of the add-on wrote become what this one writes: when a file is opened, and
before an update.

A mesh of vertices becomes a native point cloud where Blender has such; a point cloud that was one becomes vertices
where it has not. An object's kind of data is for good: another object takes its place, in all that refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..animated_inputs import find_inputs_again
from ..edits import is_edited, remember_geometry
from ..marks import HOME, ID, NATIVE, NOTES, WRITTEN_GEOMETRY
from ..meshes import Attribute, read_values
from ..own_groups import follow_groups, own_modifiers
from ..remove import purge
from ..replace import replaced
from .filters import GROUP as FILTERS
from .follow import come_home
from .native import SPLATS, cloud_of, has_native, is_native, is_splats
from .read import degree_in
from .stand_ins import GROUP as STAND_INS
from .write import add_modifiers, add_stand_ins, set_display

MEMBERS: dict[str, tuple[str, int, type]] = {
    "FLOAT": ("value", 1, np.float32),
    "INT": ("value", 1, np.int32),
    "INT8": ("value", 1, np.int32),
    "BOOLEAN": ("value", 1, np.bool_),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "BYTE_COLOR": ("color", 4, np.float32),
    "FLOAT4": ("vector", 4, np.float32),
    "QUATERNION": ("value", 4, np.float32),
    "FLOAT4X4": ("value", 16, np.float32),
    "INT16_2D": ("value", 2, np.int32),
    "INT32_2D": ("value", 2, np.int32),
}
"""By attributes' types what their values are called, how many each point has, and of which kind."""


def convert(items: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Let the splat objects among `items` be as this Blender and this version of the add-on make them.

    What is linked from other files stays, and what the artist made of splats. Returns those that must stay as they
    are, because they have what would be lost: other modifiers, shape keys, vertex groups, NLA tracks, physics.
    """
    stay = []
    for data, users in list(_by_data(items)):
        if _is_other_kind(data, users):
            if all(_may_change(item) for item in users):
                _convert(data, users)
            else:
                stay += users
        else:
            for item in users:
                _show_as_today(item)
            if HOME not in data.attributes and any(own_modifiers(item) for item in users):
                come_home(data)
    return stay


def _by_data(items: Iterable[bpy.types.Object]) -> Iterator[tuple[Any, list[bpy.types.Object]]]:
    """The splat data of `items` that may be changed, and all objects that have it."""
    found = {item.data: None for item in items if is_splats(item.data) and item.data.library is None}
    for data in found:
        users = [item for item in bpy.data.objects if item.data == data]
        if all(item.library is None and item.mode == "OBJECT" for item in users):
            yield data, users


def _is_other_kind(data: Any, users: Iterable[bpy.types.Object]) -> bool:
    """Whether the add-on wrote `data`, and not as this Blender keeps splats."""
    if isinstance(data, bpy.types.PointCloud):
        return NATIVE in data and not is_native(data)
    return has_native() and not len(data.edges) and any(own_modifiers(item) for item in users)


def _may_change(item: bpy.types.Object) -> bool:
    """Whether another object can have all that `item` has."""
    data: Any = item.data
    physics = (item.soft_body, item.rigid_body, item.rigid_body_constraint, item.collision and item.collision.use)
    shapes = (getattr(data, "shape_keys", None), item.vertex_groups, item.particle_systems)
    animation = item.animation_data and (item.animation_data.nla_tracks or item.animation_data.use_tweak_mode)
    named = (item.override_library, item.asset_data, data.asset_data, data.animation_data)
    modifiers = any(not isinstance(each, bpy.types.NodesModifier) for each in item.modifiers)
    return not any((*physics, *shapes, animation, *named, modifiers))


def _convert(old: Any, users: list[bpy.types.Object]) -> None:
    if has_native() and isinstance(old, bpy.types.PointCloud):  # which an older Blender has saved as common points
        old.type = SPLATS
        return
    edited = any(is_edited(item) for item in users)
    name = old.name
    new = cloud_of(name, *_read(old))
    for key, value in old.items():
        if key != NATIVE:
            new[key] = value
    for material in old.materials:
        new.materials.append(material)
    new.use_fake_user = old.use_fake_user
    if HOME not in new.attributes:
        come_home(new)
    for item in [replaced(item, new) for item in users]:
        set_display(item)
        if is_native(new):
            _show_as_today(item)
        else:
            add_stand_ins(item)
    purge([old])
    new.name = name
    if not edited and WRITTEN_GEOMETRY in new:
        remember_geometry(new)


def _show_as_today(item: bpy.types.Object) -> None:
    """Let the modifiers of the add-on on `item` be those that an object of such data gets today, with the artist's
    values; those that the artist removed do not come back."""
    todays = {FILTERS} if is_native(item.data) else {FILTERS, STAND_INS.format(degree=degree_in(item.data))}
    if all(group.name in todays for _, group, _ in own_modifiers(item)):
        return
    pattern = bpy.data.objects.new("DA3 pattern", item.data)
    try:
        add_modifiers(pattern)
        follow_groups(item, pattern)
        wanted = {kind for _, _, kind in own_modifiers(pattern)}
    finally:
        bpy.data.objects.remove(pattern)
    for modifier, group, kind in own_modifiers(item):
        if kind not in wanted:
            item.modifiers.remove(modifier)
            purge([group])
    set_display(item)


def _read(data: Any) -> tuple[Any, dict[str, Attribute]]:
    """The positions [G,3] and all other attributes of the points of `data`."""
    attributes = {}
    for each in data.attributes:
        if (
            each.domain == "POINT"
            and each.data_type in MEMBERS
            and not each.name.startswith(".")
            and each.name != "position"
        ):
            member, width, kind = MEMBERS[each.data_type]
            attributes[each.name] = Attribute(each.data_type, member, read_values(each, member, width, kind))
    return read_values(data.attributes["position"], "vector", 3), attributes


@persistent
def _opened(*_: object) -> None:
    find_inputs_again(bpy.data.objects)
    for item in convert(bpy.data.objects):
        _tell(item, why_kept(item))
    for item in bpy.data.objects:
        if isinstance(item.data, bpy.types.PointCloud) and NATIVE in item.data and not is_splats(item.data):
            _tell(item, f"{item.name} was made in a newer Blender, and this one cannot read it. Open the file there.")


def why_kept(item: bpy.types.Object) -> str:
    """What to tell of an object that `convert` leaves as it is."""
    return f"{item.name} was not made this Blender's kind of splats: it has modifiers or data that would be lost."


def _tell(item: bpy.types.Object, note: str) -> None:
    """Tell of `item` among the notes of its DA3 scene, once."""
    for collection in bpy.data.collections:
        if ID in item and collection.get(ID) == item[ID] and collection.library is None:
            before = str(collection.get(NOTES, ""))
            if note not in before:
                collection[NOTES] = "\n".join(filter(None, (before, note)))


def register() -> None:
    bpy.app.handlers.load_post.append(_opened)


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_opened)
