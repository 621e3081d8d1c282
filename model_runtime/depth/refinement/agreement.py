"""Which pixels' depth other photos bear out, and what those photos' depth says of a photo's own pixels."""

from __future__ import annotations

from collections.abc import Sequence

from model_runtime.depth.refinement.views import MapCamera, seen_by
from model_runtime.geometry.arrays import Array, device_of, namespace
from model_runtime.geometry.sampling import keep_lowest

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


def agreement(index: int, cameras: Sequence[MapCamera], logs: Sequence[Array], others: Sequence[int]) -> Array:
    """[h,w] in 0..1: how far the depth of view `index` is borne out by the views `others`. 0 where more of them look
    through it than have it, or none sees it.

    logs: for each view its depth's logarithm [h,w].
    """
    log_depth = logs[index]
    close, near, through = (namespace(log_depth).zeros_like(log_depth) for _ in range(3))
    for other in others:
        sight = seen_by(cameras[index], log_depth, cameras[other])
        behind = sight.behind(logs[other])
        close += sight.inside & (abs(behind) < CLOSE)
        near += sight.inside & (abs(behind) < NEAR)
        through += sight.inside & (behind < -THROUGH)
    score = CLOSE_SHARE * close + (1 - CLOSE_SHARE) * near - through
    return (score / ENOUGH).clip(0, 1) ** STEEPNESS


def seen_points(camera: MapCamera, others: Sequence[tuple[MapCamera, Array, Array]]) -> tuple[Array, Array]:
    """Log depth [h,w] of the nearest point of other maps that falls into each pixel of the map of `camera`, and whether
    there is one [h,w].

    others: cameras, their log depths [H,W], and which pixels are sure enough [H,W]; at least one.
    """
    log = others[0][1]
    xp = namespace(log)
    height, width = camera.size
    nearest = xp.full(height * width, float("inf"), dtype=log.dtype, device=device_of(log))
    for other, log_depth, sure in others:
        sight = seen_by(other, log_depth, camera)
        kept = sight.inside & sure
        keep_lowest(nearest, sight.index[kept], sight.depth[kept])
    seen = xp.isfinite(nearest)
    found = xp.log(xp.where(seen, nearest, 1.0))
    return found.reshape(height, width), seen.reshape(height, width)
