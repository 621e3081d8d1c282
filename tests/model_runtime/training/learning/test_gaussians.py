"""The Gaussian head learns alone, resumes, and its splats show the photo they came from."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.gaussian_adapter import RawGaussians
from model_runtime.training.learning.gaussians import (
    FrozenGeometry,
    GaussianConfig,
    GaussianTrainer,
    frozen_geometry,
    placed,
    psnr,
    raw_gaussians,
    render_views,
    with_true_cameras,
)
from model_runtime.training.learning.initialise import fresh_network
from model_runtime.training.learning.metrics import aligned
from model_runtime.training.learning.pixel_splats import DC, begin_as_pixels
from model_runtime.training.learning.targets import normalise_images
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator


@pytest.fixture
def network() -> AnyViewNetwork:
    return fresh_network("da3-tiny", 0).eval()


def tiny(out: Path) -> GaussianConfig:
    return GaussianConfig(out, steps=4, scenes=1, views=2, size=(28, 28), save_every=100)


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


@pytest.fixture
def smooth() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.nn.functional.interpolate(torch.rand(1, 3, 4, 5), (28, 42), mode="bicubic").clamp(0, 1)[None]


@torch.no_grad()
def fresh_splats(network: AnyViewNetwork, images: torch.Tensor, tokens: float) -> RawGaussians:
    """Of images [1,1,3,28,42] by a head that has learnt nothing, whatever the tokens say."""
    begin_as_pixels(network.gs_head)
    layers = [tokens * torch.randn(1, 6, 384) for _ in range(4)]
    geometry = wall(images)
    raw = network.gs_head(layers, (2, 3), geometry.images.flatten(0, 1))
    return RawGaussians(raw.raw[None], raw.opacity[None])


def wall(images: torch.Tensor) -> FrozenGeometry:
    """A wall at depth 2 across the wide view of a camera, for images [1,1,3,28,42]; the network says 1."""
    intrinsics = torch.tensor([[20.0, 0, 21], [0, 20, 14], [0, 0, 1]])[None, None]
    depth = torch.ones(1, 1, 28, 42)
    return FrozenGeometry(
        normalise_images(images), [], (2, 3), depth, 2 * depth, torch.eye(4)[None, None, :3], intrinsics
    )


@pytest.mark.parametrize("tokens", [0.0, 10.0])
def test_a_fresh_head_makes_every_splat_its_pixel(network: AnyViewNetwork, smooth: torch.Tensor, tokens: float):
    raw = fresh_splats(network, smooth, tokens)
    colour = 0.5 + DC * raw.raw[..., 9:36:9]
    torch.testing.assert_close(colour, smooth.movedim(2, -1), atol=2e-3, rtol=0)
    black = fresh_splats(network, torch.zeros_like(smooth), tokens).raw[..., 9:36:9]
    torch.testing.assert_close(0.5 + DC * black, torch.zeros_like(black), atol=2e-3, rtol=0)
    assert raw.raw[..., :2].abs().max() == raw.raw[..., 36].abs().max() == 0
    geometry = wall(smooth)
    splats = placed(raw, geometry)[0]
    torch.testing.assert_close(splats.means[:, 2], torch.full((28 * 42,), 2.0))
    # Half of the twentieth part of the depth.
    torch.testing.assert_close(splats.scales, torch.full((28 * 42, 3), 0.05), atol=1e-4, rtol=0)
    picture = render_views([splats], geometry.extrinsics, geometry.intrinsics, (28, 42))
    assert float(psnr(picture[..., 3:-3, 3:-3], smooth[..., 3:-3, 3:-3]).min()) > 24


def test_a_new_view_of_a_wall_shows_the_photo_moved(network: AnyViewNetwork, smooth: torch.Tensor):
    geometry = wall(smooth)
    extrinsics = geometry.extrinsics.clone()
    # Half a metre to the right moves a wall at depth 2 by 20 / 2 / 2 = 5 pixels to the left.
    extrinsics[..., 0, 3] = -0.5
    splats = placed(fresh_splats(network, smooth, 1.0), geometry)
    picture = render_views(splats, extrinsics, geometry.intrinsics, (28, 42))
    assert float(psnr(picture[..., 3:-3, 3:-8], smooth[..., 3:-3, 8:-3]).min()) > 24


def test_an_offset_counts_in_the_network_s_unit(network: AnyViewNetwork, smooth: torch.Tensor):
    raw = fresh_splats(network, smooth, 1.0)
    raw.raw[..., 36] = 0.25
    torch.testing.assert_close(placed(raw, wall(smooth))[0].means[:, 2], torch.full((28 * 42,), 2.5))


def held_out() -> ViewBatch:
    return ViewGenerator(5).batch(0, 2, 2, (28, 42), 0.3)


def test_depth_comes_closer_to_the_truth_than_by_one_scale(network: AnyViewNetwork):
    batch = held_out()
    plain = frozen_geometry(network, batch)
    geometry = with_true_cameras(plain, batch)
    known = batch.depth > 0

    def error(depth: torch.Tensor) -> float:
        return float((depth / batch.depth).log()[known].abs().mean())

    assert error(geometry.depth * geometry.unit) < 0.8 * error(aligned(plain.depth, batch.depth))
    assert torch.equal(geometry.extrinsics, batch.extrinsics[..., :3, :])


def test_known_cameras_change_what_the_head_reads(network: AnyViewNetwork):
    batch = held_out()
    free, posed = (raw_gaussians(network, frozen_geometry(network, batch, told)).raw for told in (False, True))
    assert not torch.allclose(free, posed)


def test_the_photometric_loss_looks_at_photos_the_network_did_not_see(network: AnyViewNetwork, tmp_path: Path):
    trainer = GaussianTrainer(network, tiny(tmp_path))
    batch = trainer.batch()
    assert batch.images.shape[1] == 3
    loss, quality = trainer.loss(batch)
    other = replace(batch, images=torch.cat([batch.images[:, :2], 1 - batch.images[:, 2:]], 1))
    changed, changed_quality = trainer.loss(other)
    assert quality["psnr"] == changed_quality["psnr"]
    assert quality["psnr_novel"] != changed_quality["psnr_novel"]
    assert not torch.equal(loss, changed)
