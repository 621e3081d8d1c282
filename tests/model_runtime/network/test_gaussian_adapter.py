"""Splats lie where their pixels say and turn with their cameras."""

from __future__ import annotations

import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.geometry.spherical_harmonics import basis
from model_runtime.network.gaussian_adapter import (
    RawGaussians,
    exact_rotations,
    place_gaussians,
    released_rotations,
    scale_to_given,
)

SCENES, VIEWS, HEIGHT, WIDTH = 2, 3, 4, 6


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def looking(scenes: int, views: int, seed: int = 1) -> torch.Tensor:
    """World-to-camera [B,N,3,4] of cameras turned every way."""
    rotation = torch.from_numpy(Rotation.random(scenes * views, random_state=seed).as_matrix()).float()
    return torch.cat((rotation.unflatten(0, (scenes, views)), normal(scenes, views, 3, 1, seed=seed)), dim=-1)


def intrinsics() -> torch.Tensor:
    return torch.tensor([[5.0, 0, 2.5], [0, 7, 2.2], [0, 0, 1]]).repeat(SCENES, VIEWS, 1, 1)


def raw_gaussians() -> RawGaussians:
    return RawGaussians(normal(SCENES, VIEWS, HEIGHT, WIDTH, 37), normal(SCENES, VIEWS, HEIGHT, WIDTH).sigmoid())


def test_means_project_onto_their_moved_pixels() -> None:
    raw, depth, extrinsics = raw_gaussians(), 8 + normal(SCENES, VIEWS, HEIGHT, WIDTH, seed=2), looking(SCENES, VIEWS)
    splats = place_gaussians(raw, depth, extrinsics, intrinsics())
    means = splats.means.unflatten(1, (VIEWS, HEIGHT, WIDTH))
    seen = torch.einsum("bnij,bnhwj->bnhwi", extrinsics[..., :3], means) + extrinsics[:, :, None, None, :, 3]
    pixels = torch.einsum("bnij,bnhwj->bnhwi", intrinsics(), seen)
    pixels = pixels[..., :2] / pixels[..., 2:]
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    expected = torch.stack((columns, rows), dim=-1) + 0.5 + raw.raw[..., :2]
    torch.testing.assert_close(pixels, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(seen[..., 2], depth + raw.raw[..., 36], atol=1e-4, rtol=1e-4)

    released = place_gaussians(raw, depth, extrinsics, intrinsics(), released=True).means.unflatten(1, means.shape[1:4])
    seen = torch.einsum("bnij,bnhwj->bnhwi", extrinsics[..., :3], released) + extrinsics[:, :, None, None, :, 3]
    torch.testing.assert_close(seen.norm(dim=-1), depth + raw.raw[..., 36], atol=1e-4, rtol=1e-4)


def test_exact_rotation_turns_the_splat_with_its_camera() -> None:
    camera, own = Rotation.random(20, random_state=4), Rotation.random(20, random_state=5)
    wxyz = exact_rotations(torch.from_numpy(camera.as_quat()[:, [3, 0, 1, 2]]), torch.from_numpy(own.as_quat())).numpy()
    turned = Rotation.from_quat(wxyz[:, [1, 2, 3, 0]])
    assert ((camera * own) * turned.inv()).magnitude().max() < 1e-6


def test_released_rotation_is_exact_for_an_unrotated_camera_only() -> None:
    xyzw = torch.nn.functional.normalize(normal(50, 4), dim=-1)
    upright = torch.tensor([1.0, 0, 0, 0])
    same = (released_rotations(upright, xyzw) * exact_rotations(upright, xyzw)).sum(-1).abs()
    torch.testing.assert_close(same, torch.ones(50))
    turned = torch.tensor([0.8, 0.6, 0, 0])
    other = (released_rotations(turned, xyzw) * exact_rotations(turned, xyzw)).sum(-1).abs()
    assert other.min() < 0.9


def test_harmonics_are_damped_and_turned() -> None:
    raw, extrinsics = raw_gaussians(), looking(SCENES, VIEWS)
    splats = place_gaussians(raw, torch.ones(SCENES, VIEWS, HEIGHT, WIDTH), extrinsics, intrinsics())
    direction = normal(3, seed=9)
    world = (splats.harmonics * basis(2, direction)).sum(-1).unflatten(1, (VIEWS, HEIGHT, WIDTH))
    damped = raw.raw[..., 9:36].unflatten(-1, (3, 9)).clone()
    damped[..., 1:4] *= 0.025
    damped[..., 4:] *= 0.00625
    in_camera = basis(2, extrinsics[..., :3] @ direction)[:, :, None, None, None]
    torch.testing.assert_close(world, (damped * in_camera).sum(-1), atol=1e-5, rtol=1e-5)


def moved(extrinsics: torch.Tensor, scale: float) -> torch.Tensor:
    """The same cameras in a larger world, as [B,N,4,4]."""
    bottom = torch.tensor([0.0, 0, 0, 1]).expand(*extrinsics.shape[:2], 1, 4)
    return torch.cat((torch.cat((extrinsics[..., :3], scale * extrinsics[..., 3:]), dim=-1), bottom), dim=-2)


@pytest.mark.parametrize(("scale", "expected"), [(2.0, 2.0), (0.5, 0.5), (9.0, 3.0), (0.1, 1 / 3)])
@pytest.mark.parametrize("views", [2, 3, 5])
def test_scale_to_given_cameras(scale: float, expected: float, views: int) -> None:
    predicted = looking(SCENES, views)
    torch.testing.assert_close(scale_to_given(predicted, moved(predicted, scale)), torch.full((SCENES,), expected))


def test_scale_is_one_where_cameras_do_not_tell() -> None:
    single, static = looking(SCENES, 1), moved(looking(SCENES, 3), 0.0)
    torch.testing.assert_close(scale_to_given(single, moved(single, 2.0)), torch.ones(SCENES))
    torch.testing.assert_close(scale_to_given(looking(SCENES, 3), static), torch.ones(SCENES))
    torch.testing.assert_close(scale_to_given(static[..., :3, :], moved(looking(SCENES, 3), 1.0)), torch.ones(SCENES))


def test_given_cameras_scale_the_splats_alone() -> None:
    raw, depth, extrinsics = raw_gaussians(), torch.full((SCENES, VIEWS, HEIGHT, WIDTH), 9.0), looking(SCENES, VIEWS)
    plain = place_gaussians(raw, depth, extrinsics, intrinsics())
    scaled = place_gaussians(raw, depth, extrinsics, intrinsics(), moved(extrinsics, 2.0))
    torch.testing.assert_close(scaled.means, 2 * plain.means, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scaled.scales, 2 * plain.scales, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(scaled.world_scale, torch.full((SCENES,), 2.0))
    assert torch.equal(scaled.harmonics, plain.harmonics)
