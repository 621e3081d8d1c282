"""The vision transformer in a few graphs, one after the other: up to each place where somebody takes its tokens.

What `network.backbone` and `network.vision_transformer` say in torch. Cutting it keeps what is computed at once small,
and lets a job that is cancelled end between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model_runtime.contract.catalogue import PATCH
from model_runtime.network.config import BackboneConfig
from model_runtime.onnx_graphs import wire
from model_runtime.onnx_graphs.graph import END, Graph, Value
from model_runtime.onnx_graphs.layers import BlockKind, Rotate, block, layer_norm

TABLE = 37  # patches along each side of the learned position table
BASE = 100.0  # of the rotary positions
KEY = "backbone.pretrained"


@dataclass(frozen=True)
class Piece:
    """Blocks first to last - 1. taken: whether the heads read the last one's tokens."""

    first: int
    last: int
    taken: bool


def pieces(config: BackboneConfig) -> list[Piece]:
    """The first, where views alternate, is what looks at each view by itself, to the last block of it."""
    ends = [(layer + 1, True) for layer in config.taken_layers]
    if config.alternation is not None:
        ends = [(config.alternation, False), *ends]
    starts = [0, *(end for end, _ in ends)]
    return [Piece(start, end, taken) for start, (end, taken) in zip(starts, ends, strict=False)]


def embedding_piece(g: Graph, config: BackboneConfig, piece: Piece) -> None:
    """images [V,3,H,W] to tokens [V,1+h*w,dim]; `class_tokens` [V,dim] are those that enter block `alternation` - 1,
    by which the reference view is chosen. A piece that is taken has a `layer`, as in `later_piece`."""
    images = g.input("images", ("views", 3, "height", "width"))
    grid = g.op("Div", g.op("Shape", images, start=2, end=4), g.integers(PATCH))
    tokens = _Tokens(g, config, _embed(g, config, images, grid), grid, views=g.side(images, 0))
    for index in range(piece.first, piece.last):
        if config.alternation is not None and index == config.alternation - 1:
            g.output("class_tokens", tokens.first_ones(), ("views", config.dim))
        tokens.run_block(index)
    tokens.put_out(piece)


def later_piece(g: Graph, config: BackboneConfig, piece: Piece) -> Value | None:
    """tokens [V,1+h*w,dim] through the next blocks; grid: (h, w).

    camera_tokens [V,dim] take the class tokens' place where views begin to look at each other. layer [V,h*w,F]: what
    heads read. Returns the camera token [V,F] of the last piece.
    """
    entry = g.input("tokens", ("views", "tokens", config.dim))
    grid = g.input("grid", (2,), wire.INT64)
    views = g.side(entry, 0)
    if piece.first == config.alternation:
        camera = g.reshape(g.input("camera_tokens", ("views", config.dim)), -1, 1, config.dim)
        entry = g.op("Concat", camera, g.slice(entry, 1, END, 1), axis=1)
    tokens = _Tokens(g, config, entry, grid, views)
    for index in range(piece.first, piece.last):
        tokens.run_block(index)
    tokens.put_out(piece)
    if config.alternation is None or piece.last != config.depth:
        return None
    return g.op("Concat", _first_ones(g, tokens.within_view, config.dim), tokens.first_ones(), axis=-1)


class _Tokens:
    """Tokens on their way, [V, 1+h*w, dim]."""

    def __init__(self, g: Graph, config: BackboneConfig, tokens: Value, grid: Value, views: Value) -> None:
        self.g, self.config, self.views, self.grid = g, config, views, grid
        self.tokens = self.within_view = tokens
        self._rotations: dict[bool, Rotate] = {}

    def run_block(self, index: int) -> None:
        config, g = self.config, self.g
        alternates = config.alternation is not None and index >= config.alternation
        across = alternates and index % 2 == 1
        flat = block(
            g,
            g.reshape(self.tokens, -1, config.dim),
            f"{KEY}.blocks.{index}",
            BlockKind(config.dim, config.heads, 1e-6, config.swiglu),
            together=(1, -1) if across else (self.views, -1),
            rotate=self._rotation(across) if alternates else None,
        )
        self.tokens = g.reshape(flat, self.views, -1, config.dim)
        if not across:
            self.within_view = self.tokens

    def first_ones(self) -> Value:
        return _first_ones(self.g, self.tokens, self.config.dim)

    def put_out(self, piece: Piece) -> None:
        g, config = self.g, self.config
        if piece.last < config.depth:
            g.output("tokens_out", self.tokens, ("views", "tokens", config.dim))
        if not piece.taken:
            return
        patches = g.slice(self.tokens, 1, END, 1)
        patches = layer_norm(g, patches, f"{KEY}.norm", config.dim, 1e-5)
        if config.alternation is not None:
            patches = g.op("Concat", g.slice(self.within_view, 1, END, 1), patches, axis=-1)
        g.output("layer", patches, ("views", "patches", config.feature_dim))

    def _rotation(self, across: bool) -> Rotate:
        if across not in self._rotations:
            self._rotations[across] = _rotation(self.g, self.config, self.grid, self.views, across)
        return self._rotations[across]


def _first_ones(g: Graph, tokens: Value, dim: int) -> Value:
    return g.reshape(g.slice(tokens, 0, 1, 1), -1, dim)


