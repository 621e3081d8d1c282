"""One clean surface from the depth maps of all photos, each triangle with the photo that shows it best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_dilation

from model_runtime.contract.depth_edges import flying_pixels, torn_steps
from model_runtime.contract.messages import JobError, Mesh, MeshSettings, View
from model_runtime.contract.progress import Span
from model_runtime.depth.face_photos import choose_photos
from model_runtime.depth.scratch import InMemory, Lazy, Scratch, Slots
from model_runtime.depth.tsdf import DepthMap, fuse_depth, one_in_each, unproject
from model_runtime.geometry.arrays import Device, on_device
from model_runtime.geometry.triangles import used_vertices, vertex_normals, without_islands

DETAIL = (16, 1024)
TRUNCATION = 3.0, 0.02
"""In cells, and as a share of the median depth; the larger counts. Networks are rarely surer of a depth than that."""

MOST_CELLS = 12
"""That the truncation may span: a small thing seen from far away would fill the memory with cells finer than its depth
is known."""

SURROUNDINGS = 0.02, 0.25
"""What is meshed: the box of all points but this share at each end of each axis, made larger by this share of its own
longest side. Without it a far background takes all the detail."""

SKY_CARVING = 0.5
"""What a pixel of sky counts, which says that nothing is on its ray; a sure surface at median depth counts 1."""

LEAST_COSINE = 0.1
SUPPORT = 1.5
"""How far from a vertex, in truncations, the depth of a view that bears it out may be."""

SMALLEST_PIECE = 10.0
"""Connected pieces of the surface need the area of a square with edges of so many cells."""

MOST_SAMPLED = 6_000_000
"""Pixels of all views from which medians and the box are reckoned; of more every second, third and so on is taken."""

FUSED, CHOSEN = 0.6, 0.95
"""Shares of the whole that are done when the field is meshed and when photos are chosen."""


def check_mesh_settings(settings: MeshSettings) -> None:
    """Raises JobError `bad-request` for settings that cannot be used."""
    for what, value, least, most in (
        ("edge angle", settings.edge_angle, 0, 89),
        ("share of unsure pixels", settings.confidence_threshold, 0, 1),
        ("detail", settings.detail, *DETAIL),
    ):
        if not least <= value <= most:
            raise JobError(
                "bad-request", f"A mesh with a {what} of {value} cannot be made.", f"Choose {least} to {most}."
            )


def fuse_views(
    views: Sequence[View],
    settings: MeshSettings,
    device: Device,
    progress: Span,
    scratch: Scratch | None = None,
) -> Mesh | None:
    """The surface that all views show together, in their world; None where they show none.

    Left out are sky, flying and unsure pixels, what only stands in free space that other views look through, what no
    view has measured from its front, and pieces too small to be things. device: where torch calculates; None for numpy.
    scratch: where maps of the views wait.
    """
    progress(0.0, "Preparing depth for the mesh.")
    scratch = scratch or InMemory()
    surfaces = surface_pixels(views, settings, scratch)
    pairs = list(zip(views, surfaces, strict=True))
    every = -(-sum(int(surface.sum()) for surface in surfaces) // MOST_SAMPLED)
    if not every:
        return None
    sampled = np.concatenate([_points(view, surface)[::every] for view, surface in pairs])
    low, high = np.quantile(sampled, (SURROUNDINGS[0], 1 - SURROUNDINGS[0]), axis=0)
    longest = max(float((high - low).max()), 1e-9)
    margin = SURROUNDINGS[1] * longest
    middle = float(np.median(np.concatenate([view.depth[surface][::every] for view, surface in pairs])))
    voxel = max(longest / settings.detail, TRUNCATION[1] * middle / MOST_CELLS)
    truncation = max(TRUNCATION[0] * voxel, TRUNCATION[1] * middle)
    sureness = float(np.median(np.concatenate([view.confidence[surface][::every] for view, surface in pairs])))
    points = np.zeros((0, 3))
    for view, surface in pairs:
        seen = _points(view, surface)
        seen = seen[((seen >= low - margin) & (seen <= high + margin)).all(1)]
        points = one_in_each(np.concatenate((points, seen)), voxel)
    maps = _depth_maps(pairs, settings.edge_angle, (middle, sureness), device, scratch)
    fusing = progress.part(0.0, FUSED)
    sentence = "Fusing the depth of all photos into one surface."
    vertices, triangles = fuse_depth(maps, points, voxel, truncation, lambda done: fusing(done, sentence))
    triangles = _measured(views, surfaces, vertices, triangles, SUPPORT * truncation)
    triangles = without_islands(vertices, triangles, (SMALLEST_PIECE * voxel) ** 2)
    if not len(triangles):
        return None
    vertices, triangles = used_vertices(vertices, triangles)
    choosing = progress.part(FUSED, CHOSEN)
    face_view, colors = choose_photos(
        views, vertices, triangles, truncation, lambda done: choosing(done, "Choosing photos for the mesh.")
    )
    progress(CHOSEN, "The mesh is made.")
    return Mesh(vertices.astype(np.float32), triangles.astype(np.int32), face_view, colors)


def surface_pixels(
    views: Sequence[View], settings: MeshSettings, scratch: Scratch | None = None
) -> Sequence[np.ndarray]:
    """[h,w] bool for each view: pixels of a surface, not sky, transparent, flying or among the least sure of all."""
    surfaces = Slots(scratch or InMemory(), "mesh-surface", [view.depth.shape for view in views], bool)
    for i, view in enumerate(views):
        k = view.map_intrinsics
        surfaces[i] = view.usable & ~flying_pixels(view.depth, (k[0, 0], k[1, 1]), settings.edge_angle)
    every = max(1, -(-sum(int(surface.sum()) for surface in surfaces) // MOST_SAMPLED))
    sure = np.concatenate([view.confidence[surface][::every] for view, surface in zip(views, surfaces, strict=True)])
    hidden = int(settings.confidence_threshold * len(sure))
    least = np.partition(sure, hidden)[hidden] if hidden < len(sure) else np.inf
    for i, view in enumerate(views):
        surfaces[i] = surfaces[i] & (view.confidence >= least)
    return surfaces


def _points(view: View, surface: np.ndarray) -> np.ndarray:
    return unproject(view.depth, view.map_intrinsics, view.extrinsics, surface)


def _depth_maps(
    pairs: Sequence[tuple[View, np.ndarray]],
    edge_angle: float,
    typical: tuple[float, float],
    device: Device,
    scratch: Scratch,
) -> Sequence[DepthMap]:
    """What the views tell the field, on the device when it is looked at."""
    shapes = [surface.shape for _, surface in pairs]
    depths, weights, carvings = (
        Slots(scratch, f"mesh-{name}", shapes, np.float32) for name in ("depth", "weight", "carving")
    )
    smooths = Slots(scratch, "mesh-smooth", shapes, bool)
    for i, (view, surface) in enumerate(pairs):
        depths[i], weights[i], carvings[i], smooths[i] = _maps_of(view, surface, edge_angle, typical)

    def depth_map(i: int) -> DepthMap:
        depth, weight, carving, smooth = (on_device(slots[i], device) for slots in (depths, weights, carvings, smooths))
        return DepthMap(depth, weight, carving, smooth, pairs[i][0].map_intrinsics, pairs[i][0].extrinsics)

    return Lazy(len(pairs), depth_map)


def _maps_of(
    view: View, surface: np.ndarray, edge_angle: float, typical: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Depth, weight, carving and smooth of a view's `DepthMap`; typical: median depth and confidence, where a frontal
    surface weighs 1.

    Near, frontal and sure pixels weigh more: the error of a depth grows with it, and with the slant.
    """
    middle, sureness = typical
    intrinsics = view.map_intrinsics
    depth = np.where(surface, view.depth, np.inf).astype(np.float64)
    trust = np.where(surface, view.confidence / sureness * middle / depth, 0.0)
    rows, columns = torn_steps(depth, (intrinsics[0, 0], intrinsics[1, 1]), edge_angle)
    rough = ~surface
    rough[:, 1:] |= rows
    rough[:, :-1] |= rows
    rough[1:] |= columns
    rough[:-1] |= columns
    smooth = np.logical_not(binary_dilation(rough, np.ones((3, 3), bool)))
    weight = trust * np.maximum(_slant_cosine(depth, intrinsics), LEAST_COSINE)
    sky = view.sky if view.opaque is None else view.sky & view.opaque
    carving = np.where(sky, SKY_CARVING, trust)
    return depth, weight, carving, smooth


