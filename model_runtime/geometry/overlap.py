"""How much of one photo is seen in another."""

import torch
from torch import Tensor

from model_runtime.geometry.cameras import unproject

TOLERANCE = 0.05
"""A point is seen in another view when its depth there agrees with the view's own to this share."""
STRIDE = 7
"""Every so many pixels of a row and a column one is looked at."""


def view_overlap(depth: Tensor, intrinsics: Tensor, extrinsics: Tensor, stride: int = STRIDE) -> Tensor:
    """Share [B,N,N] of the surface points of view i (second axis) that view j (third axis) shows too, 0..1; pixels
    without depth (0) have no points. One on the diagonal, except for views without any depth.

    depth: [B,N,h,w] along z. intrinsics: [B,N,3,3], pixels of the depth. extrinsics: [B,N,4,4] world-to-camera.
    """
    height, width = depth.shape[-2:]
    views = depth.shape[1]
    points = unproject(depth, intrinsics, extrinsics)
    first = stride // 2
    points = points[:, :, first::stride, first::stride].flatten(2, 3)[:, :, None]
    known = depth[:, :, first::stride, first::stride].flatten(2)[:, :, None] > 0
    camera = points @ extrinsics[:, None, :, :3, :3].mT + extrinsics[:, None, :, None, :3, 3]
    z = camera[..., 2]
    pixels = (camera @ intrinsics[:, None].mT)[..., :2] / z.clamp_min(1e-6)[..., None]
    size = torch.tensor([width, height], device=pixels.device)
    inside = ((pixels >= 0) & (pixels < size)).all(-1) & (z > 1e-3)
    column, row = pixels.long().clamp_min(0).minimum(size - 1).unbind(-1)
    nearest = (row * width + column).transpose(1, 2).flatten(2)
    own = depth.flatten(2).gather(2, nearest).unflatten(2, (views, -1)).transpose(1, 2)
    seen = inside & known & ((z - own).abs() < TOLERANCE * z)
    return seen.sum(-1) / known.sum(-1).clamp_min(1)
