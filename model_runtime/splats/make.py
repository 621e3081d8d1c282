"""Gaussian splats of a prediction: from the network's Gaussian head, or laid on the depth maps where it has none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from model_runtime.cameras.settle import SettledCameras
from model_runtime.contract.messages import Gaussians, View
from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_multiply
from model_runtime.geometry.spherical_harmonics import rotate
from model_runtime.network.output import GaussianSplats, Output
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.splats.surface import ARRAYS, joined, surface_splats

LOW_PASS = 0.3
"""Variance, in pixels of the map squared, that the renderer of 3D Gaussian Splatting adds to every splat it draws.

Gaussian heads are trained through it. Other renderers, and larger pictures, show gaps between the splats unless it is
part of them, as in Mip-Splatting (Yu et al. 2024).
"""


def make_gaussians(
    output: Output, photos: Sequence[PreparedPhoto], views: Sequence[View], cameras: SettledCameras
) -> Gaussians:
    """Splats of all views in the prediction's world, none of them of padding, sky or transparent parts."""
    if output.gaussians is not None:
        return _network_gaussians(output, output.gaussians, photos, views, cameras)
    parts = [
        surface_splats(view.depth, view.confidence, view.color, view.extrinsics, view.map_intrinsics, view.shown, i)
        for i, view in enumerate(views)
    ]
    kept = [view.usable for view in views]
    return replace(joined(parts), repeated=_repeated(views, kept))


def _repeated(views: Sequence[View], kept: Sequence[np.ndarray]) -> np.ndarray | None:
    """[G] bool of the pixels that became splats, by a mask [h,w] of each view; None where views do not tell."""
    parts = [view.repeated[mask] for view, mask in zip(views, kept, strict=True) if view.repeated is not None]
    return np.concatenate(parts) if len(parts) == len(views) else None


def _network_gaussians(
    output: Output,
    splats: GaussianSplats,
    photos: Sequence[PreparedPhoto],
    views: Sequence[View],
    cameras: SettledCameras,
) -> Gaussians:
    """The Gaussian head's splats without those that are not finite (a camera it could not place)."""
    _, _, height, width = output.depth.shape
    parts: list[list[np.ndarray]] = []
    kept: list[np.ndarray] = []
    for i, (photo, view) in enumerate(zip(photos, views, strict=True)):
        inside = photo.placement.crop(np.arange(height * width).reshape(height, width))
        index = torch.from_numpy(inside[view.shown] + i * height * width)
        fields = [
            field[0, index.to(field.device)].float().cpu()
            for field in (splats.means, splats.scales, splats.rotations, splats.opacities, splats.harmonics)
        ]
        network_depth = photo.placement.crop(output.depth[0, i].float().cpu().numpy())
        grow = torch.from_numpy(view.depth.astype(np.float64) / network_depth)[view.shown, None]
        fields = _move_splats(fields, output, splats, i, photo, cameras, grow)
        finite = torch.stack([_finite_rows(field) for field in fields]).all(0)
        part = [field[finite].numpy() for field in fields]
        part.append(view.confidence[view.shown][finite.numpy()])
        part.append(np.full(len(part[0]), i, np.int32))
        parts.append(part)
        kept.append(view.shown.copy())
        kept[i][view.shown] = finite.numpy()
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    arrays = dict(zip(ARRAYS, columns, strict=True))
    return Gaussians(**arrays, source="network", repeated=_repeated(views, kept))


def _finite_rows(field: Tensor) -> Tensor:
    """[P] bool of [P,...]; of no splats, too, as where a photo is wholly transparent."""
    return field.isfinite().reshape(len(field), math.prod(field.shape[1:])).all(1)


def _move_splats(
    fields: list[Tensor],
    output: Output,
    splats: GaussianSplats,
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
    world_scale = float(splats.world_scale[0])
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
