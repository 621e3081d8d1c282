"""Splats under affine maps, against covariances in closed form and against radiance looked at from the moved side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from da3_blender.plan.splat_affine import quaternions_from_matrices, transform_shapes, transform_splats
from model_runtime.contract import harmonics

TURN = Rotation.from_euler("xyz", (20, -50, 130), degrees=True).as_matrix()
MIRROR = np.diag([-1.0, 1.0, 1.0])
SHEAR = np.array([[1.0, 0.8, 0.0], [0.0, 1.0, -0.3], [0.0, 0.0, 1.0]])
MAPS = {
    "nothing": np.eye(3),
    "turn": TURN,
    "even": 2.5 * TURN,
    "uneven": np.diag([3.0, 0.2, 1.0]),
    "mirror": MIRROR @ TURN,
    "point mirror": -1.5 * np.eye(3),
    "shear": TURN @ SHEAR @ MIRROR,
    "flattened": np.diag([2.0, 0.0, 1.0]) @ TURN,
    "gone": np.zeros((3, 3)),
}


def splats(count: int = 40, degree: int = 3) -> list[np.ndarray]:
    """Position, scale, rotation and harmonics; some flat, some thin as a needle, one a point."""
    random = np.random.default_rng(0)
    scale = random.uniform(0.01, 0.5, (count, 3))
    scale[: count // 4, 2] *= 1e-4
    scale[count // 4 : count // 2, 0] = 0
    scale[-2, 1:], scale[-1] = 0, 0
    rotation = random.normal(size=(count, 4))
    rotation /= np.linalg.norm(rotation, axis=1, keepdims=True)
    higher = random.normal(size=((degree + 1) ** 2 - 1, count, 3))
    return [each.astype(np.float32) for each in (random.normal(size=(count, 3)), scale, rotation, higher)]


def moved(arrays: Sequence[np.ndarray], matrix: np.ndarray) -> tuple[np.ndarray, ...]:
    position, scale, rotation, higher = arrays
    return transform_splats(position, scale, rotation, higher, matrix)


def covariances(scale, rotation) -> np.ndarray:
    axes = Rotation.from_quat(rotation[:, [1, 2, 3, 0]].astype(np.float64)).as_matrix() * scale[:, None, :]
    return axes @ axes.swapaxes(1, 2)


@pytest.mark.parametrize("linear", MAPS.values(), ids=MAPS)
def test_positions_and_covariances_follow_exactly(linear):
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([linear, [4, -3, 2]])
    position, scale, rotation, higher = splats()
    place, new_scale, new_rotation, _ = transform_splats(position, scale, rotation, higher, matrix)
    np.testing.assert_allclose(place, position @ linear.T + [4, -3, 2], atol=1e-5)
    expected = linear @ covariances(scale, rotation) @ linear.T
    np.testing.assert_allclose(covariances(new_scale, new_rotation), expected, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(new_rotation, axis=1), 1, atol=1e-6)
    assert place.dtype == new_scale.dtype == new_rotation.dtype == np.float32
    assert new_scale.min() >= 0


def test_flat_splats_stay_as_flat_as_they_are():
    """The thinnest width of a flat splat is what its plane's normal says: det(A) over the growth of its area."""
    _, scale, rotation, _ = splats()
    flat = np.s_[:10]
    new_scale, _ = transform_shapes(scale[flat], rotation[flat], SHEAR)
    volume = np.prod(scale[flat].astype(np.float64), axis=1)
    np.testing.assert_allclose(np.prod(new_scale.astype(np.float64), axis=1), volume, rtol=1e-4)


@pytest.mark.parametrize("name", ["turn", "even", "mirror", "point mirror"])
@pytest.mark.parametrize("degree", [0, 1, 4])
def test_a_moved_splat_shows_the_same_colour_to_an_eye_that_moved_along(name, degree):
    linear = MAPS[name]
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    given = splats(degree=degree)
    turned = moved(given, matrix)[3]
    directions = np.random.default_rng(3).normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    seen = directions @ linear.T
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    before = np.tensordot(harmonics.basis(directions, degree)[:, 1:], given[3], axes=1)
    after = np.tensordot(harmonics.basis(seen, degree)[:, 1:], turned, axes=1)
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_there_and_back_again():
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([MAPS["shear"], [4, -3, 2]])
    given = splats()
    back = moved(moved(given, matrix), np.linalg.inv(matrix))
    np.testing.assert_allclose(back[0], given[0], atol=1e-5)
    np.testing.assert_allclose(covariances(back[1], back[2]), covariances(given[1], given[2]), atol=1e-5)
    np.testing.assert_allclose(back[3], given[3], atol=1e-4)


def test_a_map_for_each_splat():
    _, scale, rotation, _ = splats()
    linear = np.random.default_rng(1).normal(size=(len(scale), 3, 3))
    expected = linear @ covariances(scale, rotation) @ linear.swapaxes(1, 2)
    np.testing.assert_allclose(covariances(*transform_shapes(scale, rotation, linear)), expected, atol=1e-5)


def test_no_splats_and_broken_rotations():
    nothing = [np.zeros(shape, np.float32) for shape in ((0, 3), (0, 3), (0, 4), (3, 0, 3))]
    assert [len(array) for array in moved(nothing, np.diag([2.0, 1, 1, 1]))] == [0, 0, 0, 3]
    scale, rotation = transform_shapes(
        np.array([[1, 2, 3]], np.float32), np.zeros((1, 4), np.float32), np.diag([2.0, 1, 1])
    )
    np.testing.assert_allclose(covariances(scale, rotation)[0], np.diag([4, 4, 9]), atol=1e-6)


def test_quaternions_of_half_turns():
    """Where a quaternion's first number vanishes, and where each of the others is the largest."""
    turns = Rotation.from_rotvec(np.pi * np.concatenate([np.eye(3), [[0.6, 0, 0.8], [0, 0, 0]]]))
    read = Rotation.from_quat(quaternions_from_matrices(turns.as_matrix())[:, [1, 2, 3, 0]])
    np.testing.assert_allclose((read * turns.inv()).magnitude(), 0, atol=1e-6)
