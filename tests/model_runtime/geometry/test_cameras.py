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

INTRINSICS = np.array([[40.0, 0, 13.3], [0, 37.0, 8.1], [0, 0, 1]])


def extrinsics_of(*leading: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    matrices = np.tile(np.eye(4), (*leading, 1, 1))
    matrices[..., :3, :3] = Rotation.random(int(np.prod(leading)), rng=random).as_matrix().reshape(*leading, 3, 3)
    matrices[..., :3, 3] = random.normal(size=(*leading, 3))
    return matrices


def project(points: np.ndarray, intrinsics: np.ndarray, extrinsics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [...,2] and depths [...] of world points [h,w,3]."""
    seen = points @ extrinsics[:3, :3].T + extrinsics[:3, 3]
    image = seen @ intrinsics.T
    return image[..., :2] / image[..., 2:], seen[..., 2]


@pytest.mark.parametrize("rows", [3, 4])
def test_unprojected_points_project_onto_their_pixel_centres(kind, rows):
    extrinsics = extrinsics_of(2, 3)
    depth = np.random.default_rng(1).uniform(1, 5, (2, 3, 16, 24))
    points = unproject(kind(depth), kind(INTRINSICS), kind(extrinsics[..., :rows, :]))
    assert points.shape == (2, 3, 16, 24, 3) and type(points) is type(kind(depth))
    v, u = np.meshgrid(np.arange(16) + 0.5, np.arange(24) + 0.5, indexing="ij")
    for index in np.ndindex(2, 3):
        pixels, depths = project(np.asarray(points[index]), INTRINSICS, extrinsics[index])
        assert np.abs(pixels - np.stack((u, v), -1)).max() < 1e-10
        assert np.abs(depths - depth[index]).max() < 1e-12


def test_rays_start_at_the_camera_and_have_unit_depth(kind):
    extrinsics = extrinsics_of(5)
    rays = np.asarray(pixel_rays(kind(np.tile(INTRINSICS, (5, 1, 1))), kind(extrinsics), (16, 24)))
    centres = np.linalg.inv(extrinsics)[:, :3, 3]
    assert np.abs(rays[..., 3:] - centres[:, None, None]).max() < 1e-12
    assert np.abs(np.einsum("nj,nhwj->nhw", extrinsics[:, 2, :3], rays[..., :3]) - 1).max() < 1e-12


def test_float32(kind):
    eye = np.eye(4, dtype=np.float32)
    points = unproject(kind(np.ones((4, 5), np.float32)), kind(INTRINSICS.astype(np.float32)), kind(eye))
    assert points.dtype == kind(eye).dtype


def test_gradients():
    inputs = (torch.rand(3, 4, dtype=torch.float64) + 1, torch.tensor(INTRINSICS), torch.tensor(extrinsics_of(1)[0]))
    assert torch.autograd.gradcheck(unproject, [value.requires_grad_() for value in inputs])
    assert torch.autograd.gradcheck(normalise_given_cameras, torch.tensor(extrinsics_of(4)).requires_grad_())


def test_inverse_of_extrinsics(kind):
    extrinsics = extrinsics_of(2, 3)
    inverse = np.linalg.inv(extrinsics)
    for rows in (3, 4):
        found = invert_extrinsics(kind(extrinsics[..., :rows, :]))
        assert type(found) is type(kind(extrinsics))
        assert np.abs(np.asarray(found) - inverse).max() < 1e-12
    assert np.abs(np.asarray(camera_centres(kind(extrinsics))) - inverse[..., :3, 3]).max() < 1e-12


def test_scaled_intrinsics_project_to_resized_pixels(kind):
    scaled = np.asarray(scale_intrinsics(kind(np.tile(INTRINSICS, (2, 1, 1))), (16, 24), (32, 36)))
    point = np.array([[[0.3, -0.2, 2.0]]])
    before, _ = project(point, INTRINSICS, np.eye(4))
    after, _ = project(point, scaled[1], np.eye(4))
    assert np.abs(after / before - (1.5, 2.0)).max() < 1e-12


def turned_about(centres: list[list[float]]) -> np.ndarray:
    """Randomly turned cameras at these centres, seen from a world frame that is not view 0's."""
    extrinsics = extrinsics_of(len(centres), seed=2)
    world = extrinsics_of(1, seed=3)[0]
    extrinsics[:, :3, 3] = -(extrinsics[:, :3, :3] @ np.array(centres, float)[..., None])[..., 0]
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
def test_given_cameras_are_relative_to_view_0_and_divided_by_the_median_distance(kind, centres, scale):
    given = turned_about(centres)
    normalised, found = (np.asarray(each) for each in normalise_given_cameras(kind(given)))
    assert found == pytest.approx(scale, abs=1e-12)
    assert np.abs(normalised[0] - np.eye(4)).max() < 1e-12
    # A point seen before is seen again, at 1 / scale, by cameras that stand in view 0's frame.
    point = np.array([0.4, -0.7, 1.9, 1.0])
    in_first = given[0] @ point
    shrunk = np.append(in_first[:3] / scale, 1.0)
    assert np.abs((normalised @ shrunk)[:, :3] * scale - (given @ point)[:, :3]).max() < 1e-12


def test_batches_normalise_alike(kind):
    scenes = kind(extrinsics_of(4, 3))
    normalised, scales = normalise_given_cameras(scenes)
    for index, scene in enumerate(scenes):
        alone, scale = normalise_given_cameras(scene)
        assert scale == scales[index]
        assert np.abs(np.asarray(alone - normalised[index])).max() < 1e-14
