"""Tokens of many views: blocks that look within each view, and from some block on, in turn across all views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from model_runtime.contract.catalogue import PATCH
from model_runtime.network.blocks import in_parts
from model_runtime.network.config import BackboneConfig
from model_runtime.network.reference_view import choose_reference_view
from model_runtime.network.rotary import across_view_rotation, within_view_rotation
from model_runtime.network.vision_transformer import VisionTransformer


@dataclass(frozen=True, eq=False)
class LayerTokens:
    """What the heads read of one block. patches: [B,N,h*w,F]; camera: [B,N,F], F = `BackboneConfig.feature_dim`."""

    patches: Tensor
    camera: Tensor


@dataclass(frozen=True, eq=False)
class BackboneOutput:
    """layers: one per taken layer. grid: patch rows and columns. reference: [B] index of the reference view."""

    layers: tuple[LayerTokens, ...]
    grid: tuple[int, int]
    reference: Tensor


class Backbone(nn.Module):
    """The reference view is marked by its camera token alone: nothing else in a block knows the order of the views,
    so they never need to be reordered."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        self.pretrained = VisionTransformer(config)

    def forward(
        self,
        images: Tensor,
        camera_tokens: Tensor | None = None,
        reference_view: str = "saddle_balanced",
        on_step: Callable[[], None] | None = None,
    ) -> BackboneOutput:
        """images: [B,N,3,H,W]; camera_tokens: [B,N,dim] of known cameras, whose view 0 is then the reference.

        on_step is called before each block.
        """
        config, transformer = self.config, self.pretrained
        scenes, views, _, height, width = images.shape
        grid = (height // PATCH, width // PATCH)
        head_dim = config.dim // config.heads
        within = within_view_rotation(*grid, head_dim, images.device)
        across = across_view_rotation(*grid, head_dim, images.device)
        alternation = config.depth if config.alternation is None else config.alternation

        tokens = transformer.embed(images.flatten(0, 1))  # [B*N, 1+h*w, dim]
        within_view = tokens
        reference = torch.zeros(scenes, dtype=torch.long, device=images.device)
        layers = []
        for index, block in enumerate(transformer.blocks):
            if on_step is not None:
                on_step()
            if index == alternation - 1 and camera_tokens is None:
                reference = choose_reference_view(tokens[:, 0].unflatten(0, (scenes, views)), reference_view)
            if index == alternation:
                camera = self._camera_tokens(reference, views) if camera_tokens is None else camera_tokens
                tokens = torch.cat((camera.flatten(0, 1)[:, None].to(tokens.dtype), tokens[:, 1:]), dim=1)
            if index >= alternation and index % 2 == 1:
                scene = tokens.unflatten(0, (scenes, views)).flatten(1, 2)  # [B, N*(1+h*w), dim]
                tokens = block(scene, across).unflatten(1, (views, -1)).flatten(0, 1)
            else:
                rotation = within if index >= alternation else None
                tokens = in_parts(partial(block, rotation=rotation), tokens, dim=0)
                within_view = tokens
            if index in config.taken_layers:
                layers.append(self._take(within_view, tokens, (scenes, views)))
        return BackboneOutput(tuple(layers), grid, reference)

    def _camera_tokens(self, reference: Tensor, views: int) -> Tensor:
        """[B,N,dim]: the learned token of the reference view at its place, that of other views elsewhere."""
        is_other = (torch.arange(views, device=reference.device) != reference[:, None]).long()
        return self.pretrained.camera_token[0][is_other]

    def _take(self, within_view: Tensor, tokens: Tensor, shape: tuple[int, int]) -> LayerTokens:
        patches, camera = self.pretrained.norm(tokens[:, 1:]), tokens[:, 0]
        if self.config.alternation is not None:
            patches = torch.cat((within_view[:, 1:], patches), dim=-1)
            camera = torch.cat((within_view[:, 0], camera), dim=-1)
        return LayerTokens(patches.unflatten(0, shape), camera.unflatten(0, shape))
