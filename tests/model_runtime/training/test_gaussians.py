"""The Gaussian head learns alone, resumes, and its splats show the photo they came from."""

import math
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
    psnr,
    render_inputs,
    scene_splats,
)
from model_runtime.training.initialise import fresh_network


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


def perfect_copy(images: torch.Tensor) -> RawGaussians:
    """Raw numbers of splats that are their pixels; images [B,N,3,H,W] in 0..1."""
    raw = torch.zeros(*images.shape[:2], *images.shape[3:], 37)
    share = PIXEL_DEVIATION / (0.2 * LARGEST)
    raw[..., 2:5] = math.log(share / (1 - share))
    raw[..., 8] = 1
    raw[..., 9:36:9] = (images.movedim(2, -1) - 0.5) / DC
    return RawGaussians(raw, torch.full(raw.shape[:-1], FRESH_OPACITY))


def test_splats_that_are_their_pixels_cost_nothing_and_show_the_photo():
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 4, 5), (28, 35), mode="bicubic").clamp(0, 1)[None]
    raw = perfect_copy(smooth)
    assert float(copy_loss(raw, smooth)) == pytest.approx(0, abs=1e-5)

    depth = torch.full((1, 1, 28, 35), 2.0)
    extrinsics = torch.eye(4)[None, None, :3]
    intrinsics = torch.tensor([[30.0, 0, 17.5], [0, 30, 14], [0, 0, 1]])[None, None]
    gaussians = place_gaussians(raw, depth, extrinsics, intrinsics)
    picture = render_inputs(
        [scene_splats(gaussians, 0)], FrozenGeometry(smooth, [], (2, 2), depth, extrinsics, intrinsics)
    )
    assert float(psnr(picture[..., 3:-3, 3:-3], smooth[..., 3:-3, 3:-3]).min()) > 24
