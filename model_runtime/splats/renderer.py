"""Differentiable rendering of Gaussian splats in plain torch, for small pictures.

3D Gaussian Splatting (Kerbl et al. 2023): splats are projected by a local affine camera (Zwicker et al. 2001), sorted
by depth and blended front to back. Every splat is paired with the pixels inside three standard deviations; sorted by
pixel and depth, the pairs' transmittances are differences of one running sum.
"""

from dataclasses import dataclass

import numpy as np
import torch

from model_runtime.contract.messages import Gaussians
from model_runtime.geometry.rotations import quaternion_to_matrix
from model_runtime.geometry.spherical_harmonics import basis

NEAR = 0.01
LOW_PASS = 0.3
"""Pixels squared added to the projected variance, so that no splat falls between pixels."""
NARROWEST = 1e-5
"""Least determinant of a projected covariance, as a share of the product of its variances."""
REACH = 3.0
LARGEST_ALPHA = 0.99
MARGIN = 0.3
"""How far beyond the picture, as a share of its half, a splat's affine camera follows it. Farther out the approximation
grows without bound, and a splat at the photographer's elbow would cover the picture; as in the released renderer."""


@dataclass(frozen=True)
class Splats:
    """One scene. means [G,3]; scales [G,3] standard deviations; rotations [G,4] wxyz; harmonics [G,3,K]; opacities
    [G], 0..1. World frame."""

    means: torch.Tensor
    scales: torch.Tensor
    rotations: torch.Tensor
    harmonics: torch.Tensor
    opacities: torch.Tensor


def tensors(gaussians: Gaussians) -> Splats:
    """The same splats, to be rendered."""
    names = ("means", "scales", "rotations", "harmonics", "opacities")
    return Splats(*(torch.from_numpy(np.array(getattr(gaussians, name), np.float32)) for name in names))


@dataclass(frozen=True)
class Projected:
    """Visible splats, nearest first. centre [V,2] pixels; inverse [V,3] of the covariance (xx, xy, yy);
    reach [V,2] pixels; colour [V,3]; opacity [V]."""

    centre: torch.Tensor
    inverse: torch.Tensor
    reach: torch.Tensor
    colour: torch.Tensor
    opacity: torch.Tensor


def splat_colours(splats: Splats, camera_centre: torch.Tensor) -> torch.Tensor:
    """Colours [G,3] seen from `camera_centre` [3], not below zero."""
    degree = round(splats.harmonics.shape[-1] ** 0.5) - 1
    values = basis(degree, splats.means - camera_centre)
    return (0.5 + (splats.harmonics * values[:, None]).sum(-1)).clamp_min(0)


