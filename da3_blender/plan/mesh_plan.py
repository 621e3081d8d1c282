"""Textured surfaces: the one fused from all photos, or a sheet per photo made of its depth map. Numpy only.

A photo's (u, v) is its pixel over its size with v up: pixel centres stand at +0.5, so its edges are 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.contract.depth_edges import torn_steps
from model_runtime.contract.messages import Mesh, View

from .point_cloud import map_focal, unproject

MOST_CONFIDENCES = 20_000_000
"""Pixels of all views that tell which of them are least sure; of more an even choice does."""

NO_PHOTO = -1
"""In `SurfacePlan.photos`: the surface's own colours."""


@dataclass(frozen=True, eq=False)
class SurfacePlan:
    """A surface of V vertices and T triangles in Blender's world, textured with photos.

    role: `mesh` for the one of all photos, `sheet` for that of one. view: a sheet's photo, as an index into the views.
    vertices: [V,3] float32. triangles: [T,3] int32, counter-clockwise seen from where the cameras are.
    uv: [T,3,2] float32, where each corner lies in the photo of its triangle. material: [T] int32, index into `photos`.
    photos: for each material the view whose photo it shows, or NO_PHOTO. colors: [V,3] uint8, sRGB-encoded.
    """

    role: str
    view: int
    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    material: np.ndarray
    photos: tuple[int, ...]
    colors: np.ndarray


@dataclass(frozen=True, eq=False)
class _Grid:
    """Every so many-th row and column of a depth map [h,w], always with its first and last: R rows, C columns.

    whole_rows: [R,C-1] bool, from each grid point to the next of its row all pixels lie on one surface; whole_columns
    likewise [R-1,C].
    """

    rows: np.ndarray
    columns: np.ndarray
    whole_rows: np.ndarray
    whole_columns: np.ndarray


def plan_fused(mesh: Mesh, views: tuple[View, ...], motion: np.ndarray) -> SurfacePlan:
    """The fused surface, moved by the rigid `motion` [4,4], each triangle with the part of its photo that shows it."""
    photos, material = np.unique(mesh.face_view, return_inverse=True)
    uv = np.zeros((len(mesh.triangles), 3, 2), np.float32)
    for index in photos[photos != NO_PHOTO]:
        shown = mesh.face_view == index
        uv[shown] = photo_uv(views[index], mesh.vertices[mesh.triangles[shown]])
    return SurfacePlan(
        role="mesh",
        view=-1,
        vertices=_moved(mesh.vertices, motion),
        triangles=mesh.triangles,
        uv=uv,
        material=material.reshape(-1).astype(np.int32),
        photos=tuple(int(index) for index in photos),
        colors=mesh.colors,
    )


def photo_uv(view: View, points: np.ndarray) -> np.ndarray:
    """(u, v) [...,2] float32 in the photo of `view` of the world's `points` [...,3], which lie before its camera."""
    seen = points @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    pixel = seen @ view.intrinsics.T
    width, height = view.photo_size
    u, v = pixel[..., 0] / pixel[..., 2] / width, 1 - pixel[..., 1] / pixel[..., 2] / height
    return np.stack((u, v), -1).astype(np.float32)


def plan_sheets(
    views: tuple[View, ...],
    masks: list[np.ndarray],
    motion: np.ndarray,
    edge_angle: float,
    confidence_threshold: float,
    budget: int,
) -> tuple[SurfacePlan, ...]:
    """A sheet for every photo that shows a surface, moved by the rigid `motion` [4,4].

    masks: [h,w] bool per view, the pixels of a surface; of these the least sure are left out, as many of all photos'
    together as points are hidden at first. budget: the most triangles of all sheets, but two a sheet there may be;
    the grids are as coarse as that asks for.
    """
    surfaces = _sure_pixels(views, masks, confidence_threshold)
    shapes = [mask.shape for mask in masks]
    coarsest = max(max(shape) for shape in shapes)
    step = next((step for step in range(1, coarsest) if _most_triangles(shapes, step) <= budget), coarsest)
    sheets = (
        _plan_sheet(index, view, surface, edge_angle, step)
        for index, (view, surface) in enumerate(zip(views, surfaces, strict=True))
    )
    return tuple(replace(sheet, vertices=_moved(sheet.vertices, motion)) for sheet in sheets if sheet is not None)


def _most_triangles(shapes: list[tuple[int, ...]], step: int) -> int:
    """Of all sheets, from depth maps of these `shapes`, with every `step`-th row and column."""
    return sum(2 * math.ceil((height - 1) / step) * math.ceil((width - 1) / step) for height, width in shapes)


