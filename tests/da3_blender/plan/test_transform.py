"""A transformed plan looks the same from cameras that were moved along, judged without the code that moves it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from da3_blender.plan.conventions import from_blender_camera
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from da3_blender.plan.similarity import Similarity
from da3_blender.plan.transform import transform_plan
from model_runtime.contract import harmonics

TURN = Rotation.from_euler("xyz", (20, -50, 130), degrees=True).as_matrix()
MOVE = Similarity(2.5, TURN, np.array([4.0, -3.0, 2.0]))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def plans(room):
    """A plan with degree-3 splats that face everywhere, and the same one moved."""
    random = np.random.default_rng(1)
    gaussians = room.gaussians(
        random.normal(size=(30, 3)),
        scales=random.uniform(0.01, 0.3, (30, 3)),
        rotations=unit(random.normal(size=(30, 4))),
        opacities=random.uniform(0.1, 1, 30),
        degree=3,
    )
    gaussians.harmonics[:] = random.normal(size=gaussians.harmonics.shape)
    views = [room.view(eye=(x, 0.0, 1.5), focal=(520.0, 490.0), principal=(300, 250)) for x in (-0.5, 0.7)]
    settings = PlanSettings(sheets=True)
    plan = plan_scene(room.prediction(*views, gaussians=gaussians), "room", settings=settings)
    return plan, transform_plan(plan, MOVE)


def seen(camera, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [N,2] and depths [N]."""
    extrinsics, intrinsics = from_blender_camera(camera.camera)
    local = position.astype(np.float64) @ extrinsics[:3, :3].T + extrinsics[:3, 3]
    pixel = local @ intrinsics.T
    return pixel[:, :2] / pixel[:, 2:], local[:, 2]


def test_points_stay_on_their_pixels(plans):
    before, after = plans
    for old, new in zip(before.cameras, after.cameras, strict=True):
        for kind in ("points", "splats"):
            old_pixel, old_depth = seen(old, getattr(before, kind).position)
            new_pixel, new_depth = seen(new, getattr(after, kind).position)
            shown = old_depth > 0.3
            assert np.abs(new_pixel - old_pixel)[shown].max() < 0.01
            np.testing.assert_allclose(new_depth, 2.5 * old_depth, atol=1e-4)


def test_sheets_stay_on_their_photos(plans):
    before, after = plans
    assert len(after.surfaces) == 2
    for surface in after.surfaces:
        pixel, _ = seen(after.cameras[surface.view], surface.vertices[surface.triangles].reshape(-1, 3))
        uv = np.stack([pixel[:, 0] / 640, 1 - pixel[:, 1] / 480], 1).reshape(-1, 3, 2)
        np.testing.assert_allclose(uv, surface.uv, atol=1e-4)
    assert before.surfaces[0].vertices.dtype == after.surfaces[0].vertices.dtype == np.float32


def test_sizes_grow(plans):
    before, after = plans
    np.testing.assert_allclose(after.points.footprint, 2.5 * before.points.footprint, rtol=1e-6)
    assert after.typical_depth == pytest.approx(2.5 * before.typical_depth)
    assert after.cameras[0].clip[0] == pytest.approx(2.5 * before.cameras[0].clip[0])
    shrunk = transform_plan(before, Similarity.of(0.01))
    assert shrunk.cameras[0].clip[1] == before.cameras[0].clip[1]


def test_covariances_turn_and_grow(plans):
    def covariance(splats) -> np.ndarray:
        axes = Rotation.from_quat(splats.rotation[:, [1, 2, 3, 0]]).as_matrix() * splats.scale[:, None, :]
        return axes @ axes.swapaxes(1, 2)

    before, after = (covariance(plan.splats) for plan in plans)
    np.testing.assert_allclose(after, 2.5**2 * TURN @ before @ TURN.T, atol=1e-5)


def test_colours_turn_with_the_scene(plans):
    before, after = plans
    directions = unit(np.random.default_rng(3).normal(size=(50, 3)))
    shown = harmonics.basis(directions, 3)[:, 1:] @ before.splats.harmonics.reshape(15, -1)
    moved = harmonics.basis(directions @ TURN.T, 3)[:, 1:] @ after.splats.harmonics.reshape(15, -1)
    np.testing.assert_allclose(moved, shown, atol=1e-4)
    np.testing.assert_array_equal(after.splats.base, before.splats.base)


def test_motion_leads_from_the_prediction(plans):
    before, after = plans
    point = np.array([0.3, -0.2, 2.0, 1.0])
    expected = 2.5 * TURN @ (before.motion @ point)[:3] + MOVE.translation
    np.testing.assert_allclose((after.motion @ point)[:3], expected)


def test_plan_of_cameras_alone(room):
    plan = plan_scene(room.prediction(), "room", settings=PlanSettings(points=False))
    moved = transform_plan(plan, MOVE)
    assert moved.points is None and moved.splats is None and len(moved.cameras) == 1


def test_there_and_back(plans):
    before, after = plans
    back = transform_plan(after, MOVE.inverse())
    assert back.points is not None and back.splats is not None
    np.testing.assert_allclose(back.points.position, before.points.position, atol=1e-5)
    np.testing.assert_allclose(back.splats.harmonics, before.splats.harmonics, atol=1e-5)
    np.testing.assert_allclose(back.cameras[1].camera.matrix_world, before.cameras[1].camera.matrix_world, atol=1e-12)
