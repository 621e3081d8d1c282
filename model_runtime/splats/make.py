"""Gaussian splats of a prediction: from the network's Gaussian head, or laid on the depth maps where it has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from model_runtime.cameras.settle import SettledCameras
from model_runtime.contract.messages import Gaussians, View
from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_multiply
from model_runtime.geometry.spherical_harmonics import rotate
from model_runtime.network.output import Output
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.splats.even import chosen, even_choice
from model_runtime.splats.head import HeadSplats, as_tensors, head_splats
from model_runtime.splats.surface import ARRAYS, joined, surface_splats

LOW_PASS = 0.3
"""Variance, in pixels of the map squared, that the renderer of 3D Gaussian Splatting adds to every splat it draws.

Gaussian heads are trained through it. Other renderers, and larger pictures, show gaps between the splats unless it is
part of them, as in Mip-Splatting (Yu et al. 2024).
"""


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
    go_on: called before each view; may raise.
    """
    head = head_splats(output) if head is None else head

    def offered(i: int) -> np.ndarray:
        if head is None:
            return views[i].usable
        return views[i].shown & _has_splat(head[i], photos[i])

    choice = None if budget is None else even_choice(views, offered, budget, go_on)
    parts: list[Gaussians] = []
    repeated: list[np.ndarray | None] = []
    for i, (photo, view) in enumerate(zip(photos, views, strict=True)):
        go_on()
        if head is None:
            part, kept = _surface_part(view, i)
        else:
            part, kept = _network_part(output, head[i], photo, view, cameras, i)
        if choice is not None:
            part, kept = chosen(part, kept, *choice.of(i))
        parts.append(part)
        repeated.append(None if view.repeated is None else view.repeated.ravel()[kept])
    known = [each for each in repeated if each is not None]
    return replace(joined(parts), repeated=np.concatenate(known) if len(known) == len(parts) else None)


def _surface_part(view: View, i: int) -> tuple[Gaussians, np.ndarray]:
    """Splats laid on a view's depth, and the pixels that they are of, row by row."""
    arguments = view.depth, view.confidence, view.color, view.extrinsics, view.map_intrinsics, view.shown, i
    return surface_splats(*arguments), np.flatnonzero(view.usable)


def _has_splat(splats: HeadSplats, photo: PreparedPhoto) -> np.ndarray:
    """[h,w] bool over the photo."""
    width, height = photo.placement.canvas
    canvas = np.zeros(width * height, bool)
    canvas[splats.pixel] = True
    return photo.placement.crop(canvas.reshape(height, width))


def _network_part(
    output: Output, splats: HeadSplats, photo: PreparedPhoto, view: View, cameras: SettledCameras, i: int
) -> tuple[Gaussians, np.ndarray]:
    """The Gaussian head's splats of a view without those that are not finite (a camera it could not place), and the
    pixels that they are of, row by row."""
    width, height = photo.placement.canvas
    has = view.shown & _has_splat(splats, photo)
    on_canvas = np.zeros((height, width), bool)
    photo.placement.crop(on_canvas)[...] = has
    fields = as_tensors(splats, on_canvas.ravel()[splats.pixel])
    network_depth = photo.placement.crop(output.depth[0, i].float().cpu().numpy())
    grow = torch.from_numpy(view.depth.astype(np.float64) / network_depth)[has, None]
    fields = _move_splats(fields, output, splats.world_scale, i, photo, cameras, grow)
    finite = torch.stack([_finite_rows(field) for field in fields]).all(0)
    columns = [field[finite].numpy() for field in fields]
    columns.append(view.confidence[has][finite.numpy()])
    columns.append(np.full(len(columns[0]), i, np.int32))
    part = Gaussians(**dict(zip(ARRAYS, columns, strict=True)), source="network")
    return part, np.flatnonzero(has)[finite.numpy()]


def _finite_rows(field: Tensor) -> Tensor:
    """[P] bool of [P,...]; of no splats, too, as where a photo is wholly transparent."""
    return field.isfinite().reshape(len(field), math.prod(field.shape[1:])).all(1)


def _move_splats(
    fields: list[Tensor],
    output: Output,
    world_scale: float,
    i: int,
    photo: PreparedPhoto,
    cameras: SettledCameras,
    grow: Tensor,
) -> list[Tensor]:
    """Splats of view i, seen by the network's camera, to where the prediction's camera sees them at the same pixels.

    Each view moves on its own, so that its splats stay on its plate even where no similarity fits all cameras.
    grow: [P,1], how many times as far from its camera as the network has it each of them is.
    """
    assert output.extrinsics is not None and output.intrinsics is not None
    means, scales, rotations, opacities, harmonics = fields
    old = output.extrinsics[0, i].cpu().double()
    new = torch.from_numpy(cameras.extrinsics[i])
    old_k = output.intrinsics[0, i].cpu().double()
    new_k = torch.from_numpy(photo.placement.intrinsics_to_canvas(cameras.intrinsics[i]))
    stretch = torch.linalg.inv(new_k) @ old_k
    seen = (means.double() @ old[:, :3].T / world_scale + old[:, 3]) * grow
    means = ((seen @ stretch.T - new[:3, 3]) @ new[:3, :3]).float()
    scales = scales * grow / world_scale * stretch.diagonal()[:2].mean()
    pixel = seen[:, 2:] / new_k.diagonal()[:2].mean()
    scales = (scales.square() + LOW_PASS * pixel.square()).sqrt().float()
    turn = (new[:3, :3].T @ old[:, :3]).float()
    rotations = quaternion_multiply(matrix_to_quaternion(turn), rotations)
    return [means, scales, rotations, opacities, rotate(harmonics, turn)]
