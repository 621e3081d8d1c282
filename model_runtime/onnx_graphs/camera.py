"""The small networks for cameras, as `network.camera` says in torch: nine numbers of a camera out of a token, and back.

What the nine numbers mean is `network.camera_numbers`'s.
"""

from __future__ import annotations

from model_runtime.onnx_graphs import wire
from model_runtime.onnx_graphs.graph import Graph, Value
from model_runtime.onnx_graphs.layers import BlockKind, block, layer_norm, linear, mlp

NUMBERS = 9
BLOCKS = 4
HEADS = 16


def decode(g: Graph, token: Value, width: int) -> None:
    """Camera tokens [V,F] to `camera` [V,9]."""
    x = g.op("Relu", linear(g, token, "cam_dec.backbone.0", width, width))
    x = g.op("Relu", linear(g, x, "cam_dec.backbone.2", width, width))
    view = g.op("Relu", linear(g, x, "cam_dec.fc_fov.0", width, 2))
    place, turn = linear(g, x, "cam_dec.fc_t", width, 3), linear(g, x, "cam_dec.fc_qvec", width, 4)
    g.output("camera", g.op("Concat", place, turn, view, axis=-1), ("views", NUMBERS))


def learned(g: Graph, dim: int) -> None:
    """is_other [V] int64, 0 for the reference view and 1 for others, to `camera_tokens` [V,dim]."""
    is_other = g.input("is_other", ("views",), wire.INT64)
    tokens = g.reshape(g.weight("backbone.pretrained.camera_token", 1, 2, dim), 2, dim)
    g.output("camera_tokens", g.op("Gather", tokens, is_other), ("views", dim))


def encode(g: Graph, dim: int) -> None:
    """camera [V,9] of all views of a scene to `camera_tokens` [V,dim]."""
    numbers = g.input("camera", ("views", NUMBERS))
    x = mlp(g, numbers, "cam_enc.pose_branch", NUMBERS, dim // 2, dim)
    x = layer_norm(g, x, "cam_enc.token_norm", dim, 1e-5)
    for index in range(BLOCKS):
        x = block(g, x, f"cam_enc.trunk.{index}", BlockKind(dim, HEADS, 1e-5), together=(1, -1))
    g.output("camera_tokens", layer_norm(g, x, "cam_enc.trunk_norm", dim, 1e-5), ("views", dim))
