"""Quaternions (wxyz, Hamilton) and rotation matrices, batched over leading dimensions and differentiable.

Of numpy arrays or tensors, whichever is given.
"""

from __future__ import annotations

from model_runtime.geometry.arrays import Array, like, namespace


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Rotation matrices of quaternions of any length.

    quaternion: [...,4] wxyz; its length does not matter (R uses 2 / |q|^2), zero gives the identity.
    Returns [...,3,3], which rotates column vectors.
    """
    xp = namespace(quaternion)
    w, x, y, z = xp.unstack(quaternion, axis=-1)
    smallest = xp.finfo(quaternion.dtype).smallest_normal
    s = 2 / xp.maximum(xp.sum(quaternion * quaternion, axis=-1), like(smallest, quaternion))
    entries = (
        1 - s * (y * y + z * z),
        s * (x * y - w * z),
        s * (x * z + w * y),
        s * (x * y + w * z),
        1 - s * (x * x + z * z),
        s * (y * z - w * x),
        s * (x * z - w * y),
        s * (y * z + w * x),
        1 - s * (x * x + y * y),
    )
    return xp.reshape(xp.stack(entries, axis=-1), (*quaternion.shape[:-1], 3, 3))


def matrix_to_quaternion(rotation: Array) -> Array:
    """Unit quaternions of rotation matrices.

    rotation: [...,3,3], orthonormal with determinant 1. Returns [...,4] wxyz with w >= 0.

    Every row of 4 q q^T is q times one of its own components; the row of the largest component is far from zero
    for every rotation, so that neither the value nor its gradient degrades near 180 degrees.
    """
    xp = namespace(rotation)
    m = xp.unstack(xp.reshape(rotation, (*rotation.shape[:-2], 9)), axis=-1)
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = m
    entries = (
        (1 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01),
        (m21 - m12, 1 + m00 - m11 - m22, m10 + m01, m02 + m20),
        (m02 - m20, m10 + m01, 1 - m00 + m11 - m22, m21 + m12),
        (m10 - m01, m02 + m20, m21 + m12, 1 - m00 - m11 + m22),
    )
    rows = xp.stack([xp.stack(row, axis=-1) for row in entries], axis=-2)
    largest = xp.argmax(xp.linalg.diagonal(rows), axis=-1)
    chosen = xp.broadcast_to(largest[..., None, None], (*rows.shape[:-2], 1, 4))
    row = xp.take_along_axis(rows, chosen, axis=-2)[..., 0, :]
    unit = row / xp.linalg.vector_norm(row, axis=-1, keepdims=True)
    return xp.where(unit[..., :1] < 0, -unit, unit)


def quaternion_multiply(first: Array, second: Array) -> Array:
    """Hamilton product [...,4] wxyz: the rotation `second`, followed by `first` (matrices multiply alike)."""
    xp = namespace(first, second)
    aw, ax, ay, az = xp.unstack(first, axis=-1)
    bw, bx, by, bz = xp.unstack(second, axis=-1)
    product = (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
    return xp.stack(product, axis=-1)
