"""The Gaussian head learns alone, resumes, and its splats show the photo they came from."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.gaussian_adapter import LARGEST, place_gaussians
from model_runtime.network.gaussian_head import RawGaussians
from model_runtime.training.gaussians import (
    DC,
    FRESH_OPACITY,
    PIXEL_DEVIATION,
    FrozenGeometry,
    GaussianConfig,
    GaussianTrainer,
    copy_loss,
    frozen_geometry,
    psnr,
    render_inputs,
    render_views,
    scene_splats,
    surface_offset,
    with_true_cameras,
)
from model_runtime.training.initialise import fresh_network
from model_runtime.training.rooms import RoomGenerator


@pytest.fixture
def network() -> AnyViewNetwork:
    return fresh_network("da3-tiny", 0).eval()


def tiny(out: Path) -> GaussianConfig:
    return GaussianConfig(out, copy_steps=3, render_steps=2, scenes=1, views=2, size=(28, 28), save_every=100)


def test_only_the_head_is_trained_and_runs_resume(network: AnyViewNetwork, tmp_path: Path):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trainer = GaussianTrainer(network, tiny(tmp_path / "whole"))
    trainer.run()
    moved = {name.split(".")[0] for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"gs_head"}

    again = fresh_network("da3-tiny", 0).eval()
    GaussianTrainer(again, tiny(tmp_path / "parts")).run(until=2)
    resumed = GaussianTrainer(fresh_network("da3-tiny", 0).eval(), tiny(tmp_path / "parts"))
    assert resumed.step == 2
    resumed.run()
    for (name, one), two in zip(trainer.head.state_dict().items(), resumed.head.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def wall(images: torch.Tensor) -> FrozenGeometry:
    """A wall at depth 2 across the view of a camera, for images [1,1,3,28,35]."""
    depth = torch.full((1, 1, 28, 35), 2.0)
    intrinsics = torch.tensor([[30.0, 0, 17.5], [0, 30, 14], [0, 0, 1]])[None, None]
    return FrozenGeometry(images, [], (2, 2), depth, torch.eye(4)[None, None, :3], intrinsics)


def perfect_copy(images: torch.Tensor, surface: torch.Tensor) -> RawGaussians:
    """Raw numbers of splats that are their pixels; images [B,N,3,H,W] in 0..1."""
    raw = torch.zeros(*images.shape[:2], *images.shape[3:], 37)
    share = PIXEL_DEVIATION / (0.2 * LARGEST)
    raw[..., 2:5] = math.log(share / (1 - share))
    raw[..., 8] = 1
    raw[..., 9:36:9] = (images.movedim(2, -1) - 0.5) / DC
    raw[..., 36] = surface
    return RawGaussians(raw, torch.full(raw.shape[:-1], FRESH_OPACITY))


@pytest.fixture
def smooth() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.nn.functional.interpolate(torch.rand(1, 3, 4, 5), (28, 35), mode="bicubic").clamp(0, 1)[None]


def test_splats_that_are_their_pixels_cost_nothing_and_show_the_photo(smooth: torch.Tensor):
    geometry = wall(smooth)
    surface = surface_offset(geometry)
    raw = perfect_copy(smooth, surface)
    assert float(copy_loss(raw, smooth, surface)) == pytest.approx(0, abs=1e-5)
    gaussians = place_gaussians(raw, geometry.depth, geometry.extrinsics, geometry.intrinsics)
    torch.testing.assert_close(gaussians.means[..., 2], torch.full((1, 28 * 35), 2.0))
    picture = render_inputs([scene_splats(gaussians, 0)], geometry)
    assert float(psnr(picture[..., 3:-3, 3:-3], smooth[..., 3:-3, 3:-3]).min()) > 24


def test_a_new_view_of_a_wall_shows_the_photo_moved(smooth: torch.Tensor):
    geometry = wall(smooth)
    raw = perfect_copy(smooth, surface_offset(geometry))
    gaussians = place_gaussians(raw, geometry.depth, geometry.extrinsics, geometry.intrinsics)
    extrinsics = geometry.extrinsics.clone()
    # A third of a metre to the right moves a wall at depth 2 by 30 / 3 / 2 = 5 pixels to the left.
    extrinsics[..., 0, 3] = -1 / 3
    picture = render_views([scene_splats(gaussians, 0)], extrinsics, geometry.intrinsics, (28, 35))
    assert float(psnr(picture[..., 3:-3, 3:-8], smooth[..., 3:-3, 8:-3]).min()) > 24


def test_true_cameras_scale_the_depth_to_the_truth(network: AnyViewNetwork):
    batch = RoomGenerator(5).batch(0, 2, 2, (28, 42), 0.3)
    geometry = with_true_cameras(frozen_geometry(network, batch), batch)
    ratio = (batch.depth / geometry.depth)[batch.depth > 0]
    assert float(ratio.median()) == pytest.approx(1, rel=0.05)
    assert torch.equal(geometry.extrinsics, batch.extrinsics[..., :3, :])


def test_the_photometric_loss_looks_at_photos_the_network_did_not_see(network: AnyViewNetwork, tmp_path: Path):
    trainer = GaussianTrainer(network, tiny(tmp_path))
    trainer.step = trainer.config.copy_steps
    batch = trainer.batch()
    assert batch.images.shape[1] == 3
    loss, quality = trainer.loss(batch)
    other = replace(batch, images=torch.cat([batch.images[:, :2], 1 - batch.images[:, 2:]], 1))
    changed, changed_quality = trainer.loss(other)
    assert quality["psnr"] == changed_quality["psnr"]
    assert quality["psnr_novel"] != changed_quality["psnr_novel"]
    assert not torch.equal(loss, changed)
