"""What the network should say about a batch of views, in its own frame and scale.

Frame: the camera of view 0. Scale: everything is divided by the mean distance of the visible points from view 0.
"""

from dataclasses import dataclass, replace

import torch
from torch.nn import functional

from model_runtime.contract.catalogue import PATCH
from model_runtime.geometry.cameras import pixel_rays, scale_intrinsics, unproject
from model_runtime.photos.canvas import DEVIATION, MEAN
from model_runtime.training.rendering.views import ViewBatch

RAYS_PER_PATCH = 8
"""Side of the ray map per patch."""


@dataclass(frozen=True)
class Targets:
    """Normalised truth. depth [B,N,H,W]; valid [B,N,H,W] bool; ray [B,N,8h,8w,6] direction (camera z = 1), then
    origin; ray_depth [B,N,8h,8w]; extrinsics [B,N,4,4] world-to-camera; intrinsics [B,N,3,3] pixels; scale [B] metres
    per unit."""

    depth: torch.Tensor
    valid: torch.Tensor
    ray: torch.Tensor
    ray_depth: torch.Tensor
    ray_valid: torch.Tensor
    extrinsics: torch.Tensor
    intrinsics: torch.Tensor
    scale: torch.Tensor

    def dense_of(self, views: torch.Tensor) -> "Targets":
        """The maps of some views alone, [1,V,...], by their numbers [V] among all B * N; cameras stay."""
        names = ("depth", "valid", "ray", "ray_depth", "ray_valid")
        return replace(self, **{name: getattr(self, name).flatten(0, 1)[None, views] for name in names})


def normalise_images(images: torch.Tensor) -> torch.Tensor:
    """ImageNet normalisation of images [...,3,H,W] in 0..1."""
    mean = images.new_tensor(MEAN)[:, None, None]
    return (images - mean) / images.new_tensor(DEVIATION)[:, None, None]


def world_points(depth: torch.Tensor, extrinsics: torch.Tensor, intrinsics: torch.Tensor) -> torch.Tensor:
    """Points [B,N,H,W,3] of depth maps [B,N,H,W] in the world of extrinsics [B,N,4,4]."""
    return unproject(depth, intrinsics, extrinsics)


def has_label(depth: torch.Tensor) -> torch.Tensor:
    """Where depth says something: not in the sky, not in holes of measured depth."""
    return torch.isfinite(depth) & (depth > 0)


def make_targets(batch: ViewBatch) -> Targets:
    """Truth of a batch relative to view 0, at unit mean distance; sizes must be multiples of the patch size.

    Depth is 0 where the batch has none.
    """
    extrinsics = batch.extrinsics @ torch.linalg.inv(batch.extrinsics[:, :1])
    valid = has_label(batch.depth)
    depth = batch.depth.where(valid, 0.0)
    distance = world_points(depth, extrinsics, batch.intrinsics).norm(dim=-1).where(valid, 0.0)
    known = valid.sum((1, 2, 3))
    scale = (distance.sum((1, 2, 3)) / known.clamp_min(1)).where(known > 0, 1.0)
    extrinsics = extrinsics.clone()
    extrinsics[..., :3, 3] = extrinsics[..., :3, 3] / scale[:, None, None]
    depth = depth / scale[:, None, None, None]

    height, width = depth.shape[-2:]
    grid = (height * RAYS_PER_PATCH // PATCH, width * RAYS_PER_PATCH // PATCH)
    ray = pixel_rays(scale_intrinsics(batch.intrinsics, (height, width), grid), extrinsics, grid)
    ray_depth = functional.interpolate(depth, grid, mode="nearest-exact")
    ray_valid = functional.interpolate(valid.float(), grid, mode="nearest-exact") > 0.5
    return Targets(
        depth=depth,
        valid=valid,
        ray=ray,
        ray_depth=ray_depth,
        ray_valid=ray_valid,
        extrinsics=extrinsics,
        intrinsics=batch.intrinsics,
        scale=scale,
    )
