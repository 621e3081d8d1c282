"""Rotary position embedding in two dimensions (Su et al. 2021; Heo et al. 2024)."""

from __future__ import annotations

import torch
from torch import Tensor

BASE = 100.0

Rotation = tuple[Tensor, Tensor]
"""Cosine and sine, each [tokens, head_dim] float32."""


def within_view_positions(height: int, width: int, device: torch.device) -> Tensor:
    """[1 + height*width, 2] (row, column) of a view's tokens: 0 for the class token, patches from 1."""
    rows, columns = torch.meshgrid(
        torch.arange(1, height + 1, device=device), torch.arange(1, width + 1, device=device), indexing="ij"
    )
    patches = torch.stack((rows, columns), dim=-1).reshape(-1, 2)
    return torch.cat((patches.new_zeros(1, 2), patches))


def across_view_positions(height: int, width: int, device: torch.device) -> Tensor:
    """The same shape, telling only class token from patch: places in different photos have no common grid."""
    return within_view_positions(height, width, device).clamp(max=1)


def rotation_table(positions: Tensor, head_dim: int) -> Rotation:
    """Angles of every token: the first half of the head turns with the row, the second with the column."""
    quarter = head_dim // 4
    frequencies = BASE ** (-torch.arange(quarter, device=positions.device, dtype=torch.float32) / quarter)
    angles = positions.float()[:, :, None] * frequencies  # [tokens, 2, quarter]
    angles = torch.cat((angles, angles), dim=-1).flatten(1)  # [tokens, head_dim]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turns queries or keys [..., tokens, head_dim] by their positions, in float32."""
    cosine, sine = rotation
    x = x.float()
    a, b = x.unflatten(-1, (2, 2, -1)).unbind(-2)  # each [..., tokens, 2, quarter]
    partner = torch.stack((-b, a), dim=-2).flatten(-3)
    return x * cosine + partner * sine
