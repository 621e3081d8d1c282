"""Surfaces planned from an analytic scene, where it is known what every point of a photo shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.mesh_plan import NO_PHOTO, SurfacePlan
from da3_blender.plan.prediction_checks import PlanError
from da3_blender.plan.scene_plan import PlanSettings, ScenePlan, plan_scene
from model_runtime.contract.messages import Mesh, View

BALL, RADIUS = np.array((0.3, 2.4, 0.8)), 0.5
PHOTO = (320, 240)


def hits(view: View, pixel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the rays of `pixel` [...,2] of the photo meet floor, wall or ball, [...,3], and which [...] is the ball."""
    rotation = view.extrinsics[:3, :3]
    eye = -rotation.T @ view.extrinsics[:3, 3]
    direction = np.concatenate((pixel, np.ones((*pixel.shape[:-1], 1))), -1) @ np.linalg.inv(view.intrinsics).T
    direction = direction @ rotation
    with np.errstate(divide="ignore"):
        floor = np.where(direction[..., 2] < 0, -eye[2] / direction[..., 2], np.inf)
        wall = np.where(direction[..., 1] > 0, (4 - eye[1]) / direction[..., 1], np.inf)
    away = eye - BALL
    a, b, c = (direction**2).sum(-1), direction @ away, away @ away - RADIUS**2
    on_ball = b**2 > a * c
    ball = np.where(on_ball, (-b - np.sqrt(np.maximum(b**2 - a * c, 0))) / a, np.inf)
    distance = np.minimum(np.minimum(floor, wall), ball)
    return eye + distance[..., None] * direction, on_ball


