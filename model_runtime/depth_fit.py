"""The network's depths brought to the sparse points that features found, one scale per view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model_runtime.features.result import SparsePoints, seen_points
from model_runtime.geometry.depth_alignment import align_depth
from model_runtime.network.output import Output
from model_runtime.prepared_photos import PreparedPhoto
from model_runtime.results import Cameras


def fit_depths(
    output: Output, photos: Sequence[PreparedPhoto], cameras: Cameras, sparse: SparsePoints, metric: bool
) -> Cameras | None:
    """The cameras with each view's depth scale from its sparse points; None where no view has enough of them.

    metric: the depths are metres; then it is the world that is scaled to them as a whole.
    """
    depths = [
        photo.placement.crop(depth.float().cpu().numpy()) * scale
        for photo, depth, scale in zip(photos, output.depth[0], cameras.depth_scale, strict=True)
    ]
    corrections = depth_corrections(depths, [p.placement.photo for p in photos], cameras.extrinsics, sparse)
    if corrections is None:
        return None
    if not metric:
        return replace(cameras, depth_scale=cameras.depth_scale * corrections)
    unit = float(np.median(corrections))
    extrinsics = cameras.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    return replace(cameras, extrinsics=extrinsics, depth_scale=cameras.depth_scale * corrections / unit)


def depth_corrections(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> np.ndarray | None:
    """[N], what each view's depth map [h,w] is to be multiplied by to meet the sparse points it sees.

    sizes: (width, height) of the photos that the maps cover. A view with too few points takes the median of the
    others; None where every view has too few.
    """
    known = seen_points(extrinsics, sparse)[:, 2]
    corrections = np.full(len(depths), np.nan)
    for i, (depth, size) in enumerate(zip(depths, sizes, strict=True)):
        mine = sparse.view == i
        found = align_depth(_at(depth, sparse.pixel[mine], size), known[mine])
        if found is not None:
            corrections[i] = found.scale
    if np.isnan(corrections).all():
        return None
    return np.where(np.isnan(corrections), np.nanmedian(corrections), corrections)


def _at(depth: np.ndarray, pixel: np.ndarray, photo: tuple[int, int]) -> np.ndarray:
    """[M] values of a map over the whole photo at pixels [M,2] of the photo."""
    height, width = depth.shape
    column, row = np.floor(pixel * (width / photo[0], height / photo[1])).astype(int).T
    return depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
