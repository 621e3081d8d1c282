"""What depth maps are to be multiplied by to meet the sparse points that they see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_runtime.cameras.features.result import SparsePoints, seen_points
from model_runtime.geometry.depth_alignment import align_depth

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of one view's M points: where they are in the picture [M,2], its depths there [M], and those they really have [M]."""


def depth_scales(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> np.ndarray | None:
    """[N], what each view's depth map [h,w] is to be multiplied by to meet the sparse points it sees.

    sizes: (width, height) of the photos that the maps cover. A view with too few points takes the median of the
    others; None where every view has too few.
    """
    return pair_scales(point_pairs(depths, sizes, extrinsics, sparse))


def pair_scales(pairs: Sequence[Pairs]) -> np.ndarray | None:
    """As `depth_scales`."""
    fits = [align_depth(at, known) for _, at, known in pairs]
    scales = np.array([np.nan if fit is None else fit.scale for fit in fits])
    if np.isnan(scales).all():
        return None
    return np.where(np.isnan(scales), np.nanmedian(scales), scales)


def point_pairs(
    depths: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]], extrinsics: np.ndarray, sparse: SparsePoints
) -> list[Pairs]:
    """For each view, as `depth_scales` takes them."""
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
