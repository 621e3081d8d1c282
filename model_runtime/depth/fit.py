"""The network's depths brought to the sparse points that features found: a scale per view, then a smooth correction.

A small network sees near things too near and far things too far, or a whole part of a photo too far, by more than the
points are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model_runtime.cameras.features.result import SparsePoints, seen_points
from model_runtime.depth.alignment import align_depth
from model_runtime.depth.correction import smooth_correction
from model_runtime.network.output import Output
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.results import Cameras


def fit_depths(
    output: Output, photos: Sequence[PreparedPhoto], cameras: Cameras, sparse: SparsePoints, metric: bool
) -> Cameras | None:
    """The cameras with each view's depth scale and correction from its sparse points; None where no view has enough.

    metric: the depths are metres; then it is the world that is scaled to them as a whole.
    """
    depths = [
        photo.placement.crop(depth.float().cpu().numpy()) * scale
        for photo, depth, scale in zip(photos, output.depth[0], cameras.depth_scale, strict=True)
    ]
    pairs = _pairs(depths, [photo.placement.photo for photo in photos], cameras.extrinsics, sparse)
    scales = _scales(pairs)
    if scales is None:
        return None
    corrections = tuple(
        smooth_correction(depth * scale, position, at * scale, known)
        for depth, scale, (position, at, known) in zip(depths, scales, pairs, strict=True)
    )
    unit = float(np.median(scales)) if metric else 1.0
    extrinsics = cameras.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    scales = cameras.depth_scale * scales / unit
    return replace(cameras, extrinsics=extrinsics, depth_scale=scales, depth_correction=corrections)


def depth_scales(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> np.ndarray | None:
    """[N], what each view's depth map [h,w] is to be multiplied by to meet the sparse points it sees.

    sizes: (width, height) of the photos that the maps cover. A view with too few points takes the median of the
    others; None where every view has too few.
    """
    return _scales(_pairs(depths, sizes, extrinsics, sparse))


Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of one view's M points: where they are in the picture [M,2], its depths there [M], and those they really have [M]."""


def _scales(pairs: Sequence[Pairs]) -> np.ndarray | None:
    fits = [align_depth(at, known) for _, at, known in pairs]
    scales = np.array([np.nan if fit is None else fit.scale for fit in fits])
    if np.isnan(scales).all():
        return None
    return np.where(np.isnan(scales), np.nanmedian(scales), scales)


def _pairs(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> list[Pairs]:
    known = seen_points(extrinsics, sparse)[:, 2]
    pairs = []
    for i, (depth, size) in enumerate(zip(depths, sizes, strict=True)):
        mine = sparse.view == i
        position = sparse.pixel[mine] / size
        height, width = depth.shape
        column, row = np.floor(position * (width, height)).astype(int).T
        at = depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
        pairs.append((position, at, known[mine]))
    return pairs