def _slopes(intrinsics: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """x/z and y/z [2] at the first and at the last edges of the picture."""
    focal, centre = intrinsics.diagonal()[:2], intrinsics[:2, 2]
    return -centre / focal, (centre.new_tensor([size[1], size[0]]) - centre) / focal


def _in_view(camera: torch.Tensor, scales: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Which splats [G], at `camera` [G,3] in the camera's frame, reach into the pyramid that the picture shows."""
    radius = REACH * scales.amax(-1, keepdim=True)
    beyond_low = (low * camera[:, 2:] - camera[:, :2]) / (1 + low**2).sqrt()
    beyond_high = (camera[:, :2] - high * camera[:, 2:]) / (1 + high**2).sqrt()
    return (torch.maximum(beyond_low, beyond_high) < radius).all(-1)


def in_sight(splats: Splats, extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Numbers [V] of the splats before the camera that reach into its picture, nearest first."""
    camera = splats.means.detach() @ extrinsics[:3, :3].mT + extrinsics[:3, 3]
    low, high = _slopes(intrinsics, size)
    order = camera[:, 2].argsort()
    return order[((camera[:, 2] > NEAR) & _in_view(camera, splats.scales.detach(), low, high))[order]]


def project(
    splats: Splats, order: torch.Tensor, extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, int]
) -> Projected:
    """The splats of `in_sight` as one camera sees them."""
    # index_select: with several threads, the gradient of plain indexing adds up in another order on every run.
    means, scales, rotations, harmonics, opacities = (values.index_select(0, order) for values in vars(splats).values())
    rotation, translation = extrinsics[:3, :3], extrinsics[:3, 3]
    low, high = _slopes(intrinsics, size)
    camera = means @ rotation.mT + translation
    x, y, z = camera.unbind(-1)
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    margin = MARGIN * (high - low) / 2
    u, v = (camera[:, :2] / z[:, None]).clamp(low - margin, high + margin).unbind(-1)
    axes = (rotation @ quaternion_to_matrix(rotations)) * scales[:, None, :]
    across = (fx / z)[:, None] * (axes[:, 0] - u[:, None] * axes[:, 2])
    down = (fy / z)[:, None] * (axes[:, 1] - v[:, None] * axes[:, 2])
    xx, xy, yy = ((a * b).sum(-1) for a, b in ((across, across), (across, down), (down, down)))
    xx, yy = xx + LOW_PASS, yy + LOW_PASS
    # Rounding leaves nothing of the determinant of a long splat close to the camera, or less than nothing.
    determinant = torch.maximum(xx * yy - xy * xy, NARROWEST * xx * yy)
    return Projected(
        torch.stack([fx * x / z + cx, fy * y / z + cy], -1),
        torch.stack([yy, -xy, xx], -1) / determinant[:, None],
        REACH * torch.stack([xx, yy], -1).sqrt().detach(),
        splat_colours(Splats(means, scales, rotations, harmonics, opacities), -rotation.mT @ translation),
        opacities,
    )


def _on_picture(projected: Projected, size: tuple[int, int]) -> Projected:
    """Those whose box meets the picture."""
    limits = projected.centre.new_tensor([size[1], size[0]])
    seen = ((projected.centre + projected.reach > 0) & (projected.centre - projected.reach < limits)).all(-1)
    return Projected(*(values[seen] for values in vars(projected).values()))


def pixel_pairs(centre: torch.Tensor, reach: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Splat [P] and pixel [P] (row-major) numbers of all pixels whose middle lies in a splat's box; splats in order."""
    height, width = size
    limits = torch.tensor([width, height], device=centre.device)
    low = (centre.detach() - reach - 0.5).ceil().long().clamp_min(0)
    high = ((centre.detach() + reach - 0.5).floor().long() + 1).minimum(limits)
    extent = (high - low).clamp_min(0)
    count = extent[:, 0] * extent[:, 1]
    splat = torch.repeat_interleave(torch.arange(len(count), device=count.device), count)
    inside = torch.arange(len(splat), device=count.device) - torch.repeat_interleave(count.cumsum(0) - count, count)
    column = low[splat, 0] + inside % extent[splat, 0]
    row = low[splat, 1] + inside // extent[splat, 0]
    return splat, row * width + column


def render_splats(
    splats: Splats,
    extrinsics: torch.Tensor,
    intrinsics: torch.Tensor,
    size: tuple[int, int],
    rows: tuple[int, int] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Picture [3,H,W] over black and coverage [H,W] of splats seen by one camera.

    extrinsics: [3,4] or [4,4] world-to-camera; intrinsics: [3,3] pixels, centres at +0.5; size: (height, width); rows:
    first and end of those that are rendered, H of them, to spare memory; all where None.
    """
    top, end = rows or (0, size[0])
    projected = _on_picture(
        project(splats, in_sight(splats, extrinsics, intrinsics, size), extrinsics, intrinsics, size), size
    )
    centres = projected.centre - projected.centre.new_tensor([0, top])
    size = height, width = end - top, size[1]
    splat, pixel = pixel_pairs(centres, projected.reach, size)
    # Stable: pairs of one pixel stay nearest first.
    pixel, order = pixel.sort(stable=True)
    splat = splat[order]
    # index_select: with several threads, the gradient of plain indexing adds up in another order on every run.
    offset = torch.stack([pixel % width, pixel // width], -1) + 0.5 - centres.index_select(0, splat)
    dx, dy = offset.unbind(-1)
    a, b, c = projected.inverse.index_select(0, splat).unbind(-1)
    falloff = torch.exp((-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy).clamp_max(0))
    alpha = (projected.opacity.index_select(0, splat) * falloff).clamp(0, LARGEST_ALPHA)

    passed = torch.log1p(-alpha).double()
    before = passed.cumsum(0) - passed
    starts = torch.searchsorted(pixel, torch.arange(height * width, device=pixel.device))
    at_start = (
        before.index_select(0, starts.clamp_max(max(len(before) - 1, 0)))
        if len(before)
        else before.new_zeros(height * width)
    )
    weight = alpha * (before - at_start.index_select(0, pixel)).exp().to(alpha.dtype)
    picture = alpha.new_zeros(height * width, 3).index_add(
        0, pixel, weight[:, None] * projected.colour.index_select(0, splat)
    )
    coverage = alpha.new_zeros(height * width).index_add(0, pixel, weight)
    return picture.T.unflatten(1, size), coverage.unflatten(0, size)
