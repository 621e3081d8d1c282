"""One layer of splats from several photos: what many of them show becomes one surface, what none shows is guessed.

Every photo's depth is taken to a finer grid with its own colours. Of pixels of several photos that show the same
point the best stays (`repeated_pixels`: surer, with more pixels for it). The broad part of its colour is the mean over
the photos, weighed by confidence, resolution and the angle of view, so that photos exposed differently leave no seams;
its detail and its depth are its own, for means of these are blurred. Depth strung between two surfaces is left out,
since its splats are streaks for all other cameras.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from model_runtime.contract.depth_edges import flying_pixels
from model_runtime.contract.messages import Gaussians, View
from model_runtime.depth.one_surface import EDGE_ANGLE, NEIGHBOURS, SAME, repeated_pixels
from model_runtime.depth.refinement.sources import choose_sources
from model_runtime.depth.refinement.views import MapCamera, seen_by
from model_runtime.depth.scratch import Lazy, Scratch
from model_runtime.geometry.sampling import resized
from model_runtime.photos.canvas import resize
from model_runtime.splats.beyond import guessed_splats
from model_runtime.splats.even import chosen, even_choice
from model_runtime.splats.surface import ARRAYS, joined, surface_splats

FINE_SIDE = 240
"""Longest side of the finer grid, in pixels; no coarser than the depth maps are. The splats of six photos at 480 show
kept-back photos no better, for depth is no finer, and take four times as long."""

MAX_ELONGATION = 3.0
"""Longer to shorter tangent of splats that other photos must stand, too."""

BROAD = 0.03
"""Standard deviation, as a share of the longest side, that parts a colour's broad part from its detail."""


def merged_splats(
    views: Sequence[View],
    photos: Sequence[np.ndarray],
    budget: int | None = None,
    scratch: Scratch | None = None,
) -> Gaussians:
    """Splats of all views together. photos: [H,W,3] uint8 sRGB, each whole, of any size not below the depth maps'.

    budget: the most splats there may be; of more an even choice over the scene is made, and of those that are guessed
    behind it as many stay as there is room for. scratch: where what is known of each view waits.
    """
    fine = Lazy(len(views), lambda i: _finer(views[i], photos[i]))
    repeated = repeated_pixels(fine, None, scratch, "fine-")
    stays = Lazy(len(views), lambda i: fine[i].usable & ~repeated[i] & ~_strung(fine[i]))
    choice = None if budget is None else even_choice(fine, lambda i: stays[i], budget)
    parts = []
    for i, view in enumerate(_evened(fine)):
        arguments = view.depth, view.confidence, view.color, view.extrinsics, view.map_intrinsics, stays[i], i
        part = surface_splats(*arguments, max_elongation=MAX_ELONGATION)
        parts.append(part if choice is None else chosen(part, np.flatnonzero(stays[i]), *choice.of(i))[0])
    layer = replace(joined(parts), source="merged")
    if not all(view.shown.all() for view in views):
        return layer  # sky, and what was cut out, has nothing behind it
    guessed = guessed_splats(layer, views)
    room = None if budget is None else budget - len(layer.means)
    if guessed and room is not None and room < sum(len(part.means) for part in guessed):
        guessed = [_some(joined(guessed), room)]
    return replace(joined([layer, *guessed]), source="merged")


def _some(splats: Gaussians, count: int) -> Gaussians:
    """So many of the splats, from anywhere among them."""
    taken = np.sort(np.random.default_rng(0).permutation(len(splats.means))[:count])
    return replace(splats, **{name: getattr(splats, name)[taken] for name in ARRAYS})


def _finer(view: View, photo: np.ndarray) -> View:
    """The view on the finer grid: bilinear inverse depth, which is linear over planes."""
    height, width = view.depth.shape
    factor = max(1.0, FINE_SIDE / max(height, width))
    size = round(height * factor), round(width * factor)
    usable = resized(view.usable.astype(np.float32), size, "bilinear") > 0.99
    inverse = resized(1 / np.where(view.usable, view.depth, np.inf).astype(np.float32), size, "bilinear")
    return replace(
        view,
        depth=np.where(usable, 1 / np.maximum(inverse, 1e-30), 0).astype(np.float32),
        confidence=resized(view.confidence.astype(np.float32), size, "bilinear"),
        color=resize(photo, size[1], size[0]),
        sky=np.zeros(size, bool),
        opaque=None,
        repeated=None,
    )


def _focal(view: View) -> tuple[float, float]:
    return float(view.map_intrinsics[0, 0]), float(view.map_intrinsics[1, 1])


def _strung(view: View) -> np.ndarray:
    return flying_pixels(view.depth, _focal(view), EDGE_ANGLE)


@dataclass(frozen=True, eq=False)
class _Shown:
    """What one view says of its pixels, [h,w] each: weight; log_depth; broad: [h,w,3] float32 in 0..255."""

    camera: MapCamera
    weight: np.ndarray
    log_depth: np.ndarray
    broad: np.ndarray


def _evened(views: Sequence[View]) -> Iterator[View]:
    """The views with the broad part of their colours as the mean of all that show the same point."""
    shown = Lazy(len(views), lambda i: _shown(views[i]))
    cameras = [_camera(view) for view in views]
    others = choose_sources(cameras, Lazy(len(views), lambda i: shown[i].log_depth, kept=1), NEIGHBOURS)
    for view, mine, sources in zip(views, shown, others, strict=True):
        weight, color = mine.weight.copy(), np.zeros_like(mine.broad)
        for j in sources:
            sight = seen_by(mine.camera, mine.log_depth, shown[j].camera)
            same = sight.inside & (np.abs(sight.behind(shown[j].log_depth)) < SAME)
            theirs = shown[j].weight.ravel()[sight.index] * same
            weight += theirs
            color += theirs[..., None] * (shown[j].broad.reshape(-1, 3)[sight.index] - mine.broad)
        mixed = view.color + color / np.maximum(weight, 1e-30)[..., None]
        yield replace(view, color=np.clip(np.round(mixed), 0, 255).astype(np.uint8))


def _camera(view: View) -> MapCamera:
    return MapCamera(view.depth.shape, view.map_intrinsics, view.extrinsics)


def _shown(view: View) -> _Shown:
    camera = _camera(view)
    depth = np.maximum(view.depth, np.float32(1e-30))
    sigma = BROAD * max(view.depth.shape)
    broad = gaussian_filter(view.color.astype(np.float32), (sigma, sigma, 0))
    fine = np.where(view.usable & ~_strung(view), sum(_focal(view)) / 2 / depth, 0)
    weight = (view.confidence * fine * _cosine(camera, depth)).astype(np.float32)
    return _Shown(camera, weight, np.log(depth), broad)


def _cosine(camera: MapCamera, depth: np.ndarray) -> np.ndarray:
    """[h,w] of the angle between each pixel's line of sight and its surface's normal."""
    rays = camera.rays(depth)
    down, across = np.gradient(rays * depth, axis=(1, 2))
    normal = np.cross(down, across, axis=0)
    lengths = np.linalg.norm(normal, axis=0) * np.linalg.norm(rays, axis=0)
    return np.abs((normal * rays).sum(0)) / np.maximum(lengths, 1e-30)
