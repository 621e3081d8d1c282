"""The dense heads: tokens of four layers to numbers per pixel, as `network.dpt` and the heads on it say in torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from model_runtime.contract.catalogue import PATCH
from model_runtime.network.config import HeadConfig
from model_runtime.onnx_graphs import wire
from model_runtime.onnx_graphs.graph import Graph, Value
from model_runtime.onnx_graphs.layers import convolution, layer_norm

RAW = 37  # numbers of a splat but its opacity
RAYS = 7  # direction, origin, confidence
UV_BASE, UV_WEIGHT = 100.0, 0.1
LEVELS = (1, 2, 3, 4)


def depth_head(g: Graph, width: int, config: HeadConfig, rays: bool) -> None:
    """layer_1 .. layer_4 [V,h*w,F] and grid (h, w) to depth, depth_conf [V,H,W], and with `rays` to ray [V,8h,8w,6],
    ray_conf [V,8h,8w]."""
    trunk = _Trunk(g, width, config, uv=True)
    levels = trunk.levels(normalised=True)
    x = trunk.to_pixels(trunk.fuse(levels, ""))
    x = trunk.last_layers(trunk.embed_position(x, config.features // 2), "output_conv2", 2)
    g.output("depth", g.op("Exp", _channel(g, x, 0)), ("views", "height", "width"))
    g.output("depth_conf", _confidence(g, _channel(g, x, 1)), ("views", "height", "width"))
    if not rays:
        return
    x = trunk.fuse(levels, "_aux")
    widths = (config.features, config.features // 2) * 3
    for index, (before, after) in enumerate(pairwise(widths)):
        x = convolution(g, x, f"{trunk.key}.scratch.output_conv1_aux.3.{index}", before, after, 3)
    key = f"{trunk.key}.scratch.output_conv2_aux.3"
    x = convolution(g, trunk.embed_position(x, config.features // 2), f"{key}.0", config.features // 2, 32, 3)
    x = layer_norm(g, g.op("Transpose", x, perm=[0, 2, 3, 1]), f"{key}.2", 32, 1e-5)
    x = convolution(g, g.op("Relu", g.op("Transpose", x, perm=[0, 3, 1, 2])), f"{key}.5", 32, RAYS, 1)
    ray = g.op("Transpose", g.slice(x, 0, RAYS - 1, 1), perm=[0, 2, 3, 1])
    g.output("ray", ray, ("views", "ray rows", "ray columns", RAYS - 1))
    g.output("ray_conf", _confidence(g, _channel(g, x, RAYS - 1)), ("views", "ray rows", "ray columns"))


def unread_weights(width: int, config: HeadConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of what checkpoints have besides: ray layers of four training levels, of which only the last is read."""
    g = Graph("depth_and_rays")
    depth_head(g, width, config, rays=True)
    return {
        key.replace(f"{layers}.3.", f"{layers}.{level}."): shape
        for key, shape in g.weights.items()
        for layers in ("output_conv1_aux", "output_conv2_aux")
        for level in range(3)
        if f"{layers}.3." in key
    }


