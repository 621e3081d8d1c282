"""A planned scene, scaled, turned and moved as one: cameras, points, splats and surfaces. Numpy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import harmonics
from .conventions import rotate_quaternions
from .point_cloud import PointPlan
from .scene_plan import CameraPlan, ScenePlan
from .similarity import Similarity
from .splat_cloud import SplatPlan


def transform_plan(plan: ScenePlan, similarity: Similarity) -> ScenePlan:
    """`plan` in another frame: what stood at x in Blender's world stands at `similarity.points(x)`.

    Everything looks the same through every camera. `motion` is no longer rigid where the similarity scales.
    """
    return replace(
        plan,
        cameras=tuple(transform_camera(camera, similarity) for camera in plan.cameras),
        points=plan.points and transform_points(plan.points, similarity),
        splats=plan.splats and transform_splats(plan.splats, similarity),
        surfaces=tuple(replace(surface, vertices=similarity.points(surface.vertices)) for surface in plan.surfaces),
        motion=similarity.matrix @ plan.motion,
    )


def transform_camera(plan: CameraPlan, similarity: Similarity) -> CameraPlan:
    """The camera moved along, with what is measured in the world's units scaled; its end of sight never comes nearer,
    because there may be more to see than this scene."""
    start, end = plan.clip
    return replace(
        plan,
        camera=replace(plan.camera, matrix_world=similarity.pose(plan.camera.matrix_world)),
        clip=(start * similarity.scale, end * max(1.0, similarity.scale)),
        display_size=plan.display_size * similarity.scale,
    )


def transform_points(plan: PointPlan, similarity: Similarity) -> PointPlan:
    return replace(
        plan,
        position=similarity.points(plan.position),
        footprint=plan.footprint * np.float32(similarity.scale),
    )


def transform_splats(plan: SplatPlan, similarity: Similarity) -> SplatPlan:
    """The splats moved, turned and scaled, and their view-dependent colours turned along."""
    return replace(
        plan,
        position=similarity.points(plan.position),
        scale=plan.scale * np.float32(similarity.scale),
        rotation=rotate_quaternions(similarity.rotation, plan.rotation),
        harmonics=turn_harmonics(plan.harmonics, similarity.rotation),
    )


def turn_harmonics(higher: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Coefficients [K-1,G,3] of degree 1 and up, laid out as in `SplatPlan`, after a turn by `rotation` [3,3]."""
    constant = np.zeros((1, *higher.shape[1:]), higher.dtype)
    turned = harmonics.rotate(np.moveaxis(np.concatenate([constant, higher]), 0, 2), rotation)
    return np.ascontiguousarray(np.moveaxis(turned[:, :, 1:], 2, 0))
