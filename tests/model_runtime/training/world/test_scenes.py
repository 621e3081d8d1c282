"""Scenes agree with themselves: what one view sees lies where the others see it, and seeds fix everything."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from model_runtime.training.learning.losses import LossWeights, Predictions, loss_terms
from model_runtime.training.learning.targets import make_targets, world_points
from model_runtime.training.rendering.trajectories import CLEARANCE, is_free, sample_intrinsics, sample_poses
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator
from model_runtime.training.world.patterns import FAMILIES, SIZE
from model_runtime.training.world.scenes import sample_scene
from model_runtime.training.world.textures import make_texture_bank


@pytest.fixture(scope="module")
def generator() -> ViewGenerator:
    return ViewGenerator(3, make_texture_bank(variants=2))


@pytest.fixture(scope="module")
def pair(generator: ViewGenerator) -> ViewBatch:
    return generator.render(0, 6, 2, (70, 98), 0.3)


def seen_from_second(batch: ViewBatch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Depth of view 0's points in view 1, view 1's own depth there (bilinear), and the sampling grid."""
    points = world_points(batch.depth[:, :1], batch.extrinsics[:, :1], batch.intrinsics[:, :1])[:, 0]
    pose = batch.extrinsics[:, 1]
    camera = torch.einsum("bij,bhwj->bhwi", pose[:, :3, :3], points) + pose[:, None, None, :3, 3]
    pixels = torch.einsum("bij,bhwj->bhwi", batch.intrinsics[:, 1], camera)
    pixels = pixels[..., :2] / pixels[..., 2:]
    height, width = batch.depth.shape[-2:]
    grid = pixels / torch.tensor([width, height]) * 2 - 1
    grid = torch.where(camera[..., 2:] > 0, grid, 5.0)
    own = functional.grid_sample(batch.depth[:, 1:], grid, align_corners=False)[:, 0]
    return camera[..., 2], own, grid


def test_views_agree_on_geometry(pair: ViewBatch):
    depth, own, grid = seen_from_second(pair)
    inside = (grid.abs() < 0.97).all(-1) & (pair.depth[:, 0] > 0) & (own > 0)
    error = ((depth - own).abs() / own)[inside]
    # What is left is occlusion and interpolation across edges.
    assert inside.float().mean() > 0.4
    assert error.median() < 1e-3
    assert (error < 0.01).float().mean() > 0.8


def test_views_agree_on_colour(pair: ViewBatch):
    depth, own, grid = seen_from_second(pair)
    visible = (grid.abs() < 0.97).all(-1) & (pair.depth[:, 0] > 0) & ((depth - own).abs() < 0.01 * own)
    other = functional.grid_sample(pair.images[:, 1], grid, align_corners=False)
    difference = (pair.images[:, 0] - other).abs().mean(1)[visible]
    shuffled = (pair.images[:, 0] - pair.images[:, 1]).abs().mean(1)[visible]
    assert difference.mean() < 0.25 * shuffled.mean()


def test_same_seed_same_pictures(generator: ViewGenerator):
    first = generator.batch(40, 2, 2, (28, 42))
    again = ViewGenerator(3, generator.bank).batch(40, 2, 2, (28, 42))
    other = ViewGenerator(4, generator.bank).batch(40, 2, 2, (28, 42))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.depth, again.depth)
    assert not torch.equal(first.depth, other.depth)


def test_a_scene_does_not_depend_on_its_batch(generator: ViewGenerator):
    together = generator.render(7, 3, 2, (28, 28))
    alone = generator.render(8, 1, 2, (28, 28))
    torch.testing.assert_close(together.depth[1:2], alone.depth)
    torch.testing.assert_close(together.images[1:2], alone.images)


def test_pictures_are_pictures(generator: ViewGenerator):
    batch = generator.batch(0, 8, 2, (42, 28))
    assert batch.images.shape == (8, 2, 3, 42, 28)
    assert batch.images.min() >= 0
    assert batch.images.max() <= 1
    assert batch.images.flatten(1).std(1).min() > 0.02
    assert torch.isfinite(batch.depth).all()
    assert batch.depth[batch.depth > 0].min() > 0.05
    assert (batch.depth > 0).float().mean() > 0.6


