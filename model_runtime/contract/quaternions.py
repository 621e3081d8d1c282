"""Rotations as quaternions, wxyz. Numpy only."""

from __future__ import annotations

import numpy as np


def quaternion_from_matrix(rotation: np.ndarray) -> np.ndarray:
    """[4] wxyz unit quaternion with w >= 0 of a [3,3] rotation.

    The largest eigenvector of Bar-Itzhack's symmetric matrix (2000): no special cases, nearest for a slightly
    inexact rotation.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    symmetric = np.array(
        [
            [xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, yy - xx - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, zz - xx - yy],
        ]
    )
    quaternion = np.linalg.eigh(symmetric)[1][:, -1]
    return quaternion if quaternion[0] >= 0 else -quaternion


def rotate_quaternions(rotation: np.ndarray, quaternions: np.ndarray) -> np.ndarray:
    """Turn orientations, `quaternions` [N,4] wxyz, by a [3,3] rotation: [N,4] unit quaternions."""
    w, x, y, z = quaternion_from_matrix(rotation)
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    turned = quaternions.astype(np.float64) @ left.T
    return (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)
