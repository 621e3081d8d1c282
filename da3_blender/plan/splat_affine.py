"""Gaussian splats under affine maps: moved, turned, scaled unevenly, sheared, mirrored. Numpy only.

A splat is a Gaussian around its position with covariance R diag(scale^2) R^T, R the matrix of its rotation, and a
colour that depends on the direction it is looked at from.
"""

from __future__ import annotations

import numpy as np

from model_runtime.contract import harmonics as functions
from model_runtime.contract.quaternions import rotate_quaternions

EVEN = 1e-6
"""Relative difference of two lengths that are the same but for rounding."""

CHUNK = 1 << 14
"""Splats that are reckoned at a time: what fits into a processor's cache is several times as fast."""

SWEEPS, RIGHT = 12, 1e-8
"""How often axes are turned at most, and the cosine that is a right angle."""

NOTHING = 1e-12
"""Of a splat's longest axis: shorter ones have no direction."""


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
    if linear.ndim == 2:
        turn, size = turn_of(linear), float(np.linalg.norm(linear) / np.sqrt(3))
        if np.abs(linear - size * turn).max() <= EVEN * size:
            turn = turn * np.sign(np.linalg.det(turn))  # a Gaussian is its own image in its middle
            rotation = np.where(rotation.any(axis=1, keepdims=True), rotation, [1.0, 0.0, 0.0, 0.0])
            return scale * np.float32(size), rotate_quaternions(turn, rotation)
    lengths, quaternions = np.empty_like(scale, np.float32), np.empty_like(rotation, np.float32)
    for begin in range(0, len(scale), CHUNK):
        part = slice(begin, begin + CHUNK)
        turns = np.moveaxis(matrices_from_quaternions(rotation[part]), 0, 2)
        each = linear[:, :, None] if linear.ndim == 2 else np.moveaxis(linear[part], 0, 2)
        axes = np.einsum("ijg,jkg->ikg", each, turns * scale[part].T)
        sizes, turns = _principal(axes)
        lengths[part], quaternions[part] = sizes.T, quaternions_from_matrices(np.moveaxis(turns, 2, 0))
    return lengths, quaternions


def _principal(axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations [3,G], the longest first, and their directions as rotations [3,3,G] of Gaussians with
    covariances M M^T, M = `axes` [3,3,G].

    By turns of two columns of M at a time until all are at right angles (Hestenes 1958): the covariances themselves
    would have lost the digits of flat splats.
    """
    for _ in range(SWEEPS):
        worst = 0.0
        for first, second in ((0, 1), (0, 2), (1, 2)):
            one, two = axes[:, first], axes[:, second]
            ones, twos, both = np.sum(one * one, axis=0), np.sum(two * two, axis=0), np.sum(one * two, axis=0)
            worst = max(worst, float((both * both - RIGHT**2 * ones * twos).max(initial=0.0)))
            angle = 0.5 * np.arctan2(2 * both, ones - twos)
            cosine, sine = np.cos(angle), np.sin(angle)
            axes[:, first], axes[:, second] = cosine * one + sine * two, cosine * two - sine * one
        if worst <= 0:
            break
    sizes = np.sqrt(np.sum(axes * axes, axis=0))
    # Where there is no length there is no direction: any at right angles to the others.
    long = _unit(axes[:, 0], np.array([[1.0], [0.0], [0.0]]))
    aside = np.eye(3)[np.abs(long).argmin(axis=0)].T
    wide = _unit(np.where(sizes[1] > NOTHING * sizes[0], axes[:, 1], np.cross(long, aside, axis=0)), aside)
    return sizes, np.stack([long, wide, np.cross(long, wide, axis=0)], axis=1)


def _unit(vectors: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """[3,G]."""
    length = np.sqrt(np.sum(vectors * vectors, axis=0))
    return np.where(length > 0, vectors / np.where(length > 0, length, 1.0), otherwise)


def turn_of(linear: np.ndarray) -> np.ndarray:
    """The orthogonal factor of the polar decomposition of [...,3,3], improper where it mirrors."""
    left, _, right = np.linalg.svd(linear)
    return left @ right


def turn_harmonics(higher: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Coefficients [K-1,G,3] of degree 1 and up, laid out as in `SplatPlan`, after the orthogonal map [3,3], which may
    mirror."""
    turned = higher.astype(np.float32)
    if np.abs(turn - np.eye(3)).max() <= EVEN or not len(higher):
        return turned
    matrix = functions.rotate(np.eye(len(higher) + 1)[:, None], turn)[:, 0].T.astype(np.float32)
    for degree in range(1, int((len(higher) + 1) ** 0.5)):
        block = slice(degree**2, (degree + 1) ** 2)
        band = slice(block.start - 1, block.stop - 1)
        turned[band] = np.tensordot(matrix[block, block], turned[band], axes=1)
    return turned


def matrices_from_quaternions(quaternions: np.ndarray) -> np.ndarray:
    """[G,3,3] float64 of [G,4] wxyz of any length; one of length zero is no turn."""
    unit = quaternions.T.astype(np.float64)
    length = np.sqrt(np.sum(unit * unit, axis=0))
    w, x, y, z = unit / np.where(length > 0, length, 1.0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.moveaxis(np.array(rows), 2, 0)


def quaternions_from_matrices(rotations: np.ndarray) -> np.ndarray:
    """[G,4] float32 wxyz unit quaternions of rotations [G,3,3].

    Rows of four times the quaternion's outer product with itself are read off the matrix; the one of the quaternion's
    largest number loses no digits (Shepperd 1978).
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.moveaxis(rotations, 0, 2)
    squares = np.array([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz])
    (w, x, y, z), (wx, wy, wz, xy, xz, yz) = squares, (zy - yz, xz - zx, yx - xy, xy + yx, xz + zx, yz + zy)
    rows = np.array([[w, wx, wy, wz], [wx, x, xy, xz], [wy, xy, y, yz], [wz, xz, yz, z]])
    row = np.take_along_axis(rows, squares.argmax(axis=0)[None, None], axis=0)[0]
    return (row / np.sqrt(np.sum(row * row, axis=0))).T.astype(np.float32)
