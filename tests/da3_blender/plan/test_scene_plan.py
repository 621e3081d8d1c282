"""Plans: what becomes of good data, and the sentence that bad data gets."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from da3_blender.plan.point_cloud import rank
from da3_blender.plan.prediction_checks import PlanError
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract import harmonics
from model_runtime.contract.messages import JobError

AS_IS = PlanSettings(upright=False, centre=False)


def test_points_are_where_the_room_is(room):
    view = room.view(photo_size=(600, 800), focal=(700, 650), principal=(250, 430))
    points = plan_scene(room.prediction(view, source="given"), "room", settings=AS_IS).points
    off_floor, off_wall = np.abs(points.position[:, 2]), np.abs(points.position[:, 1] - 4)
    assert np.minimum(off_floor, off_wall).max() < 1e-5
    on_floor = off_floor < off_wall
    assert (points.color[on_floor] == room.floor_color).all() and (points.color[~on_floor] == room.wall_color).all()


def test_footprint_is_the_distance_to_the_next_point(room):
    view = room.view(target=(0, 4, 1.6))  # looks square at the wall
    view = replace(view, depth=np.full_like(view.depth, 4.0))
    points = plan_scene(room.prediction(view, source="given"), "room", settings=AS_IS).points
    assert np.linalg.norm(points.position[1] - points.position[0]) == pytest.approx(points.footprint[0], rel=1e-5)


def test_sky_and_flying_pixels_become_no_points(room):
    view = room.view()
    view.depth[:] = 2
    view.depth[:, 30:] = 4
    view.depth[:, 29] = 3
    view.sky[:8] = True
    plan = plan_scene(room.prediction(view), "room")
    assert len(plan.points.position) == view.depth.size - 8 * view.depth.shape[1] - (view.depth.shape[0] - 8)
    whole = plan_scene(room.prediction(view), "room", settings=PlanSettings(edge_angle=0))
    assert len(whole.points.position) == view.depth.size - 8 * view.depth.shape[1]


def test_sky_may_be_infinitely_far(room, recwarn):
    view = room.view()
    view.sky[:8] = True
    view.depth[:8] = np.inf
    plan = plan_scene(room.prediction(view), "room")
    assert len(plan.points.position) == view.depth.size - 8 * view.depth.shape[1]
    assert np.isfinite(plan.points.position).all() and np.isfinite(plan.motion).all()
    assert plan.cameras[0].clip[1] == 1000
    assert not recwarn.list


def test_confidence_rank():
    values = np.float32([5, 1, 3, 3])
    np.testing.assert_allclose(rank(values, values), [1, 0.25, 0.75, 0.75])
    np.testing.assert_array_equal(rank(np.full(4, 2.0), np.full(4, 2.0)), 1)
    np.testing.assert_allclose(rank(values, np.float32([2, 4])), [1, 0.5, 0.5, 0.5], err_msg="none ranks 0")
    np.testing.assert_array_equal(rank(values, values[:0]), 1)


def with_repeated(view, rows):
    """`view` with those rows of its depth map shown better elsewhere."""
    repeated = np.zeros(view.depth.shape, bool)
    repeated[rows] = True
    return replace(view, repeated=repeated)


def test_repeated_points_rank_among_the_others(room):
    first, second = room.view(), with_repeated(room.view(), slice(24, None))
    points = plan_scene(room.prediction(first, second), "room").points
    others = np.sort(points.confidence[~points.repeated])
    assert np.count_nonzero(points.repeated) == second.repeated.sum() and not points.repeated[points.view == 0].any()
    hidden = points.confidence_rank[~points.repeated] <= 0.25
    assert np.count_nonzero(hidden) == pytest.approx(0.25 * len(others), abs=2)
    expected = np.searchsorted(others, points.confidence[points.repeated], side="right") / len(others)
    np.testing.assert_allclose(points.confidence_rank[points.repeated], expected, rtol=1e-6)


def test_the_budget_is_spent_on_repeated_points_last(room):
    prediction = room.prediction(room.view(), with_repeated(room.view(), slice(None)))
    whole = plan_scene(prediction, "room").points
    first = np.count_nonzero(whole.view == 0)
    for budget, repeated in ((first - 300, 0), (first + 300, 300)):
        points = plan_scene(prediction, "room", settings=PlanSettings(point_budget=budget)).points
        assert len(points.position) == len(points.repeated) == budget
        np.testing.assert_array_equal(points.repeated, points.view == 1)
        assert np.count_nonzero(points.repeated) == repeated


def test_sheets_keep_what_is_repeated(room):
    view, settings = room.view(), PlanSettings(sheets=True)
    (plain,) = plan_scene(room.prediction(view), "room", settings=settings).surfaces
    (sheet,) = plan_scene(room.prediction(with_repeated(view, slice(9))), "room", settings=settings).surfaces
    np.testing.assert_array_equal(sheet.vertices, plain.vertices)


def test_stride_and_budget(room):
    view = room.view(detail=8)
    height, width = view.depth.shape
    strided = plan_scene(room.prediction(view), "room", settings=PlanSettings(point_stride=3)).points
    assert len(strided.position) == len(range(1, height, 3)) * len(range(1, width, 3))
    few = plan_scene(room.prediction(view, view), "room", settings=PlanSettings(point_budget=1000)).points
    assert len(few.position) == 1000
    assert 400 < np.count_nonzero(few.view == 0) < 600
    again = plan_scene(room.prediction(view, view), "room", settings=PlanSettings(point_budget=1000)).points
    np.testing.assert_array_equal(few.position, again.position)


def test_splats_move_with_the_cameras(room):
    world = np.eye(4)
    world[:3, :3] = room.rotation_about((1, 2, 3), 70)
    world[:3, 3] = (1, 2, 3)
    rng = np.random.default_rng(0)
    quaternion = rng.normal(size=(6, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    gaussians = room.gaussians(rng.normal(size=(6, 3)), rotations=quaternion, degree=2)
    gaussians.harmonics[:] = rng.normal(size=gaussians.harmonics.shape)
    plan = plan_scene(room.prediction(room.view(world=world), gaussians=gaussians), "room")
    splats, turn = plan.splats, plan.motion[:3, :3]
    np.testing.assert_allclose(splats.position, gaussians.means @ turn.T + plan.motion[:3, 3], atol=1e-5)
    # Radiance towards one point of the room is the same before and after.
    looking = rng.normal(size=3)
    looking /= np.linalg.norm(looking)
    before = gaussians.harmonics @ harmonics.basis(looking[None], 2)[0]
    stacked = np.concatenate([splats.base[:, None, :3], np.moveaxis(splats.harmonics, 0, 1)], axis=1)
    after = harmonics.basis((turn @ looking)[None], 2)[0] @ stacked
    np.testing.assert_allclose(after, before, atol=1e-4)
    np.testing.assert_allclose(splats.base[:, 3], gaussians.opacities)
    np.testing.assert_array_equal(splats.scale, gaussians.scales)


def test_splats_of_pixels_lose_flying_ones_and_others_do_not(room):
    view = room.view()
    view.depth[:] = 2
    view.depth[:, 30:] = 4
    view.depth[:, 29] = 3
    whole = plan_scene(
        room.prediction(view, source="given"), "x", settings=replace(AS_IS, edge_angle=0)
    ).points.position
    for source, left in (
        ("surface", len(whole) - view.depth.shape[0]),
        *((kind, len(whole)) for kind in ("network", "merged")),
    ):
        gaussians = room.gaussians(whole, source=source)
        plan = plan_scene(room.prediction(view, gaussians=gaussians, source="given"), "x", settings=AS_IS)
        assert len(plan.splats.position) == left


def test_splat_budget_is_told(room):
    gaussians = room.gaussians(np.zeros((50, 3)))
    plan = plan_scene(room.prediction(room.view(), gaussians=gaussians), "room", settings=PlanSettings(splat_budget=20))
    assert len(plan.splats.position) == 20
    assert any("30 splats" in note for note in plan.notes)
    assert not plan.splats.repeated.any()


@pytest.mark.parametrize(("budget", "repeated"), [(20, 0), (40, 10), (100, 20)])
def test_the_splat_budget_is_spent_on_repeated_ones_last(room, budget, repeated):
    means = np.random.default_rng(0).normal(size=(50, 3))
    gaussians = replace(room.gaussians(means), repeated=np.arange(50) % 5 < 2)
    plan = plan_scene(
        room.prediction(room.view(), gaussians=gaussians, source="given"),
        "room",
        settings=replace(AS_IS, splat_budget=budget),
    )
    assert len(plan.splats.position) == min(budget, 50) and np.count_nonzero(plan.splats.repeated) == repeated
    places = [np.flatnonzero(np.isclose(means, place, atol=1e-5).all(axis=1))[0] for place in plan.splats.position]
    np.testing.assert_array_equal(plan.splats.repeated, gaussians.repeated[places])


def test_missing_photo_is_told(room, tmp_path):
    present = tmp_path / "a.png"
    present.write_bytes(b"x")
    plan = plan_scene(room.prediction(room.view(), room.view()), "room", [present, tmp_path / "gone.png"])
    assert [camera.photo_path for camera in plan.cameras] == [present, None]
    assert any("gone.png" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda v: replace(v, depth=v.depth[0]), "depth map has shape"),
        (lambda v: replace(v, depth=np.full_like(v.depth, np.nan)), "3072 of 3072 depths are not finite"),
        (lambda v: replace(v, depth=np.zeros_like(v.depth)), "no depth is greater than zero"),
        (lambda v: replace(v, confidence=v.confidence[:-1]), "confidence map has shape"),
        (lambda v: replace(v, confidence=v.confidence * np.inf), "confidence map holds"),
        (lambda v: replace(v, sky=v.sky[:, 1:]), "sky mask has shape"),
        (lambda v: replace(v, sky=v.sky.astype(int)), "sky mask is int64"),
        (lambda v: replace(v, repeated=v.sky[1:]), "mask of repeated points has shape"),
        (lambda v: replace(v, repeated=v.depth), "mask of repeated points is float32"),
        (lambda v: replace(v, color=v.color[..., 0]), "colour image has shape"),
        (lambda v: replace(v, color=v.color / 255), "colour image is float64"),
        (lambda v: replace(v, photo_size=(0, 10)), "photo's size"),
        (lambda v: replace(v, extrinsics=v.extrinsics[:3]), "extrinsics have shape"),
        (lambda v: replace(v, extrinsics=v.extrinsics * np.nan), "extrinsics hold"),
        (lambda v: replace(v, extrinsics=2 * v.extrinsics), "do not hold a rotation"),
        (lambda v: replace(v, extrinsics=np.diag([1.0, 1, -1, 1])), "do not hold a rotation"),
        (lambda v: replace(v, intrinsics=np.full((3, 3), np.inf)), "intrinsics hold"),
        (lambda v: replace(v, intrinsics=np.diag([-500.0, 500, 1])), "focal lengths -500 and 500"),
        (lambda v: replace(v, intrinsics=v.intrinsics + np.eye(3, k=1) * 9), "skew"),
        (lambda v: replace(v, sky=np.ones_like(v.sky)), "No point is left"),
        (lambda v: replace(v, opaque=np.zeros_like(v.sky)), "No point is left: the photos are transparent"),
    ],
)
def test_bad_view_gets_a_sentence(room, spoil, words):
    view = spoil(room.view(name="IMG_7.JPG"))
    with pytest.raises(PlanError, match=words) as caught:
        plan_scene(room.prediction(view), "room")
    assert isinstance(caught.value, JobError) and isinstance(caught.value, ValueError)
    assert caught.value.failure.code == "bad-prediction"
    assert "IMG_7.JPG" in str(caught.value) or words.startswith("No point is left")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("means", np.zeros((3, 2), "f"), "means have shape"),
        ("means", np.full((3, 3), np.nan), "means hold"),
        ("scales", -np.ones((3, 3)), "negative scale"),
        ("rotations", np.zeros((3, 4)), "length zero"),
        ("opacities", np.full(3, 1.5), "opacity outside"),
        ("opacities", np.ones(4), "opacities have shape"),
        ("harmonics", np.zeros((3, 3, 5)), "harmonics have shape"),
        ("harmonics", np.zeros((3, 3)), "harmonics have shape"),
        ("view_index", np.array([0, 0, 1]), "name a view"),
        ("repeated", np.zeros(4, bool), "marks of repeated ones have shape"),
        ("repeated", np.zeros(3), "marks of repeated ones are float64"),
    ],
)
def test_bad_splats_get_a_sentence(room, field, value, words):
    gaussians = replace(room.gaussians(np.zeros((3, 3))), **{field: value})
    with pytest.raises(PlanError, match=words):
        plan_scene(room.prediction(room.view(), gaussians=gaussians), "room")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (PlanSettings(edge_angle=-1), "edge angle is -1"),
        (PlanSettings(confidence_threshold=2), "confidence threshold is 2"),
        (PlanSettings(point_stride=0), "point stride is 0"),
        (PlanSettings(splat_budget=0), "splat limit is 0"),
    ],
)
def test_bad_settings_get_a_sentence(room, settings, words):
    with pytest.raises(PlanError, match=words):
        plan_scene(room.prediction(), "room", settings=settings)


def test_other_refusals(room):
    with pytest.raises(PlanError, match="no views"):
        plan_scene(replace(room.prediction(), views=()), "room")
    with pytest.raises(PlanError, match="no name"):
        plan_scene(room.prediction(), "  ")
    with pytest.raises(PlanError, match="2 photos but 1 views"):
        plan_scene(room.prediction(), "room", ["a.png", "b.png"])


def test_transparent_parts_make_no_points_and_no_sheet(room: SimpleNamespace) -> None:
    view = room.view()
    opaque = np.zeros(view.depth.shape, bool)
    opaque[10:30, 20:40] = True
    plan = plan_scene(
        room.prediction(replace(view, opaque=opaque)), "room", settings=PlanSettings(edge_angle=0, sheets=True)
    )
    assert plan.points is not None and len(plan.points.position) == 20 * 20
    (sheet,) = plan.surfaces
    assert 0.8 * 20 * 20 < len(sheet.vertices) <= 20 * 20, "it tears between wall and floor"
    with pytest.raises(PlanError, match="transparency"):
        plan_scene(room.prediction(replace(view, opaque=opaque[1:])), "room")
    with pytest.raises(PlanError, match="No point is left"):
        plan_scene(room.prediction(replace(view, opaque=np.zeros_like(opaque))), "room")
