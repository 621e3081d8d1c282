"""Where the add-on put an object, and what the artist has done to it since.

Every object of a DA3 scene lives in the scene's own frame: cameras stand in it by their transform, points, splats and
surfaces by their data, with a transform that does nothing. What the artist adds - a moved or scaled object, a parent -
comes on top, and stays on top when the add-on puts the object elsewhere.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .camera_keys import is_keyed, pose_at
from .marks import ROLE, WRITTEN

UNTOUCHED = 1e-5
"""Blender keeps transforms in single precision; closer than this to what was written, nobody moved the object."""


AIMS = {"TRACK_TO", "DAMPED_TRACK", "LOCKED_TRACK", "COPY_ROTATION", "LIMIT_ROTATION"}
"""Types of constraints that turn an object where it stands; those of all others say where it is, as a parent does."""


def remember(item: bpy.types.Object, matrix: np.ndarray) -> None:
    """Write on `item` where the add-on puts it, [4,4]."""
    item[WRITTEN] = [float(value) for value in np.asarray(matrix, dtype=np.float64).ravel()]


def written(item: bpy.types.Object) -> np.ndarray:
    """[4,4] where the add-on put `item` in the frame of its scene; the camera of a clip where its keys say for now."""
    if is_keyed(item):
        return pose_at(item, bpy.context.scene.frame_current)
    if WRITTEN in item:
        numbers: Any = item[WRITTEN]
        return np.array(numbers, dtype=np.float64).reshape(4, 4)
    return np.array(item.matrix_basis, dtype=np.float64) if item.get(ROLE) == "camera" else np.eye(4)


def own_change(item: bpy.types.Object) -> np.ndarray:
    """[4,4] what the artist did to `item`'s own transform since: what is there now is this times `written`. To one that
    keys move nobody does: its next frame undoes it."""
    if is_keyed(item):
        return np.eye(4)
    basis, before = np.array(item.matrix_basis, dtype=np.float64), written(item)
    if np.abs(basis - before).max() <= UNTOUCHED * max(1.0, np.abs(before).max()):
        return np.eye(4)
    return basis @ np.linalg.inv(before)


def put(item: bpy.types.Object, matrix: np.ndarray, change: np.ndarray | None = None) -> None:
    """Put `item` at `matrix` [4,4] in its scene's frame, with the artist's change (its own by default) on top."""
    change = own_change(item) if change is None else change
    item.matrix_basis = Matrix((change @ matrix).tolist())
    remember(item, matrix)


def stand_like(item: bpy.types.Object, sibling: bpy.types.Object) -> None:
    """Let the artist's parenting and change of `sibling`, of the same result, be those of `item`."""
    item.parent, item.parent_type, item.parent_bone = sibling.parent, sibling.parent_type, sibling.parent_bone
    item.matrix_parent_inverse = sibling.matrix_parent_inverse.copy()
    put(item, written(item), own_change(sibling))


def frame_to_world(item: bpy.types.Object) -> np.ndarray:
    """[4,4] from the scene's own frame to Blender's world, where `item` stands in it now.

    Reckoned rather than read from `matrix_world`, which Blender does not keep up to date for what is hidden.
    """
    return _around(item) @ own_change(item)


def _around(item: bpy.types.Object) -> np.ndarray:
    """[4,4] from the space that `item`'s own transform acts in to Blender's world."""
    placing = any(each.type not in AIMS and not each.mute for each in item.constraints)
    if placing or (item.parent and item.parent_type != "OBJECT"):
        basis = np.array(item.matrix_basis, dtype=np.float64)
        return np.array(item.matrix_world, dtype=np.float64) @ np.linalg.inv(basis)
    if item.parent is None:
        return np.eye(4)
    parent = _around(item.parent) @ np.array(item.parent.matrix_basis, dtype=np.float64)
    return parent @ np.array(item.matrix_parent_inverse, dtype=np.float64)
