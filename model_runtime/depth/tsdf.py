"""Depth maps to one surface: a truncated signed distance field (Curless and Levoy 1996), meshed by marching cubes.

The field never exists as a whole. The world is cut into small cubes; those near a depth map's points are filled from
all views and meshed a few at a time, so that memory does not grow with the scene. What one view measures as a surface
and others look through is voted down: in front of a view's surface its field is 1, far and near alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from skimage.measure import marching_cubes
from torch import Tensor
from torch.nn import functional

CUBE = 16
"""Cells along an edge of a cube."""

CUBES_AT_ONCE = 64
LEAST_FIELD = 1e-3
"""No lattice point is nearer to the surface than this share of the truncation: then every vertex lies within an edge
of the lattice, by which the same vertex of two cubes is known, and no triangle shrinks to a line."""


@dataclass(frozen=True, eq=False)
class DepthMap:
    """What a view tells the field. All maps have shape [h,w], dtype of `depth`, and one device.

    depth: along z, > 0; inf where the view looks into the open. weight: how much a pixel's surface counts, 0 where it
    has none. carving: how much the free space before it counts. smooth: bool, where depth may be interpolated between
    pixels. intrinsics: [3,3], pixels of the map, centres at +0.5. extrinsics: [4,4] world-to-camera; both numpy.
    """

    depth: Tensor
    weight: Tensor
    carving: Tensor
    smooth: Tensor
    intrinsics: np.ndarray
    extrinsics: np.ndarray


def unproject(depth: np.ndarray, intrinsics: np.ndarray, extrinsics: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """World points [P,3] of the pixels in `valid` [h,w], row by row; cameras as in `DepthMap`."""
    rows, columns = np.nonzero(valid)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], -1)
    seen = pixels @ np.linalg.inv(intrinsics).T * depth[rows, columns, None]
    return (seen - extrinsics[:3, 3]) @ extrinsics[:3, :3]


def fuse_depth(
    views: Sequence[DepthMap],
    points: np.ndarray,
    voxel: float,
    truncation: float,
    on_cubes: Callable[[float], None] = lambda _: None,
) -> tuple[np.ndarray, np.ndarray]:
    """The surface near `points` [P,3] as vertices [V,3] float64 and triangles [T,3] int64, counter-clockwise from the
    side of the free space; empty where nothing is seen from all sides of a cell.

    voxel: edge of a cell; truncation: how far from a depth map's surface its distances count; in world units.
    on_cubes: told the share that is done, and may raise.
    """
    corners = _cubes_near(points, voxel, truncation)
    vertices, triangles, keys, count = [np.zeros((0, 3))], [np.zeros((0, 3), np.int64)], [np.zeros((0, 4), np.int64)], 0
    for start in range(0, len(corners), CUBES_AT_ONCE):
        on_cubes(start / len(corners))
        some = corners[start : start + CUBES_AT_ONCE]
        surface = _mesh_cubes(some, *_fill_cubes(views, some, voxel, truncation))
        if surface is not None:
            vertices.append(surface[0] * voxel)
            triangles.append(surface[1] + count)
            keys.append(surface[2])
            count += len(surface[0])
    return _weld(np.concatenate(vertices), np.concatenate(triangles), np.concatenate(keys))


def _cubes_near(points: np.ndarray, voxel: float, truncation: float) -> np.ndarray:
    """Whole coordinates [C,3], sorted, of the cubes that come within `truncation` of a point."""
    if not len(points):
        return np.zeros((0, 3), np.int64)
    part = CUBE * voxel / 4
    cells = _unique_rows(np.floor(points / part).astype(np.int64))
    lowest = np.floor((cells * part - truncation) / (CUBE * voxel)).astype(np.int64)
    highest = np.floor(((cells + 1) * part + truncation) / (CUBE * voxel)).astype(np.int64)
    choices = [np.where(choice, highest, lowest) for choice in np.ndindex(2, 2, 2)]
    return _unique_rows(np.concatenate(choices))


def one_in_each(points: np.ndarray, voxel: float) -> np.ndarray:
    """Of points [P,3] so few that the same cubes are near them: as many as the scene needs, not as there are pixels."""
    if not len(points):
        return points
    cells = np.floor(points / (CUBE * voxel / 4)).astype(np.int64)
    cells -= cells.min(0)
    _, first = np.unique(np.ravel_multi_index(tuple(cells.T), tuple(cells.max(0) + 1)), return_index=True)
    return points[first]


def _unique_rows(rows: np.ndarray) -> np.ndarray:
    lowest = rows.min(0)
    size = rows.max(0) - lowest + 1
    flat = np.unique(np.ravel_multi_index(tuple((rows - lowest).T), tuple(size)))
    return np.stack(np.unravel_index(flat, tuple(size)), -1) + lowest


def _fill_cubes(
    views: Sequence[DepthMap], corners: np.ndarray, voxel: float, truncation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Field and weight [C,n,n,n] at the lattice points of cubes, n = CUBE + 1."""
    size = CUBE + 1
    like = views[0].depth
    field = torch.zeros((len(corners), size, size, size), dtype=like.dtype, device=like.device)
    weight = torch.zeros_like(field)
    for view in views:
        sees = np.flatnonzero(_may_see(view, (corners + 0.5) * CUBE * voxel, CUBE * voxel))
        if not len(sees):
            continue
        values, counts = _vote(view, corners[sees], voxel, truncation)
        index = torch.from_numpy(sees).to(like.device)
        field.index_add_(0, index, values * counts)
        weight.index_add_(0, index, counts)
    field = torch.where(weight > 0, field / weight.clamp_min(torch.finfo(like.dtype).tiny), 1.0)
    field = torch.where(field.abs() < LEAST_FIELD, torch.where(field > 0, LEAST_FIELD, -LEAST_FIELD), field)
    return field.cpu().numpy(), weight.cpu().numpy()


