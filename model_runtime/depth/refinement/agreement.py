"""Which pixels' depth other photos bear out, and what those photos' depth says of a photo's own pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from model_runtime.depth.refinement.views import MapCamera, seen_by

CLOSE, NEAR = 0.01, 0.02
"""Relative differences of two depths of one point; the closer ones count more."""

CLOSE_SHARE = 0.6
"""Of what a view counts whose depth is close; one that is only near counts the rest."""

THROUGH = 0.03
"""How much farther, relatively, a view must see what lies behind a point to speak against it."""

ENOUGH = 3.0
"""Views that agree and make a pixel as sure as can be."""

STEEPNESS = 1.5
"""Power of the share of those: two views are worth more than twice one."""


def agreement(index: int, cameras: Sequence[MapCamera], logs: Sequence[Tensor], others: Sequence[int]) -> Tensor:
    """[h,w] in 0..1: how far the depth of view `index` is borne out by the views `others`. 0 where more of them look
    through it than have it, or none sees it.

    logs: for each view its depth's logarithm [h,w].
    """
    log_depth = logs[index]
    near = torch.zeros_like(log_depth)
    close, through = near.clone(), near.clone()
    for other in others:
        sight = seen_by(cameras[index], log_depth, cameras[other])
        behind = sight.behind(logs[other])
        close += sight.inside & (behind.abs() < CLOSE)
        near += sight.inside & (behind.abs() < NEAR)
        through += sight.inside & (behind < -THROUGH)
    score = CLOSE_SHARE * close + (1 - CLOSE_SHARE) * near - through
    return (score / ENOUGH).clamp(0, 1) ** STEEPNESS


def seen_points(camera: MapCamera, others: Sequence[tuple[MapCamera, Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Log depth [h,w] of the nearest point of other maps that falls into each pixel of the map of `camera`, and whether
    there is one [h,w].

    others: cameras, their log depths [H,W], and which pixels are sure enough [H,W]; at least one.
    """
    height, width = camera.size
    nearest = torch.full((height * width,), torch.inf, device=others[0][1].device)
    for other, log_depth, sure in others:
        sight = seen_by(other, log_depth, camera)
        kept = sight.inside & sure
        nearest.scatter_reduce_(0, sight.index[kept], sight.depth[kept], "amin")
    seen = nearest.isfinite()
    return torch.where(seen, nearest, 1.0).log().view(height, width), seen.view(height, width)
