"""Pinhole cameras in torch: rays of pixels, points of depth maps, image sizes, and the frame of given cameras.

OpenCV axes, world-to-camera extrinsics [...,3|4,4], pixel intrinsics [...,3,3], pixel centres at +0.5. Sizes are
(height, width). Batched over leading dimensions and differentiable.
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST_SCALE = 0.1


def camera_centres(extrinsics: Tensor) -> Tensor:
    """Centres [...,3] in the world of world-to-camera matrices [...,3|4,4]."""
    return -(extrinsics[..., :3, :3].mT @ extrinsics[..., :3, 3:]).squeeze(-1)


def invert_extrinsics(extrinsics: Tensor) -> Tensor:
    """Camera-to-world from world-to-camera, or the reverse: [...,3|4,4] to [...,4,4]."""
    inverse = torch.zeros((*extrinsics.shape[:-2], 4, 4), dtype=extrinsics.dtype, device=extrinsics.device)
    inverse[..., :3, :3] = extrinsics[..., :3, :3].mT
    inverse[..., :3, 3] = camera_centres(extrinsics)
    inverse[..., 3, 3] = 1
    return inverse


def scale_intrinsics(intrinsics: Tensor, from_size: tuple[int, int], to_size: tuple[int, int]) -> Tensor:
    """Intrinsics [...,3,3] after the image is resized from one (height, width) to another.

    With pixel centres at +0.5 a resize multiplies pixel coordinates: the rows of x and y scale, nothing shifts.
    """
    factors = (to_size[1] / from_size[1], to_size[0] / from_size[0], 1.0)
    return intrinsics * intrinsics.new_tensor(factors)[:, None]


def pixel_rays(intrinsics: Tensor, extrinsics: Tensor, size: tuple[int, int]) -> Tensor:
    """Ray maps [...,h,w,6] of whole images of `size`, to which the intrinsics refer: direction, then origin.

    Directions have z component 1 in their camera, so that a point is origin + depth * direction.
    """
    height, width = size
    x = torch.arange(width, dtype=intrinsics.dtype, device=intrinsics.device) + 0.5
    y = torch.arange(height, dtype=intrinsics.dtype, device=intrinsics.device) + 0.5
    to_world = extrinsics[..., :3, :3].mT @ torch.linalg.inv(intrinsics)
    # R K^-1 (x, y, 1), one column and one row at a time.
    columns = x[:, None] * to_world[..., None, :, 0]
    rows = y[:, None] * to_world[..., None, :, 1] + to_world[..., None, :, 2]
    directions = rows[..., :, None, :] + columns[..., None, :, :]
    origins = camera_centres(extrinsics)[..., None, None, :].expand_as(directions)
    return torch.cat((directions, origins), -1)


def unproject(depth: Tensor, intrinsics: Tensor, extrinsics: Tensor) -> Tensor:
    """World points [...,h,w,3] of depth maps [...,h,w] (along the camera's z), at the centres of their pixels."""
    height, width = depth.shape[-2:]
    rays = pixel_rays(intrinsics, extrinsics, (height, width))
    return rays[..., 3:] + depth[..., None] * rays[..., :3]


def normalise_given_cameras(extrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """Cameras in the frame and scale in which the camera encoder takes them.

    extrinsics: [...,N,4,4] world-to-camera in any rigid frame. Returns the same cameras [...,N,4,4] relative to
    view 0, with translations divided by `scale`, and scale [...]: the median distance of the other cameras from view
    0 (the lower one of two), at least 0.1. One view alone has no distance and keeps its scale, 1.

    The released code counts view 0's own distance too, so that the scale of two views is always 0.1; for odd numbers
    of views both rules give the same.
    """
    relative = extrinsics @ invert_extrinsics(extrinsics[..., :1, :, :])
    if extrinsics.shape[-3] == 1:
        return relative, torch.ones_like(relative[..., 0, 0, 0])
    scale = camera_centres(relative[..., 1:, :, :]).norm(dim=-1).median(-1).values.clamp_min(SMALLEST_SCALE)
    normalised = relative.clone()
    normalised[..., :3, 3] = relative[..., :3, 3] / scale[..., None, None]
    return normalised, scale
