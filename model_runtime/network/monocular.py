"""Depth and sky of every view for itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from model_runtime.network.backbone import Backbone
from model_runtime.network.config import MonocularConfig
from model_runtime.network.dense import Steps, chunk_count, run_head
from model_runtime.network.inputs import check_inputs
from model_runtime.network.monocular_head import DepthAndSky, MonocularHead
from model_runtime.network.options import Options
from model_runtime.network.output import Output
from model_runtime.network.sky import fill_sky


class MonocularNetwork(nn.Module):
    def __init__(self, config: MonocularConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone)
        self.head = MonocularHead(config.backbone.feature_dim, config.head)

    def forward(
        self, images: Tensor, extrinsics: Tensor | None = None, intrinsics: Tensor | None = None, **options: Any
    ) -> Output:
        """Takes what `AnyViewNetwork.forward` takes; cameras, Gaussians, rays and reference view mean nothing here."""
        asked = Options(**options)
        check_inputs(images, extrinsics, intrinsics, asked.reference_view, asked.pose_from, asked.head_chunk)
        count = self.config.backbone.depth + chunk_count(images, asked.head_chunk)
        steps = Steps(count, asked.on_block, images.device)
        features = self.backbone(images, on_step=steps)
        dense = DepthAndSky(*run_head(self.head, features, images, asked.head_chunk, steps))
        scenes = [fill_sky(depth, sky) for depth, sky in zip(dense.depth, dense.sky, strict=True)]
        return Output(depth=torch.stack(scenes), sky=dense.sky, metric_focal=self.config.metric_focal)
