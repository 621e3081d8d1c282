"""How large a planned scene arrives in Blender, and where: beside what stands there. Numpy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .scene_plan import ScenePlan
from .similarity import Similarity
from .transform import transform_plan

LONGEST_SIDE = 5.0
"""Blender units that a scene without a scale gets: a room in which Blender's grid, clipping and lights are of use."""

USUAL = (1.0, 99.0)
"""Percentiles between which a scene's points say how large it is; a few lie far off."""

GAP = 0.1
"""Of the scene's longest side: the room left between it and what stands there."""

FLAT = 0.01
"""Of the scene's height: flatter things are floors that it may stand on."""

SURROUNDING = 4.0
"""Of the scene's longest side: larger things are skies, grounds and halls that it may stand in."""


def sized(plan: ScenePlan) -> ScenePlan:
    """`plan` with its longest side of LONGEST_SIDE, and a note; unchanged where its cameras tell how large it is."""
    if plan.in_world or plan.provenance["metric"] or plan.provenance["camera_source"] == "given":
        return plan
    side = float(np.ptp(_box(_points(plan)), axis=0).max())
    if not side > 0:
        return plan
    note = (
        f"Nothing tells how large this is: its longest side was made {LONGEST_SIDE:g} units. Set Distance changes it."
    )
    return replace(transform_plan(plan, Similarity.of(scale=LONGEST_SIDE / side)), notes=(*plan.notes, note))


def placed_beside(plan: ScenePlan, standing: np.ndarray) -> ScenePlan:
    """`plan` moved along x or y, as little as it takes, to where its points and cameras are clear of the boxes
    `standing` [N,2,3] (lowest and highest corner); unchanged where its cameras were given a place."""
    if plan.provenance["camera_source"] == "given" or not len(standing):
        return plan
    poses = [camera.camera.matrix_world for camera in plan.cameras] if plan.track is None else plan.track.matrices
    eyes = np.array([pose[:3, 3] for pose in poses])
    box = _box(_points(plan))
    box = np.array([np.minimum(box[0], eyes.min(0)), np.maximum(box[1], eyes.max(0))])
    shift = clear_shift(box, standing)
    if not shift.any():
        return plan
    note = "It stands beside what was there already."
    return replace(transform_plan(plan, Similarity(1.0, np.eye(3), shift)), notes=(*plan.notes, note))


def clear_shift(box: np.ndarray, standing: np.ndarray) -> np.ndarray:
    """[3] the least move along x or y that takes `box` [2,3] clear of the boxes `standing` [N,2,3]."""
    size = np.ptp(box, axis=0)
    sides = np.ptp(standing, axis=1)
    counts = (sides[:, 2] > FLAT * size[2]) & (sides.max(1, initial=0) <= SURROUNDING * size.max())
    standing = standing[counts]
    gap = GAP * size.max()
    shifts = [_shift_along(box, standing, axis, way, gap) for axis in (0, 1) for way in (1, -1)]
    return min(shifts, key=lambda shift: np.abs(shift).max())


def _shift_along(box: np.ndarray, standing: np.ndarray, axis: int, way: int, gap: float) -> np.ndarray:
    shift = np.zeros(3)
    while (hit := _overlapping(box + shift, standing)).any():
        far = standing[hit, 1 if way > 0 else 0, axis]
        near = (box + shift)[0 if way > 0 else 1, axis]
        shift[axis] += (far.max() + gap - near) if way > 0 else (far.min() - gap - near)
    return shift


def _overlapping(box: np.ndarray, standing: np.ndarray) -> np.ndarray:
    return ((box[0] < standing[:, 1]) & (standing[:, 0] < box[1])).all(axis=1)


def _points(plan: ScenePlan) -> np.ndarray:
    """[P,3] of what there is to see, in Blender's world."""
    if plan.points is not None:
        return plan.points.position
    if plan.surfaces:
        return np.concatenate([surface.vertices for surface in plan.surfaces])
    if plan.splats is not None:
        return plan.splats.position
    poses = np.array([camera.camera.matrix_world for camera in plan.cameras])
    return poses[:, :3, 3] - plan.typical_depth * poses[:, :3, 2]


def _box(points: np.ndarray) -> np.ndarray:
    """[2,3], without what lies far off."""
    return np.percentile(points, USUAL, axis=0)
