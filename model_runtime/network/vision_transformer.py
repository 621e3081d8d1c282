"""The DINOv2 vision transformer: patches and positions to tokens, and the blocks that tokens go through."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_runtime.contract.catalogue import PATCH
from model_runtime.network.blocks import Block
from model_runtime.network.config import BackboneConfig

TABLE = 37  # patches along each side of the learned position table


class PatchEmbed(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=PATCH, stride=PATCH)

    def forward(self, images: Tensor) -> Tensor:
        """[V,3,H,W] to [V, h*w, dim], row by row."""
        return self.proj(images.to(self.proj.weight.dtype)).flatten(2).mT


class VisionTransformer(nn.Module):
    """Parameters of the backbone; `Backbone` decides which tokens each block sees."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, config.dim))
        if config.alternation is not None:
            self.camera_token = nn.Parameter(0.02 * torch.randn(1, 2, config.dim))  # reference view, other views
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 1 + TABLE * TABLE, config.dim))
        self.patch_embed = PatchEmbed(config.dim)
        self.blocks = nn.ModuleList(
            Block(
                config.dim,
                config.heads,
                norm_eps=1e-6,
                normalise_queries=config.alternation is not None and layer >= config.alternation,
                swiglu=config.swiglu,
            )
            for layer in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.dim)

    def embed(self, images: Tensor) -> Tensor:
        """Images [V,3,H,W] to tokens [V, 1 + h*w, dim], class token first."""
        patches = self.patch_embed(images)
        positions = self.position_table(images.shape[-2] // PATCH, images.shape[-1] // PATCH)
        return torch.cat((self.cls_token.expand(len(patches), -1, -1), patches), dim=1) + positions

    def position_table(self, height: int, width: int) -> Tensor:
        """[1, 1 + height*width, dim]: the learned table, resized where the patch grid is another."""
        if (height, width) == (TABLE, TABLE):
            return self.pos_embed
        class_position, patches = self.pos_embed.float().split((1, TABLE * TABLE), dim=1)
        # The 0.1 keeps rounding from losing a row; the released weights were trained with the shift it makes.
        resized = functional.interpolate(
            patches.unflatten(1, (TABLE, TABLE)).permute(0, 3, 1, 2),
            scale_factor=((height + 0.1) / TABLE, (width + 0.1) / TABLE),
            mode="bicubic",
        )
        return torch.cat((class_position, resized.flatten(2).mT), dim=1).to(self.pos_embed.dtype)
