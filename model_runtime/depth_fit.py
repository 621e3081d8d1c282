"""The network's depths brought to the sparse points that features found: a scale per view, and a shift where it helps.

A small network sees near things too near and far things too far, or the reverse, by about the same amount all over a
photo; the shift takes most of that away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model_runtime.features.result import SparsePoints, seen_points
from model_runtime.geometry.depth_alignment import align_depth
from model_runtime.network.output import Output
from model_runtime.prepared_photos import PreparedPhoto
from model_runtime.results import Cameras

LEAST_FOR_SHIFT = 50
"""Fewer known depths than this decide a view's scale, but no shift."""

SHIFT_GAIN = 0.02
"""A shift must lower the median relative error by this much; less may be the noise of the points."""

NEAREST_SHARE = 0.2
"""A shift may bring a view's nearest depth down to this share of what the scale makes of it: none turns negative."""


def fit_depths(
    output: Output, photos: Sequence[PreparedPhoto], cameras: Cameras, sparse: SparsePoints, metric: bool
) -> Cameras | None:
    """The cameras with each view's depth scale and shift from its sparse points; None where no view has enough of them.

    metric: the depths are metres; then it is the world that is scaled to them as a whole.
    """
    depths = [
        photo.placement.crop(depth.float().cpu().numpy()) * scale
        for photo, depth, scale in zip(photos, output.depth[0], cameras.depth_scale, strict=True)
    ]
    sizes = [photo.placement.photo for photo in photos]
    if not metric:
        corrections = depth_corrections(depths, sizes, cameras.extrinsics, sparse)
        if corrections is None:
            return None
        scales, shifts = corrections.T
        return replace(cameras, depth_scale=cameras.depth_scale * scales, depth_shift=shifts)
    scales = depth_scales(depths, sizes, cameras.extrinsics, sparse)
    if scales is None:
        return None
    unit = float(np.median(scales))
    extrinsics = cameras.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    return replace(cameras, extrinsics=extrinsics, depth_scale=cameras.depth_scale * scales / unit)


def depth_scales(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> np.ndarray | None:
    """[N], what each view's depth map [h,w] is to be multiplied by to meet the sparse points it sees.

    sizes: (width, height) of the photos that the maps cover. A view with too few points takes the median of the
    others; None where every view has too few.
    """
    return _scales(_pairs(depths, sizes, extrinsics, sparse))


def _scales(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray | None:
    fits = [align_depth(*pair) for pair in pairs]
    scales = np.array([np.nan if fit is None else fit.scale for fit in fits])
    if np.isnan(scales).all():
        return None
    return np.where(np.isnan(scales), np.nanmedian(scales), scales)


def depth_corrections(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> np.ndarray | None:
    """[N,2], scale and shift that bring each view's depth map to the sparse points it sees; see `depth_scales`.

    The shift is 0 where it would help little, rest on few points, or turn the view's nearest depths round.
    """
    pairs = _pairs(depths, sizes, extrinsics, sparse)
    scales = _scales(pairs)
    if scales is None:
        return None
    corrections = np.stack((scales, np.zeros(len(scales))), axis=1)
    for i, (depth, (mine, known)) in enumerate(zip(depths, pairs, strict=True)):
        line = align_depth(mine, known, with_shift=True)
        if line is None or len(known) < LEAST_FOR_SHIFT:
            continue
        nearest = line.scale * float(depth.min())
        error, error_with_shift = (
            np.median(np.abs(scale * mine + shift - known) / known)
            for scale, shift in (corrections[i], (line.scale, line.shift))
        )
        if error_with_shift < error - SHIFT_GAIN and nearest + line.shift >= NEAREST_SHARE * nearest:
            corrections[i] = line.scale, line.shift
    return corrections


def _pairs(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each view's depths at the sparse points it sees, and the depths those points really have."""
    known = seen_points(extrinsics, sparse)[:, 2]
    views = [sparse.view == i for i in range(len(depths))]
    return [
        (_at(depth, sparse.pixel[mine], size), known[mine])
        for depth, size, mine in zip(depths, sizes, views, strict=True)
    ]


def _at(depth: np.ndarray, pixel: np.ndarray, photo: tuple[int, int]) -> np.ndarray:
    """[M] values of a map over the whole photo at pixels [M,2] of the photo."""
    height, width = depth.shape
    column, row = np.floor(pixel * (width / photo[0], height / photo[1])).astype(int).T
    return depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
