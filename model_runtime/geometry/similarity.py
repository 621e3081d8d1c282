"""Similarity transforms (scale, rotation, translation): fitting them to points and to cameras, and applying them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from model_runtime.geometry.cameras import camera_centres

STATIC_SPREAD = 1e-6
"""Camera centres that stray less than this fraction of their distance from the origin count as one place."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale * rotation @ x + translation.

    scale: [...]. rotation: [...,3,3]. translation: [...,3].
    """

    scale: Tensor
    rotation: Tensor
    translation: Tensor

    def points(self, points: Tensor) -> Tensor:
        """Moved points; points: [...,N,3] or, for an unbatched similarity, any [...,3]."""
        turned = points @ self.rotation.mT
        return self.scale[..., None, None] * turned + self.translation[..., None, :]

    def extrinsics(self, extrinsics: Tensor) -> Tensor:
        """World-to-camera matrices [...,N,3|4,4] of the moved cameras, which see the moved points.

        Depths grow by `scale`; intrinsics stay.
        """
        rotation = extrinsics[..., :3, :3] @ self.rotation[..., None, :, :].mT
        shift = (rotation @ self.translation[..., None, :, None]).squeeze(-1)
        moved = extrinsics.clone()
        moved[..., :3, :3] = rotation
        moved[..., :3, 3] = self.scale[..., None, None] * extrinsics[..., :3, 3] - shift
        return moved

    def inverse(self) -> Similarity:
        rotation = self.rotation.mT
        translation = -(rotation @ self.translation[..., None]).squeeze(-1) / self.scale[..., None]
        return Similarity(1 / self.scale, rotation, translation)


def umeyama(source: Tensor, target: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Least-squares similarity between corresponding points (Umeyama 1991), never a reflection.

    source, target: [...,N,3]; weights: [...,N], not negative. Returns scale [...], rotation [...,3,3] and
    translation [...,3] with target ~ scale * rotation @ source + translation. Points in one place get scale 1;
    the rotation about collinear points is arbitrary, and gradients there are undefined.
    """
    if weights is None:
        weights = source.new_ones(source.shape[:-1])
    weights = (weights / weights.sum(-1, keepdim=True))[..., None]
    source_mean = (weights * source).sum(-2, keepdim=True)
    target_mean = (weights * target).sum(-2, keepdim=True)
    source_centred, target_centred = source - source_mean, target - target_mean
    covariance = (weights * target_centred).mT @ source_centred
    rotation = nearest_rotation(covariance)
    variance = (weights * source_centred.square()).sum((-2, -1))
    correlation = (rotation * covariance).sum((-2, -1))
    # Below this only rounding tells the points apart.
    rounding = (8 * torch.finfo(source.dtype).eps) ** 2 * source_mean.square().sum((-2, -1))
    spread = variance > rounding
    scale = torch.where(spread, correlation / torch.where(spread, variance, 1), 1)
    translation = target_mean - scale[..., None, None] * source_mean @ rotation.mT
    return scale, rotation, translation.squeeze(-2)


def nearest_rotation(matrix: Tensor) -> Tensor:
    """The rotation [...,3,3] that maximises trace(R^T matrix): orthogonal Procrustes without reflections."""
    u, _, vh = torch.linalg.svd(matrix)
    sign = torch.linalg.det(u @ vh)
    flip = torch.stack((torch.ones_like(sign), torch.ones_like(sign), sign), -1)
    return (u * flip[..., None, :]) @ vh


def align_cameras(predicted: Tensor, given: Tensor, fallback_scale: float = 1.0) -> Similarity:
    """The similarity that takes predicted cameras to given ones: `.extrinsics(predicted)` ~ given.

    predicted, given: [N,3|4,4] world-to-camera, N >= 1, the same cameras in the same order.

    Rotation: one Procrustes fit to the directions of the centres and to the cameras' own axes, each of the two with
    the same total weight. The axes alone determine it for one view, static cameras and collinear centres.
    Scale: the ratio of how far the centres spread about their mean. Where either set does not spread (one view,
    static cameras) nothing tells the scale, and `fallback_scale` is taken. Translation: joins the mean centres.
    Computed in float64 on the CPU, since it decides a whole scene; returned in the type and place of `predicted`.
    """
    source, target = predicted.detach().double().cpu(), given.detach().double().cpu()
    source_centres, target_centres = camera_centres(source), camera_centres(target)
    source_mean, target_mean = source_centres.mean(0), target_centres.mean(0)
    source_centred, target_centred = source_centres - source_mean, target_centres - target_mean
    source_spread, target_spread = source_centred.norm(), target_centred.norm()

    matrix = (target[:, :3, :3].mT @ source[:, :3, :3]).mean(0) / 3
    scale = torch.tensor(fallback_scale, dtype=torch.float64)
    if _spreads(source_centres, source_spread) and _spreads(target_centres, target_spread):
        matrix = matrix + target_centred.mT @ source_centred / (source_spread * target_spread)
        scale = target_spread / source_spread
    rotation = nearest_rotation(matrix)
    translation = target_mean - scale * rotation @ source_mean
    return Similarity(scale.to(predicted), rotation.to(predicted), translation.to(predicted))


def _spreads(centres: Tensor, spread: Tensor) -> bool:
    return bool(spread > STATIC_SPREAD * centres.norm())
