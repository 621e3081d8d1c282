"""Scaling, turning and moving a finished DA3 scene as one: cameras, points, splats and surfaces.

What changes is the data and where the add-on put the cameras, so that every object keeps the transform, parents and
modifiers the artist gave it.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..plan.scale_and_up import TransformError, scale_to_distance, stand_on_axes, stand_on_floor, within
from ..plan.similarity import Similarity
from ..plan.transform import transform_splats
from .camera_keys import is_keyed
from .clip_camera import is_clip, move_keys, poses
from .copies import make_single_user
from .edits import edited_parts, remember_geometry
from .find import parts_of
from .marks import DEPTH, GROUND, METRIC, RIG, SET_DISTANCE
from .meshes import read_values, refresh
from .placement import UNTOUCHED, frame_to_world, own_change, put, written
from .remove import check_changeable
from .splats.crop_boxes import take_along
from .splats.follow import come_home, settle
from .splats.native import is_splats
from .splats.read import read_splats, write_splats_into
from .viewing import is_animated

FRAME_GIVERS = ("points", "mesh", "sheet", "splats", RIG, "camera", GROUND)
"""Roles of the object whose place counts as the scene's where the artist picked none, best first."""

NOTHING = 1e-24
"""Determinant of a transform that has flattened everything."""

LENGTHS = ("footprint", "radius")
"""Point attributes in the scene's unit."""


def set_distance(
    collection: bpy.types.Collection,
    first: np.ndarray,
    second: np.ndarray,
    distance: float,
    picked: bpy.types.Object | None = None,
) -> None:
    """Scale a result so that what is at `first` and `second` [3] in the world is `distance` apart, in Blender units.

    The origin of the scene's own frame, which its floor goes through, stays where it is.
    picked: the object the points were picked on, where the artist has moved the scene's objects apart.
    Raises JobError where that cannot be; then nothing has changed.
    """
    factor = scale_to_distance(first, second, distance)
    transform_result(collection, Similarity.of(scale=factor), picked)
    collection[METRIC], collection[SET_DISTANCE] = True, float(distance)


def set_floor(collection: bpy.types.Collection, corners: np.ndarray, picked: bpy.types.Object | None = None) -> None:
    """Turn and move a result so that its points at `corners` [3,3] in the world lie at z = 0 and the cameras above.

    picked, errors: as of `set_distance`.
    """
    frame = frame_of(collection, picked)
    motion = stand_on_floor(corners, _eyes(collection, frame))
    transform_result(collection, within(frame, motion), picked)


def set_axes(
    collection: bpy.types.Collection,
    origin: np.ndarray,
    along_x: np.ndarray,
    floor: np.ndarray,
    picked: bpy.types.Object | None = None,
) -> None:
    """Turn and move a result so that its point at `origin` comes to the world's, the one at `along_x` on the x axis and
    the one at `floor` to z = 0, all [3] in the world, with the cameras above.

    picked, errors: as of `set_distance`.
    """
    frame = frame_of(collection, picked)
    motion = stand_on_axes(origin, along_x, floor, _eyes(collection, frame))
    transform_result(collection, within(frame, motion), picked)


def _eyes(collection: bpy.types.Collection, frame: np.ndarray) -> np.ndarray:
    """[N,3] where the result's cameras are in the world, by its `frame` [4,4]."""
    return eyes_of(collection) @ frame[:3, :3].T + frame[:3, 3]


def eyes_of(collection: bpy.types.Collection) -> np.ndarray:
    """[N,3] where the result's cameras are in its own frame; that of a clip in each of its frames."""
    cameras = parts_of(collection)["camera"]
    places = [poses(each)[1] if is_clip(each) else written(each)[None] for each in cameras]
    return np.concatenate([np.empty((0, 3)), *(place[:, :3, 3] for place in places)])


def animated(collection: bpy.types.Collection) -> list[str]:
    """Names of the result's objects that Blender moves by keyframes or drivers of the artist's, whatever is set
    here."""
    items = (item for items in parts_of(collection).values() for item in items)
    return [item.name for item in items if is_animated(item)]


def frame_of(collection: bpy.types.Collection, picked: bpy.types.Object | None = None) -> np.ndarray:
    """[4,4] from the result's own frame to the world, as of `picked` or else its foremost part."""
    frame = frame_to_world(picked or foremost(collection))
    if abs(np.linalg.det(frame)) < NOTHING:
        raise TransformError("The scene's objects are scaled to nothing.", "Scale them up again first.")
    return frame


