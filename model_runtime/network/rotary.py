"""Rotary position embedding in two dimensions (Su et al. 2021; Heo et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BASE = 100.0


@dataclass(frozen=True, eq=False)
class Rotation:
    """What positions turn queries and keys by. cosine, sine: [tokens, head_dim] float32, or of one token that stands
    for all. every: it is the first of as many tokens that is turned."""

    cosine: Tensor
    sine: Tensor
    every: int = 1


def within_view_rotation(height: int, width: int, head_dim: int, device: torch.device) -> Rotation:
    """Of a view's tokens, by (row, column): 0 for the class token, patches from 1."""
    rows, columns = torch.meshgrid(
        torch.arange(1, height + 1, device=device), torch.arange(1, width + 1, device=device), indexing="ij"
    )
    patches = torch.stack((rows, columns), dim=-1).reshape(-1, 2)
    return _rotation(torch.cat((patches.new_zeros(1, 2), patches)), head_dim)


def across_view_rotation(height: int, width: int, head_dim: int, device: torch.device) -> Rotation:
    """Of the tokens of many views, one view after the other, by 0 for class tokens and (1, 1) for patches: places in
    different photos have no common grid.

    Only the angle between two tokens counts, so class tokens alone are turned, the other way.
    """
    return _rotation(torch.tensor([[-1, -1]], device=device), head_dim, every=1 + height * width)


def _rotation(positions: Tensor, head_dim: int, every: int = 1) -> Rotation:
    """positions: [tokens, 2]. The first half of the head turns with the row, the second with the column."""
    quarter = head_dim // 4
    frequencies = BASE ** (-torch.arange(quarter, device=positions.device, dtype=torch.float32) / quarter)
    angles = positions.float()[:, :, None] * frequencies  # [tokens, 2, quarter]
    angles = torch.cat((angles, angles), dim=-1).flatten(1)  # [tokens, head_dim]
    return Rotation(angles.cos(), angles.sin(), every)


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Queries or keys [..., tokens, head_dim] turned by their positions, in float32."""
    if rotation.every == 1:
        return _turned(x, rotation)
    x = x.to(torch.float32, copy=True)
    x[..., :: rotation.every, :] = _turned(x[..., :: rotation.every, :], rotation)
    return x


def _turned(x: Tensor, rotation: Rotation) -> Tensor:
    turned = x * rotation.cosine
    pairs, sine, results = (each.unflatten(-1, (2, 2, -1)) for each in (x, rotation.sine, turned))
    results[..., 0, :].addcmul_(pairs[..., 1, :], sine[..., 0, :], value=-1)
    results[..., 1, :].addcmul_(pairs[..., 0, :], sine[..., 1, :])
    return turned
