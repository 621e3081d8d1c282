"""The scale and the floor of a finished DA3 scene."""

from __future__ import annotations

import bpy

from ..scene import find
from ..scene.marks import GROUND, METRIC, SET_DISTANCE
from ..translation import iface


def draw_scale(layout: bpy.types.UILayout, collection: bpy.types.Collection) -> None:
    row = layout.row(align=True)
    for operator, picture in (("da3.pick_distance", "DRIVER_DISTANCE"), ("da3.pick_floor", "ORIENTATION_NORMAL")):
        row.operator(operator, icon=picture).result = find.identity(collection)
    row = layout.row(align=True)
    row.operator("da3.pick_axes", text="Set Axes", icon="EMPTY_AXIS").result = find.identity(collection)
    ground = row.row(align=True)
    ground.enabled = not find.objects_of(collection, GROUND)
    ground.operator("da3.add_ground", icon="MESH_PLANE").result = find.identity(collection)


def scale_line(collection: bpy.types.Collection, scene: bpy.types.Scene) -> str:
    """What unit the result is in, and how that is known."""
    if not collection.get(METRIC):
        return iface("In units of its own, not meters")
    distance = collection.get(SET_DISTANCE)
    if distance is None:
        return iface("In meters")
    unit = scene.unit_settings
    text = bpy.utils.units.to_string(unit.system, "LENGTH", distance * unit.scale_length, precision=4)
    return iface("Scale set by you: {distance} between two points", distance=text.strip())
