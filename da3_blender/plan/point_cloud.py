"""Depth maps become points: origin + depth * direction, with the rays of each view's own camera. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.contract.depth_edges import flying_pixels
from model_runtime.contract.messages import View

from .budget import within_budget


@dataclass(frozen=True, eq=False)
class PointPlan:
    """P points in Blender's world.

    position: [P,3] float32. color: [P,3] uint8, sRGB-encoded. confidence: [P] float32, >= 1.
    confidence_rank: [P] float32 in 0..1, the share of the points that are no surer than this one, of those that are not
        repeated.
    footprint: [P] float32, how far the next pixel's ray is at this depth. view: [P] int32.
    repeated: [P] bool, another view shows the same point better.
    confidence_threshold: points of a lower rank start hidden.
    """

    position: np.ndarray
    color: np.ndarray
    confidence: np.ndarray
    confidence_rank: np.ndarray
    footprint: np.ndarray
    view: np.ndarray
    repeated: np.ndarray
    confidence_threshold: float


def unproject(view: View, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Points [...,3] float64, in the prediction's world, of the depth-map pixels `row`, `column` [...]."""
    pixel = np.stack([column + 0.5, row + 0.5, np.ones(row.shape)], axis=-1)
    direction = pixel @ np.linalg.inv(view.map_intrinsics).T
    depth = view.depth[row, column].astype(np.float64)
    return (depth[..., None] * direction - view.extrinsics[:3, 3]) @ view.extrinsics[:3, :3]


def map_focal(view: View) -> tuple[float, float]:
    """The focal lengths (fx, fy) in pixels of the depth map."""
    intrinsics = view.map_intrinsics
    return float(intrinsics[0, 0]), float(intrinsics[1, 1])


def surface_mask(view: View, edge_angle: float) -> np.ndarray:
    """[h,w] bool: pixels that lie on a surface, so neither sky nor flying (see `depth_edges`)."""
    return view.usable & ~flying_pixels(view.depth, map_focal(view), edge_angle)


def plan_points(
    views: tuple[View, ...],
    masks: list[np.ndarray],
    motion: np.ndarray,
    stride: int,
    budget: int,
    confidence_threshold: float,
) -> PointPlan:
    """Points of all pixels in `masks`, every `stride`-th row and column, at most `budget` of them (see
    `within_budget`), moved by the rigid `motion` [4,4]. Looks at one view after the other, which may be mapped."""

    def places(index: int) -> np.ndarray:
        return unproject(views[index], *_strided_pixels(masks[index], stride))

    every = [_repeated(view, *_strided_pixels(mask, stride)) for view, mask in zip(views, masks, strict=True)]
    keep = within_budget(every, places, budget)
    repeated = np.concatenate([part[chosen] for part, chosen in zip(every, keep, strict=True)])
    position, color, confidence, footprint, source = [], [], [], [], []
    for index, (view, mask, chosen) in enumerate(zip(views, masks, keep, strict=True)):
        row, column = (pixels[chosen] for pixels in _strided_pixels(mask, stride))
        world = unproject(view, row, column) @ motion[:3, :3].T + motion[:3, 3]
        position.append(world.astype(np.float32))
        color.append(view.color[row, column])
        confidence.append(view.confidence[row, column].astype(np.float32))
        footprint.append((stride * view.depth[row, column] / min(map_focal(view))).astype(np.float32))
        source.append(np.full(len(row), index, dtype=np.int32))
    all_confidence = np.concatenate(confidence)
    return PointPlan(
        position=np.concatenate(position),
        color=np.concatenate(color),
        confidence=all_confidence,
        confidence_rank=rank(all_confidence, all_confidence[~repeated]),
        footprint=np.concatenate(footprint),
        view=np.concatenate(source),
        repeated=repeated,
        confidence_threshold=confidence_threshold,
    )


def rank(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """[P] float32: the share of `among` [Q] no larger than each of `values` [P], so equals rank equal and the largest
    of `among` ranks 1. The least rank is that of one of Q, since a rank of 0 would never show."""
    ordered = np.sort(among)
    return (np.maximum(np.searchsorted(ordered, values, side="right"), 1) / max(len(among), 1)).astype(np.float32)


def _repeated(view: View, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """[...] bool, `View.repeated` of the pixels `row`, `column` [...]."""
    return np.zeros(row.shape, dtype=bool) if view.repeated is None else view.repeated[row, column]


def _strided_pixels(mask: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    first = stride // 2
    row, column = np.nonzero(mask[first::stride, first::stride])
    return row * stride + first, column * stride + first
