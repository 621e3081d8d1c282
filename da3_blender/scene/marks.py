"""Custom properties by which a DA3 scene's parts are found again: artists rename things, so names never tell.

da3_id: the same on the top collection and on every object of one result. da3_role: what an object is, one of ROLES.
da3_view, da3_index: the photo's name and its place among the views, on what belongs to one photo.
"""

from __future__ import annotations

import bpy

ID = "da3_id"
ROLE = "da3_role"
VIEW = "da3_view"
INDEX = "da3_index"
NOTES = "da3_notes"
"""On the top collection: the plan's notes, one a line."""

DEPTH = "da3_depth"
"""On the top collection: how far away what the cameras see typically is, in the scene's own units."""

PART = "da3_part"
"""On the collections inside: which of them it is (`Cameras`, `Points`, ...), whatever it is called."""

PHOTOS = "da3_photos"
"""On the meshes of surfaces: the photo of each material, a name a line; empty for the surface's own colours."""

HIDDEN = "da3_hidden"
"""True on the cameras of photos that are switched off, and, as a point attribute, on those photos' points and splats;
it need not be there."""

ROLES = ("camera", "points", "splats", "mesh", "sheet")


def mark(item: bpy.types.Object, result: str, role: str, view: str = "", index: int = 0) -> None:
    """Write on `item` which result (`da3_id`) it belongs to, as what, and for which photo (its name and place)."""
    item[ID] = result
    item[ROLE] = role
    if view:
        item[VIEW], item[INDEX] = view, index
