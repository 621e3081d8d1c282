import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.geometry.cameras import (
    camera_centres,
    invert_extrinsics,
    normalise_given_cameras,
    pixel_rays,
    scale_intrinsics,
    unproject,
)

INTRINSICS = torch.tensor([[40.0, 0, 13.3], [0, 37.0, 8.1], [0, 0, 1]], dtype=torch.float64)


def extrinsics_of(*leading: int, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    matrices = np.tile(np.eye(4), (*leading, 1, 1))
    matrices[..., :3, :3] = Rotation.random(int(np.prod(leading)), rng=random).as_matrix().reshape(*leading, 3, 3)
    matrices[..., :3, 3] = random.normal(size=(*leading, 3))
    return torch.tensor(matrices)


def project(
    points: torch.Tensor, intrinsics: torch.Tensor, extrinsics: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels [...,2] and depths [...] of world points [h,w,3]."""
    seen = points @ extrinsics[:3, :3].T + extrinsics[:3, 3]
    image = seen @ intrinsics.T
    return image[..., :2] / image[..., 2:], seen[..., 2]


@pytest.mark.parametrize("rows", [3, 4])
def test_unprojected_points_project_onto_their_pixel_centres(rows):
    extrinsics = extrinsics_of(2, 3)
    depth = torch.tensor(np.random.default_rng(1).uniform(1, 5, (2, 3, 16, 24)))
    points = unproject(depth, INTRINSICS, extrinsics[..., :rows, :])
    assert points.shape == (2, 3, 16, 24, 3)
    v, u = torch.meshgrid(torch.arange(16) + 0.5, torch.arange(24) + 0.5, indexing="ij")
    for index in np.ndindex(2, 3):
        pixels, depths = project(points[index], INTRINSICS, extrinsics[index])
        assert (pixels - torch.stack((u, v), -1)).abs().max() < 1e-10
        assert (depths - depth[index]).abs().max() < 1e-12


def test_rays_start_at_the_camera_and_have_unit_depth():
    extrinsics = extrinsics_of(5)
    rays = pixel_rays(INTRINSICS.expand(5, 3, 3), extrinsics, (16, 24))
    centres = torch.linalg.inv(extrinsics)[:, :3, 3]
    assert (rays[..., 3:] - centres[:, None, None]).abs().max() < 1e-12
    assert (torch.einsum("nj,nhwj->nhw", extrinsics[:, 2, :3], rays[..., :3]) - 1).abs().max() < 1e-12


def test_float32_and_gradients():
    assert unproject(torch.ones(4, 5), INTRINSICS.float(), torch.eye(4)).dtype == torch.float32
    inputs = (torch.rand(3, 4, dtype=torch.float64) + 1, INTRINSICS.clone(), extrinsics_of(1)[0])
    assert torch.autograd.gradcheck(unproject, [value.requires_grad_() for value in inputs])


def test_inverse_of_extrinsics():
    extrinsics = extrinsics_of(2, 3)
    assert (invert_extrinsics(extrinsics) - torch.linalg.inv(extrinsics)).abs().max() < 1e-12
    assert (invert_extrinsics(extrinsics[..., :3, :]) - torch.linalg.inv(extrinsics)).abs().max() < 1e-12
    assert (camera_centres(extrinsics) - torch.linalg.inv(extrinsics)[..., :3, 3]).abs().max() < 1e-12


def test_scaled_intrinsics_project_to_resized_pixels():
    scaled = scale_intrinsics(INTRINSICS.expand(2, 3, 3), (16, 24), (32, 36))
    point = torch.tensor([[[0.3, -0.2, 2.0]]], dtype=torch.float64)
    before, _ = project(point, INTRINSICS, torch.eye(4, dtype=torch.float64))
    after, _ = project(point, scaled[1], torch.eye(4, dtype=torch.float64))
    assert (after / before - torch.tensor([1.5, 2.0])).abs().max() < 1e-12


def turned_about(centres: list[list[float]]) -> torch.Tensor:
    """Randomly turned cameras at these centres, seen from a world frame that is not view 0's."""
    extrinsics = extrinsics_of(len(centres), seed=2)
    world = extrinsics_of(1, seed=3)[0]
    extrinsics[:, :3, 3] = -(extrinsics[:, :3, :3] @ torch.tensor(centres, dtype=torch.float64)[..., None]).squeeze(-1)
    return extrinsics @ world


@pytest.mark.parametrize(
    ("centres", "scale"),
    [
        ([[1, 1, 1]], 1.0),
        ([[1, 0, 0], [1, 0, 4]], 4.0),
        ([[0, 0, 0], [3, 0, 0], [0, 5, 0]], 3.0),
        ([[0, 0, 0], [9, 0, 0], [0, 5, 0], [0, 0, 2]], 5.0),
        ([[0, 0, 0], [9, 0, 0], [0, 5, 0], [0, 0, 2], [0, 3, 0]], 3.0),
        ([[2, 2, 2], [2, 2, 2], [2, 2, 2]], 0.1),
    ],
)
def test_given_cameras_are_relative_to_view_0_and_divided_by_the_median_distance(centres, scale):
    given = turned_about(centres)
    normalised, found = normalise_given_cameras(given)
    assert found == pytest.approx(scale, abs=1e-12)
    assert (normalised[0] - torch.eye(4)).abs().max() < 1e-12
    # A point seen before is seen again, at 1 / scale, by cameras that stand in view 0's frame.
    point = torch.tensor([0.4, -0.7, 1.9, 1.0], dtype=torch.float64)
    in_first = given[0] @ point
    shrunk = torch.cat((in_first[:3] / scale, torch.ones(1, dtype=torch.float64)))
    assert ((normalised @ shrunk)[:, :3] * scale - (given @ point)[:, :3]).abs().max() < 1e-12


def test_batches_normalise_alike():
    scenes = extrinsics_of(4, 3)
    normalised, scales = normalise_given_cameras(scenes)
    for index, scene in enumerate(scenes):
        alone, scale = normalise_given_cameras(scene)
        assert scale == scales[index]
        assert (alone - normalised[index]).abs().max() < 1e-14
