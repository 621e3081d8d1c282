import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y
from torch.utils._python_dispatch import TorchDispatchMode

from model_runtime.geometry import spherical_harmonics


def directions(count: int) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def real_harmonics(degree: int, unit: np.ndarray) -> np.ndarray:
    """Real harmonics from scipy's complex ones, which carry the Condon-Shortley sign too."""
    theta, phi = np.arccos(unit[:, 2]), np.arctan2(unit[:, 1], unit[:, 0])
    columns = []
    for band in range(degree + 1):
        for order in range(-band, band + 1):
            value = sph_harm_y(band, abs(order), theta, phi)
            if order == 0:
                columns.append(value.real)
            else:
                columns.append(np.sqrt(2) * (value.real if order > 0 else value.imag))
    return np.stack(columns, -1)


@pytest.mark.parametrize("degree", range(5))
def test_basis_agrees_with_scipy(kind, degree):
    unit = directions(100)
    ours = spherical_harmonics.basis(degree, kind(unit * 3))
    assert ours.shape == (100, (degree + 1) ** 2)
    assert np.abs(np.asarray(ours) - real_harmonics(degree, unit)).max() < 1e-13


def test_band_one_is_that_of_3dgs():
    values = spherical_harmonics.basis(1, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) / 14**0.5)
    expected = np.array([0.28209479177387814, *(0.4886025119029199 * np.array([-2, 3, -1]) / 14**0.5)])
    assert np.abs(values.numpy() - expected).max() < 1e-15


@pytest.mark.parametrize("shared", ["by pixels", "by none", "by all"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("degree", range(5))
def test_rotated_function_seen_from_d_is_the_original_seen_from_inverse(kind, degree, dtype, shared):
    random = np.random.default_rng(degree)
    harmonics = random.normal(size=(2, 1, 7, 3, (degree + 1) ** 2)).astype(dtype)
    leading = {"by pixels": (2, 3, 1), "by none": (2, 3, 7), "by all": ()}[shared]
    matrices = Rotation.random(int(np.prod(leading)), rng=random).as_matrix().reshape(*leading, 3, 3)
    rotated = np.asarray(spherical_harmonics.rotate(kind(harmonics), kind(matrices.astype(dtype))))
    assert rotated.shape == (2, 3 if leading else 1, 7, 3, (degree + 1) ** 2) and rotated.dtype == dtype
    unit = directions(50)
    seen = rotated @ real_harmonics(degree, unit).T
    # Every direction as a row d^T R = (R^T d)^T.
    turned = unit @ matrices
    basis = real_harmonics(degree, turned.reshape(-1, 3)).reshape(*turned.shape[:-1], -1)
    expected = harmonics @ basis.swapaxes(-1, -2)
    assert np.abs(seen - expected).max() < (1e-5 if dtype == np.float32 else 1e-12)


def test_rotation_is_differentiable():
    harmonics = torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = torch.tensor(Rotation.random(rng=np.random.default_rng(0)).as_matrix())
    assert torch.autograd.gradcheck(
        spherical_harmonics.rotate, (harmonics.requires_grad_(), matrix.requires_grad_()), fast_mode=True
    )


def test_training_after_inference():
    harmonics, matrix = torch.ones(3, 16, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    spherical_harmonics._samples_and_inverses.cache_clear()
    with torch.inference_mode():
        spherical_harmonics.rotate(harmonics, matrix)
    spherical_harmonics.rotate(harmonics, matrix.requires_grad_()).sum().backward()
    assert matrix.grad is not None and matrix.grad.isfinite().all()


class LargestTensor(TorchDispatchMode):
    """Remembers how many elements the largest tensor made under it has."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.elements = max(self.elements, result.untyped_storage().nbytes() // result.element_size())
        return result


def test_no_matrix_per_pixel():
    harmonics = torch.randn(2, 2, 500, 3, 25)
    matrices = torch.tensor(Rotation.random(4, rng=np.random.default_rng(0)).as_matrix(), dtype=torch.float32).reshape(
        2, 2, 1, 3, 3
    )
    with LargestTensor() as largest:
        spherical_harmonics.rotate(harmonics, matrices)
    assert largest.elements <= harmonics.numel()


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="degree 5"):
        spherical_harmonics.basis(5, torch.ones(3))
    with pytest.raises(ValueError, match="8 coefficients"):
        spherical_harmonics.rotate(torch.ones(3, 8), torch.eye(3))
