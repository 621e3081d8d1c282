"""The plain DPT head of the monocular networks: depth and sky."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from model_runtime.network.config import HeadConfig
from model_runtime.network.dpt import DptTrunk, in_strips, prediction_layers, resize


class DepthAndSky(NamedTuple):
    """depth, sky: [V,H,W]; sky >= 0, sure from 0.3 on."""

    depth: Tensor
    sky: Tensor


class MonocularHead(DptTrunk):
    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__(feature_dim, config, uv=False)
        half = config.features // 2
        self.scratch["output_conv1"] = nn.Conv2d(config.features, half, 3, padding=1)
        self.scratch["output_conv2"] = prediction_layers(half, 1)
        self.scratch["sky_output_conv2"] = prediction_layers(half, 1)

    def forward(self, tokens: Sequence[Tensor], grid: tuple[int, int], images: Tensor) -> DepthAndSky:
        """tokens: four of [V,h*w,F]; images: [V,3,H,W], for their size."""
        image_size = (images.shape[-2], images.shape[-1])
        x = resize(self.scratch["output_conv1"](self.fuse(self.levels(tokens, grid, image_size))), image_size)
        depth, sky = (in_strips(self.scratch[name], x) for name in ("output_conv2", "sky_output_conv2"))
        return DepthAndSky(depth[:, 0].exp(), functional.relu(sky[:, 0]))
