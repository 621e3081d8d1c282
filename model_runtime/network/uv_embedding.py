"""A fixed sine-cosine embedding of where in the picture a pixel lies, aware of the picture's aspect."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

BASE = 100.0
WEIGHT = 0.1


def uv_embedding(
    channels: int, size: tuple[int, int], image_size: tuple[int, int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """[channels, 1, w] and [channels, h, 1], whose sum is the embedding of a map of `size` (h, w) over an image of
    `image_size` (H, W), pixels.

    The image's corners lie on the unit circle; the first half of the channels encodes x, the second y.
    """
    (height, width), aspect = size, image_size[1] / image_size[0]
    span = math.hypot(1.0, aspect)
    x = functional.pad(_encode(_centres(width, aspect / span, device), channels // 2), (0, channels // 2))  # [w, C]
    y = functional.pad(_encode(_centres(height, 1.0 / span, device), channels // 2), (channels // 2, 0))  # [h, C]
    return WEIGHT * x.mT[:, None, :], WEIGHT * y.mT[:, :, None]


def _centres(count: int, span: float, device: torch.device) -> Tensor:
    edge = span * (count - 1) / count
    return torch.linspace(-edge, edge, count, device=device)


def _encode(values: Tensor, channels: int) -> Tensor:
    """[n] to [n, channels]: sines, then cosines."""
    half = channels // 2
    frequencies = BASE ** (-torch.arange(half, device=values.device, dtype=torch.float32) / half)
    angles = values[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=1)
