"""The batched splat renderer against a plain loop over pixels and splats, and its gradients against differences."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.splats.renderer import LARGEST_ALPHA, LOW_PASS, MARGIN, REACH, Splats, render_splats

SIZE = (11, 14)


def some_splats(count: int = 24) -> Splats:
    rng = np.random.default_rng(1)
    means = rng.uniform([-1, -0.8, 2], [1, 0.8, 5], (count, 3))
    means[0, 2] = -1
    rotations = rng.normal(size=(count, 4))
    return Splats(
        torch.from_numpy(means),
        torch.from_numpy(rng.uniform(0.05, 0.4, (count, 3))),
        torch.from_numpy(rotations),
        torch.from_numpy(0.4 * rng.normal(size=(count, 3, 9))),
        torch.from_numpy(rng.uniform(0.2, 1, count)),
    )


def some_camera() -> tuple[torch.Tensor, torch.Tensor]:
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = Rotation.from_rotvec([0.1, -0.2, 0.3]).as_matrix()
    extrinsics[:3, 3] = [0.1, -0.1, 0.3]
    return torch.from_numpy(extrinsics), torch.tensor([[12.0, 0, 6.5], [0, 11, 5.5], [0, 0, 1]], dtype=torch.float64)


def harmonics_up_to_two(d: np.ndarray) -> np.ndarray:
    """The real basis of 3D Gaussian Splatting at a unit direction, from its published polynomials."""
    x, y, z = d
    return np.array(
        [
            0.5 / math.sqrt(math.pi),
            -0.4886025119 * y,
            0.4886025119 * z,
            -0.4886025119 * x,
            1.0925484306 * x * y,
            -1.0925484306 * y * z,
            0.3153915653 * (2 * z * z - x * x - y * y),
            -1.0925484306 * x * z,
            0.5462742153 * (x * x - y * y),
        ]
    )


def projected(splats: Splats, g: int, w2c: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centre [2] and covariance [2,2]: numerical derivative of the projection instead of its formula, at the
    splat's place or the nearest one of its depth that is at most MARGIN beyond the picture."""

    def pixel(point: np.ndarray) -> np.ndarray:
        p = k @ point
        return p[:2] / p[2]

    mean = w2c[:3, :3] @ splats.means[g].numpy() + w2c[:3, 3]
    corners = np.array([[0, 0], [SIZE[1], SIZE[0]]]) + [[-1], [1]] * np.array([[SIZE[1], SIZE[0]]]) * MARGIN / 2
    allowed = np.clip(pixel(mean), *corners)
    near = mean[2] * np.linalg.solve(k, [*allowed, 1])
    step = 1e-6
    jacobian = np.stack([(pixel(near + step * e) - pixel(near - step * e)) / (2 * step) for e in np.eye(3)], 1)
    jacobian = jacobian @ w2c[:3, :3]
    wxyz = splats.rotations[g].numpy()
    axes = Rotation.from_quat(np.roll(wxyz, -1)).as_matrix() * splats.scales[g].numpy()
    return pixel(mean), jacobian @ axes @ axes.T @ jacobian.T + LOW_PASS * np.eye(2)


