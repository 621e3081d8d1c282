"""Surfaces fused from depth that is known analytically: a room like a box, and a ball in it that hides a wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

from model_runtime.contract.messages import JobError, Mesh, MeshSettings, View
from model_runtime.contract.progress import SILENT, Span
from model_runtime.depth.face_photos import choose_photos
from model_runtime.depth.mesh import check_mesh_settings, fuse_views, surface_pixels
from model_runtime.geometry.triangles import area_vectors, neighbours, vertex_normals

HALF = np.array((2.0, 1.5, 1.2))
"""Of the room, whose middle is the origin; y goes down."""
BALL, RADIUS = np.array((0.3, 0.7, 0.0)), 0.5
PHOTO = (320, 240)
SETTINGS = MeshSettings(detail=96)


def camera(eye: tuple[float, float, float], target: tuple[float, float, float]) -> np.ndarray:
    forward = np.subtract(target, eye) / np.linalg.norm(np.subtract(target, eye))
    right = np.cross((0, 1, 0), forward)
    right /= np.linalg.norm(right)
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = np.stack((right, np.cross(forward, right), forward))
    extrinsics[:3, 3] = -extrinsics[:3, :3] @ eye
    return extrinsics


def look(eye: tuple[float, float, float], target: tuple[float, float, float], color: int = 128) -> View:
    """A view of the room, of one grey, with a lens that is off centre and not quite square."""
    extrinsics = camera(eye, target)
    intrinsics = np.array([[200.0, 0, 170], [0, 190, 115], [0, 0, 1]])
    x, y = np.meshgrid((np.arange(80) + 0.5) * 4, (np.arange(60) + 0.5) * 4)
    ray = np.stack((x, y, np.ones_like(x)), -1) @ np.linalg.inv(intrinsics).T @ extrinsics[:3, :3]
    with np.errstate(divide="ignore"):
        depth = ((np.sign(ray) * HALF - eye) / ray).min(-1)
    offset = np.asarray(eye) - BALL
    a, b, c = (ray**2).sum(-1), ray @ offset, offset @ offset - RADIUS**2
    root = b**2 - a * c
    hit = (-b - np.sqrt(np.maximum(root, 0))) / a
    depth = np.where((root > 0) & (hit > 0), np.minimum(depth, hit), depth).astype(np.float32)
    plain = np.ones(depth.shape, np.float32)
    grey = np.full((*depth.shape, 3), color, np.uint8)
    return View(str(eye), PHOTO, depth, plain, np.zeros(depth.shape, bool), grey, extrinsics, intrinsics)


def off_surface(points: np.ndarray) -> np.ndarray:
    """Distance [P] to the room's walls or the ball, whichever is nearer."""
    walls = np.abs(np.abs(points) - HALF).min(1)
    return np.minimum(walls, np.abs(np.linalg.norm(points - BALL, axis=1) - RADIUS))


@pytest.fixture(scope="module")
def views() -> tuple[View, ...]:
    eyes = ((-1.5, -0.6, -0.8), (-1.2, -0.4, 0.7), (1.6, -0.5, -0.7), (1.5, -0.7, 0.9))
    return tuple(look(eye, (0.1, 0.4, 0.0), 40 * (i + 1)) for i, eye in enumerate(eyes))


@pytest.fixture(scope="module")
def mesh(views: tuple[View, ...]) -> Mesh:
    found = fuse_views(views, SETTINGS, None, SILENT)
    assert found is not None
    return found


def voxel(mesh: Mesh) -> float:
    return float(np.ptp(mesh.vertices, axis=0).max()) / SETTINGS.detail


def test_the_surface_is_where_the_walls_and_the_ball_are(mesh: Mesh) -> None:
    distance = off_surface(mesh.vertices.astype(np.float64))
    assert len(mesh.triangles) > 20_000
    assert np.quantile(distance, 0.95) < 0.5 * voxel(mesh)
    assert distance.max() < 2 * voxel(mesh)


