"""A camera as the network speaks of it: nine numbers.

Translation (3) and quaternion xyzw (4) of its camera-to-world pose, and its vertical and horizontal field of view in
radians. Of numpy arrays or tensors, whichever is given.
"""

from __future__ import annotations

import math

from model_runtime.geometry.arrays import Array, namespace
from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_to_matrix

SMALLEST_TANGENT = 1e-6  # of half a field of view; a dead field of view (ReLU) still gives a finite focal length


def encode_camera(extrinsics: Array, intrinsics: Array, image_size: tuple[int, int]) -> Array:
    """Nine numbers [...,9] of world-to-camera extrinsics [...,3 or 4,4] and pixel intrinsics [...,3,3]."""
    xp = namespace(extrinsics)
    height, width = image_size
    rotation = xp.matrix_transpose(extrinsics[..., :3, :3])
    translation = -(rotation @ extrinsics[..., :3, 3:])[..., 0]
    xyzw = xp.roll(matrix_to_quaternion(rotation), -1, axis=-1)
    tangents = xp.stack((0.5 * height / intrinsics[..., 1, 1], 0.5 * width / intrinsics[..., 0, 0]), axis=-1)
    return xp.concat((translation, xyzw, 2 * xp.atan(tangents)), axis=-1)


def decode_camera(numbers: Array, image_size: tuple[int, int]) -> tuple[Array, Array]:
    """World-to-camera extrinsics [...,3,4] and pixel intrinsics [...,3,3] of nine numbers [...,9]."""
    xp = namespace(numbers)
    height, width = image_size
    rotation = xp.matrix_transpose(quaternion_to_matrix(xp.roll(numbers[..., 3:7], 1, axis=-1)))
    extrinsics = xp.concat((rotation, -rotation @ numbers[..., :3, None]), axis=-1)
    tangents = xp.clip(xp.tan(0.5 * numbers[..., 7:]), SMALLEST_TANGENT, math.inf)
    focal_y, focal_x = 0.5 * height / tangents[..., 0], 0.5 * width / tangents[..., 1]
    zero, one = xp.zeros_like(focal_x), xp.ones_like(focal_x)
    rows = (focal_x, zero, one * width / 2, zero, focal_y, one * height / 2, zero, zero, one)
    return extrinsics, xp.reshape(xp.stack(rows, axis=-1), (*focal_x.shape, 3, 3))
