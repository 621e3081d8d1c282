"""Exact pictures of splats through a camera: all the GPU's digits, put in order for each of them."""

from __future__ import annotations

from typing import Any

import bpy
import gpu
import numpy as np

from model_runtime.contract.messages import JobError

from ..scene.meshes import read_attribute
from . import sorting
from .atlas import Atlas, make_atlas, order_texture
from .canvas import Canvas
from .cloud import Key, found_splats
from .rendered import shown_in_renders
from .solids import draw_solids
from .view import Placed, View, depth_rows


def start_gpu() -> None:
    """Make the GPU usable where Blender runs without a window. Raises JobError where there is none."""
    if not bpy.app.background:
        return
    try:
        if hasattr(gpu, "init"):
            gpu.init()
        else:
            _render_a_pixel()
        gpu.capabilities.max_texture_size_get()
    except (RuntimeError, SystemError) as error:
        sentence = f"Splats cannot be drawn here: {error}"
        raise JobError("no-gpu", sentence, "Update the graphics driver, or draw them on another computer.") from error


def _render_a_pixel() -> None:
    """Before Blender 5.2, nothing but a render makes it look for a GPU."""
    scene = bpy.data.scenes.new("DA3 pixel")
    camera = bpy.data.cameras.new("DA3 pixel")
    item = bpy.data.objects.new("DA3 pixel", camera)
    try:
        scene.collection.objects.link(item)
        scene.camera = item
        scene.render.engine = "BLENDER_WORKBENCH"
        scene.render.resolution_x = scene.render.resolution_y = 4
        bpy.ops.render.render(scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
        bpy.data.objects.remove(item)
        bpy.data.cameras.remove(camera)


class Painter:
    """Draws what a scene shows of splats, those of Blender itself among them; keeps what did not change in between."""

    def __init__(self) -> None:
        self._atlas: Atlas | None = None
        self._positions = np.zeros((0, 3), np.float32)
        self._keys: tuple[Key, ...] = ()
        self._canvas: Canvas | None = None
        self.changed: set[int] = set()
        """`session_uid` of objects whose geometry may be another than in the last picture."""

    def paint(self, graph: bpy.types.Depsgraph, camera: bpy.types.Object, solids: bool = True) -> np.ndarray:
        """Picture [h,w,4] float32 by `camera`, at the scene's resolution: colours as displayed (sRGB), premultiplied,
        the first row at the top. graph: as evaluated now. solids: whether meshes hide what is behind them.

        Objects that renders do not show are left out. Raises JobError.
        """
        rendered = shown_in_renders(graph.view_layer)
        by_uid = {item.session_uid: item for item in bpy.data.objects}
        found = [
            each
            for each in found_splats(graph, natives=True)
            if rendered(by_uid[each[0][0]], bpy.data.objects[each[1].owner])
        ]
        if not found:
            raise JobError("no-splats", "No splats are shown.", "Show some in the viewport and in renders.")
        view = camera_view(graph, camera)
        keys = tuple(key for key, _, _ in found)
        try:
            if self._atlas is None or keys != self._keys or any(key[0] in self.changed for key in keys):
                self._atlas = None
                self._atlas, self._positions = make_atlas([data for _, _, data in found])
                self._keys = keys
            self.changed.clear()
            if self._canvas is None or self._canvas.size != view.size:
                self._canvas = Canvas(view.size, whole=True)
        except MemoryError as error:
            raise JobError("gpu-memory", f"{error}.", "Show fewer splats.") from error
        placed = [Placed(drawn.matrix) for _, drawn, _ in found]
        firsts, rows = self._atlas.firsts, depth_rows(view, placed).tolist()
        order = sorting.back_to_front(self._positions, zip(firsts[:-1], firsts[1:], rows, strict=True))
        hiding = (lambda: draw_solids(graph, view)) if solids else None
        self._canvas.draw(self._atlas, placed, view, order_texture(order), len(order), solids=hiding)
        return self._canvas.read()[::-1]


def depth_ahead(graph: bpy.types.Depsgraph, camera: Any) -> float:
    """How far in front of a camera that stands at `camera` (a matrix into the world) the splats typically are: the
    median depth of those that are not behind it. Raises JobError where there are none."""
    to_view = np.linalg.inv(np.array(camera))
    depths = [np.zeros(0, np.float32)]
    for _, drawn, data in found_splats(graph, natives=True):
        row = (to_view @ drawn.matrix)[2]
        depths.append(-(read_attribute(data.attributes, "position", "vector", 3) @ row[:3] + row[3]))
    depth = np.concatenate(depths)
    if not (depth > 0).any():
        raise JobError("no-splats", "The camera sees no splats.", "Turn it towards them.")
    return float(np.median(depth[depth > 0]))


def camera_view(graph: bpy.types.Depsgraph, camera: bpy.types.Object) -> View:
    """How `camera` looks at the scene in renders, at the scene's resolution and without a border. Raises JobError."""
    if getattr(camera.data, "type", "") == "PANO":
        sentence = "Pictures of splats cannot be drawn through a panoramic camera."
        raise JobError("no-camera", sentence, "Make it a perspective or orthographic one, or render with Cycles.")
    render = graph.scene_eval.render
    share = render.resolution_percentage / 100
    size = max(int(render.resolution_x * share), 1), max(int(render.resolution_y * share), 1)
    largest = gpu.capabilities.max_texture_size_get()
    if max(size) > largest:
        sentence = f"{size[0]} x {size[1]} pixels are more than this GPU can draw."
        raise JobError("picture-too-large", sentence, f"Set a resolution of at most {largest} pixels.")
    seen: Any = camera.evaluated_get(graph)
    window = seen.calc_matrix_camera(
        graph, x=size[0], y=size[1], scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
    )
    to_view = seen.matrix_world.normalized().inverted()
    return View(np.array(to_view, np.float64), np.array(window, np.float64), size)