def slow_render(splats: Splats, extrinsics: torch.Tensor, intrinsics: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    w2c, k = extrinsics.numpy(), intrinsics.numpy()
    z = (w2c[:3, :3] @ splats.means.numpy().T + w2c[:3, 3:])[2]
    eye = -w2c[:3, :3].T @ w2c[:3, 3]
    picture, coverage = np.zeros((3, *SIZE)), np.zeros(SIZE)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            clear = 1.0
            for g in np.argsort(z):
                if z[g] <= 0:
                    continue
                centre, covariance = projected(splats, g, w2c, k)
                offset = np.array([column + 0.5, row + 0.5]) - centre
                if (np.abs(offset) > REACH * np.sqrt(np.diag(covariance))).any():
                    continue
                falloff = np.exp(-0.5 * offset @ np.linalg.solve(covariance, offset))
                alpha = min(LARGEST_ALPHA, float(splats.opacities[g]) * falloff)
                toward = splats.means[g].numpy() - eye
                values = harmonics_up_to_two(toward / np.linalg.norm(toward))
                colour = np.maximum(0.5 + splats.harmonics[g].numpy() @ values, 0)
                picture[:, row, column] += clear * alpha * colour
                coverage[row, column] += clear * alpha
                clear *= 1 - alpha
    return picture, coverage


def test_agrees_with_the_plain_loop():
    splats, (extrinsics, intrinsics) = some_splats(), some_camera()
    picture, coverage = render_splats(splats, extrinsics, intrinsics, SIZE)
    expected, expected_coverage = slow_render(splats, extrinsics, intrinsics)
    assert expected_coverage.max() > 0.8
    np.testing.assert_allclose(picture.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(coverage.numpy(), expected_coverage, atol=1e-6)


def test_splats_beside_the_camera_do_not_cover_the_picture():
    """At 80 degrees from the line of sight the affine camera of a splat has no bounds: unguarded, these two cover
    every pixel. Neither comes within three of its standard deviations of anything that the picture shows."""
    means = torch.tensor([[-4.0, -1.4, 0.08], [3.0, 1.0, 0.02]])
    splats = Splats(means, torch.full((2, 3), 0.16), torch.eye(4)[[0, 0]], torch.ones(2, 3, 9), torch.ones(2))
    intrinsics = torch.tensor([[12.0, 0, 7], [0, 12, 5.5], [0, 0, 1]])
    assert float(render_splats(splats, torch.eye(4), intrinsics, SIZE)[1].max()) == 0


def test_a_splat_that_reaches_in_from_outside_still_shows():
    splats = Splats(
        torch.tensor([[-2.4, 0.0, 3.0]]), torch.full((1, 3), 0.4), torch.eye(4)[:1], torch.ones(1, 3, 9), torch.ones(1)
    )
    intrinsics = torch.tensor([[12.0, 0, 7], [0, 12, 5.5], [0, 0, 1]])
    coverage = render_splats(splats, torch.eye(4), intrinsics, SIZE)[1]
    assert coverage[5, 0] > 0.3
    assert coverage[5, -1] == 0


def test_rows_are_those_of_the_whole_picture():
    splats, (extrinsics, intrinsics) = some_splats(), some_camera()
    picture, coverage = render_splats(splats, extrinsics, intrinsics, SIZE)
    part, part_coverage = render_splats(splats, extrinsics, intrinsics, SIZE, (4, 9))
    np.testing.assert_allclose(part.numpy(), picture[:, 4:9].numpy(), atol=1e-12)
    np.testing.assert_allclose(part_coverage.numpy(), coverage[4:9].numpy(), atol=1e-12)


def test_gradients():
    splats, (extrinsics, intrinsics) = some_splats(4), some_camera()
    inputs = [x.requires_grad_() for x in (splats.means, splats.scales, splats.rotations, splats.harmonics)]
    opacity = (0.6 * splats.opacities).requires_grad_()

    def render(*numbers: torch.Tensor) -> torch.Tensor:
        return render_splats(Splats(*numbers), extrinsics, intrinsics, SIZE)[0]

    # The edge of a splat's box moves with it in the renderer but carries no gradient: 1 % of an opacity at most.
    assert torch.autograd.gradcheck(render, (*inputs, opacity), atol=1e-4, rtol=1e-3)


def test_gradients_of_splats_close_to_the_camera_are_finite():
    """Long needles a centimetre away cover the picture many times over: single precision alone has no answer."""
    noise = torch.Generator().manual_seed(2)
    means = 0.03 * torch.randn(300, 3, generator=noise)
    means[:, 2] = 0.011 + 0.05 * torch.rand(300, generator=noise)
    scales = 0.5 * torch.rand(300, 3, generator=noise) * torch.tensor([1, 1e-4, 1e-5])
    rest = [
        torch.randn(300, 4, generator=noise),
        torch.randn(300, 3, 9, generator=noise),
        torch.rand(300, generator=noise),
    ]
    inputs = [means, scales, *rest]
    for numbers in inputs:
        numbers.requires_grad_()
    intrinsics = torch.tensor([[80.0, 0, 56], [0, 80, 42], [0, 0, 1]])
    picture, coverage = render_splats(Splats(*inputs), torch.eye(4), intrinsics, (84, 112))
    picture.square().sum().backward()
    assert coverage.mean() > 0.5
    assert picture.isfinite().all()
    assert all(numbers.grad is not None and numbers.grad.isfinite().all() for numbers in inputs)


def test_nothing_in_sight_is_black():
    splats, (extrinsics, intrinsics) = some_splats(3), some_camera()
    behind = Splats(splats.means - 20, splats.scales, splats.rotations, splats.harmonics, splats.opacities)
    picture, coverage = render_splats(behind, extrinsics, intrinsics, SIZE)
    assert picture.shape == (3, *SIZE)
    assert float(coverage.abs().max()) == pytest.approx(0)


def test_one_opaque_splat_hides_what_is_behind():
    eye, intrinsics = torch.eye(4), torch.tensor([[20.0, 0, 7], [0, 20, 5.5], [0, 0, 1]])
    harmonics = torch.zeros(2, 3, 9)
    harmonics[0, 0, 0] = 0.5 / 0.28209479
    harmonics[1, 1, 0] = 0.5 / 0.28209479
    splats = Splats(
        torch.tensor([[0.0, 0, 2], [0, 0, 4]]),
        torch.full((2, 3), 1.0),
        torch.tensor([[1.0, 0, 0, 0]]).repeat(2, 1),
        harmonics,
        torch.ones(2),
    )
    picture, coverage = render_splats(splats, eye, intrinsics, SIZE)
    front, back = LARGEST_ALPHA, (1 - LARGEST_ALPHA) * LARGEST_ALPHA
    assert picture[:, 5, 7].tolist() == pytest.approx(
        [front + back * 0.5, 0.5 * front + back, 0.5 * (front + back)], abs=2e-3
    )
    assert float(coverage[5, 7]) == pytest.approx(front + back, abs=2e-3)
