"""Gaussian splats as they will stand in Blender's world. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.contract import harmonics
from model_runtime.contract.messages import Gaussians, View
from model_runtime.contract.quaternions import rotate_quaternions

from .budget import within_budget
from .floaters import floating
from .point_cloud import rank
from .splat_ranks import thinning

PART = 1 << 18
"""Splats that are looked at together where there are too many."""

NO_VIEW = -1
"""The view of splats that come from no photo of a DA3 scene."""


@dataclass(frozen=True, eq=False)
class SplatPlan:
    """G splats in Blender's world.

    position, scale: [G,3] float32, scale the standard deviations. rotation: [G,4] float32 wxyz, unit length.
    base: [G,4] float32, the degree-0 coefficients of red, green, blue, then the opacity 0..1.
    harmonics: [K-1,G,3] float32, the coefficients of degree 1 and up, one [G,3] per basis function.
    confidence: [G] float32. view: [G] int32, or NO_VIEW. repeated: [G] bool, another view shows the same place better.
    source: `network`, `surface`, `merged` or `file`. left_out: splats above the budget.
    floater: [G] float32, see `floating`; None where that was not told from photos.
    thinning: what `thinning` returns; None where that is reckoned only when the splats are written.
    confidence_rank: as of points (see `point_cloud.PointPlan`), or None, likewise.
    """

    position: np.ndarray
    scale: np.ndarray
    rotation: np.ndarray
    base: np.ndarray
    harmonics: np.ndarray
    confidence: np.ndarray
    view: np.ndarray
    repeated: np.ndarray
    source: str
    left_out: int
    floater: np.ndarray | None = None
    thinning: tuple[np.ndarray, np.ndarray] | None = None
    confidence_rank: np.ndarray | None = None


def lone_splats(
    position: np.ndarray, scale: np.ndarray, rotation: np.ndarray, base: np.ndarray, harmonics: np.ndarray
) -> SplatPlan:
    """Splats that belong to no DA3 scene, as from a file: arrays as of `SplatPlan`."""
    count = len(position)
    return SplatPlan(
        position=position.astype(np.float32),
        scale=scale.astype(np.float32),
        rotation=rotation.astype(np.float32),
        base=base.astype(np.float32),
        harmonics=harmonics.astype(np.float32),
        confidence=np.ones(count, np.float32),
        view=np.full(count, NO_VIEW, np.int32),
        repeated=np.zeros(count, bool),
        source="file",
        left_out=0,
    )


def plan_splats(
    gaussians: Gaussians, views: tuple[View, ...], masks: list[np.ndarray], motion: np.ndarray, budget: int
) -> SplatPlan:
    """Move splats by the rigid `motion` [4,4]; of surface splats keep those on `masks`; then at most `budget` of them
    (see `within_budget`)."""
    keep = np.ones(len(gaussians.means), dtype=bool)
    if gaussians.source == "surface":
        keep = _on_surfaces(gaussians, views, masks)
    chosen = np.flatnonzero(keep)
    left_out = max(len(chosen) - budget, 0)
    repeated = np.zeros(len(keep), dtype=bool) if gaussians.repeated is None else gaussians.repeated
    chosen = chosen[_within_budget(gaussians.means, repeated, chosen, budget)]
    rotation = motion[:3, :3]
    quaternions = gaussians.rotations[chosen]
    coefficients = harmonics.rotate(gaussians.harmonics[chosen].astype(np.float32), rotation)
    position = (gaussians.means[chosen] @ rotation.T + motion[:3, 3]).astype(np.float32)
    scale = gaussians.scales[chosen].astype(np.float32)
    confidence = gaussians.confidence[chosen].astype(np.float32)
    base = np.concatenate([coefficients[:, :, 0], gaussians.opacities[chosen, None]], axis=1, dtype=np.float32)
    return SplatPlan(
        position=position,
        scale=scale,
        rotation=rotate_quaternions(rotation, quaternions),
        base=base,
        harmonics=np.ascontiguousarray(np.moveaxis(coefficients[:, :, 1:], 2, 0)),
        confidence=confidence,
        view=gaussians.view_index[chosen].astype(np.int32),
        repeated=repeated[chosen],
        source=gaussians.source,
        left_out=left_out,
        floater=floating(gaussians.means[chosen], gaussians.scales[chosen], gaussians.view_index[chosen], views),
        thinning=thinning(position, scale, base, repeated[chosen]),
        confidence_rank=rank(confidence, confidence[~repeated[chosen]]),
    )


def _within_budget(means: np.ndarray, repeated: np.ndarray, among: np.ndarray, budget: int) -> np.ndarray:
    """[N] bool: which of the splats `among` [N] stay, see `within_budget`."""
    parts = np.split(among, range(PART, len(among), PART))
    return np.concatenate(within_budget([repeated[part] for part in parts], lambda part: means[parts[part]], budget))


def _on_surfaces(gaussians: Gaussians, views: tuple[View, ...], masks: list[np.ndarray]) -> np.ndarray:
    """[G] bool: splats whose middle falls, in the view they came from, on a pixel of that view's mask."""
    on_surface = np.zeros(len(gaussians.means), dtype=bool)
    for index, (view, mask) in enumerate(zip(views, masks, strict=True)):
        mine = np.flatnonzero(gaussians.view_index == index)
        seen = gaussians.means[mine] @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
        pixel = seen @ view.map_intrinsics.T
        height, width = mask.shape
        u = pixel[:, 0] / np.maximum(pixel[:, 2], 1e-9)
        v = pixel[:, 1] / np.maximum(pixel[:, 2], 1e-9)
        inside = (pixel[:, 2] > 0) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
        hit = mine[inside]
        on_surface[hit] = mask[v[inside].astype(int), u[inside].astype(int)]
    return on_surface
