"""Gaussian splats laid on a depth map: one flat ellipsoid per pixel, for checkpoints without a Gaussian head.

A splat's covariance in the surface is FOOTPRINT^2 (du du^T + dv dv^T), where du and dv are the steps on the surface
to the next column and the next row. Seen from its camera that is a round spot of FOOTPRINT pixels whatever the slant,
so neighbours overlap alike everywhere, and the ellipsoids stay on the surface for every other viewpoint (surface
splatting, Zwicker et al. 2001).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model_runtime.contract.messages import Gaussians
from model_runtime.contract.quaternions import quaternion_from_matrix

FOOTPRINT = 0.7
"""Standard deviation in pixel spacings. Midway between four opaque splats the alphas of all make up 0.98 (0.83 at
0.5, which lets the background through); wider ones only blur the photo."""
THICKNESS = 0.1
"""Standard deviation along the normal, in those of the narrower tangent."""
MAX_ELONGATION = 8.0
"""Longer to shorter tangent. The longer one is cut: a surface seen at more than 83 degrees shows gaps, not needles."""
STEEPEST = math.radians(85.0)
"""A step to a neighbour that runs within 5 degrees of the line of sight is a jump between surfaces, not a surface."""
OPACITY = 0.95
"""Of splats that are at least half as sure as the median; below that, opacity falls in proportion to confidence."""
SH_BAND_0 = 0.5 / np.sqrt(np.pi)
HARMONICS = ((np.arange(256) / 255 - 0.5) / SH_BAND_0).astype(np.float32)
"""The coefficient of degree 0 for each value of a channel."""

Planes = NDArray[np.float32]
"""Arrays whose first dimension is x, y, z: numpy is several times as fast at whole planes as at rows of three."""
Mask = NDArray[np.bool_]


def surface_splats(
    depth: np.ndarray,
    confidence: np.ndarray,
    color: np.ndarray,
    extrinsics: np.ndarray,
    intrinsics: np.ndarray,
    valid: np.ndarray,
    view_index: int = 0,
    max_elongation: float = MAX_ELONGATION,
) -> Gaussians:
    """Splats of one view, row by row over its valid pixels.

    depth: [h,w] along the camera's z; confidence: [h,w]; color: [h,w,3] uint8, sRGB-encoded.
    extrinsics: [4,4] world-to-camera; intrinsics: [3,3] in pixels of the depth map; valid: [h,w] bool, pixels that
    are to become splats (those without a finite positive depth never do).

    Rotations take the splat's axes to the world: two tangents, the longer first, then the normal towards the camera.
    """
    valid = valid & np.isfinite(depth) & (depth > 0)
    rays = _pixel_directions(depth.shape, intrinsics)
    points = rays * np.where(valid, depth, 1).astype(np.float32)
    known = [_steps(points, rays, valid, axis) for axis in (2, 1)]
    points = points[:, valid]
    step_x, step_y = (_or_facing(*known[axis], points, axis, float(intrinsics[axis, axis])) for axis in (0, 1))
    rotations, deviations = _tangent_ellipses(step_x, step_y, max_elongation)
    to_world = extrinsics[:3, :3].T
    sure = confidence[valid].astype(np.float32)
    centre = to_world @ -extrinsics[:3, 3]
    return Gaussians(
        means=points.T @ to_world.T.astype(np.float32) + centre.astype(np.float32),
        scales=deviations,
        rotations=_turned(rotations, to_world),
        opacities=_opacities(sure),
        harmonics=HARMONICS[color[valid]][..., None],
        confidence=sure,
        view_index=np.full(len(sure), view_index, np.int32),
        source="surface",
    )


ARRAYS = ("means", "scales", "rotations", "opacities", "harmonics", "confidence", "view_index")


def joined(parts: Sequence[Gaussians]) -> Gaussians:
    """The splats of all parts, of the first one's source; none of them is known to be repeated."""
    return Gaussians(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}, source=parts[0].source
    )


def _pixel_directions(shape: tuple[int, ...], intrinsics: np.ndarray) -> Planes:
    """[3,h,w] directions of pixel centres in the camera, z component 1."""
    height, width = shape
    by_column, by_row, offset = np.linalg.inv(intrinsics).T
    columns = by_column[:, None, None] * (np.arange(width) + 0.5)
    rows = (by_row[:, None] * (np.arange(height) + 0.5) + offset[:, None])[..., None]
    return columns.astype(np.float32) + rows.astype(np.float32)


