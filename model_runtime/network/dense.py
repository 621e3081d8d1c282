"""Runs a dense head over all views, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import torch
from torch import Tensor, nn

from model_runtime.network.backbone import BackboneOutput


class Steps:
    """Counts the blocks and head chunks of a forward pass and tells `on_block` the fraction before each.

    `on_block` stops the pass by raising.
    """

    def __init__(self, total: int, on_block: Callable[[float], None] | None) -> None:
        self.total = total
        self.done = 0
        self.on_block = on_block

    def __call__(self) -> None:
        if self.on_block is not None:
            self.on_block(self.done / self.total)
        self.done += 1


def full_precision(images: Tensor) -> torch.autocast:
    """A context in which nothing on the images' device is cast to a narrower type."""
    return torch.autocast(images.device.type, enabled=False)


def chunk_count(images: Tensor, head_chunk: int) -> int:
    """How many chunks of at most `head_chunk` views a head takes for images [B,N,3,H,W]."""
    return ceil(images.shape[0] * images.shape[1] / head_chunk)


def run_head(
    head: nn.Module, features: BackboneOutput, images: Tensor, head_chunk: int, on_step: Callable[[], None]
) -> tuple[Tensor, ...]:
    """The head's outputs, each [B,N,...], in float32 whatever precision the tokens come in."""
    tokens = [layer.patches.flatten(0, 1) for layer in features.layers]
    views = images.flatten(0, 1)
    parts = []
    with full_precision(images):
        for start in range(0, len(views), head_chunk):
            on_step()
            chunk = slice(start, start + head_chunk)
            parts.append(head([layer[chunk].float() for layer in tokens], features.grid, views[chunk].float()))
    return tuple(torch.cat(outputs).unflatten(0, images.shape[:2]) for outputs in zip(*parts, strict=True))
