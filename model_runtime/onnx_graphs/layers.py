"""The layers that all parts of the network share, with the keys that torch gives their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model_runtime.onnx_graphs.graph import Graph, Value

Rotate = Callable[[Value], Value]
"""Turns queries or keys [tokens, dim] by their positions."""


@dataclass(frozen=True)
class BlockKind:
    """Of a transformer block. epsilon: of its two norms. gated: whether its MLP is."""

    dim: int
    heads: int
    epsilon: float
    gated: bool = False


def linear(g: Graph, x: Value, key: str, width: int, out: int) -> Value:
    """[n, width] to [n, out]."""
    return g.op("Gemm", x, g.weight(f"{key}.weight", out, width), g.weight(f"{key}.bias", out), transB=1)


def layer_norm(g: Graph, x: Value, key: str, width: int, epsilon: float) -> Value:
    """Over the last side."""
    weight, bias = g.weight(f"{key}.weight", width), g.weight(f"{key}.bias", width)
    return g.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=epsilon)


def convolution(
    g: Graph, x: Value, key: str, channels: int, out: int, size: int, stride: int = 1, bias: bool = True
) -> Value:
    """[V,C,h,w]; padded so that a stride of 1 keeps h and w."""
    inputs = [x, g.weight(f"{key}.weight", out, channels, size, size)]
    if bias:
        inputs.append(g.weight(f"{key}.bias", out))
    margin = size // 2
    return g.op("Conv", *inputs, kernel_shape=[size, size], strides=[stride, stride], pads=[margin] * 4)


def mlp(g: Graph, x: Value, key: str, width: int, hidden: int, out: int) -> Value:
    return linear(g, g.op("Gelu", linear(g, x, f"{key}.fc1", width, hidden)), f"{key}.fc2", hidden, out)


def swiglu(g: Graph, x: Value, key: str, dim: int) -> Value:
    hidden = -(-(4 * dim * 2 // 3) // 8) * 8
    gate, value = g.split(linear(g, x, f"{key}.w12", dim, 2 * hidden), 2)
    gated = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), value)
    return linear(g, gated, f"{key}.w3", hidden, dim)


def block(
    g: Graph,
    x: Value,
    key: str,
    kind: BlockKind,
    *,
    together: tuple[Value | int, Value | int],
    rotate: Rotate | None = None,
) -> Value:
    """A transformer block on tokens [n, dim]. together: (groups, tokens) of those that look at each other.

    rotate: where it is given, queries and keys are normalised, too, before it turns them.
    """
    dim, heads, epsilon = kind.dim, kind.heads, kind.epsilon
    seen = layer_norm(g, x, f"{key}.norm1", dim, epsilon)
    q, k, v = g.split(linear(g, seen, f"{key}.attn.qkv", dim, 3 * dim), 3)
    if rotate is not None:
        q, k = (
            rotate(layer_norm(g, g.reshape(y, -1, heads, dim // heads), f"{key}.attn.{n}_norm", dim // heads, 1e-5))
            for y, n in ((q, "q"), (k, "k"))
        )
    q, k, v = (g.reshape(y, *together, dim) for y in (q, k, v))
    # On a CPU in tiles that fit the cache: no tokens x tokens matrix ever exists.
    attended = g.own_op("MultiHeadAttention", q, k, v, num_heads=heads)
    attended = linear(g, g.reshape(attended, -1, dim), f"{key}.attn.proj", dim, dim)
    x = g.op("Add", x, g.op("Mul", attended, g.weight(f"{key}.ls1.gamma", dim)))
    seen = layer_norm(g, x, f"{key}.norm2", dim, epsilon)
    seen = swiglu(g, seen, f"{key}.mlp", dim) if kind.gated else mlp(g, seen, f"{key}.mlp", dim, 4 * dim, dim)
    return g.op("Add", x, g.op("Mul", seen, g.weight(f"{key}.ls2.gamma", dim)))
