"""Surfaces in the scene, which hide the splats behind them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import bpy
import gpu
import numpy as np

from .atlas import is_readable
from .rendered import shown_in_renders
from .view import View

VERTEX = """
void main()
{
  gl_Position = placed * vec4(place, 1.0);
}
"""
FRAGMENT = """
void main()
{
  picture = vec4(0.0);
  selection = vec4(0.0);
}
"""


@cache
def solid_shader() -> gpu.types.GPUShader:
    """Draws surfaces that are seen by what they hide alone; `placed` leads into the clip space. Needs a GPU."""
    info: Any = gpu.types.GPUShaderCreateInfo()
    info.vertex_in(0, "VEC3", "place")
    info.push_constant("MAT4", "placed")
    info.fragment_out(0, "VEC4", "picture")
    info.fragment_out(1, "VEC4", "selection")
    info.vertex_source(VERTEX)
    info.fragment_source(FRAGMENT)
    return gpu.shader.create_from_info(info)


def draw_solids(graph: bpy.types.Depsgraph, view: View) -> None:
    """Draw the depth of all meshes with faces that renders show, into the canvas that is being drawn."""
    shader = solid_shader()
    shader.bind()
    to_clip = view.window @ view.world_to_view
    for data, matrix in _surfaces(graph):
        shader.uniform_float("placed", (to_clip @ matrix).T.ravel().tolist())
        _batch(data).draw(shader)


def _surfaces(graph: bpy.types.Depsgraph) -> Iterator[tuple[Any, np.ndarray]]:
    rendered = shown_in_renders(graph.view_layer)
    for instance in graph.object_instances:
        item = instance.object
        owner = instance.parent if instance.is_instance else item
        if item.type == "MESH" and instance.show_self and rendered(item.original, owner.original):
            data: Any = item.data
            if len(data.polygons) and not is_readable(data.attributes):
                yield data, np.array(instance.matrix_world, np.float64)


def _batch(data: Any) -> gpu.types.GPUBatch:
    data.calc_loop_triangles()
    places = np.empty((len(data.vertices), 3), np.float32)
    data.attributes["position"].data.foreach_get("vector", places.reshape(-1))
    corners = np.empty((len(data.loop_triangles), 3), np.int32)
    data.loop_triangles.foreach_get("vertices", corners.reshape(-1))
    layout: Any = gpu.types.GPUVertFormat()
    layout.attr_add(id="place", comp_type="F32", len=3, fetch_mode="FLOAT")
    vertices: Any = gpu.types.GPUVertBuf(layout, len(places))
    vertices.attr_fill("place", places)
    return gpu.types.GPUBatch(type="TRIS", buf=vertices, elem=gpu.types.GPUIndexBuf(type="TRIS", seq=corners))
