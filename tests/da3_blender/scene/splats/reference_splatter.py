"""What a picture of Gaussian splats has to be: the formulas of 3D Gaussian Splatting in float64, splat by splat.

Slow and clear, numpy alone, and nothing of the project's own in it. After Kerbl et al. 2023 (3D Gaussian Splatting) and
Zwicker et al. 2001 (EWA splatting): a splat's covariance goes through the camera's affine approximation at its middle;
what is nearer by the camera's z covers what is farther; colours are blended as they are displayed (sRGB).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NEAR = 0.01
LOW_PASS = 0.3
"""Pixels squared, added to both variances in the picture."""
REACH = 3.0
"""Standard deviations in the picture beyond which a splat is not there."""
LARGEST_ALPHA = 0.99
FOLLOWED = 1.3
"""How far out the affine camera follows a splat's middle, in halves of the picture from its middle (released code)."""


@dataclass(frozen=True)
class Splats:
    """G splats. means [G,3]; scales [G,3] standard deviations; rotations [G,4] wxyz; harmonics [G,3,K]; opacities
    [G]."""

    means: np.ndarray
    scales: np.ndarray
    rotations: np.ndarray
    harmonics: np.ndarray
    opacities: np.ndarray


@dataclass(frozen=True)
class Camera:
    """extrinsics [4,4] world-to-camera (OpenCV); intrinsics [3,3] in pixels, centres at +0.5; size (height, width)."""

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    size: tuple[int, int]


def rotation_matrices(quaternions: np.ndarray) -> np.ndarray:
    """[G,3,3] of unit quaternions [G,4] wxyz: v + 2 w (q x v) + 2 q x (q x v) for every unit vector v."""
    scalar, vector = quaternions[:, :1], quaternions[:, 1:]
    columns = []
    for unit in np.eye(3):
        once = np.cross(vector, unit)
        columns.append(unit + 2 * scalar * once + 2 * np.cross(vector, once))
    return np.stack(columns, axis=-1)


def harmonic_basis(directions: np.ndarray, degree: int) -> np.ndarray:
    """[G,(degree + 1)^2] real spherical harmonics at unit `directions` [G,3], with the Condon-Shortley sign.

    Order -m has sqrt(2) * Im Y_l^m, order m sqrt(2) * Re Y_l^m. The associated Legendre functions without their power
    of the sine, and (x + iy)^m, which has it, are built by recurrence.
    """
    x, y, z = directions.T
    functions = np.empty((len(directions), (degree + 1) ** 2))
    for m in range(degree + 1):
        turn = (x + 1j * y) ** m
        below = np.zeros_like(z)
        legendre = np.full_like(z, (-1) ** m * math.prod(range(1, 2 * m, 2)))
        for band in range(m, degree + 1):
            norm = math.sqrt((2 * band + 1) / (4 * math.pi) * math.factorial(band - m) / math.factorial(band + m))
            norm *= math.sqrt(2) if m else 1
            middle = band * band + band
            functions[:, middle - m] = norm * legendre * turn.imag
            functions[:, middle + m] = norm * legendre * turn.real
            above = ((2 * band + 1) * z * legendre - (band + m) * below) / (band - m + 1)
            below, legendre = legendre, above
    return functions


def seen_colours(splats: Splats, eye: np.ndarray) -> np.ndarray:
    """[G,3] as displayed, seen from `eye` [3]: 0.5 and the harmonics' sum, not below zero."""
    sight = splats.means - eye
    sight = sight / np.linalg.norm(sight, axis=1, keepdims=True)
    degree = math.isqrt(splats.harmonics.shape[2]) - 1
    return np.maximum(0.5 + np.einsum("gck,gk->gc", splats.harmonics, harmonic_basis(sight, degree)), 0)


def projected(splats: Splats, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middles [G,2] and covariances [G,2,2] in the picture, in pixels, and the camera's z [G]."""
    rotation, shift = camera.extrinsics[:3, :3], camera.extrinsics[:3, 3]
    x, y, z = (splats.means @ rotation.T + shift).T
    (fx, _, cx), (_, fy, cy) = camera.intrinsics[:2]
    height, width = camera.size
    safe = np.where(z > NEAR, z, 1.0)
    slopes = []
    for slope, focal, centre, extent in ((x / safe, fx, cx, width), (y / safe, fy, cy, height)):
        middle, half = (extent / 2 - centre) / focal, extent / 2 / focal
        slopes.append(np.clip(slope, middle - FOLLOWED * half, middle + FOLLOWED * half))
    u, v = slopes
    zero = np.zeros_like(z)
    jacobian = np.stack([fx / safe, zero, -fx * u / safe, zero, fy / safe, -fy * v / safe], axis=1).reshape(-1, 2, 3)
    root = jacobian @ rotation @ (rotation_matrices(splats.rotations) * splats.scales[:, None, :])
    covariance = root @ np.swapaxes(root, 1, 2) + LOW_PASS * np.eye(2)
    return np.stack([fx * x / safe + cx, fy * y / safe + cy], axis=1), covariance, z


def _box(centre: np.ndarray, covariance: np.ndarray, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the pixels whose middles may be within reach."""
    reach = REACH * np.sqrt(covariance.diagonal())
    low = np.maximum(np.ceil(centre - reach - 0.5), 0).astype(int)
    high = np.minimum(np.floor(centre + reach - 0.5).astype(int) + 1, size[::-1])
    return slice(low[1], max(high[1], low[1])), slice(low[0], max(high[0], low[0]))


def render(
    splats: Splats, camera: Camera, encode: Callable[[np.ndarray], np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Picture [H,W,3] over black and coverage [H,W].

    encode: what to make of the displayed colours before they are blended, to see what another space of blending does.
    """
    eye = -camera.extrinsics[:3, :3].T @ camera.extrinsics[:3, 3]
    colours = seen_colours(splats, eye)
    colours = colours if encode is None else encode(colours)
    centres, covariances, depth = projected(splats, camera)
    reaches = REACH * np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    in_picture = ((centres + reaches > 0) & (centres - reaches < camera.size[::-1])).all(axis=1)
    picture, passed = np.zeros((*camera.size, 3)), np.ones(camera.size)
    for index in np.argsort(depth, kind="stable"):
        if depth[index] <= NEAR or not in_picture[index]:
            continue
        rows, columns = _box(centres[index], covariances[index], camera.size)
        dx = np.arange(columns.start, columns.stop) + 0.5 - centres[index, 0]
        dy = np.arange(rows.start, rows.stop)[:, None] + 0.5 - centres[index, 1]
        (xx, xy), (_, yy) = covariances[index]
        squared = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
        falloff = np.where(squared <= REACH * REACH, np.exp(-0.5 * squared), 0.0)
        alpha = np.minimum(splats.opacities[index] * falloff, LARGEST_ALPHA)
        weight = passed[rows, columns] * alpha
        picture[rows, columns] += weight[..., None] * colours[index]
        passed[rows, columns] -= weight
    return picture, 1 - passed


def psnr(picture: np.ndarray, expected: np.ndarray) -> float:
    """Decibels of two pictures of values 0..1."""
    error = np.mean((np.clip(picture, 0, 1) - np.clip(expected, 0, 1)) ** 2)
    return float("inf") if error == 0 else -10 * math.log10(error)
