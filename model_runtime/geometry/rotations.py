"""Quaternions (wxyz, Hamilton) and rotation matrices, batched over leading dimensions and differentiable."""

from __future__ import annotations

import torch
from torch import Tensor


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Rotation matrices of quaternions of any length.

    quaternion: [...,4] wxyz; its length does not matter (R uses 2 / |q|^2), zero gives the identity.
    Returns [...,3,3], which rotates column vectors.
    """
    w, x, y, z = quaternion.unbind(-1)
    s = 2 / quaternion.square().sum(-1).clamp_min(torch.finfo(quaternion.dtype).tiny)
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
    return torch.stack(entries, -1).unflatten(-1, (3, 3))


def matrix_to_quaternion(rotation: Tensor) -> Tensor:
    """Unit quaternions of rotation matrices.

    rotation: [...,3,3], orthonormal with determinant 1. Returns [...,4] wxyz with w >= 0.

    Every row of 4 q q^T is q times one of its own components; the row of the largest component is far from zero
    for every rotation, so that neither the value nor its gradient degrades near 180 degrees.
    """
    m = rotation.flatten(-2).unbind(-1)
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = m
    rows = torch.stack(
        (
            torch.stack((1 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01), -1),
            torch.stack((m21 - m12, 1 + m00 - m11 - m22, m10 + m01, m02 + m20), -1),
            torch.stack((m02 - m20, m10 + m01, 1 - m00 + m11 - m22, m21 + m12), -1),
            torch.stack((m10 - m01, m02 + m20, m21 + m12, 1 - m00 - m11 + m22), -1),
        ),
        -2,
    )
    largest = rows.detach().diagonal(dim1=-2, dim2=-1).argmax(-1)
    row = rows.gather(-2, largest[..., None, None].expand(*largest.shape, 1, 4)).squeeze(-2)
    unit = row / row.norm(dim=-1, keepdim=True)
    return torch.where(unit[..., :1] < 0, -unit, unit)


def quaternion_multiply(first: Tensor, second: Tensor) -> Tensor:
    """Hamilton product [...,4] wxyz: the rotation `second`, followed by `first` (matrices multiply alike)."""
    aw, ax, ay, az = first.unbind(-1)
    bw, bx, by, bz = second.unbind(-1)
    product = (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
    return torch.stack(product, -1)
