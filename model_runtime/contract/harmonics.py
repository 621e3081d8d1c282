"""Real spherical harmonics of 3D Gaussian Splatting (Kerbl et al. 2023) in numpy, and how they turn with a scene.

The worker has its own in torch; torch is not there inside Blender.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_DEGREE = 4
BASE = 0.28209479177387814
"""The constant function of degree 0: colour = 0.5 + BASE * coefficient."""


def degree_of(coefficients: int) -> int | None:
    """The degree whose (degree + 1) ** 2 is `coefficients`, or None when there is none up to MAX_DEGREE."""
    return next((degree for degree in range(MAX_DEGREE + 1) if (degree + 1) ** 2 == coefficients), None)


def basis(directions: np.ndarray, degree: int) -> np.ndarray:
    """Basis functions at unit `directions` [N,3]: [N, (degree + 1) ** 2], orthonormal over the sphere."""
    x, y, z = np.asarray(directions, dtype=np.float64).T
    return np.stack([np.full_like(x, BASE), *higher_basis(x, y, z)][: (degree + 1) ** 2], axis=1)


def higher_basis(x: Any, y: Any, z: Any) -> list[Any]:
    """The 24 basis functions of degree 1 to 4 at unit direction x, y, z: arrays, or anything with + - and *."""
    xx, yy, zz = x * x, y * y, z * z
    return [
        y * -0.4886025119029199,
        z * 0.4886025119029199,
        x * -0.4886025119029199,
        x * y * 1.0925484305920792,
        y * z * -1.0925484305920792,
        (zz * 2 - xx - yy) * 0.31539156525252005,
        x * z * -1.0925484305920792,
        (xx - yy) * 0.5462742152960396,
        y * (xx * 3 - yy) * -0.5900435899266435,
        x * y * z * 2.890611442640554,
        y * (zz * 4 - xx - yy) * -0.4570457994644658,
        z * (zz * 2 - xx * 3 - yy * 3) * 0.3731763325901154,
        x * (zz * 4 - xx - yy) * -0.4570457994644658,
        z * (xx - yy) * 1.445305721320277,
        x * (xx - yy * 3) * -0.5900435899266435,
        x * y * (xx - yy) * 2.5033429417967046,
        y * z * (xx * 3 - yy) * -1.7701307697799304,
        x * y * (zz * 7 - 1) * 0.9461746957575601,
        y * z * (zz * 7 - 3) * -0.6690465435572892,
        (zz * (zz * 35 - 30) + 3) * 0.10578554691520431,
        x * z * (zz * 7 - 3) * -0.6690465435572892,
        (xx - yy) * (zz * 7 - 1) * 0.47308734787878004,
        x * z * (xx - yy * 3) * -1.7701307697799304,
        (xx * (xx - yy * 3) - yy * (xx * 3 - yy)) * 0.6258357354491761,
    ]


def rotate(harmonics: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Coefficients [G,3,K] of the same radiance after the scene has been turned by `rotation` [3,3].

    A turned function of one degree is again a sum over that degree, so solving for the coefficients at enough
    directions is exact. Degree 0 passes through untouched.
    """
    degree = degree_of(harmonics.shape[2])
    if degree is None:
        raise ValueError(
            f"{harmonics.shape[2]} spherical harmonics coefficients belong to no degree up to {MAX_DEGREE}"
        )
    if degree == 0:
        return harmonics
    directions = np.random.default_rng(0).normal(size=(8 * harmonics.shape[2], 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    turn, *_ = np.linalg.lstsq(basis(directions, degree), basis(directions @ rotation, degree), rcond=None)
    # Degrees do not mix: what rounding leaves outside of their blocks would show where coefficients are large.
    exact = np.zeros_like(turn)
    for band in range(degree + 1):
        block = slice(band**2, (band + 1) ** 2)
        exact[block, block] = turn[block, block]
    exact[0, 0] = 1
    turned = harmonics.reshape(-1, len(exact)) @ exact.T.astype(harmonics.dtype)
    return turned.reshape(harmonics.shape)
