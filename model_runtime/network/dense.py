"""Runs a dense head over all views, a few at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from math import ceil

import torch
from torch import Tensor

from model_runtime.network.backbone import BackboneOutput
from model_runtime.network.config import HEAD_PIXELS_ON_CPU

AHEAD = 2
"""Steps that a GPU has queued: enough for it never to wait."""


class Steps:
    """Counts the blocks and head chunks of a forward pass and tells `on_block` the fraction before each.

    `on_block` stops the pass by raising. A GPU of Nvidia's only queues what it is given: there the pass waits until no
    more than AHEAD steps are queued, so that it can be stopped, and what is told is not far from what is done.
    """

    def __init__(self, total: int, on_block: Callable[[float], None] | None, device: torch.device) -> None:
        self.total = total
        self.done = 0
        self.on_block = on_block
        self.device = device
        self.queued: deque[torch.cuda.Event] | None = deque() if device.type == "cuda" and on_block else None

    def __call__(self) -> None:
        if self.queued is not None:
            event = torch.cuda.Event(blocking=True)
            event.record(torch.cuda.current_stream(self.device))
            self.queued.append(event)
            if len(self.queued) > AHEAD:
                self.queued.popleft().synchronize()
        if self.on_block is not None:
            self.on_block(self.done / self.total)
        self.done += 1


def full_precision(images: Tensor) -> torch.autocast:
    """A context in which nothing on the images' device is cast to a narrower type."""
    return torch.autocast(images.device.type, enabled=False)


def views_at_once(images: Tensor, head_chunk: int) -> int:
    """How many views of images [B,N,3,H,W], `head_chunk` at most, a head takes at once: on a CPU no more than its cache
    has room for, since more are not faster there."""
    if images.device.type != "cpu":
        return head_chunk
    return max(1, min(head_chunk, HEAD_PIXELS_ON_CPU // (images.shape[-2] * images.shape[-1])))


def chunk_count(images: Tensor, head_chunk: int) -> int:
    """How many chunks a head takes for images [B,N,3,H,W]."""
    return ceil(images.shape[0] * images.shape[1] / views_at_once(images, head_chunk))


def run_head(
    head: Callable[..., Iterable[Tensor | None]],
    features: BackboneOutput,
    images: Tensor,
    head_chunk: int,
    on_step: Callable[[], None],
) -> tuple[Tensor, ...]:
    """The head's outputs but those that are None, each [B,N,...], in float32 whatever precision the tokens come in."""
    tokens = [layer.patches.flatten(0, 1) for layer in features.layers]
    views = images.flatten(0, 1)
    at_once = views_at_once(images, head_chunk)
    parts = []
    with full_precision(images):
        for start in range(0, len(views), at_once):
            on_step()
            chunk = slice(start, start + at_once)
            outputs = head([layer[chunk].float() for layer in tokens], features.grid, views[chunk].float())
            parts.append([output for output in outputs if output is not None])
    return tuple(torch.cat(outputs).unflatten(0, images.shape[:2]) for outputs in zip(*parts, strict=True))