def _embed(g: Graph, config: BackboneConfig, images: Value, grid: Value) -> Value:
    weight = g.weight(f"{KEY}.patch_embed.proj.weight", config.dim, 3, PATCH, PATCH)
    bias = g.weight(f"{KEY}.patch_embed.proj.bias", config.dim)
    patches = g.op("Conv", images, weight, bias, kernel_shape=[PATCH, PATCH], strides=[PATCH, PATCH])
    patches = g.op("Transpose", g.reshape(patches, 0, config.dim, -1), perm=[0, 2, 1])
    table = g.weight(f"{KEY}.pos_embed", 1, 1 + TABLE * TABLE, config.dim)
    first = g.op("Add", g.weight(f"{KEY}.cls_token", 1, 1, config.dim), g.slice(table, 0, 1, 1))
    first = g.op("Expand", first, g.shape(g.side(images, 0), 1, 1))
    return g.op("Concat", first, g.op("Add", patches, _positions(g, config, table, grid)), axis=1)


def _positions(g: Graph, config: BackboneConfig, table: Value, grid: Value) -> Value:
    """[1, h*w, dim]: the learned table, resized bicubically where the patch grid is another."""
    same = g.op("ReduceMin", g.op("Cast", g.op("Equal", grid, g.integers(TABLE)), to=wire.INT64), keepdims=1)
    rows, columns = (_cubic_weights(g, side, g.op("Cast", same, to=wire.BOOL)) for side in g.split(grid, 2, axis=0))
    lines = g.reshape(g.slice(table, 1, END, 1), TABLE, TABLE * config.dim)
    lines = g.reshape(g.op("MatMul", rows, lines), -1, TABLE, config.dim)
    return g.reshape(g.op("MatMul", columns, lines), 1, -1, config.dim)


def _cubic_weights(g: Graph, side: Value, same: Value) -> Value:
    """[side, TABLE]: how much each row (or column) of the table counts for one of the grid, by Keys' kernel with
    a = -0.75; those beyond the edge are the edge's. same: [1] bool, whether the grid is the table's."""
    # The 0.1 keeps rounding from losing a row; the released weights were trained with the shift it makes.
    stretched = g.op("Div", g.op("Add", g.float(side), g.number(0.1)), g.number(TABLE))
    scale = g.op("Where", same, g.number(1.0), stretched)
    places = g.op("Div", g.op("Add", g.float(g.range(side)), g.number(0.5)), scale)
    places = g.reshape(g.op("Sub", places, g.number(0.5)), -1, 1)
    taps = g.op("Add", g.op("Floor", places), g.float(g.integers(-1, 0, 1, 2)))  # [side, 4]
    x = g.op("Abs", g.op("Sub", places, taps))
    near = _polynomial(g, x, (1.25, -2.25, 0.0, 1.0))
    far = _polynomial(g, x, (-0.75, 3.75, -6.0, 3.0))
    weights = g.op("Where", g.op("LessOrEqual", x, g.number(1.0)), near, far)
    inside = g.op("Clip", taps, g.number(0.0), g.number(TABLE - 1))
    hits = g.op("Equal", g.reshape(inside, -1, 4, 1), g.float(g.integers(*range(TABLE))))
    return g.op("ReduceSum", g.op("Mul", g.float(hits), g.reshape(weights, -1, 4, 1)), g.integers(1), keepdims=0)


def _polynomial(g: Graph, x: Value, coefficients: tuple[float, ...]) -> Value:
    """Highest power first."""
    total = g.number(coefficients[0])
    for coefficient in coefficients[1:]:
        total = g.op("Add", g.op("Mul", total, x), g.number(coefficient))
    return total


def _rotation(g: Graph, config: BackboneConfig, grid: Value, views: Value, across: bool) -> Rotate:
    """Rotary positions: half of a head turns with the row, half with the column, each as a head of its own.

    The class token is at 0, patches are from 1 on; across views all of them are at 1.
    """
    heads, half = config.heads, config.dim // config.heads // 2
    quarter = half // 2
    rows, columns = g.split(grid, 2, axis=0)
    places = g.op("Concat", _mesh(g, rows, rows, columns, 0), _mesh(g, columns, rows, columns, 1), axis=-1)  # [hw,2]
    places = g.op("Concat", _zeros(g), places, axis=0)
    if across:
        places = g.op("Min", places, g.integers(1))
    places = g.reshape(places, 1, -1, 1, 2)
    places = g.reshape(g.op("Expand", places, g.shape(views, 1, heads, 1)), -1, 1)  # [V * tokens * heads * 2, 1]
    most = g.op("Add", g.op("Max", rows, columns), g.integers(1))
    steps = g.reshape(g.float(g.range(most)), -1, 1)
    powers = g.op("Div", g.float(g.range(g.integers(quarter))), g.number(-quarter))
    angles = g.op("Mul", steps, g.op("Exp", g.op("Mul", powers, g.number(math.log(BASE)))))  # [positions, quarter]
    cosine, sine = g.op("Cos", angles), g.op("Sin", angles)

    def rotate(x: Value) -> Value:
        return g.own_op("RotaryEmbedding", g.reshape(x, -1, 1, half), places, cosine, sine)

    return rotate


def _mesh(g: Graph, along: Value, rows: Value, columns: Value, axis: int) -> Value:
    """[h*w, 1]: 1, 2, ... along an axis of the grid."""
    line = g.op("Add", g.range(along), g.integers(1))
    line = g.reshape(line, *((-1, 1) if axis == 0 else (1, -1)))
    return g.reshape(g.op("Expand", line, g.shape(rows, columns)), -1, 1)


def _zeros(g: Graph) -> Value:
    return g.reshape(g.integers(0, 0), 1, 2)
