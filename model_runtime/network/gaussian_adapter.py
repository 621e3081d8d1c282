"""From raw numbers per pixel to Gaussian splats in the world of the cameras."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_multiply
from model_runtime.geometry.similarity import camera_centres, umeyama
from model_runtime.geometry.spherical_harmonics import rotate
from model_runtime.network.gaussian_head import RawGaussians
from model_runtime.network.output import GaussianSplats

SMALLEST, LARGEST = 1e-5, 30.0  # standard deviations, in tenths of a pixel
BAND_WEIGHTS = (1.0, *(0.025,) * 3, *(0.00625,) * 5)  # view dependence starts small


def place_gaussians(
    raw: RawGaussians,
    depth: Tensor,
    extrinsics: Tensor,
    intrinsics: Tensor,
    given_extrinsics: Tensor | None = None,
    *,
    released: bool = False,
) -> GaussianSplats:
    """One splat per pixel, on the ray of its pixel.

    A splat's depth is that of its pixel plus the head's offset.

    raw: [B,N,H,W,...]; depth: [B,N,H,W]; extrinsics: [B,N,3,4] world-to-camera; intrinsics: [B,N,3,3] pixels, no skew;
    given_extrinsics: [B,N,4,4] known cameras, to whose scale the scene is then brought.
    released: as released checkpoints were trained: a splat's depth is its distance from the camera, not what it is
    along the camera's axis, and rotations are those of `released_rotations`.
    """
    scale = depth.new_ones(len(depth)) if given_extrinsics is None else scale_to_given(extrinsics, given_extrinsics)
    offset, log_scale, xyzw, harmonics, depth_offset = raw.raw.split((2, 3, 4, 27, 1), dim=-1)
    to_world = extrinsics[..., :3].mT  # [B,N,3,3]
    centres = camera_centres(extrinsics) * scale[:, None, None]  # [B,N,3]
    z = (depth + depth_offset.squeeze(-1)) * scale[:, None, None, None]
    rays = _pixel_rays(offset, intrinsics)
    if released:
        rays = functional.normalize(rays, dim=-1)
    means = centres[:, :, None, None] + torch.einsum("bnij,bnhwj->bnhwi", to_world, rays) * z[..., None]

    pixel = (1 / intrinsics[..., 0, 0] + 1 / intrinsics[..., 1, 1])[:, :, None, None]  # [B,N,1,1] at depth 1
    scales = (SMALLEST + (LARGEST - SMALLEST) * log_scale.sigmoid()) * (0.1 * pixel * z)[..., None]

    camera = matrix_to_quaternion(to_world)[:, :, None, None]  # [B,N,1,1,4]
    xyzw = functional.normalize(xyzw, dim=-1)
    rotations = released_rotations(camera, xyzw) if released else exact_rotations(camera, xyzw)

    weighted = harmonics.unflatten(-1, (3, 9)) * harmonics.new_tensor(BAND_WEIGHTS)
    turned = rotate(weighted, to_world[:, :, None, None])
    return GaussianSplats(
        means=means.flatten(1, 3),
        scales=scales.flatten(1, 3),
        rotations=rotations.flatten(1, 3),
        harmonics=turned.flatten(1, 3),
        opacities=raw.opacity.flatten(1, 3),
        world_scale=scale,
    )


def exact_rotations(camera: Tensor, xyzw: Tensor) -> Tensor:
    """World rotations wxyz of camera-space ones xyzw, seen by cameras (camera-to-world, wxyz)."""
    return quaternion_multiply(camera, xyzw.roll(1, dims=-1))


def released_rotations(camera: Tensor, xyzw: Tensor) -> Tensor:
    """The rotations that released checkpoints were trained through.

    Their wxyz quaternions go through a routine for xyzw and come back as wxyz: exact for an unrotated camera, off
    otherwise, but what those weights know.
    """
    misread = xyzw.roll(2, dims=-1)  # (w,x,y,z) taken for xyzw, written as wxyz: (z,w,x,y)
    product = quaternion_multiply(camera, misread)
    return torch.where(product[..., :1] < 0, -product, product).roll(-1, dims=-1)


@torch.no_grad()
def scale_to_given(extrinsics: Tensor, given: Tensor) -> Tensor:
    """[B]: how much larger the given cameras' world is than the predicted one, within 1/3 to 3.

    1 where camera centres cannot tell: a single view, or cameras in one place.
    """
    predicted_centres, given_centres = camera_centres(extrinsics), camera_centres(given.to(extrinsics))
    scale, _, _ = umeyama(predicted_centres, given_centres)
    return torch.where(_spread(predicted_centres) & _spread(given_centres), scale, 1.0).clamp(1 / 3, 3)


def _spread(centres: Tensor) -> Tensor:
    """[B]: whether camera centres [B,N,3] lie in more than one place."""
    return (centres - centres[:, :1]).norm(dim=-1).amax(-1) > 1e-6


def _pixel_rays(offset: Tensor, intrinsics: Tensor) -> Tensor:
    """[B,N,H,W,3] camera-space directions, z = 1, through pixel centres moved by `offset` [B,N,H,W,2] pixels."""
    height, width = offset.shape[2:4]
    x = torch.arange(width, device=offset.device) + 0.5 + offset[..., 0]
    y = torch.arange(height, device=offset.device)[:, None] + 0.5 + offset[..., 1]
    k = intrinsics[:, :, None, None]
    x, y = (x - k[..., 0, 2]) / k[..., 0, 0], (y - k[..., 1, 2]) / k[..., 1, 1]
    return torch.stack((x, y, torch.ones_like(x)), dim=-1)
