"""Which pixels show a point that another view shows better: without them, views together are one surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from model_runtime.contract.depth_edges import flying_pixels
from model_runtime.contract.messages import View
from model_runtime.depth.refinement.sources import choose_sources
from model_runtime.depth.refinement.views import SMALLEST, MapCamera, seen_by
from model_runtime.depth.scratch import InMemory, Lazy, Scratch, Slots
from model_runtime.geometry.arrays import Array, Device, as_numpy, namespace, on_device

SAME = 0.02
"""Relative difference of two depths that are the same point's."""

NEIGHBOURS = 8
"""Other views that may show a view's points, so that time does not grow with the square of their number."""

EDGE_ANGLE = 10.0
"""Degrees; depth steeper than this is between two surfaces (see `depth_edges`), and stands for nobody."""


def repeated_pixels(
    views: Sequence[View],
    device: Device,
    scratch: Scratch | None = None,
    prefix: str = "",
    go_on: Callable[[], None] = lambda: None,
) -> list[np.ndarray]:
    """[h,w] bool for each view. Better is a view that is surer of the point and has more pixels for it; every point
    left out falls into a pixel of another view that stays and shows the same.

    device: where torch calculates; None for numpy. scratch: where the masks are kept, under names that begin with
    `prefix`. go_on: called before each view; may raise.
    """
    cameras = [MapCamera(view.depth.shape, view.map_intrinsics, view.extrinsics) for view in views]
    logs = Lazy(len(views), lambda i: on_device(_log_depth(views[i]), device))
    worth = Lazy(len(views), lambda i: on_device(_worth(views[i]), device))
    others = choose_sources(cameras, logs, NEIGHBOURS)
    scratch = scratch or InMemory()
    shapes = [view.depth.shape for view in views]
    better, repeated = (Slots(scratch, prefix + name, shapes, bool) for name in ("better-elsewhere", "repeated"))

    def same(i: int, j: int) -> tuple[Array, Array]:
        """[h,w] each: the pixel of view j that a point of view i falls into, and whether it shows the same."""
        sight = seen_by(cameras[i], logs[i], cameras[j])
        return sight.index, sight.inside & (abs(sight.behind(logs[j])) < SAME)

    for i in range(len(views)):
        go_on()
        mine = worth[i]
        xp = namespace(mine)
        found = xp.zeros_like(mine, dtype=xp.bool)
        for j in others[i]:
            index, alike = same(i, j)
            theirs = worth[j].reshape(-1)[index]
            found |= alike & ((theirs > mine) | ((theirs == mine) & (j < i) & (theirs > 0)))
        better[i] = as_numpy(found)
    for i in range(len(views)):  # what was better may itself be left out for another view's pixel beside this one
        mine = on_device(better[i], device)
        stays = namespace(mine).zeros_like(mine)
        for j in others[i]:
            index, alike = same(i, j)
            theirs = on_device(repeated[j] if j < i else better[j], device)
            stays |= alike & ~theirs.reshape(-1)[index]
        repeated[i] = as_numpy(mine & stays)
    return list(repeated)


def _log_depth(view: View) -> np.ndarray:
    """[h,w], where depth is none that of a point in the camera, which is nobody's."""
    return np.log(np.where(np.isfinite(view.depth), np.maximum(view.depth, SMALLEST), np.float32(SMALLEST)))


def _worth(view: View) -> np.ndarray:
    """[h,w] float32: confidence times pixels for a length at the depth; 0 of what is no surface."""
    focal = view.map_intrinsics.diagonal()[:2]
    surface = view.usable & ~flying_pixels(view.depth, (focal[0], focal[1]), EDGE_ANGLE)
    return np.where(surface, view.confidence * (focal.mean() / np.maximum(view.depth, 1e-30)), 0).astype(np.float32)