def _steps(points: Planes, rays: Planes, valid: Mask, axis: int) -> tuple[Planes, Mask]:
    """Steps [3,G] of the valid pixels on the surface to the next pixel along an axis, and whether there is one [G]:
    none (0) where no neighbour is on the same surface.

    Central differences where both neighbours are, else the difference to the one that is.
    """
    points, rays = np.moveaxis(points, axis, 1), np.moveaxis(rays, axis, 1)
    along = np.moveaxis(valid, axis - 1, 0)
    difference = points[:, 1:] - points[:, :-1]
    sight = rays[:, 1:] + rays[:, :-1]
    steep = _dot(difference, sight) ** 2 >= math.sin(STEEPEST) ** 2 * _dot(difference, difference) * _dot(sight, sight)
    joined = along[1:] & along[:-1] & ~steep

    difference *= joined
    total, count = np.zeros_like(points), np.zeros(along.shape, np.float32)
    for side in (slice(None, -1), slice(1, None)):
        total[:, side] += difference
        count[side] += joined
    total /= np.maximum(count, 1)
    return np.moveaxis(total, 1, axis)[:, valid], np.moveaxis(count, 0, axis - 1)[valid] > 0


def _or_facing(steps: Planes, known: Mask, points: Planes, axis: int, focal: float) -> Planes:
    """Steps [3,G] with unknown ones, of pixels without neighbours on their surface, replaced by those on a plane
    through the point and facing the camera."""
    points = points[:, ~known]
    step = np.zeros_like(points)
    step[axis] = points[2] / focal
    steps[:, ~known] = step - _dot(step, points) / _dot(points, points) * points
    return steps


def _tangent_ellipses(step_x: Planes, step_y: Planes, max_elongation: float) -> tuple[Planes, Planes]:
    """Quaternions [4,G] wxyz, in the camera, of axes that are the long tangent, the short tangent and the normal
    towards the camera; and deviations [G,3]."""
    normal = _cross(step_y, step_x)
    normal /= np.sqrt(_dot(normal, normal))
    x, y, z = normal
    # (-y, 1 - z, 0, x) turns the third axis to the normal, and no normal of what a camera sees is its own (0, 0, 1).
    away = 1 - z
    over = 1 / away
    (a, b), (c, d) = ((step[0] + x * over * step[2], -step[1] - y * over * step[2]) for step in (step_x, step_y))
    # In the plane of the two other axes the steps are (a, b) and (c, d): a 2x2 covariance in closed form.
    mean, half, mixed = (a * a + b * b + c * c + d * d) / 2, (a * a + c * c - b * b - d * d) / 2, a * b + c * d
    angle = np.arctan2(mixed, half) / 4
    cosine, sine = np.cos(angle), np.sin(angle)
    rotations = np.stack((-y * cosine - x * sine, away * cosine, -away * sine, x * cosine - y * sine))
    rotations *= np.sqrt(over / 2)
    # The determinant gives the smaller eigenvalue without cancellation.
    large = np.sqrt(mean + np.hypot(half, mixed))
    deviation_2 = FOOTPRINT * np.abs(a * d - b * c) / large
    deviation_1 = np.minimum(FOOTPRINT * large, max_elongation * deviation_2)
    return rotations, np.stack((deviation_1, deviation_2, THICKNESS * deviation_2), -1)


def _turned(rotations: Planes, turn: np.ndarray) -> Planes:
    """[G,4] with w >= 0, of quaternions [4,G] in a frame that `turn` [3,3] takes to the world."""
    w, x, y, z = quaternion_from_matrix(turn)
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    turned = left.astype(np.float32) @ rotations
    turned *= np.copysign(1, turned[0])
    return np.ascontiguousarray(turned.T)


def _dot(first: Planes, second: Planes) -> Planes:
    """Products [...] of vectors [3,...]."""
    return np.einsum("c...,c...->...", first, second)


def _cross(first: Planes, second: Planes) -> Planes:
    """[3,...] of vectors [3,...]."""
    (a, b, c), (d, e, f) = first, second
    return np.stack((b * f - c * e, c * d - a * f, a * e - b * d))


def _opacities(confidence: Planes) -> Planes:
    if not len(confidence):
        return confidence
    return OPACITY * np.minimum(1, confidence / (np.median(confidence) / 2))