def test_torch_makes_the_same_mesh(views: tuple[View, ...]) -> None:
    settings = MeshSettings(detail=45)  # so that no wall lies exactly on lattice points, where signs are chance
    one, same = (fuse_views(views, settings, device, SILENT) for device in (None, torch.device("cpu")))
    assert one is not None and same is not None
    assert abs(len(one.vertices) - len(same.vertices)) < 1e-3 * len(one.vertices)
    apart, _ = KDTree(one.vertices).query(same.vertices)
    assert np.quantile(apart, 0.999) < 0.01 * voxel(one)


def test_triangles_face_the_cameras_that_saw_them(mesh: Mesh, views: tuple[View, ...]) -> None:
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    middle, normal = corners.mean(1), area_vectors(mesh.vertices.astype(np.float64), mesh.triangles)
    centres = np.array([-v.extrinsics[:3, :3].T @ v.extrinsics[:3, 3] for v in views])
    assert (((centres[:, None] - middle) * normal).sum(-1).max(0) > 0).mean() > 0.9995
    inside = -middle / np.linalg.norm(middle, axis=1, keepdims=True)
    wall = np.abs(np.linalg.norm(middle - BALL, axis=1) - RADIUS) > 0.1
    assert ((inside * normal).sum(1)[wall] > 0).mean() > 0.999


def test_it_is_one_mesh_without_islands_or_seams(mesh: Mesh) -> None:
    edges = np.sort(mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    # The boundary of what was seen is a few per cent of the edges; unwelded cubes would make it a quarter.
    assert (count == 1).mean() < 0.06
    assert (count > 2).mean() < 1e-3
    assert len(np.unique(mesh.vertices, axis=0)) > 0.999 * len(mesh.vertices)
    assert len(np.unique(mesh.triangles)) == len(mesh.vertices)


def test_every_triangle_is_seen_by_its_photo(mesh: Mesh, views: tuple[View, ...]) -> None:
    """By ray casting against the true scene: the ball stands between no triangle and its photo's camera."""
    assert (mesh.face_view >= 0).mean() > 0.96
    middle = mesh.vertices[mesh.triangles].astype(np.float64).mean(1)
    for index, view in enumerate(views):
        mine = middle[mesh.face_view == index]
        eye = -view.extrinsics[:3, :3].T @ view.extrinsics[:3, 3]
        way = mine - eye
        along = np.clip(((BALL - eye) * way).sum(1) / (way**2).sum(1), 0, 1)
        clearance = np.linalg.norm(eye + along[:, None] * way - BALL, axis=1)
        behind = (along < 0.95) & (clearance < RADIUS - 2 * voxel(mesh))
        assert behind.mean() < 1e-3
        pixel = (mine @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]) @ view.intrinsics.T
        assert ((pixel[:, :2] / pixel[:, 2:] >= 0) & (pixel[:, :2] / pixel[:, 2:] <= PHOTO)).all()


def test_the_hidden_part_of_a_wall_takes_the_photo_that_sees_it() -> None:
    """A wall, and a plate before its middle; the one camera looks at it straight on, the other from the side."""
    steps = np.linspace(-1, 1, 41)
    x, y = np.meshgrid(steps, steps)
    wall = np.stack((x, y, np.full_like(x, 3.0)), -1).reshape(-1, 3)
    plate = np.stack((0.2 * x, 0.2 * y, np.full_like(x, 2.0)), -1).reshape(-1, 3)
    corner = (np.arange(40)[:, None] * 41 + np.arange(40)).ravel()
    quads = np.stack((corner, corner + 41, corner + 42, corner, corner + 42, corner + 1), -1).reshape(-1, 3)
    vertices, triangles = np.concatenate((wall, plate)), np.concatenate((quads, quads + 41 * 41))
    ahead = np.eye(4)
    aside = camera((2.0, 0.0, 0.5), (0.0, 0.0, 3.0))
    flat = np.ones((60, 80), np.float32)
    intrinsics = np.array([[200.0, 0, 160], [0, 200, 120], [0, 0, 1]])
    views = [
        View(n, PHOTO, 3 * flat, flat, flat < 0, np.full((60, 80, 3), c, np.uint8), e, intrinsics)
        for n, e, c in (("ahead", ahead, 10), ("aside", aside, 200))
    ]
    face_view, colors = choose_photos(views, vertices, triangles, 0.05)
    middle = vertices[triangles[: len(quads)]].mean(1)
    shadow = np.abs(middle[:, :2]).max(1)
    assert (face_view[: len(quads)][shadow < 0.26] == 1).all()
    assert (face_view[: len(quads)][(shadow > 0.34) & (shadow < 0.8)] == 0).mean() > 0.99
    assert (face_view[len(quads) :] == 0).mean() > 0.8
    hidden = np.abs(wall[:, :2]).max(1) < 0.28
    assert (colors[: len(wall)][hidden] == 200).all()


