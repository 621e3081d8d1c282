"""The transformer block: pre-norm attention and MLP, each with a layer scale on its residual."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_runtime.network.rotary import Rotation, rotate

TOKENS = 1024
"""At once on a CPU: about those of a photo."""


class Attention(nn.Module):
    """Multi-head self-attention through torch's fused kernel, so no tokens x tokens matrix ever exists."""

    def __init__(self, dim: int, heads: int, normalise_queries: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.q_norm = nn.LayerNorm(dim // heads) if normalise_queries else nn.Identity()
        self.k_norm = nn.LayerNorm(dim // heads) if normalise_queries else nn.Identity()
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, rotation: Rotation | None) -> Tensor:
        """x: [batch, tokens, dim]; rotation: positions of the tokens, or None for none."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # [batch, heads, tokens, hd]
        q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        attended = functional.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v)
        return self.proj(attended.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, dim_in: int, hidden: int, dim_out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim_in, hidden)
        self.fc2 = nn.Linear(hidden, dim_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class SwiGlu(nn.Module):
    """Gated MLP (Shazeer 2020) with two thirds of the usual hidden width, rounded up to a multiple of 8."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        hidden = -(-(4 * dim * 2 // 3) // 8) * 8
        self.w12 = nn.Linear(dim, 2 * hidden)
        self.w3 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.w12(x).chunk(2, dim=-1)
        return self.w3(functional.silu(gate) * value)


class LayerScale(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """x + the residual, scaled."""
        return torch.addcmul(x, residual, self.gamma)


class Block(nn.Module):
    def __init__(
        self, dim: int, heads: int, *, norm_eps: float, normalise_queries: bool = False, swiglu: bool = False
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attn = Attention(dim, heads, normalise_queries)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.mlp = SwiGlu(dim) if swiglu else Mlp(dim, 4 * dim, dim)
        self.ls2 = LayerScale(dim)

    def forward(self, x: Tensor, rotation: Rotation | None = None) -> Tensor:
        """x: [batch, tokens, dim], same out."""
        x = self.ls1(x, self.attn(self.norm1(x), rotation))
        return in_parts(lambda part: self.ls2(part, self.mlp(self.norm2(part))), x, dim=1)


def in_parts(function: Callable[[Tensor], Tensor], x: Tensor, dim: int) -> Tensor:
    """A function of tokens [batch, tokens, dim] that does not look across the given dimension; on a CPU in inference a
    few of them after the other, so that what it makes of them stays in its cache."""
    if torch.is_grad_enabled() or x.device.type != "cpu":
        return function(x)
    parts = [function(part) for part in x.split(max(1, TOKENS // x.shape[1 - dim]), dim)]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)
