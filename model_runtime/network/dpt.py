"""The dense prediction transformer trunk (Ranftl et al. 2021) that all dense heads share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from model_runtime.network.config import HeadConfig
from model_runtime.network.uv_embedding import uv_embedding


class ResidualConvUnit(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(functional.relu(self.conv1(functional.relu(x))))


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
            x = x + self.resConfUnit1(lateral)
        return self.out_conv(resize(self.resConfUnit2(x), size))


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
            x = self.projects[index](layer.mT.unflatten(2, grid))
            x = self.resize_layers[index](self.embed_position(x, image_size))
            maps.append(self.scratch[f"layer{index + 1}_rn"](x))
        return maps

    def fuse(self, levels: Sequence[Tensor], suffix: str = "") -> Tensor:
        """Four levels, coarse to fine, to [V,features,8h,8w]."""
        finest = levels[0].shape[-2:]
        sizes = [(2 * finest[0], 2 * finest[1]), *(tuple(level.shape[-2:]) for level in levels[:3])]
        x = self.scratch[f"refinenet4{suffix}"](levels[3], None, sizes[3])
        for level in (3, 2, 1):
            x = self.scratch[f"refinenet{level}{suffix}"](x, levels[level - 1], sizes[level - 1])
        return x

    def embed_position(self, x: Tensor, image_size: tuple[int, int]) -> Tensor:
        if not self.uv:
            return x
        return x + uv_embedding(x.shape[1], (x.shape[2], x.shape[3]), image_size, x.device)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, corner pixels onto corner pixels."""
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


def prediction_layers(channels: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, outputs, 1))
