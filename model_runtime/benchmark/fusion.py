"""Depth maps of a benchmark's scene fused to one surface, every known pixel counting alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model_runtime.depth.tsdf import DepthMap, fuse_depth, unproject


@dataclass(frozen=True, eq=False)
class DepthView:
    """depth: [h,w], along z, 0 or not finite where unknown. intrinsics: [3,3], pixels of `depth`, centres at +0.5.
    extrinsics: [4,4] world-to-camera.
    """

    depth: np.ndarray
    intrinsics: np.ndarray
    extrinsics: np.ndarray


def known(depth: np.ndarray, farthest: float) -> np.ndarray:
    return np.isfinite(depth) & (depth > 0) & (depth <= farthest)


def view_points(view: DepthView, farthest: float = np.inf) -> np.ndarray:
    """World points [P,3] of the known pixels that are no farther than `farthest`."""
    return unproject(view.depth, view.intrinsics, view.extrinsics, known(view.depth, farthest))


def fuse(
    views: Sequence[DepthView], voxel: float, truncation: float, farthest: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """The fused surface as triangles: vertices [V,3] float64 in the world, faces [F,3]. Empty where no depth is known.

    voxel: edge of a cell; truncation: how far from a depth map's surface its distances count; both in world units.
    """
    points = np.concatenate([view_points(view, farthest) for view in views])
    return fuse_depth([_plain_map(view, farthest) for view in views], points, voxel, truncation)


def _plain_map(view: DepthView, farthest: float) -> DepthMap:
    """Depth of the nearest pixel, never interpolated: predicted and true depth are then treated alike."""
    counts = known(view.depth, farthest)
    depth = torch.from_numpy(np.where(counts, view.depth, np.inf).astype(np.float64))
    weight = torch.from_numpy(counts.astype(np.float64))
    smooth = torch.zeros(counts.shape, dtype=torch.bool)
    return DepthMap(depth, weight, weight, smooth, view.intrinsics, view.extrinsics)