def gaussian_head(g: Graph, width: int, config: HeadConfig) -> None:
    """The same layers and images [V,3,H,W] to raw [V,H,W,37] and opacity [V,H,W]."""
    trunk = _Trunk(g, width, config, uv=True, key="gs_head")
    half = config.features // 2
    seen = g.input("images", ("views", 3, "height", "width"))
    for index, (before, after) in enumerate(pairwise((3, half // 4, half // 2, half))):
        seen = g.op("Gelu", convolution(g, seen, f"gs_head.images_merger.{2 * index}", before, after, 3))
    x = trunk.to_pixels(trunk.fuse(trunk.levels(normalised=False), ""))
    x = trunk.last_layers(trunk.embed_position(g.op("Add", x, seen), half), "output_conv2", RAW + 1)
    raw = g.op("Transpose", g.slice(x, 0, RAW, 1), perm=[0, 2, 3, 1])
    g.output("raw", raw, ("views", "height", "width", RAW))
    g.output("opacity", g.op("Sigmoid", _channel(g, x, RAW)), ("views", "height", "width"))


def monocular_head(g: Graph, width: int, config: HeadConfig) -> None:
    """The same layers to depth and sky [V,H,W]."""
    trunk = _Trunk(g, width, config, uv=False)
    x = trunk.to_pixels(trunk.fuse(trunk.levels(normalised=False), ""))
    depth, sky = (trunk.last_layers(x, key, 1) for key in ("output_conv2", "sky_output_conv2"))
    g.output("depth", g.op("Exp", _channel(g, depth, 0)), ("views", "height", "width"))
    g.output("sky", g.op("Relu", _channel(g, sky, 0)), ("views", "height", "width"))


class _Trunk:
    """From the tokens of four layers to one map at eight times the patch grid."""

    def __init__(self, g: Graph, width: int, config: HeadConfig, *, uv: bool, key: str = "head") -> None:
        self.g, self.width, self.config, self.uv, self.key = g, width, config, uv, key
        self.layers = [g.input(f"layer_{level}", ("views", "patches", width)) for level in LEVELS]
        self.grid = g.input("grid", (2,), wire.INT64)
        self.image_size = g.op("Mul", self.grid, g.integers(PATCH))
        self.views = g.side(self.layers[0], 0)

    def levels(self, normalised: bool) -> list[Value]:
        """Four maps [V,features,*,*] at 4, 2, 1 and 1/2 times the grid."""
        g, maps = self.g, []
        for index, (layer, channels) in enumerate(zip(self.layers, self.config.channels, strict=True)):
            x = layer_norm(g, layer, f"{self.key}.norm", self.width, 1e-5) if normalised else layer
            x = g.reshape(g.op("Transpose", x, perm=[0, 2, 1]), self.views, self.width, self.grid)
            x = convolution(g, x, f"{self.key}.projects.{index}", self.width, channels, 1)
            if self.uv:
                x = self.embed_position(x, channels)
            x = self._resized(x, index, channels)
            key = f"{self.key}.scratch.layer{index + 1}_rn"
            maps.append(convolution(g, x, key, channels, self.config.features, 3, bias=False))
        return maps

    def _resized(self, x: Value, index: int, channels: int) -> Value:
        key = f"{self.key}.resize_layers.{index}"
        if index == 2:
            return x
        if index == 3:
            return convolution(self.g, x, key, channels, channels, 3, stride=2)
        size = 4 >> index
        weight = self.g.weight(f"{key}.weight", channels, channels, size, size)
        bias = self.g.weight(f"{key}.bias", channels)
        return self.g.op("ConvTranspose", x, weight, bias, kernel_shape=[size, size], strides=[size, size])

    def fuse(self, levels: Sequence[Value], suffix: str) -> Value:
        """Four levels to [V,features,8h,8w]."""
        g = self.g
        sizes = [g.op("Mul", self.grid, g.integers(8)), *(g.op("Shape", level, start=2, end=4) for level in levels[:3])]
        x = levels[3]
        for level in reversed(LEVELS):
            key = f"{self.key}.scratch.refinenet{level}{suffix}"
            if level < LEVELS[-1]:
                x = g.op("Add", x, self._residual(levels[level - 1], f"{key}.resConfUnit1"))
            x = self._residual(x, f"{key}.resConfUnit2")
            # Before the map grows: a convolution of one pixel and a bilinear resize can change places.
            x = convolution(g, x, f"{key}.out_conv", self.config.features, self.config.features, 1)
            x = self._resize(x, self.config.features, sizes[level - 1])
        return x

    def _residual(self, x: Value, key: str) -> Value:
        g, features = self.g, self.config.features
        y = convolution(g, g.op("Relu", x), f"{key}.conv1", features, features, 3)
        return g.op("Add", x, convolution(g, g.op("Relu", y), f"{key}.conv2", features, features, 3))

    def to_pixels(self, x: Value) -> Value:
        """[V,features/2,H,W]."""
        features, half = self.config.features, self.config.features // 2
        x = convolution(self.g, x, f"{self.key}.scratch.output_conv1", features, half, 3)
        return self._resize(x, half, self.image_size)

    def last_layers(self, x: Value, name: str, outputs: int) -> Value:
        key = f"{self.key}.scratch.{name}"
        x = self.g.op("Relu", convolution(self.g, x, f"{key}.0", self.config.features // 2, 32, 3))
        return convolution(self.g, x, f"{key}.2", 32, outputs, 1)

    def _resize(self, x: Value, channels: int, size: Value) -> Value:
        """Bilinear, corner pixels onto corner pixels."""
        sizes = self.g.shape(self.views, channels, size)
        mode = "align_corners"
        return self.g.op("Resize", x, "", "", sizes, mode="linear", coordinate_transformation_mode=mode)

    def embed_position(self, x: Value, channels: int) -> Value:
        """Adds where in the picture a pixel of a map lies, aware of the picture's aspect: x in the first half of the
        channels, y in the second, with the picture's corners on the unit circle."""
        g = self.g
        size = g.op("Shape", x, start=2, end=4)
        sides = g.float(self.image_size)
        span = g.op("Div", sides, g.op("ReduceL2", sides, keepdims=1))
        rows, columns = g.split(size, 2, axis=0)
        span_y, span_x = g.split(span, 2, axis=0)
        half = channels // 2
        codes = [
            g.op("Expand", g.reshape(self._encode(columns, span_x, half), half, 1, -1), g.shape(half, rows, 1)),
            g.op("Expand", g.reshape(self._encode(rows, span_y, half), half, -1, 1), g.shape(half, 1, columns)),
        ]
        return g.op("Add", x, g.op("Concat", *codes, axis=0))

    def _encode(self, count: Value, span: Value, channels: int) -> Value:
        """[channels, n]: sines, then cosines, of n pixel centres over -span .. span."""
        g, half = self.g, channels // 2
        counted = g.float(count)
        odd = g.op("Sub", g.op("Mul", g.float(g.range(count)), g.number(2.0)), g.op("Sub", counted, g.number(1.0)))
        centres = g.reshape(g.op("Mul", g.op("Div", odd, counted), span), 1, -1)
        powers = g.reshape(g.op("Div", g.float(g.range(g.integers(half))), g.number(-half)), -1, 1)
        angles = g.op("Mul", g.op("Exp", g.op("Mul", powers, g.number(math.log(UV_BASE)))), centres)
        codes = g.op("Concat", g.op("Sin", angles), g.op("Cos", angles), axis=0)
        return g.op("Mul", codes, g.number(UV_WEIGHT))


def _channel(g: Graph, x: Value, index: int) -> Value:
    """[V,C,h,w] to [V,h,w]."""
    return g.op("Squeeze", g.slice(x, index, index + 1, 1), g.integers(1))


def _confidence(g: Graph, x: Value) -> Value:
    return g.op("Add", g.op("Exp", x), g.number(1.0))
