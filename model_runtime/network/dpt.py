"""The dense prediction transformer trunk (Ranftl et al. 2021) that all dense heads share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_runtime.network.config import HeadConfig
from model_runtime.network.uv_embedding import uv_embedding

STRIP = 16
"""Rows at once."""


class ResidualConvUnit(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        # In place what no gradient needs: of a convolution only what went in.
        return self.conv2(functional.relu(self.conv1(functional.relu(x)), inplace=True)).add_(x)


class FusionBlock(nn.Module):
    """Adds a finer level to the coarser sum and brings it to the next level's size."""

    def __init__(self, features: int, lateral: bool) -> None:
        super().__init__()
        if lateral:
            self.resConfUnit1 = ResidualConvUnit(features)
        self.resConfUnit2 = ResidualConvUnit(features)
        self.out_conv = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor, lateral: Tensor | None, size: tuple[int, int]) -> Tensor:
        if lateral is not None:
            x = self.resConfUnit1(lateral).add_(x)
        # Released code resizes first; the two commute, and this is a quarter of the work.
        return resize(self.out_conv(self.resConfUnit2(x)), size)


class DptTrunk(nn.Module):
    """From the tokens of four layers to four feature maps, and those to one at eight times the patch grid.

    uv: whether the maps carry the fixed embedding of image position.
    """

    def __init__(self, feature_dim: int, config: HeadConfig, *, uv: bool) -> None:
        super().__init__()
        first, second, _, fourth = config.channels
        self.uv = uv
        self.projects = nn.ModuleList(nn.Conv2d(feature_dim, channels, 1) for channels in config.channels)
        self.resize_layers = nn.ModuleList(
            (
                nn.ConvTranspose2d(first, first, 4, stride=4),
                nn.ConvTranspose2d(second, second, 2, stride=2),
                nn.Identity(),
                nn.Conv2d(fourth, fourth, 3, stride=2, padding=1),
            )
        )
        self.scratch = nn.ModuleDict()
        for level, channels in enumerate(config.channels, start=1):
            self.scratch[f"layer{level}_rn"] = nn.Conv2d(channels, config.features, 3, padding=1, bias=False)
        self.add_fusion("", config.features)

    def add_fusion(self, suffix: str, features: int) -> None:
        for level in (1, 2, 3, 4):
            self.scratch[f"refinenet{level}{suffix}"] = FusionBlock(features, lateral=level < 4)

    def levels(self, tokens: Sequence[Tensor], grid: tuple[int, int], image_size: tuple[int, int]) -> list[Tensor]:
        """Four token maps [V,h*w,F], coarse last, to [V,features,*,*] at 4, 2, 1 and 1/2 times the grid (h, w)."""
        maps = []
        for index, layer in enumerate(tokens):
            # A 1x1 convolution of tokens as they lie in memory, which leaves maps with channels last.
            project = self.projects[index]
            assert isinstance(project, nn.Conv2d)
            x = functional.linear(layer, project.weight.flatten(1), project.bias).mT.unflatten(2, grid)
            x = self.resize_layers[index](self.embed_position(x, image_size))
            maps.append(self.scratch[f"layer{index + 1}_rn"](x))
        return maps

    def fuse(self, levels: list[Tensor], suffix: str = "") -> Tensor:
        """Four levels, coarse last, to [V,features,8h,8w]. Takes each level out of the list as it goes."""
        finest = levels[0].shape[-2:]
        sizes = [(2 * finest[0], 2 * finest[1]), *(tuple(level.shape[-2:]) for level in levels[:3])]
        x = self.scratch[f"refinenet4{suffix}"](levels.pop(), None, sizes[3])
        for level in (3, 2, 1):
            x = self.scratch[f"refinenet{level}{suffix}"](x, levels.pop(), sizes[level - 1])
        return x

    def embed_position(self, x: Tensor, image_size: tuple[int, int]) -> Tensor:
        """The maps [V,C,h,w], which it may change."""
        if not self.uv:
            return x
        horizontal, vertical = uv_embedding(x.shape[1], (x.shape[2], x.shape[3]), image_size, x.device)
        return x.add_(horizontal).add_(vertical)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, corner pixels onto corner pixels."""
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


def prediction_layers(channels: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(32, outputs, 1))


def in_strips(layers: nn.Module, x: Tensor) -> Tensor:
    """What `prediction_layers` make of maps [V,C,H,W]; on a CPU in inference a few rows after the other, so that what
    lies between the layers stays in its cache."""
    if torch.is_grad_enabled() or x.device.type != "cpu":
        return layers(x)
    strips = []
    for top in range(0, x.shape[2], STRIP):
        above = min(top, 1)  # a row beyond either end, which a 3x3 convolution sees
        strip = layers(x[:, :, top - above : top + STRIP + 1])
        strips.append(strip[:, :, above : above + STRIP])
    return torch.cat(strips, dim=2)
