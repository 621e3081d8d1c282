"""Fused surfaces of depth maps that are known analytically."""

import numpy as np

from model_runtime.benchmark.fusion import DepthView, fuse, view_points
from model_runtime.depth.tsdf import LEAST_FIELD

INTRINSICS = np.array([[60.0, 0, 40], [0, 60, 30], [0, 0, 1]])
SIZE = 60, 80


def rays() -> np.ndarray:
    x, y = np.meshgrid(np.arange(SIZE[1]) + 0.5, np.arange(SIZE[0]) + 0.5)
    return np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(INTRINSICS).T


def at(x: float, y: float, z: float) -> np.ndarray:
    extrinsics = np.eye(4)
    extrinsics[:3, 3] = -np.array((x, y, z))
    return extrinsics


def test_a_plane_is_meshed_where_it_is():
    views = [DepthView(np.full(SIZE, 2.0), INTRINSICS, at(dx, 0, 0)) for dx in (-0.1, 0.0, 0.1)]
    vertices, faces = fuse(views, 0.05, 0.15)
    assert len(faces) > 1000
    assert np.abs(vertices[:, 2] - 2).max() < 1.1 * LEAST_FIELD * 0.15
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    # Seen are 2.87 x 2 units; cells that are not seen whole are left out, up to 1.5 of them at each side.
    assert (2.87 - 3 * 0.05) * (2 - 3 * 0.05) < area < 2.87 * 2


def test_two_views_that_disagree_meet_in_the_middle():
    views = [DepthView(np.full(SIZE, depth), INTRINSICS, np.eye(4)) for depth in (1.98, 2.02)]
    vertices, _ = fuse(views, 0.05, 0.15)
    middle = np.abs(vertices[:, :2]).max(1) < 0.9
    assert np.abs(vertices[middle, 2] - 2).max() < 1.1 * LEAST_FIELD * 0.15


def test_a_sphere_keeps_its_radius():
    """Radius 0.6, 2 units away: rays meet it where |d t - c| = r."""
    direction, centre = rays(), np.array((0, 0, 2.0))
    a, b = (direction**2).sum(-1), direction @ centre
    root = b**2 - a * (centre @ centre - 0.36)
    depth = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, 0)
    vertices, _ = fuse([DepthView(depth, INTRINSICS, np.eye(4))], 0.03, 0.09)
    facing = vertices[:, 2] < 1.75  # away from the silhouette, where a pixel is longer than a cell
    distance = np.linalg.norm(vertices[facing] - centre, axis=1)
    assert facing.sum() > 300
    assert np.abs(distance - 0.6).mean() < 0.008


def test_nothing_is_meshed_behind_unknown_depth_or_too_far():
    depth = np.full(SIZE, 2.0)
    depth[:, :40] = 0
    depth[:, 60:] = np.nan
    vertices, _ = fuse([DepthView(depth, INTRINSICS, np.eye(4))], 0.05, 0.15)
    columns = vertices[:, 0] / vertices[:, 2] * 60 + 40
    assert columns.min() > 38
    assert columns.max() < 62
    assert len(fuse([DepthView(depth, INTRINSICS, np.eye(4))], 0.05, 0.15, farthest=1.5)[0]) == 0


def test_points_are_those_of_the_pixels_centres():
    extrinsics = at(0.5, -1, 2)
    points = view_points(DepthView(np.full(SIZE, 3.0), INTRINSICS, extrinsics))
    seen = (points @ extrinsics[:3, :3].T + extrinsics[:3, 3]) @ INTRINSICS.T
    pixels = (seen[:, :2] / seen[:, 2:]).reshape(*SIZE, 2)
    assert np.allclose(pixels[0, 0], (0.5, 0.5))
    assert np.allclose(pixels[-1, -1], (79.5, 59.5))
