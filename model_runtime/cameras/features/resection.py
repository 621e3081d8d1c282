"""A photo's camera from points whose places other photos tell: perspective-n-point with RANSAC, by COLMAP."""

from __future__ import annotations

import numpy as np
import pycolmap

from model_runtime.cameras.features.matching import MAX_ERROR, SEED, TYPICAL_FOCAL, Matches
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.features.tracks import build_tracks, select, triangulate

LEAST_PLACING = 20
"""Points of other photos that must agree on the place of a photo whose camera was not given."""


def resect(
    extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints, matches: Matches, lost: np.ndarray, least: int
) -> np.ndarray:
    """Extrinsics [N,4,4] with those of the `lost` photos [N] bool found anew from the points the other photos see.

    A photo that sees fewer than `least` such points where it should keeps the camera it has.
    """
    places = _places_of_others(extrinsics, intrinsics, tracks, lost)
    found = extrinsics.copy()
    for i in np.flatnonzero(lost):
        pose = _pose(i, _working_camera(intrinsics[i], matches, i), places, tracks, matches)
        if pose is not None and pose["num_inliers"] >= least:
            found[i, :3] = pose["cam_from_world"].matrix()
    return found


def place_missing(extrinsics: np.ndarray, intrinsics: np.ndarray, matches: Matches) -> tuple[np.ndarray, np.ndarray]:
    """Cameras [N,4,4], [N,3,3] (photo pixels) with those that are NaN found from the points that the known ones place.

    A photo of the same camera as a known one has its lens, another the focal length that EXIF tells; where nothing
    does, it is estimated. Cameras of photos that see too few points stay NaN.
    """
    missing = np.isnan(extrinsics).any((1, 2))
    poses, lenses = extrinsics.copy(), intrinsics.copy()
    tracks = build_tracks(matches, np.ones(len(extrinsics), bool))
    if not missing.any() or (~missing).sum() < 2 or len(tracks.points) == 0:
        return poses, lenses
    places = _places_of_others(extrinsics, intrinsics, tracks, missing)
    by_camera = {matches.cameras[i]: intrinsics[i] for i in np.flatnonzero(~missing)}
    for i in np.flatnonzero(missing):
        photo, known = matches.photos[i], by_camera.get(matches.cameras[i])
        width, height = photo.size
        focal = photo.known_focal or TYPICAL_FOCAL * max(width, height)
        lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]) if known is None else known
        camera = _working_camera(lens, matches, i)
        free = known is None and photo.known_focal is None
        pose = _pose(i, camera, places, tracks, matches, free)
        if pose is not None and pose["num_inliers"] >= LEAST_PLACING:
            poses[i] = np.vstack((pose["cam_from_world"].matrix(), (0, 0, 0, 1)))
            lenses[i] = np.diag([photo.pixel, photo.pixel, 1.0]) @ camera.calibration_matrix() if free else lens
    return poses, lenses


def _places_of_others(
    extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints, lost: np.ndarray
) -> np.ndarray:
    """[P,3] where the photos that are not lost place the points; NaN of points that fewer than two of them see."""
    places = np.full((len(tracks.points), 3), np.nan)
    others = ~lost[tracks.view]
    kept = np.bincount(tracks.point[others], minlength=len(tracks.points)) >= 2
    places[kept] = triangulate(extrinsics, intrinsics, select(tracks, others)).points
    return places


def _working_camera(intrinsics: np.ndarray, matches: Matches, i: int) -> pycolmap.Camera:
    photo, k = matches.photos[i], intrinsics / matches.photos[i].pixel
    return pycolmap.Camera(
        model="PINHOLE",
        width=round(photo.size[0] / photo.pixel),
        height=round(photo.size[1] / photo.pixel),
        params=[k[0, 0], k[1, 1], k[0, 2], k[1, 2]],
    )


def _pose(
    i: int,
    camera: pycolmap.Camera,
    places: np.ndarray,
    tracks: SparsePoints,
    matches: Matches,
    estimate_focal: bool = False,
) -> dict | None:
    """COLMAP's pose of photo i. estimate_focal: the focal length of `camera` is only a start, and is written there."""
    mine = (tracks.view == i) & np.isfinite(places[tracks.point, 0])
    options = pycolmap.AbsolutePoseEstimationOptions()
    options.estimate_focal_length = estimate_focal
    options.ransac.max_error = MAX_ERROR
    options.ransac.random_seed = SEED
    refinement = pycolmap.AbsolutePoseRefinementOptions()
    refinement.refine_focal_length = estimate_focal
    pixels = tracks.pixel[mine] / matches.photos[i].pixel
    return pycolmap.estimate_and_refine_absolute_pose(pixels, places[tracks.point[mine]], camera, options, refinement)
