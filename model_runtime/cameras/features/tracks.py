"""Tracks: which features of several photos are one point of the scene, and where cameras place it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from model_runtime.cameras.features.matching import MAX_ERROR, Matches
from model_runtime.cameras.features.result import SparsePoints, no_points, projected, reprojection_errors, seen_points

POLISH_STEPS = 3

LEAST_PARALLAX = 1.5
"""Degrees between the directions a point is seen from, below which its depth says little (COLMAP's limit, too)."""


def build_tracks(matches: Matches, views: np.ndarray) -> SparsePoints:
    """Verified matches joined across photos, as points without a place yet (NaN), pixels of the original photos.

    views: [N] bool, the photos to use. A track that meets one photo twice is wrong somewhere and is left out.
    """
    starts = np.concatenate(([0], np.cumsum([len(keypoints) for keypoints in matches.keypoints])))
    pairs = [
        geometry.inlier_matches.astype(np.int64) + starts[[i, j]]
        for (i, j), geometry in matches.geometries.items()
        if views[i] and views[j]
    ]
    if not pairs:
        return no_points()
    links = np.concatenate(pairs)
    graph = coo_matrix((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(starts[-1], starts[-1]))
    count, label = connected_components(graph, directed=False)
    view = np.repeat(np.arange(len(matches.photos)), np.diff(starts))
    meetings = coo_matrix((np.ones(starts[-1]), (label, view)), shape=(count, len(matches.photos))).tocsr()
    good = (meetings.max(1).toarray().ravel() == 1) & (np.asarray(meetings.sum(1)).ravel() >= 2)
    chosen = np.flatnonzero(good[label])
    _, point = np.unique(label[chosen], return_inverse=True)
    pixel = np.concatenate([k * p.pixel for k, p in zip(matches.keypoints, matches.photos, strict=True)])[chosen]
    return SparsePoints(np.full((int(good.sum()), 3), np.nan), view[chosen], point.astype(np.int64), pixel)


def triangulate(extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints) -> SparsePoints:
    """The tracks with their points where cameras [N,4,4], [N,3,3] place them.

    Linear triangulation of all views of a track at once (Hartley and Zisserman 2004, 12.2), then Gauss-Newton steps
    on the reprojection errors.
    """
    count = len(tracks.points)
    directions = np.einsum("mij,mj->mi", np.linalg.inv(intrinsics)[tracks.view], _homogeneous(tracks.pixel))
    poses = extrinsics[tracks.view, :3]
    rows = directions[:, :2, None] * poses[:, 2:3] - poses[:, :2]
    normal = sum_by_point(np.einsum("mri,mrj->mij", rows, rows), tracks.point, count)
    vectors = np.linalg.eigh(normal)[1][:, :, 0]
    points = vectors[:, :3] / np.where(np.abs(vectors[:, 3:]) < 1e-12, 1e-12, vectors[:, 3:])
    placed = SparsePoints(points, tracks.view, tracks.point, tracks.pixel)
    for _ in range(POLISH_STEPS):
        placed = _polished(extrinsics, intrinsics, placed)
    return placed


def _polished(extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints) -> SparsePoints:
    """One Gauss-Newton step of every point, taken where it does not enlarge the point's squared error."""
    count = len(tracks.points)
    seen = seen_points(extrinsics, tracks)
    k = intrinsics[tracks.view]
    projection = np.einsum("mij,mj->mi", k, seen)
    depth = projection[:, 2, None, None]
    by_seen = (k[:, :2] - (projection[:, :2] / projection[:, 2:])[:, :, None] * k[:, 2:]) / depth
    jacobian = by_seen @ extrinsics[tracks.view, :3, :3]
    residual = projected(extrinsics, intrinsics, tracks) - tracks.pixel
    normal = sum_by_point(np.einsum("mri,mrj->mij", jacobian, jacobian), tracks.point, count)
    slope = sum_by_point(np.einsum("mri,mr->mi", jacobian, residual), tracks.point, count)
    damping = 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-300 * np.eye(3)
    moved = tracks.points - np.linalg.solve(normal + damping, slope[..., None])[..., 0]
    after = SparsePoints(moved, tracks.view, tracks.point, tracks.pixel)
    before_error = sum_by_point(np.square(residual).sum(1), tracks.point, count)
    change = projected(extrinsics, intrinsics, after) - tracks.pixel
    after_error = sum_by_point(np.square(change).sum(1), tracks.point, count)
    points = np.where((after_error <= before_error)[:, None], moved, tracks.points)
    return SparsePoints(points, tracks.view, tracks.point, tracks.pixel)


def explain(
    extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints, pixel: np.ndarray
) -> tuple[SparsePoints, np.ndarray]:
    """The tracks' points as these cameras place them, and which observations [M] bool they explain.

    pixel: [N], pixels of each photo per working pixel.
    """
    placed = triangulate(extrinsics, intrinsics, tracks)
    near = reprojection_errors(extrinsics, intrinsics, placed) < MAX_ERROR * pixel[placed.view]
    return placed, near & (seen_points(extrinsics, placed)[:, 2] > 0)


def has_depth(extrinsics: np.ndarray, tracks: SparsePoints) -> np.ndarray:
    """[M] bool, observations of points that are seen from directions apart enough to tell their depth."""
    rays = tracks.points[tracks.point] - np.linalg.inv(extrinsics)[tracks.view, :3, 3]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    middle = sum_by_point(rays, tracks.point, len(tracks.points))
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    apart = np.zeros(len(tracks.points))
    np.maximum.at(apart, tracks.point, np.linalg.norm(rays - middle[tracks.point], axis=1))
    return (2 * apart > np.radians(LEAST_PARALLAX))[tracks.point]


def select(tracks: SparsePoints, keep: np.ndarray) -> SparsePoints:
    """Only the observations `keep` [M] bool, and of the points those that two of them are left of."""
    enough = np.bincount(tracks.point[keep], minlength=len(tracks.points)) >= 2
    keep = keep & enough[tracks.point]
    number = np.cumsum(enough) - 1
    return SparsePoints(tracks.points[enough], tracks.view[keep], number[tracks.point[keep]], tracks.pixel[keep])


def _homogeneous(pixel: np.ndarray) -> np.ndarray:
    return np.concatenate((pixel, np.ones((len(pixel), 1))), axis=1)


def sum_by_point(values: np.ndarray, point: np.ndarray, count: int) -> np.ndarray:
    """[M,...] added up into [count,...]."""
    flat = values.reshape(len(values), -1)
    summed = np.stack([np.bincount(point, column, count) for column in flat.T], axis=1)
    return summed.reshape(count, *values.shape[1:])
