"""From raw numbers per pixel to Gaussian splats in the world of the cameras; of numpy arrays or of tensors."""

from __future__ import annotations

from typing import NamedTuple

from model_runtime.geometry.arrays import Array, as_numpy, device_of, like, namespace
from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_multiply
from model_runtime.geometry.similarity import camera_centres, umeyama
from model_runtime.geometry.spherical_harmonics import rotate
from model_runtime.network.output import GaussianSplats

RAW = 37  # offset 2, scale 3, quaternion xyzw 4, harmonics 3 x 9, depth offset 1
SMALLEST, LARGEST = 1e-5, 30.0  # standard deviations, in tenths of a pixel
BAND_WEIGHTS = (1.0, *(0.025,) * 3, *(0.00625,) * 5)  # view dependence starts small
SHORTEST = 1e-12  # below this a vector has no direction


class RawGaussians(NamedTuple):
    """raw: [V,H,W,37] linear; opacity: [V,H,W], 0..1."""

    raw: Array
    opacity: Array


def place_gaussians(
    raw: RawGaussians,
    depth: Array,
    extrinsics: Array,
    intrinsics: Array,
    given_extrinsics: Array | None = None,
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
    xp = namespace(depth)
    scale = scale_to_given(extrinsics, given_extrinsics)
    offset, log_scale, xyzw, harmonics = (raw.raw[..., a:b] for a, b in ((0, 2), (2, 5), (5, 9), (9, 36)))
    to_world = xp.matrix_transpose(extrinsics[..., :3])  # [B,N,3,3]
    centres = camera_centres(extrinsics) * scale[:, None, None]  # [B,N,3]
    z = (depth + raw.raw[..., 36]) * scale[:, None, None, None]
    rays = _pixel_rays(offset, intrinsics)
    if released:
        rays = _unit(rays)
    turned_rays = rays @ xp.matrix_transpose(to_world)[:, :, None]
    means = centres[:, :, None, None] + turned_rays * z[..., None]

    pixel = (1 / intrinsics[..., 0, 0] + 1 / intrinsics[..., 1, 1])[:, :, None, None]  # [B,N,1,1] at depth 1
    scales = (SMALLEST + (LARGEST - SMALLEST) * _sigmoid(log_scale)) * (0.1 * pixel * z)[..., None]

    camera = matrix_to_quaternion(to_world)[:, :, None, None]  # [B,N,1,1,4]
    xyzw = _unit(xyzw)
    rotations = released_rotations(camera, xyzw) if released else exact_rotations(camera, xyzw)

    weighted = xp.reshape(harmonics, (*depth.shape, 3, 9)) * like(BAND_WEIGHTS, harmonics)
    turned = rotate(weighted, to_world[:, :, None, None])
    scenes = len(depth)
    return GaussianSplats(
        means=xp.reshape(means, (scenes, -1, 3)),
        scales=xp.reshape(scales, (scenes, -1, 3)),
        rotations=xp.reshape(rotations, (scenes, -1, 4)),
        harmonics=xp.reshape(turned, (scenes, -1, 3, 9)),
        opacities=xp.reshape(raw.opacity, (scenes, -1)),
        world_scale=scale,
    )


def exact_rotations(camera: Array, xyzw: Array) -> Array:
    """World rotations wxyz of camera-space ones xyzw, seen by cameras (camera-to-world, wxyz)."""
    return quaternion_multiply(camera, namespace(xyzw).roll(xyzw, 1, axis=-1))


def released_rotations(camera: Array, xyzw: Array) -> Array:
    """The rotations that released checkpoints were trained through.

    Their wxyz quaternions go through a routine for xyzw and come back as wxyz: exact for an unrotated camera, off
    otherwise, but what those weights know.
    """
    xp = namespace(xyzw)
    misread = xp.roll(xyzw, 2, axis=-1)  # (w,x,y,z) taken for xyzw, written as wxyz: (z,w,x,y)
    product = quaternion_multiply(camera, misread)
    return xp.roll(xp.where(product[..., :1] < 0, -product, product), -1, axis=-1)


def scale_to_given(extrinsics: Array, given: Array | None) -> Array:
    """[B]: how much larger the given cameras' world is than the predicted one, within 1/3 to 3. Without gradient.

    1 where none are given, and where camera centres cannot tell: a single view, or cameras in one place.
    """
    if given is None:
        return namespace(extrinsics).ones_like(extrinsics[:, 0, 0, 0])
    predicted_centres, given_centres = (camera_centres(as_numpy(each)) for each in (extrinsics, given))
    xp = namespace(predicted_centres)
    scale, _, _ = umeyama(predicted_centres, xp.astype(given_centres, predicted_centres.dtype))
    known = _spread(predicted_centres) & _spread(given_centres)
    return like(xp.clip(xp.where(known, scale, xp.ones_like(scale)), 1 / 3, 3.0), extrinsics)


def _spread(centres: Array) -> Array:
    """[B]: whether camera centres [B,N,3] lie in more than one place."""
    xp = namespace(centres)
    return xp.max(xp.linalg.vector_norm(centres - centres[:, :1], axis=-1), axis=-1) > 1e-6


def _pixel_rays(offset: Array, intrinsics: Array) -> Array:
    """[B,N,H,W,3] camera-space directions, z = 1, through pixel centres moved by `offset` [B,N,H,W,2] pixels."""
    xp, device = namespace(offset), device_of(offset)
    height, width = offset.shape[2:4]
    x = xp.arange(width, dtype=offset.dtype, device=device) + 0.5 + offset[..., 0]
    y = xp.arange(height, dtype=offset.dtype, device=device)[:, None] + 0.5 + offset[..., 1]
    k = intrinsics[:, :, None, None]
    x, y = (x - k[..., 0, 2]) / k[..., 0, 0], (y - k[..., 1, 2]) / k[..., 1, 1]
    return xp.stack((x, y, xp.ones_like(x)), axis=-1)


def _unit(vectors: Array) -> Array:
    length = namespace(vectors).linalg.vector_norm(vectors, axis=-1, keepdims=True)
    return vectors / namespace(vectors).clip(length, SHORTEST)


def _sigmoid(x: Array) -> Array:
    """Where x is far below zero, too, as exact as numbers are."""
    xp = namespace(x)
    small = xp.exp(-xp.abs(x))
    return xp.where(x < 0, small, 1.0) / (1 + small)