def test_flying_pixels_and_what_others_look_through_vanish(views: tuple[View, ...]) -> None:
    """A slab of false depth in the air, as sure as the rest, that three other views look through."""
    false = views[0].depth.copy()
    false[10:24, 50:66] = 1.0
    found = fuse_views((replace(views[0], depth=false), *views[1:]), SETTINGS, None, SILENT)
    assert found is not None
    assert (off_surface(found.vertices.astype(np.float64)) < 0.15).mean() > 0.999


def test_neighbours_share_photos(mesh: Mesh) -> None:
    pairs = neighbours(mesh.triangles)
    assert (mesh.face_view[pairs[:, 0]] == mesh.face_view[pairs[:, 1]]).mean() > 0.96


def test_colors_are_those_of_the_photos(mesh: Mesh, views: tuple[View, ...]) -> None:
    assert mesh.colors.min() >= 40 and mesh.colors.max() <= 160
    assert (mesh.colors[:, 0] == mesh.colors[:, 2]).all()


def test_sky_and_unsure_pixels_are_no_surface(views: tuple[View, ...]) -> None:
    sky = np.zeros(views[0].depth.shape, bool)
    sky[:10] = True
    confidence = np.ones_like(views[0].depth)
    confidence[:, 40:] = 5
    view = replace(views[0], sky=sky, confidence=confidence)
    surface = surface_pixels([view], MeshSettings(confidence_threshold=0.6, edge_angle=0))[0]
    assert surface[10:, 40:].all() and surface.sum() == 50 * 40


def test_nothing_but_sky_makes_no_mesh(views: tuple[View, ...]) -> None:
    sky = replace(views[0], sky=np.ones(views[0].depth.shape, bool))
    assert fuse_views([sky], SETTINGS, None, SILENT) is None


def test_more_detail_makes_finer_triangles(views: tuple[View, ...], mesh: Mesh) -> None:
    coarse = fuse_views(views, MeshSettings(detail=48), None, SILENT)
    assert coarse is not None
    assert 0.2 < len(coarse.triangles) / len(mesh.triangles) < 0.3


def test_it_can_be_stopped_at_every_stage(views: tuple[View, ...]) -> None:
    told: list[tuple[float, str]] = []
    fuse_views(views, MeshSettings(detail=32), None, Span(lambda _, *what: told.append(what)))
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert len({sentence for _, sentence in told}) >= 3

    class Stop(Exception):
        pass

    def stop(stage: str, done: float, sentence: str) -> None:
        if done > 0.5:
            raise Stop

    with pytest.raises(Stop):
        fuse_views(views, MeshSettings(detail=32), None, Span(stop))


@pytest.mark.parametrize("bad", [{"detail": 4}, {"detail": 5000}, {"edge_angle": 95.0}, {"confidence_threshold": -0.1}])
def test_settings_that_cannot_be_used_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(JobError) as caught:
        check_mesh_settings(replace(MeshSettings(), **bad))
    assert caught.value.failure.code == "bad-request"


def test_normals_of_a_bent_sheet() -> None:
    vertices = np.array([(0.0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    normals = vertex_normals(vertices, np.array([(0, 1, 2), (0, 3, 1)]))
    assert normals[0] == pytest.approx(np.array((0, 1, 1)) / np.sqrt(2))
    assert normals[2] == pytest.approx((0, 0, 1))


def test_a_few_pixels_make_no_mesh(views: tuple[View, ...]) -> None:
    seen = np.ones(views[0].sky.shape, bool)
    seen[30, 40:43] = False
    assert fuse_views([replace(views[0], sky=seen)], SETTINGS, None, SILENT) is None
