"""Similarity transforms (scale, rotation, translation): fitting them to points and to cameras, and applying them.

Of numpy arrays or tensors, whichever is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.arrays import Array, as_numpy, like, namespace
from model_runtime.geometry.cameras import camera_centres

STATIC_SPREAD = 1e-6
"""Camera centres that stray less than this fraction of their distance from the origin count as one place."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale * rotation @ x + translation.

    scale: [...]. rotation: [...,3,3]. translation: [...,3].
    """

    scale: Array
    rotation: Array
    translation: Array

    @staticmethod
    def identity() -> Similarity:
        """Moves nothing; of numpy, in float64."""
        return Similarity(np.float64(1), np.eye(3), np.zeros(3))

    def points(self, points: Array) -> Array:
        """Moved points; points: [...,N,3] or, for an unbatched similarity, any [...,3]."""
        turned = points @ namespace(points).matrix_transpose(self.rotation)
        return self.scale[..., None, None] * turned + self.translation[..., None, :]

    def extrinsics(self, extrinsics: Array) -> Array:
        """World-to-camera matrices [...,N,3|4,4] of the moved cameras, which see the moved points.

        Depths grow by `scale`; intrinsics stay.
        """
        xp = namespace(extrinsics)
        rotation = extrinsics[..., :3, :3] @ xp.matrix_transpose(self.rotation[..., None, :, :])
        shift = rotation @ self.translation[..., None, :, None]
        moved = self.scale[..., None, None, None] * extrinsics[..., :3, 3:] - shift
        return xp.concat((xp.concat((rotation, moved), axis=-1), extrinsics[..., 3:, :]), axis=-2)

    def inverse(self) -> Similarity:
        xp = namespace(self.rotation)
        rotation = xp.matrix_transpose(self.rotation)
        translation = -(rotation @ self.translation[..., None])[..., 0] / self.scale[..., None]
        return Similarity(xp.reciprocal(self.scale), rotation, translation)


def umeyama(source: Array, target: Array, weights: Array | None = None) -> tuple[Array, Array, Array]:
    """Least-squares similarity between corresponding points (Umeyama 1991), never a reflection.

    source, target: [...,N,3]; weights: [...,N], not negative. Returns scale [...], rotation [...,3,3] and
    translation [...,3] with target ~ scale * rotation @ source + translation. Points in one place get scale 1;
    the rotation about collinear points is arbitrary, and gradients there are undefined.
    """
    xp = namespace(source, target)
    if weights is None:
        weights = xp.ones_like(source[..., 0])
    weights = (weights / xp.sum(weights, axis=-1, keepdims=True))[..., None]
    source_mean = xp.sum(weights * source, axis=-2, keepdims=True)
    target_mean = xp.sum(weights * target, axis=-2, keepdims=True)
    source_centred, target_centred = source - source_mean, target - target_mean
    covariance = xp.matrix_transpose(weights * target_centred) @ source_centred
    rotation = nearest_rotation(covariance)
    variance = xp.sum(weights * source_centred**2, axis=(-2, -1))
    correlation = xp.sum(rotation * covariance, axis=(-2, -1))
    # Below this only rounding tells the points apart.
    rounding = (8 * xp.finfo(source.dtype).eps) ** 2 * xp.sum(source_mean**2, axis=(-2, -1))
    spread, one = variance > rounding, xp.ones_like(variance)
    scale = xp.where(spread, correlation / xp.where(spread, variance, one), one)
    translation = target_mean - scale[..., None, None] * source_mean @ xp.matrix_transpose(rotation)
    return scale, rotation, translation[..., 0, :]


def nearest_rotation(matrix: Array) -> Array:
    """The rotation [...,3,3] that maximises trace(R^T matrix): orthogonal Procrustes without reflections."""
    xp = namespace(matrix)
    u, _, vh = xp.linalg.svd(matrix)
    sign = xp.linalg.det(u @ vh)
    flip = xp.stack((xp.ones_like(sign), xp.ones_like(sign), sign), axis=-1)
    return (u * flip[..., None, :]) @ vh


def align_cameras(predicted: Array, given: Array, fallback_scale: float = 1.0) -> Similarity:
    """The similarity that takes predicted cameras to given ones: `.extrinsics(predicted)` ~ given.

    predicted, given: [N,3|4,4] world-to-camera, N >= 1, the same cameras in the same order.

    Rotation: one Procrustes fit to the directions of the centres and to the cameras' own axes, each of the two with
    the same total weight. The axes alone determine it for one view, static cameras and collinear centres.
    Scale: the ratio of how far the centres spread about their mean. Where either set does not spread (one view,
    static cameras) nothing tells the scale, and `fallback_scale` is taken. Translation: joins the mean centres.
    Computed in float64 on the CPU, since it decides a whole scene; returned in the kind, type and place of `predicted`.
    """
    source, target = (as_numpy(each).astype(np.float64) for each in (predicted, given))
    source_centres, target_centres = camera_centres(source), camera_centres(target)
    source_mean, target_mean = source_centres.mean(0), target_centres.mean(0)
    source_centred, target_centred = source_centres - source_mean, target_centres - target_mean
    source_spread, target_spread = np.linalg.norm(source_centred), np.linalg.norm(target_centred)

    matrix = (target[:, :3, :3].swapaxes(1, 2) @ source[:, :3, :3]).mean(0) / 3
    scale = fallback_scale
    if _spreads(source_centres, source_spread) and _spreads(target_centres, target_spread):
        matrix = matrix + target_centred.T @ source_centred / (source_spread * target_spread)
        scale = float(target_spread / source_spread)
    rotation = nearest_rotation(matrix)
    translation = target_mean - scale * rotation @ source_mean
    return Similarity(like(scale, predicted), like(rotation, predicted), like(translation, predicted))


def _spreads(centres: np.ndarray, spread: np.floating) -> bool:
    return bool(spread > STATIC_SPREAD * np.linalg.norm(centres))
