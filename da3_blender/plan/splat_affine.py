"""Gaussian splats under affine maps: moved, turned, scaled unevenly, sheared, mirrored. Numpy only.

A splat is a Gaussian around its position with covariance R diag(scale^2) R^T, R the matrix of its rotation, and a
colour that depends on the direction it is looked at from.
"""

from __future__ import annotations

import numpy as np

from model_runtime.contract import harmonics as functions

EVEN = 1e-6
"""Relative difference of two lengths that are the same but for rounding."""


def transform_splats(
    position: np.ndarray, scale: np.ndarray, rotation: np.ndarray, harmonics: np.ndarray, matrix: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Position [G,3], scale [G,3], rotation [G,4] wxyz and harmonics [K-1,G,3] (the coefficients of degree 1 and up,
    as of `SplatPlan`) of splats after the affine map `matrix` [4,4], all float32.

    Position and covariance follow exactly. Colours turn as the map turns, by the orthogonal factor of its polar
    decomposition: exact for turns, mirrors and even scales; under shear no finite harmonics are exact.
    """
    linear = np.asarray(matrix, np.float64)[:3, :3]
    moved = position.astype(np.float64) @ linear.T + np.asarray(matrix, np.float64)[:3, 3]
    scale, rotation = transform_shapes(scale, rotation, linear)
    return moved.astype(np.float32), scale, rotation, turn_harmonics(harmonics, turn_of(linear))


def transform_shapes(scale: np.ndarray, rotation: np.ndarray, linear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale [G,3] and rotation [G,4] wxyz with the covariances of splats after the linear map [3,3] or, one for each,
    [G,3,3]; both float32. Rotations come out of unit length; one of length zero counts as none."""
    turns = matrices_from_quaternions(rotation)
    if linear.ndim == 2:
        turn, size = turn_of(linear), float(np.linalg.norm(linear) / np.sqrt(3))
        if np.abs(linear - size * turn).max() <= EVEN * size:
            turn = turn * np.sign(np.linalg.det(turn))  # a Gaussian is its own image in its middle
            return (scale * size).astype(np.float32), quaternions_from_matrices(turn @ turns)
    # The covariance is M M^T, M = A R S. The singular vectors of M itself keep the digits of flat splats that squaring
    # would lose, and are at right angles also where an axis has no length.
    axes, lengths, _ = np.linalg.svd(linear @ (turns * scale[:, None, :].astype(np.float64)))
    axes[:, :, 2] *= np.sign(np.linalg.det(axes))[:, None]
    return lengths.astype(np.float32), quaternions_from_matrices(axes)


def turn_of(linear: np.ndarray) -> np.ndarray:
    """The orthogonal factor of the polar decomposition of [...,3,3], improper where it mirrors."""
    left, _, right = np.linalg.svd(linear)
    return left @ right


def turn_harmonics(higher: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Coefficients [K-1,G,3] of degree 1 and up, laid out as in `SplatPlan`, after the orthogonal map [3,3], which may
    mirror."""
    if np.abs(turn - np.eye(3)).max() <= EVEN or not len(higher):
        return higher.astype(np.float32)
    constant = np.zeros((1, *higher.shape[1:]), np.float32)
    turned = functions.rotate(np.moveaxis(np.concatenate([constant, higher], dtype=np.float32), 0, 2), turn)
    return np.ascontiguousarray(np.moveaxis(turned[:, :, 1:], 2, 0))


def matrices_from_quaternions(quaternions: np.ndarray) -> np.ndarray:
    """[G,3,3] float64 of [G,4] wxyz of any length; one of length zero is no turn."""
    unit = quaternions.astype(np.float64)
    length = np.linalg.norm(unit, axis=1, keepdims=True)
    unit = np.where(length > 0, unit / np.maximum(length, 1e-300), [1.0, 0.0, 0.0, 0.0])
    w, x, y, z = unit.T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def quaternions_from_matrices(rotations: np.ndarray) -> np.ndarray:
    """[G,4] float32 wxyz unit quaternions of rotations [G,3,3].

    Rows of four times the quaternion's outer product with itself are read off the matrix; the one of the quaternion's
    largest number loses no digits (Shepperd 1978).
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.moveaxis(rotations, 0, 2)
    products = np.stack(
        [
            np.stack([1 + xx + yy + zz, zy - yz, xz - zx, yx - xy], axis=1),
            np.stack([zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx], axis=1),
            np.stack([xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy], axis=1),
            np.stack([yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz], axis=1),
        ],
        axis=1,
    )
    largest = np.argmax(np.einsum("gii->gi", products), axis=1)
    row = products[np.arange(len(products)), largest]
    return (row / np.linalg.norm(row, axis=1, keepdims=True)).astype(np.float32)