def foremost(collection: bpy.types.Collection) -> bpy.types.Object:
    """The part whose place counts as the result's; raises JobError where it has none."""
    parts = parts_of(collection)
    item = next((item for role in FRAME_GIVERS for item in parts[role]), None)
    if item is None:
        raise TransformError("The scene has no objects any more.", "Make it again from its photos.")
    return item


def transform_result(
    collection: bpy.types.Collection, similarity: Similarity, picked: bpy.types.Object | None = None
) -> None:
    """Let everything of a result that stands at x in its frame stand at `similarity.points(x)`.

    Objects that the artist has moved apart from `picked` (or the foremost part) go along as they stand. Data that
    several of them share is changed once; what others share, too, becomes the result's own. Raises JobError, before
    anything changes, where some may not be.
    """
    parts = {role: items for role, items in parts_of(collection).items() if role in FRAME_GIVERS}
    check_changeable(collection, (item for items in parts.values() for item in items))
    make_single_user(item for items in parts.values() for item in items)
    settle(parts["splats"])
    frame = frame_of(collection, picked)
    placed = [
        (
            item,
            _change_after(item, frame, similarity),
            similarity.pose(written(item)) if role == "camera" else written(item),
        )
        for role, items in parts.items()
        for item in items
    ]
    by_hand = {item.data for item in edited_parts(collection)}
    keyed = [item for item in parts["camera"] if is_keyed(item)]
    apart = [_similarity_apart(item, frame, similarity) for item in keyed]
    for item, change, matrix in placed:
        if item not in keyed:
            put(item, matrix, change)
    move_keys(keyed, apart, bpy.context.scene.frame_current)
    for data, role in {item.data: role for role, items in parts.items() for item in items if item.data}.items():
        if role == "camera":
            _scale_camera(data, similarity.scale)
        else:
            _move_geometry(data, similarity)
            if data not in by_hand and isinstance(data, bpy.types.Mesh | bpy.types.PointCloud):
                remember_geometry(data)
    for item in parts["splats"]:
        take_along(item, similarity.matrix)
    if DEPTH in collection:
        collection[DEPTH] *= similarity.scale


def _similarity_apart(item: bpy.types.Object, frame: np.ndarray, similarity: Similarity) -> Similarity:
    """What a keyed camera's keys go through, which the artist may have moved apart from the rest by its parent."""
    apart = np.linalg.inv(frame) @ frame_to_world(item)
    try:
        return Similarity.from_matrix(np.linalg.inv(apart) @ similarity.matrix @ apart)
    except ValueError:
        return similarity


def _change_after(item: bpy.types.Object, frame: np.ndarray, similarity: Similarity) -> np.ndarray:
    """[4,4] the artist's change of `item` once the scene's frame, [4,4] to the world, is transformed.

    What all parts have in common stays as it is; what sets `item` apart from them is transformed like the rest.
    """
    change = own_change(item)
    apart = np.linalg.inv(frame) @ frame_to_world(item)
    reach = max(1.0, np.abs(frame).max(), np.abs(written(item)).max())
    if np.abs(apart - np.eye(4)).max() <= UNTOUCHED * reach:
        return change
    matrix = similarity.matrix
    return change @ np.linalg.inv(apart) @ matrix @ apart @ np.linalg.inv(matrix)


def _scale_camera(camera: Any, scale: float) -> None:
    camera.clip_start *= scale
    camera.clip_end *= max(1.0, scale)
    camera.display_size *= scale
    camera.dof.focus_distance *= scale


def _move_geometry(data: Any, similarity: Similarity) -> None:
    """Positions, shape keys, normals, and the attributes of points and splats that have a size or a direction."""
    attributes = data.attributes
    if isinstance(data, bpy.types.Mesh):
        data.transform(Matrix(similarity.matrix.tolist()), shape_keys=True)
    else:
        _rewrite(attributes["position"], "vector", 3, similarity.points)
    for name in LENGTHS:
        if name in attributes and attributes[name].data_type == "FLOAT":
            _rewrite(attributes[name], "value", 1, lambda values: values * similarity.scale)
    if is_splats(data):
        write_splats_into(data, transform_splats(read_splats(data), similarity))
        come_home(data)
    refresh(data)


def _rewrite(attribute: Any, member: str, width: int, function: Any) -> None:
    values = np.ascontiguousarray(function(read_values(attribute, member, width)), dtype=np.float32)
    attribute.data.foreach_set(member, values.ravel())
