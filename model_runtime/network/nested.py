"""An any-view network in metres: scale and sky come from the metric monocular network."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.config import NestedConfig
from model_runtime.network.metres import to_metres
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.network.options import Options
from model_runtime.network.output import Output

METRIC_SHARE = 0.2  # of the time a forward pass takes


class NestedNetwork(nn.Module):
    def __init__(self, config: NestedConfig) -> None:
        super().__init__()
        self.da3 = AnyViewNetwork(config.any_view)
        self.da3_metric = MonocularNetwork(config.metric)

    def forward(
        self, images: Tensor, extrinsics: Tensor | None = None, intrinsics: Tensor | None = None, **options: Any
    ) -> Output:
        """Takes what `AnyViewNetwork.forward` takes; depth, cameras and Gaussians come out in metres."""
        told = Options(**options).on_block
        before = {**options, "on_block": told and (lambda done: told((1 - METRIC_SHARE) * done))}
        after = {**options, "on_block": told and (lambda done: told(1 - METRIC_SHARE * (1 - done)))}
        any_view: Output = self.da3(images, extrinsics, intrinsics, **before)
        metric: Output = self.da3_metric(images, **after)
        return to_metres(any_view, metric)
