import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_multiply, quaternion_to_matrix

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}


def near_half_turns() -> np.ndarray:
    """Rotation vectors of angles close to and at 180 degrees, about the axes and about random directions."""
    axes = np.concatenate([np.eye(3), -np.eye(3), np.random.default_rng(1).normal(size=(40, 3))])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return np.concatenate([axes * angle for angle in (np.pi, np.pi - 1e-7, np.pi - 1e-3)])


def truth() -> Rotation:
    return Rotation.concatenate(
        [
            Rotation.random(200, rng=np.random.default_rng(0)),
            Rotation.from_rotvec(near_half_turns()),
            Rotation.identity(1),
        ]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrix_agrees_with_scipy_for_any_length(kind, dtype):
    xyzw = truth().as_quat()
    lengths = np.random.default_rng(2).uniform(0.1, 10, (len(xyzw), 1))
    wxyz = kind((np.roll(xyzw, 1, axis=1) * lengths).astype(dtype))
    matrix = quaternion_to_matrix(wxyz)
    assert type(matrix) is type(wxyz) and matrix.dtype == wxyz.dtype
    assert np.abs(np.asarray(matrix) - truth().as_matrix()).max() < TOLERANCE[dtype]


def test_zero_quaternion_is_the_identity(kind):
    assert np.array_equal(quaternion_to_matrix(kind(np.zeros((2, 4)))), np.tile(np.eye(3), (2, 1, 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quaternion_of_matrix_agrees_with_scipy(kind, dtype):
    matrix = kind(truth().as_matrix().astype(dtype))
    assert type(matrix_to_quaternion(matrix)) is type(matrix)
    quaternion = np.asarray(matrix_to_quaternion(matrix))
    assert quaternion.dtype == dtype
    expected = np.roll(truth().as_quat(), 1, axis=1)
    # q and -q are the same rotation; which of them has w >= 0 is undecided only at exactly 180 degrees.
    distance = np.minimum(np.abs(quaternion - expected).max(1), np.abs(quaternion + expected).max(1))
    assert distance.max() < TOLERANCE[dtype]
    assert (quaternion[:, 0] >= 0).all()


def test_gradients_are_right_also_near_half_turns():
    vectors = np.concatenate([near_half_turns()[-10:], [[0, 0, 0], [0.3, -0.2, 0.1]]])
    matrices = torch.tensor(Rotation.from_rotvec(vectors).as_matrix(), requires_grad=True)
    assert torch.autograd.gradcheck(matrix_to_quaternion, matrices)
    quaternions = torch.tensor(np.roll(truth().as_quat()[:5], 1, axis=1) * 2, requires_grad=True)
    assert torch.autograd.gradcheck(quaternion_to_matrix, quaternions)


def test_product_multiplies_like_matrices(kind):
    first, second = Rotation.random(50, rng=np.random.default_rng(3)), Rotation.random(50, rng=np.random.default_rng(4))
    product = quaternion_multiply(kind(np.roll(first.as_quat(), 1, axis=1)), kind(np.roll(second.as_quat(), 1, axis=1)))
    error = np.asarray(quaternion_to_matrix(product)) - (first * second).as_matrix()
    assert np.abs(error).max() < 1e-14
