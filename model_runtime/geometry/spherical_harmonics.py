"""Real spherical harmonics in the order and signs of 3D Gaussian Splatting (Kerbl et al. 2023).

Bands follow each other (1 + 3 + 5 + ... coefficients), orders run from -l to l, and the Condon-Shortley sign is
kept: band 1 is (-y, z, -x) * 0.4886. Of numpy arrays or tensors, whichever is given.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt, pi, sqrt

import numpy as np

from model_runtime.geometry.arrays import Array, like, namespace

MAX_DEGREE = 4
SHORTEST = 1e-12
"""Length below which a vector has no direction."""

Coordinates = tuple[Array, Array, Array]


def basis(degree: int, directions: Array) -> Array:
    """The basis functions up to `degree` (0 to 4) at directions of any length.

    directions: [...,3]. Returns [...,(degree + 1) ** 2].
    """
    if not 0 <= degree <= MAX_DEGREE:
        raise ValueError(f"Spherical harmonics of degree {degree} are not known here; take 0 to {MAX_DEGREE}.")
    xp = namespace(directions)
    length = xp.linalg.vector_norm(directions, axis=-1, keepdims=True)
    unit = directions / xp.maximum(length, like(SHORTEST, length))
    coordinates = (unit[..., 0], unit[..., 1], unit[..., 2])
    return xp.stack([value for band in range(degree + 1) for value in _BANDS[band](coordinates)], axis=-1)


def rotate(harmonics: Array, rotation: Array) -> Array:
    """Coefficients of the rotated function: seen from direction d they give what `harmonics` give from R^T d.

    harmonics: [...,C,K] with K = (degree + 1) ** 2. rotation: [...,3,3]; leading dimensions broadcast, and where
    they are 1 (one rotation for all pixels of a view: [B,N,1,3,3]) no matrix is made per pixel.
    Returns [...,C,K]. Exact up to rounding, and differentiable in both.
    """
    degree = isqrt(harmonics.shape[-1]) - 1
    if (degree + 1) ** 2 != harmonics.shape[-1]:
        raise ValueError(
            f"{harmonics.shape[-1]} coefficients are no whole number of bands; expected 1, 4, 9, 16 or 25."
        )
    xp = namespace(harmonics, rotation)
    samples, inverses = _samples_and_inverses(degree)
    # Row vectors: a row times R is (R^T d)^T.
    turned = basis(degree, like(samples, rotation) @ rotation)
    bands = []
    for band, inverse in enumerate(inverses):
        columns = slice(band**2, (band + 1) ** 2)
        matrix = like(inverse, rotation) @ turned[..., columns]
        bands.append(_product(harmonics[..., columns], xp.astype(xp.matrix_transpose(matrix), harmonics.dtype)))
    return xp.concat(bands, axis=-1)


def _product(rows: Array, matrix: Array) -> Array:
    """rows [...,P,C,k] @ matrix [...,P|1,k,k]: pixels that share a matrix in one product, so that none is copied."""
    if rows.ndim < 3 or not (matrix.ndim == 2 or matrix.shape[-3] == 1):
        return rows @ matrix
    xp = namespace(rows)
    *leading, pixels, colours, size = rows.shape
    shared = matrix if matrix.ndim == 2 else matrix[..., 0, :, :]
    product = xp.reshape(rows, (*leading, pixels * colours, size)) @ shared
    return xp.reshape(product, (*product.shape[:-2], pixels, colours, size))


@lru_cache
def _samples_and_inverses(degree: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Directions spread over the sphere [S,3], and the pseudo-inverse [2l+1,S] of every band's values there.

    A band is closed under rotation, so its values at enough directions determine its coefficients exactly."""
    index = np.arange(32) + 0.5
    z = 1 - 2 * index / len(index)
    azimuth = index * pi * (1 + sqrt(5))
    radius = np.sqrt(1 - z * z)
    samples = np.stack((radius * np.cos(azimuth), radius * np.sin(azimuth), z), -1)
    values = basis(degree, samples)
    inverses = [np.linalg.pinv(values[:, band**2 : (band + 1) ** 2]) for band in range(degree + 1)]
    return samples, tuple(inverses)


def _band0(coordinates: Coordinates) -> list[Array]:
    return [namespace(coordinates[0]).full_like(coordinates[0], sqrt(1 / pi) / 2)]


def _band1(coordinates: Coordinates) -> list[Array]:
    x, y, z = coordinates
    c = sqrt(3 / pi) / 2
    return [-c * y, c * z, -c * x]


def _band2(coordinates: Coordinates) -> list[Array]:
    x, y, z = coordinates
    c = sqrt(15 / pi) / 2
    return [c * x * y, -c * y * z, sqrt(5 / pi) / 4 * (3 * z * z - 1), -c * x * z, c / 2 * (x * x - y * y)]


def _band3(coordinates: Coordinates) -> list[Array]:
    x, y, z = coordinates
    xx, yy, zz = x * x, y * y, z * z
    c3, c2, c1 = sqrt(35 / (2 * pi)) / 4, sqrt(105 / pi) / 2, sqrt(21 / (2 * pi)) / 4
    return [
        -c3 * y * (3 * xx - yy),
        c2 * x * y * z,
        -c1 * y * (5 * zz - 1),
        sqrt(7 / pi) / 4 * z * (5 * zz - 3),
        -c1 * x * (5 * zz - 1),
        c2 / 2 * z * (xx - yy),
        -c3 * x * (xx - 3 * yy),
    ]


def _band4(coordinates: Coordinates) -> list[Array]:
    x, y, z = coordinates
    xx, yy, zz = x * x, y * y, z * z
    c4, c3, c2, c1 = (0.75 * sqrt(v / pi) for v in (35, 35 / 2, 5, 5 / 2))
    return [
        c4 * x * y * (xx - yy),
        -c3 * y * z * (3 * xx - yy),
        c2 * x * y * (7 * zz - 1),
        -c1 * y * z * (7 * zz - 3),
        0.1875 * sqrt(1 / pi) * (zz * (35 * zz - 30) + 3),
        -c1 * x * z * (7 * zz - 3),
        c2 / 2 * (xx - yy) * (7 * zz - 1),
        -c3 * x * z * (xx - 3 * yy),
        c4 / 4 * (xx * (xx - 3 * yy) - yy * (3 * xx - yy)),
    ]


_BANDS = (_band0, _band1, _band2, _band3, _band4)
