"""A ground under a result, which catches the shadows of what the artist puts there."""

from __future__ import annotations

import bpy
import numpy as np

from ..plan.ground import ground_corners
from ..plan.upright import Floor
from . import find
from .marks import DEPTH, GROUND, ID, mark
from .meshes import read_attribute
from .placement import frame_to_world, stand_like
from .remove import check_changeable
from .transform import eyes_of, foremost

SHOWN = ("points", "mesh", "sheet", "splats")
"""Roles of objects whose vertices tell how far a result reaches; the first that there is does."""

MOST_POINTS = 200_000
"""Of all points an even choice: more tell the same."""


def add_ground(collection: bpy.types.Collection) -> bpy.types.Object:
    """The ground of a result: the one that is there, or a new plane on its floor, as large as what its photos show.

    It is the artist's: no update changes or removes it. What scales and turns the result moves it along.
    In Cycles it catches shadows and is else not seen; EEVEE has no such thing and shows a plain plane.
    Raises JobError where the result may not be changed, or has no objects any more.
    """
    check_changeable(collection, ())
    there = find.objects_of(collection, GROUND)
    if there:
        return there[0]
    sibling = foremost(collection)
    frame = frame_to_world(sibling)
    corners = ground_corners(
        _points(collection),
        eyes_of(collection),
        (Floor(np.array([0.0, 0.0, 1.0]), 0.0), _level_in(frame)),
        float(collection.get(DEPTH, 1.0)),
    )
    name = f"{collection.name} ground"
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners.tolist(), [], [(0, 1, 2, 3)])
    item = bpy.data.objects.new(name, mesh)
    item.is_shadow_catcher = True
    collection.objects.link(item)
    mark(item, collection[ID], GROUND)
    stand_like(item, sibling)
    return item


def _level_in(frame: np.ndarray) -> Floor:
    """The world's plane z = 0 in the frame that `frame` [4,4] takes to the world."""
    normal, length = frame[2, :3], np.linalg.norm(frame[2, :3])
    return Floor(normal / length, -float(frame[2, 3] / length))


def _points(collection: bpy.types.Collection) -> np.ndarray:
    """[P,3] of what the result shows, in its own frame."""
    parts = find.parts_of(collection)
    items = next((parts[role] for role in SHOWN if parts[role]), [])
    found = [read_attribute(item.data.attributes, "position", "vector", 3) for item in items]
    points = np.concatenate([np.empty((0, 3), np.float32), *found])
    return points[:: max(1, len(points) // MOST_POINTS)].astype(np.float64)
