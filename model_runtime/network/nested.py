"""An any-view network in metres: scale and sky come from the metric monocular network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.config import NestedConfig
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.network.output import GaussianSplats, Output
from model_runtime.network.sky import FAR_QUANTILE, FEWEST_PIXELS, is_sky, quantile

SKY_DEPTH = 200.0  # metres at most
METRIC_SHARE = 0.2  # of the time a forward pass takes


class NestedNetwork(nn.Module):
    def __init__(self, config: NestedConfig) -> None:
        super().__init__()
        self.da3 = AnyViewNetwork(config.any_view)
        self.da3_metric = MonocularNetwork(config.metric)

    def forward(
        self,
        images: Tensor,
        extrinsics: Tensor | None = None,
        intrinsics: Tensor | None = None,
        gaussians: bool = False,
        reference_view: str = "saddle_balanced",
        pose_from: str = "camera_head",
        head_chunk: int = 8,
        on_block: Callable[[float], None] | None = None,
    ) -> Output:
        """Takes what `AnyViewNetwork.forward` takes; depth, cameras and Gaussians come out in metres."""
        any_view: Output = self.da3(
            images,
            extrinsics,
            intrinsics,
            gaussians,
            reference_view,
            pose_from,
            head_chunk,
            on_block and (lambda done: on_block((1 - METRIC_SHARE) * done)),
        )
        metric: Output = self.da3_metric(
            images,
            head_chunk=head_chunk,
            on_block=on_block and (lambda done: on_block(1 - METRIC_SHARE * (1 - done))),
        )
        return to_metres(any_view, metric)


def to_metres(any_view: Output, metric: Output) -> Output:
    """The any-view output with the metric network's scale and sky, scene by scene."""
    assert any_view.depth_conf is not None and any_view.extrinsics is not None and any_view.intrinsics is not None
    assert metric.sky is not None and metric.metric_focal is not None
    focal = any_view.intrinsics[..., (0, 1), (0, 1)].mean(-1)  # [B,N]
    metres = metric.depth * (focal / metric.metric_focal)[..., None, None]
    ground = ~is_sky(metric.sky)
    scale = torch.stack(
        [metric_scale(*scene) for scene in zip(any_view.depth, any_view.depth_conf, metres, ground, strict=True)]
    )
    depth = any_view.depth * scale[:, None, None, None]
    depth = torch.stack([_far_sky(*scene) for scene in zip(depth, ground, strict=True)])
    rotation, translation = any_view.extrinsics.split((3, 1), dim=-1)
    return replace(
        any_view,
        depth=depth,
        depth_conf=any_view.depth_conf.where(ground, 1.0),
        extrinsics=torch.cat((rotation, translation * scale[:, None, None, None]), dim=-1),
        sky=metric.sky,
        scale_factor=scale,
        gaussians=any_view.gaussians and _scaled(any_view.gaussians, scale[:, None, None]),
    )


def metric_scale(depth: Tensor, confidence: Tensor, metres: Tensor, ground: Tensor) -> Tensor:
    """The factor that brings one scene's depth to the metric network's, by least squares; each [N,H,W].

    Only surer, not too near pixels that are no sky count; where next to none are left, nothing tells the scale: 1.
    """
    if int(ground.sum()) < FEWEST_PIXELS:
        return depth.new_ones(())
    surer = confidence >= quantile(confidence[ground], 0.5)
    usable = ground & surer & (metres > 0.01) & (depth > 0.001)
    if int(usable.sum()) < FEWEST_PIXELS:
        return depth.new_ones(())
    return (metres[usable] * depth[usable]).sum() / depth[usable].square().sum()


def _far_sky(depth: Tensor, ground: Tensor) -> Tensor:
    """One scene's metric depth [N,H,W] with its sky far away."""
    far = depth.new_tensor(SKY_DEPTH)
    if ground.any():
        far = quantile(depth[ground], FAR_QUANTILE).clamp(max=SKY_DEPTH)
    return depth.where(ground, far)


def _scaled(splats: GaussianSplats, scale: Tensor) -> GaussianSplats:
    return replace(splats, means=splats.means * scale, scales=splats.scales * scale)
