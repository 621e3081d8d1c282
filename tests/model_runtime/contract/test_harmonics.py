"""Spherical harmonics: an orthonormal basis with the signs of 3D Gaussian Splatting, and exact rotation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from model_runtime.contract import harmonics


def sphere_quadrature(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions and weights that integrate polynomials up to degree 2 * order - 1 exactly."""
    z, weight = np.polynomial.legendre.leggauss(order)
    turns = 2 * order
    angle = 2 * np.pi * np.arange(turns) / turns
    radius = np.sqrt(1 - z**2)
    directions = np.stack(
        [np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle)), np.outer(z, np.ones(turns))], axis=-1
    )
    return directions.reshape(-1, 3), np.repeat(weight, turns) * 2 * np.pi / turns


def test_basis_is_orthonormal():
    directions, weights = sphere_quadrature(6)
    values = harmonics.basis(directions, 4)
    np.testing.assert_allclose(values.T * weights @ values, np.eye(25), atol=1e-12)


def test_degree_one_signs():
    np.testing.assert_allclose(harmonics.basis(np.eye(3), 1)[:, 1:] / 0.4886025119, [[0, 0, -1], [-1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4])
def test_rotated_radiance_is_the_radiance_seen_from_the_turned_side(degree):
    rng = np.random.default_rng(degree)
    coefficients = rng.normal(size=(5, 3, (degree + 1) ** 2))
    rotation = Rotation.from_euler("xyz", (20, -50, 77), degrees=True).as_matrix()
    directions = rng.normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    before = coefficients @ harmonics.basis(directions, degree).T
    after = harmonics.rotate(coefficients, rotation) @ harmonics.basis(directions @ rotation.T, degree).T
    np.testing.assert_allclose(after, before, atol=1e-11)


def test_refuses_a_number_that_is_no_square():
    with pytest.raises(ValueError, match="5 spherical harmonics"):
        harmonics.rotate(np.zeros((1, 3, 5)), np.eye(3))
