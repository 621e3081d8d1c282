"""A photo's camera from points whose places other photos tell: perspective-n-point with RANSAC, by COLMAP."""

from __future__ import annotations

import numpy as np
import pycolmap

from model_runtime.features.matching import MAX_ERROR, SEED, Matches
from model_runtime.features.result import SparsePoints
from model_runtime.features.tracks import select, triangulate


def resect(
    extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints, matches: Matches, lost: np.ndarray, least: int
) -> np.ndarray:
    """Extrinsics [N,4,4] with those of the `lost` photos [N] bool found anew from the points the other photos see.

    A photo that sees fewer than `least` such points where it should keeps the camera it has.
    """
    places = np.full((len(tracks.points), 3), np.nan)
    others = ~lost[tracks.view]
    kept = np.bincount(tracks.point[others], minlength=len(tracks.points)) >= 2
    places[kept] = triangulate(extrinsics, intrinsics, select(tracks, others)).points
    found = extrinsics.copy()
    for i in np.flatnonzero(lost):
        mine = (tracks.view == i) & kept[tracks.point]
        photo, k = matches.photos[i], intrinsics[i] / matches.photos[i].pixel
        camera = pycolmap.Camera(
            model="SIMPLE_PINHOLE",
            width=round(photo.size[0] / photo.pixel),
            height=round(photo.size[1] / photo.pixel),
            params=[k[0, 0], k[0, 2], k[1, 2]],
        )
        options = pycolmap.AbsolutePoseEstimationOptions()
        options.ransac.max_error = MAX_ERROR
        options.ransac.random_seed = SEED
        pose = pycolmap.estimate_and_refine_absolute_pose(
            tracks.pixel[mine] / photo.pixel, places[tracks.point[mine]], camera, options
        )
        if pose is not None and pose["num_inliers"] >= least:
            found[i, :3] = pose["cam_from_world"].matrix()
    return found
