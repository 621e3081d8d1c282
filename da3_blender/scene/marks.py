"""Custom properties by which a DA3 scene's parts are found again: artists rename things, so names never tell.

da3_id: the same on the top collection and on every object of one result. da3_role: what an object is, one of ROLES.
da3_view: the photo's name, on what belongs to one photo. da3_camera_source: on cameras, where each comes from.
"""

from __future__ import annotations

import bpy

ID = "da3_id"
ROLE = "da3_role"
VIEW = "da3_view"
CAMERA_SOURCE = "da3_camera_source"
NOTES = "da3_notes"
"""On the top collection: the plan's notes, one a line."""

ROLES = ("camera", "points", "splats", "mesh", "sheet")


def mark(item: bpy.types.Object, result: str, role: str, view: str = "") -> None:
    """Write on `item` which result (`da3_id`) it belongs to, as what, and for which photo."""
    item[ID] = result
    item[ROLE] = role
    if view:
        item[VIEW] = view
