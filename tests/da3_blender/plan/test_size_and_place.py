"""A scene without a scale arrives at a size that fits Blender, beside what stands there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, ScenePlan, plan_scene
from da3_blender.plan.similarity import Similarity
from da3_blender.plan.size_and_place import clear_shift, placed_beside, sized
from da3_blender.plan.transform import transform_plan


def box(low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
    return np.array([[low, high]], dtype=float)


SCENE = box((-1, -2, 0), (1, 2, 2))[0]
CUBE = box((-1, -1, -1), (1, 1, 1))


@pytest.fixture
def plan(room) -> ScenePlan:
    views = [room.view(eye=(0.3 * i, 0, 1.6), name=f"{i}.jpg") for i in range(2)]
    return plan_scene(room.prediction(*views), "room")


def longest(plan: ScenePlan) -> float:
    assert plan.points is not None
    return float(np.ptp(np.percentile(plan.points.position, (1, 99), axis=0), axis=0).max())


def test_a_scene_without_a_scale_is_five_units_long(plan):
    plan = transform_plan(plan, Similarity.of(scale=0.2))
    large = sized(plan)
    assert longest(large) == pytest.approx(5.0, rel=1e-5)
    assert large.cameras[0].camera.lens == plan.cameras[0].camera.lens
    apart = [np.subtract(*(c.camera.matrix_world[:3, 3] for c in each.cameras)) for each in (large, plan)]
    np.testing.assert_allclose(apart[0], apart[1] * 5.0 / longest(plan), rtol=1e-6)
    assert "5 units" in large.notes[-1]


@pytest.mark.parametrize("known", [{"metric": True}, {"camera_source": "given"}])
def test_known_sizes_stay(plan, known):
    told = replace(plan, provenance={**plan.provenance, **known})
    assert sized(told) is told


def test_points_far_off_do_not_count(plan):
    position = plan.points.position.copy()
    position[:5] = 1e4
    far = replace(plan, points=replace(plan.points, position=position))
    np.testing.assert_allclose(sized(far).points.position[5:], sized(plan).points.position[5:], rtol=0.02)


def test_cameras_alone_have_a_size(room):
    views = [room.view(eye=(0.3 * i, 0, 1.6), name=f"{i}.jpg") for i in range(2)]
    plan = plan_scene(room.prediction(*views), "room", settings=PlanSettings(points=False))
    assert np.isfinite(sized(plan).cameras[1].camera.matrix_world).all()


def test_it_stands_clear_of_the_default_cube(plan):
    moved = placed_beside(sized(plan), CUBE)
    points, eyes = moved.points.position, np.array([c.camera.matrix_world[:3, 3] for c in moved.cameras])
    assert np.abs(np.concatenate([points, eyes])[:, :2]).max(axis=1).min() > 1
    assert moved.notes[-1] == "It stands beside what was there already."


def test_nothing_in_the_way_moves_nothing(plan):
    assert placed_beside(plan, np.empty((0, 2, 3))) is plan
    assert placed_beside(plan, CUBE + 100) is plan
    given = replace(plan, provenance={**plan.provenance, "camera_source": "given"})
    assert placed_beside(given, CUBE) is given


@pytest.mark.parametrize(
    ("standing", "shift"),
    [
        (CUBE, (2.4, 0, 0)),
        (box((0.5, -1, 0), (9, 1, 1)), (-0.9, 0, 0)),
        (box((-1, 1.5, 0), (1, 3, 1)), (0, -0.9, 0)),
        (np.concatenate([CUBE, box((1.2, -8, 0), (9, 8, 9)), box((-9, -8, 0), (-1.1, 8, 9))]), (0, 3.4, 0)),
        (box((-5, -5, 0), (5, 5, 0)), (0, 0, 0)),
        (box((-50, -50, -50), (50, 50, 50)), (0, 0, 0)),
        (box((-1, -1, -3), (1, 1, -1)), (0, 0, 0)),
    ],
)
def test_the_least_move_is_taken(standing, shift):
    """Past a cube, away from what is at one side, not past floors, halls and what lies below."""
    np.testing.assert_allclose(clear_shift(SCENE, standing), shift, atol=1e-9)