def _sure_pixels(views: tuple[View, ...], masks: list[np.ndarray], threshold: float) -> list[np.ndarray]:
    """`masks` without the pixels whose rank of confidence among all is no higher than `threshold`."""
    step = -(-sum(mask.size for mask in masks) // MOST_CONFIDENCES)
    sure = np.concatenate([view.confidence[mask][::step] for view, mask in zip(views, masks, strict=True)])
    hidden = int(threshold * len(sure))
    if hidden >= len(sure):
        return [np.zeros_like(mask) for mask in masks]
    least = np.partition(sure, hidden)[hidden]
    return [mask & (view.confidence >= least) for view, mask in zip(views, masks, strict=True)]


def _plan_sheet(index: int, view: View, surface: np.ndarray, edge_angle: float, step: int) -> SurfacePlan | None:
    """The sheet of one view, still in the prediction's world; None where it has no triangle."""
    grid = _grid(view, surface, edge_angle, step)
    triangles = _grid_triangles(grid, view.depth[np.ix_(grid.rows, grid.columns)])
    if not len(triangles):
        return None
    used, triangles = np.unique(triangles, return_inverse=True)
    row, column = np.divmod(used, len(grid.columns))
    row, column = grid.rows[row], grid.columns[column]
    height, width = view.depth.shape
    uv = np.stack(((column + 0.5) / width, 1 - (row + 0.5) / height), -1).astype(np.float32)
    triangles = triangles.reshape(-1, 3).astype(np.int32)
    return SurfacePlan(
        role="sheet",
        view=index,
        vertices=unproject(view, row, column),
        triangles=triangles,
        uv=uv[triangles],
        material=np.zeros(len(triangles), np.int32),
        photos=(index,),
        colors=view.color[row, column],
    )


def _grid(view: View, surface: np.ndarray, edge_angle: float, step: int) -> _Grid:
    height, width = surface.shape
    rows = np.unique(np.append(np.arange(0, height, step), height - 1))
    columns = np.unique(np.append(np.arange(0, width, step), width - 1))
    torn_rows, torn_columns = torn_steps(view.depth, map_focal(view), edge_angle)
    torn_rows |= ~(surface[:, 1:] & surface[:, :-1])
    torn_columns |= ~(surface[1:] & surface[:-1])
    return _Grid(
        rows,
        columns,
        ~np.logical_or.reduceat(torn_rows[rows], columns[:-1], axis=1),
        ~np.logical_or.reduceat(torn_columns[:, columns], rows[:-1], axis=0),
    )


def _grid_triangles(grid: _Grid, depth: np.ndarray) -> np.ndarray:
    """[T,3] indices into the grid's points, row by row. depth: [R,C] of the grid's points.

    A triangle is there where both of its sides along the grid are whole. Of a cell's two diagonals the one that
    leaves more of it, else the one along which disparity changes less: it follows a crease rather than cutting it.
    """
    top, bottom = grid.whole_rows[:-1], grid.whole_rows[1:]
    left, right = grid.whole_columns[:, :-1], grid.whole_columns[:, 1:]
    upper_left, upper_right = top & left, top & right
    lower_left, lower_right = bottom & left, bottom & right
    falling = lower_left.astype(int) + upper_right - upper_left - lower_right
    disparity = np.divide(1.0, depth, out=np.zeros(depth.shape), where=np.isfinite(depth) & (depth > 0))
    smoother = np.abs(disparity[1:, 1:] - disparity[:-1, :-1]) <= np.abs(disparity[1:, :-1] - disparity[:-1, 1:])
    falls = (falling > 0) | ((falling == 0) & smoother)

    place = np.arange(depth.size).reshape(depth.shape)
    a, b, c, d = place[:-1, :-1], place[:-1, 1:], place[1:, :-1], place[1:, 1:]
    # Corners a b over c d; from the camera these all run counter-clockwise.
    return np.concatenate(
        [
            np.stack([corner[there] for corner in corners], -1)
            for there, corners in (
                (falls & lower_left, (a, c, d)),
                (falls & upper_right, (a, d, b)),
                (~falls & upper_left, (a, c, b)),
                (~falls & lower_right, (b, c, d)),
            )
        ]
    )


def _moved(points: np.ndarray, motion: np.ndarray) -> np.ndarray:
    return (points @ motion[:3, :3].T + motion[:3, 3]).astype(np.float32)
