"""A planned scene, scaled, turned and moved as one: cameras, points, splats and surfaces. Numpy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import splat_affine
from .clip_plan import TrackPlan
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
        track=plan.track and transform_track(plan.track, similarity),
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


def transform_track(plan: TrackPlan, similarity: Similarity) -> TrackPlan:
    """The camera of a clip, in every frame, as in `transform_camera`."""
    start, end = plan.clip
    return replace(
        plan,
        matrices=np.stack([similarity.pose(matrix) for matrix in plan.matrices]),
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
    arrays = splat_affine.transform_splats(plan.position, plan.scale, plan.rotation, plan.harmonics, similarity.matrix)
    return replace(plan, **dict(zip(("position", "scale", "rotation", "harmonics"), arrays, strict=True)))
