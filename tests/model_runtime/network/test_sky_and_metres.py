"""Sky gets a far depth, and the metric network its say on scale, scene by scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model_runtime.network.config import (
    METRIC_FOCAL,
    PRESETS,
    BackboneConfig,
    HeadConfig,
    MonocularConfig,
    NestedConfig,
)
from model_runtime.network.metres import to_metres
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.network.nested import NestedNetwork
from model_runtime.network.output import GaussianSplats, Output
from model_runtime.network.sky import fill_sky, quantile

SHAPE = (2, 3, 20, 30)


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("count", [1, 2, 101, 12345])
@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.99, 1.0])
def test_quantile_is_numpys(count: int, fraction: float) -> None:
    values = uniform(count)
    assert quantile(values, fraction).item() == pytest.approx(np.quantile(values.numpy(), fraction), rel=1e-6)


def test_quantile_takes_more_than_sixteen_million_values() -> None:
    values = torch.ones(2**24 + 100)
    values[:1000] = 2
    assert quantile(values, 0.99) == 1


def test_sky_lies_at_the_far_end_of_the_rest() -> None:
    depth, sky = 1 + uniform(3, 20, 30), uniform(3, 20, 30, seed=1)
    filled, rest = fill_sky(depth, sky), depth[sky < 0.3].numpy()
    assert torch.equal(filled[sky < 0.3], depth[sky < 0.3])
    assert filled[sky >= 0.3].numpy() == pytest.approx(np.quantile(rest, 0.99), rel=1e-6)


@pytest.mark.parametrize(
    ("sky_pixels", "filled"), [(0, False), (10, False), (11, True), (89, True), (90, False), (100, False)]
)
def test_next_to_no_sky_or_nothing_but_sky_stays(sky_pixels: int, filled: bool) -> None:
    depth, sky = uniform(1, 10, 10), torch.zeros(100)
    sky[:sky_pixels] = 0.3
    assert torch.equal(fill_sky(depth, sky.view(1, 10, 10)), depth) is not filled


def any_view_output() -> Output:
    focal = torch.tensor([[150.0, 0, 15], [0, 450, 10], [0, 0, 1]])  # 300 in the mean: metric output is metres
    splats = GaussianSplats(
        uniform(2, 50, 3), uniform(2, 50, 3), uniform(2, 50, 4), uniform(2, 50, 3, 9), uniform(2, 50), torch.ones(2)
    )
    return Output(
        depth=1 + uniform(*SHAPE),
        depth_conf=1 + uniform(*SHAPE, seed=1),
        ray=uniform(2, 3, 8, 8, 6),
        ray_conf=1 + uniform(2, 3, 8, 8),
        extrinsics=uniform(2, 3, 3, 4),
        intrinsics=focal.repeat(2, 3, 1, 1),
        gaussians=splats,
    )


def test_metres_come_from_the_metric_network_scene_by_scene() -> None:
    any_view, factor = any_view_output(), torch.tensor([3.0, 50.0])
    metres = any_view.depth * factor[:, None, None, None]
    doubtful = any_view.depth_conf < 1.2
    metric = Output(depth=metres.where(~doubtful, 1000.0), sky=torch.zeros(SHAPE), metric_focal=METRIC_FOCAL)
    result = to_metres(any_view, metric)
    torch.testing.assert_close(result.scale_factor, factor)
    torch.testing.assert_close(result.depth, metres)
    torch.testing.assert_close(result.extrinsics[..., 3], any_view.extrinsics[..., 3] * factor[:, None, None])
    torch.testing.assert_close(result.gaussians.means, any_view.gaussians.means * factor[:, None, None])
    torch.testing.assert_close(result.gaussians.scales, any_view.gaussians.scales * factor[:, None, None])
    assert torch.equal(result.extrinsics[..., :3], any_view.extrinsics[..., :3])
    assert torch.equal(result.gaussians.rotations, any_view.gaussians.rotations)
    assert torch.equal(result.ray, any_view.ray)


def test_sky_is_far_and_unsure_and_has_no_say_in_the_scale() -> None:
    any_view, sky = any_view_output(), torch.zeros(SHAPE)
    sky[..., :5, :] = 1
    depth = (any_view.depth * torch.tensor([3.0, 500.0])[:, None, None, None]).where(sky < 0.3, 7.0)
    metric = Output(depth=depth, sky=sky, metric_focal=METRIC_FOCAL)
    result = to_metres(any_view, metric)
    torch.testing.assert_close(result.scale_factor, torch.tensor([3.0, 500.0]))
    near = 3 * any_view.depth[0][sky[0] < 0.3].numpy()
    assert result.depth[0, :, :5].numpy() == pytest.approx(np.quantile(near, 0.99), rel=1e-5)
    assert (result.depth[1, :, :5] == 200).all()
    assert (result.depth_conf[sky >= 0.3] == 1).all()
    assert torch.equal(result.sky, sky)


def test_a_scene_of_nothing_but_sky_is_no_failure() -> None:
    any_view, sky = any_view_output(), torch.zeros(SHAPE)
    sky[0] = 1
    result = to_metres(any_view, Output(depth=2 * any_view.depth, sky=sky, metric_focal=METRIC_FOCAL))
    torch.testing.assert_close(result.scale_factor, torch.tensor([1.0, 2.0]))
    assert (result.depth[0] == 200).all()
    torch.testing.assert_close(result.depth[1], 2 * any_view.depth[1])


def test_only_the_metric_network_is_in_metres() -> None:
    known = {name for name, preset in PRESETS.items() if isinstance(preset, MonocularConfig) and preset.metric_focal}
    assert known == {"da3metric-large"}
    nested = PRESETS["da3nested-giant-large"]
    assert isinstance(nested, NestedConfig) and nested.metric == PRESETS["da3metric-large"]


@pytest.fixture(scope="module")
def monocular() -> MonocularConfig:
    backbone = BackboneConfig(64, 4, 2, (0, 1, 2, 3), alternation=None)
    return MonocularConfig(backbone, HeadConfig(16, (8, 8, 16, 16)), METRIC_FOCAL)


@torch.no_grad()
def test_monocular_views_do_not_see_each_other(monocular: MonocularConfig) -> None:
    network = MonocularNetwork(monocular).eval()
    network.head.scratch["sky_output_conv2"][-1].bias.fill_(-9)  # no sky, whose depth is that of the whole scene
    images = torch.randn(2, 3, 3, 28, 42, generator=torch.Generator().manual_seed(0))
    together, alone = network(images, head_chunk=4), network(images.flatten(0, 1)[:, None])
    torch.testing.assert_close(together.depth.flatten(0, 1), alone.depth[:, 0])
    assert together.metric_focal == METRIC_FOCAL
    assert (
        together.extrinsics is together.intrinsics is together.ray is together.gaussians is together.depth_conf is None
    )


@torch.no_grad()
def test_nested_scenes_are_scaled_one_by_one_and_progress_covers_both_networks(monocular: MonocularConfig) -> None:
    torch.manual_seed(0)
    any_view = replace(PRESETS["da3-tiny"], released_gaussians=True)
    network = NestedNetwork(NestedConfig(any_view, monocular)).eval()
    images = torch.randn(2, 3, 3, 28, 42)
    fractions: list[float] = []
    both = network(images, gaussians=True, on_block=fractions.append)
    assert len(fractions) == 10 + 2 + 4 + 1
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.8 < fractions[-1] < 1
    for scene in range(2):
        alone = network(images[scene : scene + 1], gaussians=True)
        torch.testing.assert_close(both.scale_factor[scene], alone.scale_factor[0])
        torch.testing.assert_close(both.depth[scene], alone.depth[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(both.gaussians.means[scene], alone.gaussians.means[0], atol=1e-5, rtol=1e-4)
