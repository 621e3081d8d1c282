"""Keys of a camera that moves with its clip: many at once, as arrays, in every Blender's actions."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion

from model_runtime.contract.quaternions import quaternion_from_matrix

CURVES = (*(("location", axis) for axis in range(3)), *(("rotation_quaternion", axis) for axis in range(4)))
"""Data path and index of each curve that a moving camera has."""

LINEAR = 1
"""Of the enumeration of interpolations, as `foreach_set` wants it: `BEZT_IPO_LIN`."""

OURS = "da3_keys"
"""On actions: how many keys the add-on made in it."""


def is_keyed(item: bpy.types.Object) -> bool:
    """Whether the item moves by keys that the add-on made."""
    action = _action(item)
    return action is not None and OURS in action and bool(_found(item))


def write_keys(item: bpy.types.Object, frames: np.ndarray, matrices: np.ndarray) -> None:
    """Let the item be at `matrices` [K,4,4], rigid, in the space of its parent, at the scene's `frames` [K], rising.

    Straight between them. Its keys of place and rotation from before are gone; other animation stays.
    """
    item.rotation_mode = "QUATERNION"
    values = np.concatenate([matrices[:, :3, 3], steady_quaternions(matrices)], axis=1)
    bag = _curves(item)
    for (path, axis), column in zip(CURVES, values.T, strict=True):
        old = bag.find(path, index=axis)
        if old is not None:
            bag.remove(old)
        curve = bag.new(path, index=axis)
        curve.keyframe_points.add(len(frames))
        places = np.stack([frames, column], axis=1).astype(np.float32)
        curve.keyframe_points.foreach_set("co", places.ravel())
        curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), LINEAR, np.uint8))
        curve.update()
    _action(item)[OURS] = len(frames)
    stand_at(item, bpy.context.scene.frame_current)


def read_keys(item: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """The frames [K] at which any curve of a keyed item has a key, and where it is then, [K,4,4] in its parent's
    space."""
    curves = _found(item)
    places = []
    for curve in curves.values():
        points = np.empty((len(curve.keyframe_points), 2), np.float32)
        curve.keyframe_points.foreach_get("co", points.reshape(-1))
        places.append(points[:, 0])
    frames = np.unique(np.concatenate(places)).astype(np.float64)
    return frames, np.stack([pose_at(item, frame, curves) for frame in frames])


def pose_at(item: bpy.types.Object, frame: float, curves: dict[tuple[str, int], Any] | None = None) -> np.ndarray:
    """[4,4] where a keyed item is at a frame, in its parent's space, without its own scale."""
    curves = _found(item) if curves is None else curves
    rest = dict(zip(CURVES, (*item.location, *item.rotation_quaternion), strict=True))
    values = [curves[place].evaluate(frame) if place in curves else rest[place] for place in CURVES]
    matrix = np.array(Quaternion(values[3:]).normalized().to_matrix().to_4x4(), np.float64)
    matrix[:3, 3] = values[:3]
    return matrix


def stand_at(item: bpy.types.Object, frame: float) -> None:
    """Put a keyed item where its keys say for a frame; Blender itself does so when the frame changes."""
    item.matrix_basis = Matrix(pose_at(item, frame).tolist())


def own_action(item: bpy.types.Object) -> bpy.types.Action | None:
    """The item's action, a copy where others use it, too; None where it has none."""
    action = _action(item)
    if action is not None and action.users > 1 + action.use_fake_user:
        data: Any = item.animation_data
        slot = getattr(data, "action_slot", None)
        handle = None if slot is None else slot.identifier
        data.action = action.copy()
        if handle is not None:
            data.action_slot = data.action.slots[handle]
    return _action(item)


def drop_keys(item: bpy.types.Object) -> None:
    """Let a keyed item stand still from now on: without the curves that the add-on made."""
    bag = _curves(item)
    for curve in _found(item).values():
        bag.remove(curve)
    action = _action(item)
    if action is not None and not len(bag):
        item.animation_data_clear()
        if not action.users:
            bpy.data.actions.remove(action)


def steady_quaternions(matrices: np.ndarray) -> np.ndarray:
    """[K,4] wxyz of rotations [K,4,4], each on the side of the one before it, so that they change as the rotation
    does."""
    turns = np.stack([quaternion_from_matrix(matrix[:3, :3]) for matrix in matrices])
    flips = np.sum(turns[1:] * turns[:-1], axis=1) < 0
    return turns * np.where(np.append(0, np.cumsum(flips)) % 2, -1.0, 1.0)[:, None]


def _action(item: bpy.types.Object) -> Any:
    data: Any = item.animation_data
    return None if data is None else data.action


def _found(item: bpy.types.Object) -> dict[tuple[str, int], Any]:
    """The curves of place and rotation that the item has."""
    if _action(item) is None:
        return {}
    bag = _bag(item, make=False)
    curves = {} if bag is None else {(curve.data_path, curve.array_index): curve for curve in bag}
    return {place: curves[place] for place in CURVES if place in curves}


def _curves(item: bpy.types.Object) -> Any:
    """The F-curves that move the item, of an action that is made where it has none."""
    data: Any = item.animation_data or item.animation_data_create()
    if data.action is None:
        data.action = bpy.data.actions.new(item.name)
    return _bag(item, make=True)


def _bag(item: bpy.types.Object, make: bool) -> Any:
    """Where the item's action keeps its curves: since Blender 4.4 in a layer, by the slot of what it moves."""
    data: Any = item.animation_data
    action: Any = data.action
    if not hasattr(data, "action_slot"):
        return action.fcurves
    if data.action_slot is None:
        if not make:
            return None
        data.action_slot = action.slots.new("OBJECT", item.name)
    if not action.layers and make:
        action.layers.new("Layer").strips.new(type="KEYFRAME")
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(data.action_slot, ensure=make)
            if bag is not None:
                return bag.fcurves
    return None
