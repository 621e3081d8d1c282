"""Depth maps to one surface: a truncated signed distance field (Curless and Levoy 1996), meshed by marching cubes.

The field never exists as a whole. The world is cut into small cubes; each one near a depth map's points is filled from
all views and meshed at once, so that memory does not grow with the scene and no library of sparse volumes is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from skimage.measure import marching_cubes

CUBE = 16
"""Cells along an edge of a cube."""


@dataclass(frozen=True, eq=False)
class DepthView:
    """depth: [h,w], along z, 0 or not finite where unknown. intrinsics: [3,3], pixels of `depth`, centres at +0.5.
    extrinsics: [4,4] world-to-camera.
    """

    depth: np.ndarray
    intrinsics: np.ndarray
    extrinsics: np.ndarray


def known(depth: np.ndarray, farthest: float) -> np.ndarray:
    return np.isfinite(depth) & (depth > 0) & (depth <= farthest)


def view_points(view: DepthView, farthest: float = np.inf) -> np.ndarray:
    """World points [P,3] of the known pixels that are no farther than `farthest`."""
    rows, columns = np.nonzero(known(view.depth, farthest))
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], -1)
    seen = pixels @ np.linalg.inv(view.intrinsics).T * view.depth[rows, columns, None]
    return (seen - view.extrinsics[:3, 3]) @ view.extrinsics[:3, :3]


def fuse(
    views: Sequence[DepthView], voxel: float, truncation: float, farthest: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """The fused surface as triangles: vertices [V,3] float64 in the world, faces [F,3]. Neighbouring cubes do not
    share vertices. Empty where no depth is known.

    voxel: edge of a cell; truncation: how far from a depth map's surface its distances count; both in world units.
    """
    vertices, faces, count = [np.zeros((0, 3))], [np.zeros((0, 3), np.int64)], 0
    corners = _cubes_near_surface(views, voxel, truncation, farthest)
    visible = np.stack([_may_see(view, (corners + 0.5) * CUBE * voxel, CUBE * voxel) for view in views], -1)
    for corner, seen_by in zip(corners, visible, strict=True):
        seeing = [view for view, sees in zip(views, seen_by, strict=True) if sees]
        surface = _mesh_cube(seeing, corner, voxel, truncation, farthest)
        if surface is not None:
            vertices.append(surface[0])
            faces.append(surface[1] + count)
            count += len(surface[0])
    return np.concatenate(vertices), np.concatenate(faces)


def _cubes_near_surface(views: Sequence[DepthView], voxel: float, truncation: float, farthest: float) -> np.ndarray:
    """Whole coordinates [C,3] of the cubes that come within `truncation` of a known point."""
    edge, near = CUBE * voxel, set()
    for view in views:
        points = view_points(view, farthest)
        cells = np.unique(np.floor(points / (edge / 4)).astype(np.int64), axis=0)
        lowest = np.floor((cells * edge / 4 - truncation) / edge).astype(np.int64)
        highest = np.floor(((cells + 1) * edge / 4 + truncation) / edge).astype(np.int64)
        for axis_choice in np.ndindex(2, 2, 2):
            near |= set(map(tuple, np.where(axis_choice, highest, lowest).tolist()))
    return np.array(sorted(near), np.int64).reshape(-1, 3)


def _may_see(view: DepthView, centres: np.ndarray, edge: float) -> np.ndarray:
    """Whether any point of cubes with these centres [C,3] can lie in the picture: [C]."""
    height, width = view.depth.shape
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], float)
    rays = corners @ np.linalg.inv(view.intrinsics).T
    inward = np.cross(rays, np.roll(rays, -1, axis=0))
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    seen = centres @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    return (seen @ inward.T > -edge * np.sqrt(3) / 2).all(1)


def _mesh_cube(
    views: Sequence[DepthView], corner: np.ndarray, voxel: float, truncation: float, farthest: float
) -> tuple[np.ndarray, np.ndarray] | None:
    steps = np.arange(CUBE + 1)
    lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1)
    points = (corner * CUBE + lattice).reshape(-1, 3) * voxel
    total, weight = np.zeros(len(points)), np.zeros(len(points))
    for view in views:
        distance, seen = _signed_distances(view, points, farthest)
        counts = seen & (distance > -truncation)
        total[counts] += np.minimum(distance[counts] / truncation, 1)
        weight[counts] += 1
    field = np.divide(total, weight, out=np.ones_like(total), where=weight > 0).reshape(lattice.shape[:3])
    crossed = _crossed_cells(field, weight.reshape(field.shape) > 0)
    if not crossed.any():
        return None
    vertices, faces, *_ = marching_cubes(field, 0.0, mask=crossed)
    return (corner * CUBE + vertices) * voxel, faces.astype(np.int64)


def _crossed_cells(field: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Of lattice points [n,n,n]: whether the cell below each one has eight observed corners on both sides of 0."""
    whole, before, behind = np.zeros_like(observed), np.zeros_like(observed), np.zeros_like(observed)
    whole[1:, 1:, 1:] = True
    for shift in np.ndindex(2, 2, 2):
        corner = tuple(slice(s, s + len(field) - 1) for s in shift)
        whole[1:, 1:, 1:] &= observed[corner]
        before[1:, 1:, 1:] |= field[corner] > 0
        behind[1:, 1:, 1:] |= field[corner] <= 0
    return whole & before & behind


def _signed_distances(view: DepthView, points: np.ndarray, farthest: float) -> tuple[np.ndarray, np.ndarray]:
    """How far along z [P] each point [P,3] lies before the depth map's surface, and whether that is known [P]."""
    seen = points @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    z = seen[:, 2]
    height, width = view.depth.shape
    u, v = view.intrinsics[:2] @ seen.T
    inside = (z > 0) & (u >= 0) & (v >= 0) & (u < width * z) & (v < height * z)
    depth = np.zeros(len(points))
    depth[inside] = view.depth[(v[inside] / z[inside]).astype(np.int64), (u[inside] / z[inside]).astype(np.int64)]
    return depth - z, known(depth, farthest)
