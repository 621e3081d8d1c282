"""Depth maps to one surface: a truncated signed distance field (Curless and Levoy 1996), meshed by marching cubes.

The field never exists as a whole. The world is cut into small cubes; those near a depth map's points are filled from
all views and meshed a few at a time, so that memory does not grow with the scene. What one view measures as a surface
and others look through is voted down: in front of a view's surface its field is 1, far and near alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from skimage.measure import marching_cubes

from model_runtime.geometry.arrays import Array, as_numpy, device_of, like, namespace
from model_runtime.geometry.sampling import Between

CUBE = 16
"""Cells along an edge of a cube."""

CUBES_AT_ONCE = 32
"""So many that their lattice points fit a processor's cache."""

LEAST_FIELD = 1e-3
"""No lattice point is nearer to the surface than this share of the truncation: then every vertex lies within an edge
of the lattice, by which the same vertex of two cubes is known, and no triangle shrinks to a line."""


@dataclass(frozen=True, eq=False)
class DepthMap:
    """What a view tells the field. All maps have shape [h,w], dtype of `depth`, and one kind and device.

    depth: along z, > 0; inf where the view looks into the open. weight: how much a pixel's surface counts, 0 where it
    has none. carving: how much the free space before it counts. smooth: bool, where depth may be interpolated between
    pixels. intrinsics: [3,3], pixels of the map, centres at +0.5. extrinsics: [4,4] world-to-camera; both numpy.
    """

    depth: Array
    weight: Array
    carving: Array
    smooth: Array
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
    some = views[0].depth
    xp = namespace(some)
    field = xp.zeros((len(corners), size, size, size), dtype=some.dtype, device=device_of(some))
    weight = xp.zeros_like(field)
    for view in views:
        sees = np.flatnonzero(_may_see(view, (corners + 0.5) * CUBE * voxel, CUBE * voxel))
        if not len(sees):
            continue
        values, counts = _vote(view, corners[sees], voxel, truncation)
        index = xp.asarray(sees, device=device_of(some))
        values *= counts
        field[index] += values
        weight[index] += counts
    voted, counted = as_numpy(field), as_numpy(weight)
    np.divide(voted, counted, out=voted, where=counted > 0)
    voted[counted == 0] = 1
    near = np.abs(voted) < LEAST_FIELD
    voted[near] = np.where(voted[near] > 0, LEAST_FIELD, -LEAST_FIELD)
    return voted, counted


def _may_see(view: DepthMap, centres: np.ndarray, edge: float) -> np.ndarray:
    """Whether any point of cubes with these centres [C,3] can lie in the picture: [C]."""
    height, width = view.depth.shape
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], float)
    rays = corners @ np.linalg.inv(view.intrinsics).T
    inward = np.cross(rays, np.roll(rays, -1, axis=0))
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    seen = centres @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    return (seen @ inward.T > -edge * np.sqrt(3) / 2).all(1)


def _vote(view: DepthMap, corners: np.ndarray, voxel: float, truncation: float) -> tuple[Array, Array]:
    """A view's field, -1 to 1, and weight at the lattice points of cubes: [C,n,n,n] both."""
    x, y, z = _project_lattice(view, corners, voxel)
    xp, (height, width) = namespace(z), view.depth.shape
    ahead = z > 0
    before = xp.where(ahead, z, 1.0)
    x /= before
    y /= before
    inside = ahead & (x >= 0) & (y >= 0) & (x < width) & (y < height)
    column, row = xp.astype(x.clip(0, width - 1), xp.int64), xp.astype(y.clip(0, height - 1), xp.int64)
    nearest = row * width + column
    depth, weight, carving, smooth = (
        told.reshape(-1)[nearest] for told in (view.depth, view.weight, view.carving, view.smooth)
    )
    x -= 0.5
    y -= 0.5
    between = xp.empty_like(z)
    Between(1 / view.depth).look_up(x, y, between)
    with np.errstate(divide="ignore"):
        distance = xp.where(smooth, 1 / between, depth)
    distance -= z
    counts = xp.where(distance > truncation, carving, weight) * (inside & (distance > -truncation))
    return (distance / truncation).clip(-1, 1), counts


def _project_lattice(view: DepthMap, corners: np.ndarray, voxel: float) -> list[Array]:
    """Homogeneous pixel coordinates (u z, v z, z) of lattice points, [C,n,n,n] each.

    Every point is worked out from its whole coordinates alone, so that cubes agree to the last bit where they touch.
    """
    projection = view.intrinsics @ view.extrinsics[:3]
    steps = like(corners[:, None] * CUBE + np.arange(CUBE + 1)[:, None], view.depth)
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
