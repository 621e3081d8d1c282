"""Gaussian splats of a prediction: from the network's Gaussian head, or laid on the depth maps where it has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from model_runtime.cameras.settle import SettledCameras
from model_runtime.contract.harmonics import rotate
from model_runtime.contract.messages import Gaussians, View
from model_runtime.contract.quaternions import rotate_quaternions
from model_runtime.contract.threads import cores, in_order
from model_runtime.network.output import Output, as_array
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.splats.even import chosen, even_choice
from model_runtime.splats.head import FIELDS, HeadSplats, PhotoSplats, head_splats
from model_runtime.splats.surface import ARRAYS, joined, surface_splats

LOW_PASS = 0.3
"""Variance, in pixels of the map squared, that the renderer of 3D Gaussian Splatting adds to every splat it draws.

Gaussian heads are trained through it. Other renderers, and larger pictures, show gaps between the splats unless it is
part of them, as in Mip-Splatting (Yu et al. 2024).
"""

MOST_AT_ONCE = 4
"""Views whose splats are made side by side, for memory's sake."""


def make_gaussians(
    output: Output,
    photos: Sequence[PreparedPhoto],
    views: Sequence[View],
    cameras: SettledCameras,
    head: Sequence[HeadSplats] | None = None,
    budget: int | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> Gaussians:
    """Splats of all views in the prediction's world, none of them of padding, sky or transparent parts.

    head: what the Gaussian head made of each photo, where it is not in the output. budget: the most splats there may
    be; of more an even choice over the scene is made, and each is made larger for those that it stands for.
    go_on: called before each view, in this thread; may raise.
    """
    made: Sequence[PhotoSplats] | None = head_splats(output) if head is None else head

    def offered(i: int) -> np.ndarray:
        if made is None:
            return views[i].usable
        return views[i].shown & _has_splat(made[i], photos[i])

    choice = None if budget is None else even_choice(views, offered, budget, go_on)

    def of_view(
        each: tuple[int, PreparedPhoto, View, PhotoSplats | None],
    ) -> tuple[Gaussians, np.ndarray | None]:
        i, photo, view, splats = each
        if splats is None:
            part, kept = _surface_part(view, i)
        else:
            part, kept = _network_part(output, splats, photo, view, cameras, i)
        if choice is not None:
            part, kept = chosen(part, kept, *choice.of(i))
        return part, None if view.repeated is None else view.repeated.ravel()[kept]

    def each_view() -> Iterator[tuple[int, PreparedPhoto, View, PhotoSplats | None]]:
        for i, (photo, view) in enumerate(zip(photos, views, strict=True)):
            go_on()
            yield i, photo, view, None if made is None else made[i]

    parts, repeated = zip(*in_order(of_view, each_view(), min(MOST_AT_ONCE, cores())), strict=True)
    known = [each for each in repeated if each is not None]
    return replace(joined(parts), repeated=np.concatenate(known) if len(known) == len(parts) else None)


def _surface_part(view: View, i: int) -> tuple[Gaussians, np.ndarray]:
    """Splats laid on a view's depth, and the pixels that they are of, row by row."""
    arguments = view.depth, view.confidence, view.color, view.extrinsics, view.map_intrinsics, view.shown, i
    return surface_splats(*arguments), np.flatnonzero(view.usable)


def _has_splat(splats: PhotoSplats, photo: PreparedPhoto) -> np.ndarray:
    """[h,w] bool over the photo."""
    width, height = photo.placement.canvas
    canvas = np.zeros(width * height, bool)
    canvas[splats.pixel] = True
    return photo.placement.crop(canvas.reshape(height, width))


def _network_part(
    output: Output, splats: PhotoSplats, photo: PreparedPhoto, view: View, cameras: SettledCameras, i: int
) -> tuple[Gaussians, np.ndarray]:
    """The Gaussian head's splats of a view without those that are not finite (a camera it could not place), and the
    pixels that they are of, row by row."""
    width, height = photo.placement.canvas
    assert output.extrinsics is not None
    placed = np.isfinite(as_array(output.extrinsics[0, i])).all() and np.isfinite(cameras.extrinsics[i]).all()
    has = view.shown & _has_splat(splats, photo) & placed
    on_canvas = np.zeros((height, width), bool)
    photo.placement.crop(on_canvas)[...] = has
    some = splats.taken(on_canvas.ravel()[splats.pixel])
    network_depth = photo.placement.crop(as_array(output.depth[0, i]))[has]
    fields = tuple(getattr(some, name) for name in FIELDS)
    if placed:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            grow = view.depth[has].astype(np.float64) / network_depth
            fields = _move_splats(some, output, i, photo, cameras, grow[:, None])
    finite = np.logical_and.reduce(
        [np.isfinite(field).reshape(len(field), math.prod(field.shape[1:])).all(1) for field in fields]
    )
    fields += view.confidence[has], np.full(len(finite), i, np.int32)
    part = Gaussians(**{name: field[finite] for name, field in zip(ARRAYS, fields, strict=True)}, source="network")
    return part, np.flatnonzero(has)[finite]


def _move_splats(
    splats: HeadSplats, output: Output, i: int, photo: PreparedPhoto, cameras: SettledCameras, grow: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Means, scales, rotations, opacities and harmonics of splats of view i, seen by the network's camera, moved to
    where the prediction's camera sees them at the same pixels.

    Each view moves on its own, so that its splats stay on its plate even where no similarity fits all cameras.
    grow: [P,1], how many times as far from its camera as the network has it each of them is.
    """
    assert output.extrinsics is not None and output.intrinsics is not None
    old, new = as_array(output.extrinsics[0, i]).astype(np.float64), cameras.extrinsics[i]
    old_k = as_array(output.intrinsics[0, i]).astype(np.float64)
    new_k = photo.placement.intrinsics_to_canvas(cameras.intrinsics[i])
    stretch = np.linalg.inv(new_k) @ old_k
    seen = (splats.means @ (old[:, :3].T / splats.world_scale) + old[:, 3]) * grow
    means = ((seen @ stretch.T - new[:3, 3]) @ new[:3, :3]).astype(np.float32)
    scales = splats.scales * (grow / splats.world_scale * stretch.diagonal()[:2].mean())
    pixel = seen[:, 2:] / new_k.diagonal()[:2].mean()
    scales = np.sqrt(scales**2 + LOW_PASS * pixel**2).astype(np.float32)
    turn = new[:3, :3].T @ old[:, :3]
    rotations = rotate_quaternions(turn, splats.rotations)
    return means, scales, rotations, splats.opacities, rotate(splats.harmonics, turn)