def _slant_cosine(depth: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """[h,w]: cosine between normal and line of sight. A plane's disparity is q = n . (x, y, 1), so that its normal n
    follows from the gradient of q."""
    disparity = 1 / depth
    by_row, by_column = np.gradient(disparity)
    height, width = depth.shape
    x = (np.arange(width) + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0]
    y = (np.arange(height)[:, None] + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1]
    n_x, n_y = by_column * intrinsics[0, 0], by_row * intrinsics[1, 1]
    n_z = disparity - x * n_x - y * n_y
    return disparity / np.maximum(np.sqrt(n_x**2 + n_y**2 + n_z**2) * np.sqrt(x**2 + y**2 + 1), 1e-30)


def _measured(
    views: Sequence[View], surfaces: Sequence[np.ndarray], vertices: np.ndarray, triangles: np.ndarray, near: float
) -> np.ndarray:
    """`triangles` whose every vertex some view measured, within `near`, and from its front.

    Where views disagree the field changes sign again behind the surface, at the end of the truncation; those backs go.
    """
    normals = vertex_normals(vertices, triangles)
    left = np.arange(len(vertices))
    for view, surface in zip(views, surfaces, strict=True):
        seen = vertices[left] @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
        front = ((normals[left] @ view.extrinsics[:3, :3].T) * seen).sum(1) < 0
        height, width = surface.shape
        z = seen[:, 2]
        pixel = seen @ view.map_intrinsics.T
        inside = front & (z > 0) & (pixel[:, :2] >= 0).all(1) & (pixel[:, :2] < np.outer(z, (width, height))).all(1)
        index = np.flatnonzero(inside)
        column, row = (pixel[index, :2] / z[index, None]).astype(np.int64).T
        found = surface[row, column] & (np.abs(view.depth[row, column] - z[index]) <= near)
        left = np.delete(left, index[found])
    measured = np.ones(len(vertices), bool)
    measured[left] = False
    return triangles[measured[triangles].all(1)]
