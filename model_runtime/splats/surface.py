"""Gaussian splats laid on a depth map: one flat ellipsoid per pixel, for checkpoints without a Gaussian head.

A splat's covariance in the surface is FOOTPRINT^2 (du du^T + dv dv^T), where du and dv are the steps on the surface
to the next column and the next row. Seen from its camera that is a round spot of FOOTPRINT pixels whatever the slant,
so neighbours overlap alike everywhere, and the ellipsoids stay on the surface for every other viewpoint (surface
splatting, Zwicker et al. 2001).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from model_runtime.contract.messages import Gaussians

FOOTPRINT = 0.7
"""Standard deviation in pixel spacings. Midway between four opaque splats the alphas of all make up 0.98 (0.83 at
0.5, which lets the background through); wider ones only blur the photo."""
THICKNESS = 0.1
"""Standard deviation along the normal, in those of the narrower tangent."""
MAX_ELONGATION = 8.0
"""Longer to shorter tangent. The longer one is cut: a surface seen at more than 83 degrees shows gaps, not needles."""
STEEPEST = np.radians(85.0)
"""A step to a neighbour that runs within 5 degrees of the line of sight is a jump between surfaces, not a surface."""
OPACITY = 0.95
"""Of splats that are at least half as sure as the median; below that, opacity falls in proportion to confidence."""
SH_BAND_0 = 0.5 / np.sqrt(np.pi)

Array = NDArray[np.float64]
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
    points = rays * np.where(valid, depth, 1.0).astype(np.float64)[..., None]
    step_x = _steps(points, rays, valid, axis=1)[valid]
    step_y = _steps(points, rays, valid, axis=0)[valid]
    points, rays = points[valid], rays[valid]
    # A pixel without neighbours on its surface faces the camera.
    step_x, step_y = _facing_where_unknown(step_x, step_y, points, intrinsics)

    axes, deviations = _tangent_ellipses(step_x, step_y, max_elongation)
    to_world = extrinsics[:3, :3].T.astype(np.float64)
    quaternions = Rotation.from_matrix(to_world @ axes).as_quat(canonical=True, scalar_first=True)
    encoded = color[valid].astype(np.float64) / 255
    sure = confidence[valid].astype(np.float64)
    return Gaussians(
        means=((points - extrinsics[:3, 3]) @ to_world.T).astype(np.float32),
        scales=deviations.astype(np.float32),
        rotations=quaternions.astype(np.float32),
        opacities=_opacities(sure).astype(np.float32),
        harmonics=((encoded - 0.5) / SH_BAND_0)[..., None].astype(np.float32),
        confidence=sure.astype(np.float32),
        view_index=np.full(len(points), view_index, np.int32),
        source="surface",
    )


ARRAYS = ("means", "scales", "rotations", "opacities", "harmonics", "confidence", "view_index")


def joined(parts: Sequence[Gaussians]) -> Gaussians:
    """The splats of all parts, of the first one's source; none of them is known to be repeated."""
    return Gaussians(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}, source=parts[0].source
    )


def _pixel_directions(shape: tuple[int, ...], intrinsics: np.ndarray) -> Array:
    """[h,w,3] directions of pixel centres in the camera, z component 1."""
    height, width = shape
    pixels = np.ones((height, width, 3))
    pixels[..., 0] = np.arange(width) + 0.5
    pixels[..., 1] = (np.arange(height) + 0.5)[:, None]
    return pixels @ np.linalg.inv(intrinsics).T


def _steps(points: Array, rays: Array, valid: Mask, axis: int) -> Array:
    """[h,w,3] steps on the surface to the next pixel along an axis; NaN where no neighbour is on the same surface.

    Central differences where both neighbours are, else the difference to the one that is.
    """
    points, rays, valid = np.moveaxis(points, axis, 0), np.moveaxis(rays, axis, 0), np.moveaxis(valid, axis, 0)
    difference = points[1:] - points[:-1]
    sight = rays[1:] + rays[:-1]
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    along = (difference * sight).sum(-1)
    across = np.linalg.norm(difference - along[..., None] * sight, axis=-1)
    joined = valid[1:] & valid[:-1] & (np.abs(along) < np.tan(STEEPEST) * across)

    total = np.zeros_like(points)
    total[:-1] += difference * joined[..., None]
    total[1:] += difference * joined[..., None]
    count = np.zeros(points.shape[:-1])
    count[:-1] += joined
    count[1:] += joined
    steps = total / np.where(count > 0, count, np.nan)[..., None]
    return np.moveaxis(steps, 0, axis)


def _facing_where_unknown(step_x: Array, step_y: Array, points: Array, intrinsics: np.ndarray) -> tuple[Array, Array]:
    """Steps [G,3] with unknown (NaN) ones replaced by those on a plane through the point and facing the camera."""
    sight = points / np.linalg.norm(points, axis=-1, keepdims=True)
    facing = []
    for axis, steps in enumerate((step_x, step_y)):
        step = np.zeros_like(points)
        step[:, axis] = points[:, 2] / intrinsics[axis, axis]
        step -= (step * sight).sum(-1, keepdims=True) * sight
        facing.append(np.where(np.isnan(steps), step, steps))
    return facing[0], facing[1]


def _tangent_ellipses(step_x: Array, step_y: Array, max_elongation: float) -> tuple[Array, Array]:
    """Axes [G,3,3] (columns: long tangent, short tangent, normal towards the camera) and deviations [G,3]."""
    normal = np.cross(step_y, step_x)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    length = np.linalg.norm(step_x, axis=-1)
    first = step_x / length[:, None]
    second = np.cross(normal, first)
    # In the basis (first, second) step_x is (length, 0) and step_y is (p, q): a 2x2 covariance in closed form.
    p, q = (step_y * first).sum(-1), (step_y * second).sum(-1)
    mean, half = (length**2 + p**2 + q**2) / 2, (length**2 + p**2 - q**2) / 2
    radius = np.hypot(half, p * q)
    angle = 0.5 * np.arctan2(p * q, half)[:, None]
    longer = np.cos(angle) * first + np.sin(angle) * second
    shorter = np.cos(angle) * second - np.sin(angle) * first
    # The determinant (length q)^2 gives the smaller eigenvalue without cancellation.
    large = mean + radius
    deviation_2 = FOOTPRINT * np.abs(length * q) / np.sqrt(large)
    deviation_1 = np.minimum(FOOTPRINT * np.sqrt(large), max_elongation * deviation_2)
    axes = np.stack((longer, shorter, normal), -1)
    return axes, np.stack((deviation_1, deviation_2, THICKNESS * deviation_2), -1)


def _opacities(confidence: Array) -> Array:
    if not len(confidence):
        return confidence
    return OPACITY * np.minimum(1.0, confidence / (0.5 * np.median(confidence)))
