"""How much of one photo is seen in another."""

import torch

from model_runtime.geometry.cameras import unproject
from model_runtime.training.rooms import RoomBatch

TOLERANCE = 0.05
"""A point is seen in another view when its depth there agrees with the view's own to this share."""
STRIDE = 7
"""Every so many pixels of a row and a column one is looked at."""


def view_overlap(batch: RoomBatch, stride: int = STRIDE) -> torch.Tensor:
    """Share [B,N,N] of the surface points of view i (second axis) that view j (third axis) shows too, 0..1; the sky has
    no points. One on the diagonal, except for views of the sky alone."""
    height, width = batch.depth.shape[-2:]
    views = batch.depth.shape[1]
    points = unproject(batch.depth, batch.intrinsics, batch.extrinsics)
    first = stride // 2
    points = points[:, :, first::stride, first::stride].flatten(2, 3)[:, :, None]
    known = batch.depth[:, :, first::stride, first::stride].flatten(2)[:, :, None] > 0
    camera = points @ batch.extrinsics[:, None, :, :3, :3].mT + batch.extrinsics[:, None, :, None, :3, 3]
    z = camera[..., 2]
    pixels = (camera @ batch.intrinsics[:, None].mT)[..., :2] / z.clamp_min(1e-6)[..., None]
    size = torch.tensor([width, height], device=pixels.device)
    inside = ((pixels >= 0) & (pixels < size)).all(-1) & (z > 1e-3)
    column, row = pixels.long().clamp_min(0).minimum(size - 1).unbind(-1)
    nearest = (row * width + column).transpose(1, 2).flatten(2)
    own = batch.depth.flatten(2).gather(2, nearest).unflatten(2, (views, -1)).transpose(1, 2)
    seen = inside & known & ((z - own).abs() < TOLERANCE * z)
    return seen.sum(-1) / known.sum(-1).clamp_min(1)
