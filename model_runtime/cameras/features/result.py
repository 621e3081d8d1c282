"""What features tell: cameras and sparse points in pixels of the original photos, and how well they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.contract.messages import Cameras
from model_runtime.geometry.similarity import align_cameras

if TYPE_CHECKING:  # COLMAP takes long to load, and these arrays are used without it, too
    import pycolmap

    from model_runtime.cameras.features.matching import Matches


@dataclass(frozen=True, eq=False)
class SparsePoints:
    """P points seen M times. points: [P,3] float64, world. view, point: [M] int64, which photo sees which point.
    pixel: [M,2] float64, where, in pixels of the original photo.
    """

    points: np.ndarray
    view: np.ndarray
    point: np.ndarray
    pixel: np.ndarray

    def of(self, photos: Sequence[int]) -> SparsePoints:
        """What some of the photos see, numbered anew; points that none of them sees stay, unseen."""
        number = dict(zip(photos, range(len(photos)), strict=True))
        mine = np.isin(self.view, list(photos))
        view = np.array([number[view] for view in self.view[mine].tolist()], np.int64)
        return SparsePoints(self.points, view, self.point[mine], self.pixel[mine])


@dataclass(frozen=True, eq=False)
class FeatureCameras:
    """registered: [N] bool, whether features place the photo; the other photos' cameras are NaN.

    extrinsics: [N,4,4] float64 world-to-camera. The world is the frame of the first registered camera; its unit makes
    the median depth of the sparse points 1. intrinsics: [N,3,3] float64, pixels of the original photos.
    match_error: median reprojection error of the observations, pixels of the original photos; None without points.
    """

    registered: np.ndarray
    extrinsics: np.ndarray
    intrinsics: np.ndarray
    sparse: SparsePoints
    match_error: float | None

    def laid_on(self, others: Cameras, compared: np.ndarray) -> tuple[Cameras, SparsePoints]:
        """Cameras and points moved, all as one, to lie on other cameras of the photos `compared` [N] bool; photos that
        are not registered, or whose lens is not known, have the others'."""
        similarity = align_cameras(self.extrinsics[compared], others.extrinsics[compared])
        moved = similarity.extrinsics(self.extrinsics)
        extrinsics = np.where(self.registered[:, None, None], moved, others.extrinsics)
        intrinsics = np.where(np.isfinite(self.intrinsics), self.intrinsics, others.intrinsics)
        return Cameras(extrinsics, intrinsics), replace(self.sparse, points=similarity.points(self.sparse.points))


def nothing_found(count: int) -> FeatureCameras:
    """Of `count` photos that features do not place."""
    nan = np.full((count, 4, 4), np.nan)
    return FeatureCameras(np.zeros(count, bool), nan, nan[:, :3, :3].copy(), no_points(), None)


def no_points() -> SparsePoints:
    return SparsePoints(np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)))


def from_reconstruction(model: pycolmap.Reconstruction, matches: Matches) -> FeatureCameras:
    """COLMAP's model of working pixels; image numbers are the photos' plus 1."""
    count = len(matches.photos)
    registered, extrinsics = np.zeros(count, bool), np.full((count, 4, 4), np.nan)
    intrinsics = np.full((count, 3, 3), np.nan)
    for number in model.reg_image_ids():
        image, i = model.image(number), number - 1
        registered[i] = True
        extrinsics[i] = np.vstack((image.cam_from_world().matrix(), (0, 0, 0, 1)))
        to_photo = np.diag([matches.photos[i].pixel, matches.photos[i].pixel, 1.0])
        intrinsics[i] = to_photo @ model.camera(image.camera_id).calibration_matrix()
    sparse = _sparse_points(model, matches)
    extrinsics, sparse = in_first_frame(extrinsics, sparse, registered)
    errors = reprojection_errors(extrinsics, intrinsics, sparse)
    error = float(np.median(errors)) if len(errors) else None
    return FeatureCameras(registered, extrinsics, intrinsics, sparse, error)


def _sparse_points(model: pycolmap.Reconstruction, matches: Matches) -> SparsePoints:
    points, view, point, pixel = [], [], [], []
    for number in sorted(model.point3D_ids()):
        entry = model.point3D(number)
        for element in entry.track.elements:
            i = element.image_id - 1
            view.append(i)
            point.append(len(points))
            pixel.append(matches.keypoints[i][element.point2D_idx] * matches.photos[i].pixel)
        points.append(entry.xyz)
    return SparsePoints(
        np.array(points, np.float64).reshape(-1, 3),
        np.array(view, np.int64),
        np.array(point, np.int64),
        np.array(pixel, np.float64).reshape(-1, 2),
    )


def in_first_frame(
    extrinsics: np.ndarray, sparse: SparsePoints, registered: np.ndarray
) -> tuple[np.ndarray, SparsePoints]:
    """The same in the frame and the unit that FeatureCameras promises."""
    depths = seen_points(extrinsics, sparse)[:, 2]
    unit = float(np.median(depths)) if len(depths) else 1.0
    first = extrinsics[np.flatnonzero(registered)[0]]
    moved = extrinsics @ np.linalg.inv(first)
    moved[:, :3, 3] /= unit
    points = (sparse.points @ first[:3, :3].T + first[:3, 3]) / unit
    return moved, replace(sparse, points=points)


def seen_points(extrinsics: np.ndarray, sparse: SparsePoints) -> np.ndarray:
    """[M,3], each observation's point in the frame of its camera."""
    poses = extrinsics[sparse.view]
    return np.einsum("mij,mj->mi", poses[:, :3, :3], sparse.points[sparse.point]) + poses[:, :3, 3]


def projected(extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints) -> np.ndarray:
    """[M,2], where each observation's point lands, in pixels of its photo."""
    seen = np.einsum("mij,mj->mi", intrinsics[sparse.view], seen_points(extrinsics, sparse))
    return seen[:, :2] / seen[:, 2:]


def reprojection_errors(extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints) -> np.ndarray:
    """[M], distance in pixels of the photo between each observation and where its point lands."""
    return np.linalg.norm(projected(extrinsics, intrinsics, sparse) - sparse.pixel, axis=1)
