"""Geometry of DA3 scenes that the artist has edited by hand, which is never thrown away unasked."""

from __future__ import annotations

import zlib
from typing import Any

import bpy
import numpy as np

from . import find
from .marks import HIDDEN, HOME, ID, INDEX, ROLE, VIEW, WRITTEN_GEOMETRY
from .materials import POINT_COLOR
from .meshes import point_count
from .surfaces import UV

GEOMETRY = ("points", "splats", "mesh", "sheet")
"""Roles of objects whose geometry is written."""

SHADING = ("sharp_face", "sharp_edge", HIDDEN, HOME)
"""Attributes that come and go without an edit of the geometry."""


def remember_geometry(data: Any) -> None:
    """Write on a mesh or point cloud what its geometry is now."""
    data[WRITTEN_GEOMETRY] = _fingerprint(data)


def is_edited(item: bpy.types.Object) -> bool:
    """Whether the geometry of an object is another than what was written: moved, deleted, painted or added to."""
    data: Any = item.data
    if data is None or WRITTEN_GEOMETRY not in data:
        return False
    return bool(getattr(data, "shape_keys", None) or item.vertex_groups) or data[WRITTEN_GEOMETRY] != _fingerprint(data)


def edited_parts(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    """The result's objects that were edited by hand."""
    parts = find.parts_of(collection)
    return [item for role in GEOMETRY for item in parts[role] if is_edited(item)]


def keep_beside(item: bpy.types.Object) -> bpy.types.Object:
    """A hidden copy of an edited object and its mesh, which is the artist's own from now on."""
    copy = item.copy()
    copy.data = item.data.copy()
    copy.name = copy.data.name = f"{item.name} edited"
    for home in item.users_collection:
        home.objects.link(copy)
    set_free(copy)
    copy.hide_viewport = copy.hide_render = True
    return copy


def set_free(item: bpy.types.Object) -> None:
    """Let a part of a result be the artist's own."""
    for key in (ID, ROLE, VIEW, INDEX):
        if key in item:
            del item[key]


def _fingerprint(data: Any) -> str:
    """Counts, names of attributes, positions, and of surfaces also colours and texture coordinates.

    Millions of points are not told apart by their colours: reading those takes as long as writing them.
    """
    names = sorted(each.name for each in data.attributes if not each.name.startswith(".") and each.name not in SHADING)
    faces = len(getattr(data, "polygons", ()))
    parts = [point_count(data), faces, *names, _checksum(data.attributes.get("position"), "vector", 3)]
    if faces:
        parts.append(_checksum(data.attributes.get(POINT_COLOR), "color", 4))
        parts.append(_checksum(data.attributes.get(UV), "vector", 2))
    return " ".join(map(str, parts))


def _checksum(attribute: Any, member: str, width: int) -> int:
    if attribute is None:
        return 0
    values = np.empty(len(attribute.data) * width, np.float32)
    attribute.data.foreach_get(member, values)
    return zlib.crc32(values.tobytes())
