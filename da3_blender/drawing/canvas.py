"""Where splats are drawn: a picture of many more shades than a screen has, in the colours of a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import gpu
import numpy as np

from .atlas import Atlas, order_texture, texture_of
from .overlay import overlay_shader
from .shader import splat_shader
from .solids import solid_shader
from .view import Placed, View, object_texels

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0))


@cache
def corners(shader: gpu.types.GPUShader) -> gpu.types.GPUBatch:
    """A rectangle for a shader that has `corner`."""
    layout: Any = gpu.types.GPUVertFormat()
    layout.attr_add(id="corner", comp_type="F32", len=2, fetch_mode="FLOAT")
    vertices: Any = gpu.types.GPUVertBuf(layout, len(CORNERS))
    vertices.attr_fill("corner", CORNERS)
    return gpu.types.GPUBatch(type="TRI_STRIP", buf=vertices)


class Canvas:
    """Textures of `size` (width, height) that splats are drawn into: `picture`, premultiplied, and `selection`.

    whole: as exact as can be, in 32 bits a channel instead of 16.
    """

    def __init__(self, size: tuple[int, int], whole: bool = False) -> None:
        bits = "32F" if whole else "16F"
        self.size = size
        self.picture = gpu.types.GPUTexture(size, format=f"RGBA{bits}")
        self.selection = gpu.types.GPUTexture(size, format=f"RG{bits}")
        self.marked = False
        """Whether something in it is selected; dots are not marked."""
        self._colors = [self.picture, self.selection]

    def draw(
        self,
        atlas: Atlas,
        placed: Sequence[Placed],
        view: View,
        order: gpu.types.GPUTexture | None,
        count: int,
        depth: np.ndarray | None = None,
        solids: Callable[[], None] | None = None,
    ) -> None:
        """Draw `count` splats in `order`, or all of them as plain dots where it is None.

        depth: [height * width] float32, what stands in the scene, in the clip space's depth 0..1; nothing where None.
        solids: draws more that does.
        """
        shader = splat_shader()
        self.marked = order is not None and any(item.selected or item.active for item in placed)
        front = _depth_texture(self.size, depth)
        buffers = gpu.types.GPUFrameBuffer(depth_slot=front, color_slots=self._colors)
        with buffers.bind():
            buffers.clear(color=(0.0, 0.0, 0.0, 0.0))
            gpu.state.blend_set("ALPHA_PREMULT")
            gpu.state.depth_test_set("LESS_EQUAL")
            if solids is not None:
                gpu.state.depth_mask_set(True)
                solids()
            gpu.state.depth_mask_set(order is None)
            shader.bind()
            # Blender does not keep textures that a shader is given: they stay until all is drawn.
            textures = {
                "splats": atlas.splats,
                "harmonics": atlas.harmonics,
                "objects": texture_of(object_texels(view, placed)),
                "order": order or _nothing(),
            }
            for name, texture in textures.items():
                shader.uniform_sampler(name, texture)
            shader.uniform_float("window", view.window.T.ravel().tolist())
            shader.uniform_float("size", [float(side) for side in self.size])
            for name, number in (
                ("terms", atlas.terms),
                ("count", len(placed)),
                ("planes", len(view.planes)),
                ("dots", order is None),
            ):
                shader.uniform_int(name, int(number))
            corners(shader).draw_instanced(shader, instance_count=count)
            gpu.state.depth_mask_set(False)
            gpu.state.depth_test_set("NONE")
            gpu.state.blend_set("NONE")

    def read(self) -> np.ndarray:
        """The picture, [height,width,4] float32, premultiplied, the first row at the bottom."""
        width, height = self.size
        return numbers_of(self.picture.read()).reshape(height, width, 4)


def numbers_of(buffer: Any) -> np.ndarray:
    """All that a buffer of the GPU holds, in one row: with more dimensions, numpy is told wrong strides."""
    buffer.dimensions = int(np.prod(buffer.dimensions))
    return np.asarray(buffer)


def forget() -> None:
    """Let go of everything that the GPU keeps for drawing, before Blender ends."""
    for kept in (corners, _nothing, splat_shader, overlay_shader, solid_shader):
        kept.cache_clear()


@cache
def _nothing() -> gpu.types.GPUTexture:
    return order_texture(np.zeros(0, np.float32))


def _depth_texture(size: tuple[int, int], depth: np.ndarray | None) -> gpu.types.GPUTexture:
    width, height = size
    buffer: Any = gpu.types.Buffer("FLOAT", width * height)
    np.asarray(buffer)[:] = 1.0 if depth is None else depth.ravel()
    return gpu.types.GPUTexture(size, format="DEPTH_COMPONENT32F", data=buffer)