def _may_see(view: DepthMap, centres: np.ndarray, edge: float) -> np.ndarray:
    """Whether any point of cubes with these centres [C,3] can lie in the picture: [C]."""
    height, width = view.depth.shape
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], float)
    rays = corners @ np.linalg.inv(view.intrinsics).T
    inward = np.cross(rays, np.roll(rays, -1, axis=0))
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    seen = centres @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    return (seen @ inward.T > -edge * np.sqrt(3) / 2).all(1)


def _vote(view: DepthMap, corners: np.ndarray, voxel: float, truncation: float) -> tuple[Tensor, Tensor]:
    """A view's field, -1 to 1, and weight at the lattice points of cubes: [C,n,n,n] both."""
    x, y, z = _project_lattice(view, corners, voxel)
    height, width = view.depth.shape
    ahead = z > 0
    z = torch.where(ahead, z, 1.0)
    u, v = x / z, y / z
    inside = ahead & (u >= 0) & (v >= 0) & (u < width) & (v < height)
    grid = torch.stack((u * (2 / width) - 1, v * (2 / height) - 1), -1).view(1, 1, -1, 2)
    disparity = view.depth.reciprocal()
    maps = torch.stack((disparity, view.weight, view.carving, view.smooth.to(disparity.dtype)))[None]
    sampled = functional.grid_sample(maps, grid, "nearest", "border", align_corners=False)[0, :, 0]
    nearest, weight, carving, smooth = (channel.view(z.shape) for channel in sampled)
    between = functional.grid_sample(disparity[None, None], grid, "bilinear", "border", align_corners=False)
    distance = torch.where(smooth > 0, between.view(z.shape), nearest).reciprocal() - z
    counts = torch.where(distance > truncation, carving, weight) * (inside & (distance > -truncation))
    return (distance / truncation).clamp(-1, 1), counts


def _project_lattice(view: DepthMap, corners: np.ndarray, voxel: float) -> list[Tensor]:
    """Homogeneous pixel coordinates (u z, v z, z) of lattice points, [C,n,n,n] each.

    Every point is worked out from its whole coordinates alone, so that cubes agree to the last bit where they touch.
    """
    like = view.depth
    projection = view.intrinsics @ view.extrinsics[:3]
    steps = torch.from_numpy(corners[:, None] * CUBE + np.arange(CUBE + 1)[:, None]).to(like)
    i, j, k = steps[:, :, 0, None, None], steps[:, None, :, 1, None], steps[:, None, None, :, 2]
    rows = (projection * (voxel, voxel, voxel, 1.0)).tolist()
    return [(i * a + j * b) + (k * c + d) for a, b, c, d in rows]


def _mesh_cubes(
    corners: np.ndarray, field: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Vertices [V,3] in cells, triangles [T,3] and keys [V,4] (see `_keys`) of cubes, or None without a surface.

    The cubes are stacked along the first axis: one call costs less than many, and no cell between two is crossed.
    """
    crossed = _crossed_cells(field, weight > 0)
    some = np.flatnonzero(crossed.any((1, 2, 3)))
    if not len(some):
        return None
    size = CUBE + 1
    stack = np.ascontiguousarray(field[some], np.float32).reshape(-1, size, size)
    vertices, triangles, *_ = marching_cubes(
        stack, 0.0, gradient_direction="descent", mask=crossed[some].reshape(stack.shape)
    )
    # A cube's last layer starts no cell, so a whole first coordinate there still belongs to this cube.
    cube = np.minimum(vertices[:, 0].astype(np.int64) // size, len(some) - 1)
    local = vertices.astype(np.float64)
    local[:, 0] -= cube * size
    origin = corners[some][cube] * CUBE
    return local + origin, triangles.astype(np.int64), _keys(local, origin)


def _crossed_cells(field: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Of lattice points [C,n,n,n]: whether the cell below each has eight observed corners on both sides of 0."""
    whole, before, behind = np.zeros_like(observed), np.zeros_like(observed), np.zeros_like(observed)
    inner = (slice(None), slice(1, None), slice(1, None), slice(1, None))
    whole[inner] = True
    for shift in np.ndindex(2, 2, 2):
        corner = (slice(None), *(slice(s, s + field.shape[1] - 1) for s in shift))
        whole[inner] &= observed[corner]
        before[inner] |= field[corner] > 0
        behind[inner] |= field[corner] <= 0
    return whole & before & behind


def _keys(local: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """[V,4]: lattice point at or below each vertex, and the axis of the edge it lies in; 3 for one within a cell."""
    nearest = np.round(local)
    between = np.abs(local - nearest) > LEAST_FIELD / 4
    base = np.where(between, np.floor(local), nearest).astype(np.int64) + origin
    return np.column_stack((base, np.where(between.sum(1) == 1, between.argmax(1), 3)))


def _weld(vertices: np.ndarray, triangles: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One vertex for each key; without triangles that lose a corner by it."""
    if not len(vertices):
        return vertices, triangles
    keys = keys - keys.min(0)
    flat = np.ravel_multi_index(tuple(keys.T), tuple(keys.max(0) + 1))
    _, first, same = np.unique(flat, return_index=True, return_inverse=True)
    triangles = same.reshape(-1)[triangles]
    a, b, c = triangles.T
    return vertices[first], triangles[(a != b) & (b != c) & (c != a)]
