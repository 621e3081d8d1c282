"""The Gaussian head: raw parameters of one splat per pixel, read off the same tokens as depth."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from model_runtime.network.config import HeadConfig
from model_runtime.network.dpt import DptTrunk, in_strips, prediction_layers, resize
from model_runtime.network.gaussian_adapter import RAW, RawGaussians


class GaussianHead(DptTrunk):
    """The photo itself is added before the last layers: tokens of 14 pixels have lost its fine detail."""

    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__(feature_dim, config, uv=True)
        half = config.features // 2
        self.scratch["output_conv1"] = nn.Conv2d(config.features, half, 3, padding=1)
        self.scratch["output_conv2"] = prediction_layers(half, RAW + 1)
        self.images_merger = nn.Sequential(
            nn.Conv2d(3, half // 4, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(half // 4, half // 2, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(half // 2, half, 3, padding=1),
            nn.GELU(),
        )

    def forward(self, tokens: Sequence[Tensor], grid: tuple[int, int], images: Tensor) -> RawGaussians:
        """tokens: four of [V,h*w,F]; images: [V,3,H,W], ImageNet-normalised."""
        image_size = (images.shape[-2], images.shape[-1])
        x = resize(self.scratch["output_conv1"](self.fuse(self.levels(tokens, grid, image_size))), image_size)
        x = in_strips(self.scratch["output_conv2"], self.embed_position(x.add_(self.images_merger(images)), image_size))
        return RawGaussians(x[:, :RAW].movedim(1, -1), x[:, RAW].sigmoid())