def look(room, eye=(0.0, 0.0, 1.6), name="a.png", detail=5, **options) -> View:
    """A view of floor, wall and ball, with two focal lengths and off its middle."""
    view = room.view(
        eye=eye, photo_size=PHOTO, focal=(260, 240), principal=(170, 110), name=name, detail=detail, **options
    )
    u, v = (np.arange(n) * detail + detail / 2 for n in (PHOTO[0] // detail, PHOTO[1] // detail))
    points, _ = hits(view, np.stack(np.meshgrid(u, v), -1))
    depth = points @ view.extrinsics[2, :3] + view.extrinsics[2, 3]
    return replace(view, depth=depth.astype(np.float32), confidence=np.ones_like(view.confidence))


def in_room(plan: ScenePlan, vertices: np.ndarray) -> np.ndarray:
    """From Blender's world back to the room's."""
    return (vertices - plan.motion[:3, 3]) @ plan.motion[:3, :3]


def pixels(uv: np.ndarray) -> np.ndarray:
    return np.stack((uv[..., 0], 1 - uv[..., 1]), -1) * PHOTO


def facing(plan: ScenePlan, surface: SurfacePlan, view: int) -> np.ndarray:
    """[T]: cosine between each triangle's normal and its line of sight from the planned camera."""
    corners = surface.vertices[surface.triangles].astype(float)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sight = plan.cameras[view].camera.matrix_world[:3, 3] - corners.mean(1)
    lengths = np.linalg.norm(normal, axis=1) * np.linalg.norm(sight, axis=1)
    return (normal * sight).sum(1) / lengths


@pytest.fixture(scope="module")
def views(room) -> tuple[View, View]:
    return look(room), look(room, eye=(1.2, 0.3, 1.3), name="b.png")


def sheets(room, *views: View, **settings) -> ScenePlan:
    options = PlanSettings(sheets=True, confidence_threshold=0)
    return plan_scene(room.prediction(*views), "room", settings=replace(options, **settings))


@pytest.mark.parametrize("budget", [2_000_000, 3000])
def test_sheets_lie_where_their_photos_show_them(room, views, budget):
    plan = sheets(room, *views, sheet_budget=budget)
    assert [(surface.role, surface.view, surface.photos) for surface in plan.surfaces] == [
        ("sheet", 0, (0,)),
        ("sheet", 1, (1,)),
    ]
    assert sum(len(surface.triangles) for surface in plan.surfaces) <= budget
    for surface in plan.surfaces:
        corners = in_room(plan, surface.vertices)[surface.triangles]
        shown, _ = hits(views[surface.view], pixels(surface.uv))
        assert np.linalg.norm(corners - shown, axis=-1).max() < 2e-3
        assert facing(plan, surface, surface.view).min() > 0
        assert (surface.material == 0).all() and len(surface.colors) == len(surface.vertices)


@pytest.mark.parametrize("budget", [2_000_000, 3000])
def test_sheets_are_cut_where_the_ball_ends(room, views, budget):
    plan = sheets(room, *views, sheet_budget=budget)
    for surface in plan.surfaces:
        _, ball = hits(views[surface.view], pixels(surface.uv))
        assert (ball.all(1) | ~ball.any(1)).all()
        assert ball.any()
    uncut = sheets(room, *views, sheet_budget=budget, edge_angle=0).surfaces[0]
    _, ball = hits(views[0], pixels(uncut.uv))
    assert (ball.any(1) & ~ball.all(1)).any()


def test_a_whole_wall_is_one_whole_sheet(room):
    view = room.view(target=(0.0, 4.0, 1.6), focal=(900.0, 900.0))
    height, width = view.depth.shape
    (sheet,) = sheets(room, view).surfaces
    assert len(sheet.triangles) == 2 * (height - 1) * (width - 1)
    assert len(sheet.vertices) == height * width
    (coarse,) = sheets(room, view, sheet_budget=200).surfaces
    np.testing.assert_allclose(coarse.uv.reshape(-1, 2).min(0), (0.5 / width, 0.5 / height), atol=1e-6)
    np.testing.assert_allclose(coarse.uv.reshape(-1, 2).max(0), (1 - 0.5 / width, 1 - 0.5 / height), atol=1e-6)


def test_sheets_leave_out_sky_and_what_is_hidden_of_the_points(room, views):
    first, second = views
    sky = np.zeros(first.sky.shape, bool)
    sky[:8] = True
    generator = np.random.default_rng(0)
    smooth = np.sort(generator.uniform(1, 2, first.depth.size)).reshape(first.depth.shape).astype(np.float32)
    first = replace(first, sky=sky, depth=np.where(sky, np.inf, first.depth), confidence=smooth)
    plan = sheets(room, first, replace(second, confidence=smooth[::-1]), confidence_threshold=0.3)
    assert plan.points is not None
    for surface in plan.surfaces:
        shown = (plan.points.view == surface.view) & (plan.points.confidence_rank > np.float32(0.3))
        points = {tuple(point) for point in plan.points.position[shown]}
        vertices = {tuple(point) for point in surface.vertices}
        assert vertices <= points and len(vertices) > 0.95 * len(points)


def test_a_photo_that_shows_nothing_has_no_sheet(room, views):
    empty = replace(views[1], sky=np.ones_like(views[1].sky))
    assert [surface.view for surface in sheets(room, views[0], empty).surfaces] == [0]
    assert sheets(room, *views, confidence_threshold=0.99).surfaces != ()  # all are equally sure
    assert sheets(room, *views, confidence_threshold=1).surfaces == ()
    assert not sheets(room, *views, sheets=False).surfaces


def wall_and_floor(count: int = 12) -> Mesh:
    """A grid on the wall above one on the floor, facing the cameras, and photos by chance."""
    across, up = np.meshgrid(np.linspace(-0.6, 0.9, count), np.linspace(0, 1.2, count))
    wall = np.stack((across, np.full_like(up, 4.0), up), -1).reshape(-1, 3)
    floor = np.stack((across, 4.0 - up, np.zeros_like(up)), -1).reshape(-1, 3)
    place = np.arange(count * count).reshape(count, count)
    a, b, c, d = (place[i : count - 1 + i, j : count - 1 + j].ravel() for i in (0, 1) for j in (0, 1))
    up_wall = np.concatenate((np.stack((a, b, d), -1), np.stack((a, d, c), -1)))
    triangles = np.concatenate((up_wall, up_wall[:, ::-1] + count * count))
    generator = np.random.default_rng(1)
    return Mesh(
        vertices=np.concatenate((wall, floor)).astype(np.float32),
        triangles=triangles.astype(np.int32),
        face_view=generator.integers(-1, 2, len(triangles)).astype(np.int32),
        colors=generator.integers(0, 256, (2 * count * count, 3)).astype(np.uint8),
    )


def test_the_fused_mesh_shows_each_photo_where_it_was_taken(room, views):
    mesh = wall_and_floor()
    tilt = np.eye(4)
    tilt[:3, :3], tilt[:3, 3] = room.rotation_about((1, 2, 0), 50), (3, -2, 1)
    tilted = [replace(view, extrinsics=view.extrinsics @ np.linalg.inv(tilt)) for view in views]
    moved = replace(mesh, vertices=(mesh.vertices @ tilt[:3, :3].T + tilt[:3, 3]).astype(np.float32))
    plan = plan_scene(replace(room.prediction(*tilted), mesh=moved), "room")
    (surface,) = plan.surfaces
    assert surface.role == "mesh" and surface.photos == (NO_PHOTO, 0, 1)
    np.testing.assert_array_equal(np.array(surface.photos)[surface.material], mesh.face_view)
    np.testing.assert_array_equal(surface.colors, mesh.colors)
    corners = mesh.vertices[surface.triangles]
    for index, view in enumerate(views):
        mine = mesh.face_view == index
        # The ball is not part of this mesh, but stands before a part of it.
        shown, ball = hits(view, pixels(surface.uv[mine]))
        assert np.linalg.norm(corners[mine] - shown, axis=-1)[~ball].max() < 2e-3
        assert (~ball).mean() > 0.3
        assert facing(plan, surface, index)[mine].min() > 0
    assert (surface.uv[mesh.face_view == NO_PHOTO] == 0).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"triangles": np.int32([[0, 1, 9999]])}, "name a vertex that is not one of the 288"),
        ({"triangles": np.int32([[0, 1, 0]])}, "name a vertex twice"),
        ({"triangles": np.zeros((0, 3), np.int32), "face_view": np.zeros(0, np.int32)}, "no triangle"),
        ({"face_view": np.int32([2])}, "name a view that is not one of the 2"),
        ({"face_view": np.int32([0, 0])}, "choice of photos"),
        ({"colors": np.zeros((288, 3), np.float32)}, "colours"),
        ({"vertices": np.full((288, 3), np.nan, np.float32)}, "not finite"),
    ],
)
def test_a_mesh_that_cannot_be_is_refused(room, views, change, told):
    one = replace(wall_and_floor(), triangles=np.int32([[0, 1, 2]]), face_view=np.int32([0]))
    with pytest.raises(PlanError, match=told):
        plan_scene(replace(room.prediction(*views), mesh=replace(one, **change)), "room")