@pytest.mark.parametrize("size", [(60, 90), (90, 60)])
def test_fields_of_view_are_those_of_cameras(size: tuple[int, int]):
    rng = np.random.default_rng(0)
    cameras = np.concatenate([sample_intrinsics(rng, 2, *size) for _ in range(200)])
    angle = np.degrees(2 * np.arctan(size[1] / 2 / cameras[:, 0, 0]))
    assert 34.9 < angle.min() < 42
    assert 70 < angle.max() < 100.1
    np.testing.assert_allclose(cameras[:, :2, 2], np.tile([size[1] / 2, size[0] / 2], (400, 1)))


def test_cameras_keep_clear_of_surfaces():
    bank = make_texture_bank(variants=1)
    free = 0
    for number in range(40):
        rng = np.random.default_rng(number)
        scene = sample_scene(rng, bank)
        poses = sample_poses(rng, scene, 3)
        centres = np.linalg.inv(poses)[:, :3, 3]
        free += sum(is_free(scene, centre, 0.9 * CLEARANCE) for centre in centres)
        rotations = poses[:, :3, :3]
        np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (3, 1, 1)), atol=1e-9)
        assert np.linalg.det(rotations) == pytest.approx(np.ones(3))
    assert free >= 0.9 * 120


def test_targets_are_relative_to_the_first_view_at_unit_distance(pair: ViewBatch):
    targets = make_targets(pair)
    torch.testing.assert_close(targets.extrinsics[:, 0], torch.eye(4).expand(6, 4, 4), atol=1e-5, rtol=0)
    points = world_points(targets.depth, targets.extrinsics, targets.intrinsics)
    distance = points.norm(dim=-1).where(targets.valid, 0.0).sum((1, 2, 3)) / targets.valid.sum((1, 2, 3))
    torch.testing.assert_close(distance, torch.ones(6), atol=1e-4, rtol=0)
    assert torch.equal(targets.valid, pair.depth > 0)
    direction, origin = targets.ray.split(3, -1)
    from_rays = origin + targets.ray_depth[..., None] * direction
    assert from_rays.shape == (6, 2, 40, 56, 3)
    assert from_rays.norm(dim=-1)[targets.ray_valid].mean() == pytest.approx(1, abs=0.05)


def test_sky_teaches_nothing_and_breaks_nothing(generator: ViewGenerator):
    batch = generator.batch(0, 16, 1, (28, 28))
    outdoors = (batch.depth == 0).flatten(1).any(1)
    assert outdoors.any()
    targets = make_targets(batch)
    generated = torch.Generator().manual_seed(0)
    depth, certain = torch.rand(16, 1, 28, 28, generator=generated), torch.ones(16, 1, 28, 28)
    ray, ray_certain = torch.rand(16, 1, 16, 16, 6, generator=generated), torch.ones(16, 1, 16, 16)
    prediction = Predictions(depth, certain, ray, ray_certain, torch.rand(16, 1, 9, generator=generated))
    for value in (depth, certain, ray):
        value.requires_grad_()
    torch.stack(list(loss_terms(prediction, targets, LossWeights()).values())).sum().backward()
    assert depth.grad is not None
    assert certain.grad is not None
    assert torch.isfinite(depth.grad).all()
    assert (certain.grad[batch.depth == 0] == 0).all()
    assert (certain.grad[batch.depth > 0] != 0).any()


def test_targets_do_not_depend_on_the_size_of_the_world(pair: ViewBatch):
    extrinsics = pair.extrinsics.clone()
    extrinsics[..., :3, 3] *= 7
    larger = make_targets(ViewBatch(pair.images, pair.depth * 7, extrinsics, pair.intrinsics))
    original = make_targets(pair)
    torch.testing.assert_close(larger.depth, original.depth)
    torch.testing.assert_close(larger.ray, original.ray, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(larger.scale, original.scale * 7)


def test_textures_repeat_seamlessly_and_differ():
    bank = make_texture_bank(variants=2)
    assert bank.texels.shape[1] == 2 * len(FAMILIES)
    assert bank.texels.min() >= 0
    assert bank.texels.max() <= 1
    noise = bank.texels[0, bank.families["noise"][0], : SIZE * SIZE].view(SIZE, SIZE)
    step = (noise[:, 1:] - noise[:, :-1]).abs().mean()
    seam = (noise[:, 0] - noise[:, -1]).abs().mean()
    assert seam < 3 * step
    assert not torch.equal(bank.texels[:, 0], bank.texels[:, 1])
