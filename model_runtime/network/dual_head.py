"""The Dual-DPT head: depth and rays from the same four levels, each with its own fusion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from model_runtime.network.config import HeadConfig
from model_runtime.network.dpt import DptTrunk, in_strips, prediction_layers, resize


class DepthAndRays(NamedTuple):
    """depth, depth_conf: [V,H,W]. ray: [V,8h,8w,6], direction (not unit length) then origin. ray_conf: [V,8h,8w].
    Both None where no rays were wanted."""

    depth: Tensor
    depth_conf: Tensor
    ray: Tensor | None = None
    ray_conf: Tensor | None = None


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of [V,C,h,w]."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class DualDptHead(DptTrunk):
    """Released checkpoints keep four ray outputs, one per training level; only the last is read."""

    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__(feature_dim, config, uv=True)
        features, half = config.features, config.features // 2
        self.norm = nn.LayerNorm(feature_dim)
        self.scratch["output_conv1"] = nn.Conv2d(features, half, 3, padding=1)
        self.scratch["output_conv2"] = prediction_layers(half, 2)
        self.add_fusion("_aux", features)
        self.scratch["output_conv1_aux"] = nn.ModuleList(_five_convolutions(features) for _ in range(4))
        self.scratch["output_conv2_aux"] = nn.ModuleList(_ray_layers(half) for _ in range(4))

    def forward(
        self, tokens: Sequence[Tensor], grid: tuple[int, int], images: Tensor, rays: bool = True
    ) -> DepthAndRays:
        """tokens: four of [V,h*w,F]; images: [V,3,H,W], for their size. rays: whether to make these, too."""
        image_size = (images.shape[-2], images.shape[-1])
        levels = self.levels([self.norm(layer) for layer in tokens], grid, image_size)
        made = self._rays(list(levels), image_size) if rays else ()
        depth = resize(self.scratch["output_conv1"](self.fuse(levels)), image_size)
        depth = in_strips(self.scratch["output_conv2"], self.embed_position(depth, image_size))
        return DepthAndRays(depth[:, 0].exp(), 1 + depth[:, 1].exp(), *made)

    def _rays(self, levels: list[Tensor], image_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        rays = self.scratch.get_submodule("output_conv1_aux.3")(self.fuse(levels, "_aux"))
        rays = self.scratch.get_submodule("output_conv2_aux.3")(self.embed_position(rays, image_size))
        return rays[:, :6].movedim(1, -1), 1 + rays[:, 6].exp()


def _five_convolutions(features: int) -> nn.Sequential:
    widths = (features, features // 2) * 3
    return nn.Sequential(*(nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths)))


def _ray_layers(channels: int) -> nn.Sequential:
    # The two identities keep the numbering of released state dicts.
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1),
        nn.Identity(),
        ChannelNorm(32),
        nn.Identity(),
        nn.ReLU(),
        nn.Conv2d(32, 7, 1),
    )
