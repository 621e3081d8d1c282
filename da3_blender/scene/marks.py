"""Custom properties by which a DA3 scene's parts are found again: artists rename things, so names never tell.

da3_id: the same on the top collection and on every object of one result. da3_role: what an object is, one of ROLES or
GROUND.
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

HOME = "da3_home"
"""Point attribute of splats: the position at which their scale, rotation and harmonics were last right."""

NATIVE = "da3_native"
"""On point clouds: Blender itself showed them as splats when they were written. Older versions forget that."""

RESOLUTION = "da3_resolution"
"""Custom property of the camera data: (width, height) of the original photo in pixels."""

LOCK = "da3_locked"
"""On cameras: what an update takes as known, `camera` or `lens`; it need not be there."""

PHOTO_FILE = "da3_photo_file"
"""Custom property of the camera data where a lens bent the photo: the file as it was taken, which nothing else in the
.blend may tell."""

MAP_SIZE = "da3_map_size"
"""Custom property of the camera data: (width, height) of the photo's depth map."""

PIXEL_ASPECT = "da3_pixel_aspect"
"""Custom property of the camera data: (x, y) pixel aspect that gives the camera its two focal lengths."""

INTRINSICS = "da3_intrinsics"
"""Custom property of the camera data: the 9 numbers of the picture's intrinsics, row by row, as the add-on wrote them
last, in pixels of RESOLUTION with centres at +0.5."""

WRITTEN_GEOMETRY = "da3_geometry"
"""On meshes: `_fingerprint` of what the add-on wrote last."""

WRITTEN = "da3_matrix"
"""On cameras: the 16 numbers of the matrix that the add-on wrote last, row by row."""

BEFORE_SPLATS = "da3_before_splats"
"""On scenes: Cycles' bounces before they were raised for splats."""

DISPLAYED = "da3_splats_displayed"
"""On scenes: 1 where splats give off displayed colours, which the compositor makes light of."""

BEFORE_DISPLAYED = "da3_before_displayed"
"""On scenes: whether they were composited, and their view layers' passes, before DISPLAYED."""

BEFORE_PROJECTION = "da3_before_projection"
"""On objects that a photo is projected on: by slot, what was linked there before."""

SET_DISTANCE = "da3_distance_set"
"""On the top collection: the distance, in Blender units, that the artist said two points lie apart."""

BEFORE_BINDING, BEFORE_LOOKING = "da3_before_binding", "da3_before_looking"
"""On scenes: what was there before photos were bound, or looked through."""

HIDDEN_PARTS = "da3_hidden_parts"
"""On the top collection: the roles of the parts that are hidden, apart by spaces."""

PLATE = "da3_plate_"
"""On the top collection: beginnings of those that tell how its cameras show their photos."""

REQUEST = "da3_request"
"""Custom property of the top collection: photos and settings as JSON."""

METRIC, CAMERA_SOURCE, MATCH_ERROR = "da3_metric", "da3_camera_source", "da3_match_error"
CHECKPOINT, LICENCE, COMMERCIAL_USE = "da3_checkpoint", "da3_licence", "da3_commercial_use"
"""On the top collection: facts of the prediction, as `ScenePlan.provenance` has them without `da3_`. Those of single
photos, too: the second on cameras, the third on their data where it is known."""

SETTING = "da3_setting_"
"""Beginnings of those that tell what the job ran with."""

CLIP_FRAMES, CLIP_RATE = "da3_clip_frames", "da3_clip_rate"
"""Custom properties of the camera data of a clip: first and last of the scene's frames that show it, and how many of
them a second has."""

KEY_FRAMES, KEY_NAMES, KEY_PICTURES = "da3_key_frames", "da3_key_names", "da3_key_pictures"
"""Custom properties of the camera data of a clip, of its key frames: the scene's frame of each, their names, a line
each, and by their place the images that they are."""

KEY_SIZE, KEY_INTRINSICS = "da3_key_size", "da3_key_intrinsics"
"""Custom properties of the camera data of a clip: (width, height) of what its key frames' pictures show, which are
straightened where its lens bends lines, and the 9 numbers of their intrinsics, row by row."""

CROP = "da3_crop"
"""True on boxes that were made to crop splats."""

SPLAT_SOURCE = "da3_source"
"""On splats: `network`, `surface` or `file`."""

RIG = "rig"
"""The role of the empty that the camera of a clip is a child of: keys say where the camera is, so what moves it along
with its result cannot be in its own transform."""

ROLES = (RIG, "camera", "points", "splats", "mesh", "sheet")
GROUND = "ground"
"""The role of what is no prediction's, and stays as the artist has it where the others are made anew."""


def mark(item: bpy.types.Object, result: str, role: str, view: str = "", index: int = 0) -> None:
    """Write on `item` which result (`da3_id`) it belongs to, as what, and for which photo (its name and place)."""
    item[ID] = result
    item[ROLE] = role
    if view:
        item[VIEW], item[INDEX] = view, index
