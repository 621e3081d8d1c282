"""Splats in 3D Views: drawn over what else is there, in the order that another program finds as the view moves."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from functools import cache
from typing import Any

import bpy
import gpu
import numpy as np
from bpy.app.handlers import persistent

from .. import handlers, timer
from . import canvas, sorting
from .atlas import order_texture
from .cloud import Cloud, Loaded, changed_geometry
from .layer import lay_over
from .order_process import OrderProcess
from .view import Placed, View, depth_rows

FEW = 20_000
"""So many splats are ordered at once, which takes a millisecond or two."""


CLIPPED = {"SOLID", "WIREFRAME"}
"""Shadings in which Blender clips what lies outside of a border."""


class _Shown:
    """What one region shows."""

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        """The splats that `order` is of."""
        self.order: gpu.types.GPUTexture | np.ndarray | None = None
        """As it was found, until it is drawn with."""
        self.count = 0
        self.sorted_for: Any = None
        self.asked_for: Any = None
        self.canvas: canvas.Canvas | None = None
        self.drawn: Any = None
        self.depth: np.ndarray | None = None

    def take(self, loaded: Loaded, wanted: Any, order: np.ndarray) -> None:
        self.loaded, self.sorted_for, self.count = loaded, wanted, len(order)
        self.order = order


_clouds: dict[tuple[int, str], Cloud] = {}
_shown: dict[int, _Shown] = {}
"""By the address of the region: never followed, as it may be gone."""

_handler: list[Any] = []
_printed: list[str] = []
_failed: list[str] = []


@cache
def orders() -> OrderProcess:
    """The one program that orders splats."""
    return OrderProcess(parent=bpy.app.tempdir or None)


def trouble() -> str:
    """What is wrong with the drawing of splats, as a sentence; empty where nothing is."""
    if _failed:
        return "Splats cannot be drawn here; Blender's console tells why."
    return "Blender puts splats in order itself, which keeps it waiting." if orders().trouble else ""


def _draw() -> None:
    """Draw the splats of the region that Blender is drawing. A fault stops that until a file is opened."""
    if _failed or not bpy.context.scene.da3.draw_splats:
        return
    try:
        _draw_region(bpy.context)
    except Exception:
        _failed.append(traceback.format_exc())
        _print_once(f"splats cannot be drawn: {_failed[0]}")


def _draw_region(context: bpy.types.Context) -> None:
    scene, space, region = context.scene, context.space_data, context.region
    assert isinstance(space, bpy.types.SpaceView3D)
    _forget_unseen()
    cloud = _clouds.setdefault((scene.session_uid, context.view_layer.name), Cloud())
    try:
        cloud.look(context.evaluated_depsgraph_get(), orders())
    except MemoryError as error:
        _print_once(str(error))
    if cloud.loaded is None:
        _shown.pop(region.as_pointer(), None)
        return
    shown = _shown.setdefault(region.as_pointer(), _Shown())
    view = view_of(region, context.region_data, space)
    _bring_in_order(shown, cloud, view, space, region.as_pointer())
    _draw_picture(shown, cloud, view, space)
    assert shown.canvas is not None
    lay_over(shown.canvas, context)


def view_of(region: bpy.types.Region, region3d: bpy.types.RegionView3D, space: bpy.types.SpaceView3D) -> View:
    """How a region of a 3D View looks at the scene."""
    planes = np.zeros((0, 4))
    if region3d.use_clip_planes and space.shading.type in CLIPPED:
        planes = np.array([list(plane) for plane in region3d.clip_planes], np.float64)
    to_view, window = (np.array(matrix, np.float64) for matrix in (region3d.view_matrix, region3d.window_matrix))
    return View(to_view, window, (region.width, region.height), planes)


def _bring_in_order(shown: _Shown, cloud: Cloud, view: View, space: Any, region: int) -> None:
    """See to it that `shown` has the order for `view`, soon or, where there are few splats, at once."""
    loaded = cloud.loaded
    assert loaded is not None
    placed = cloud.placed(loaded, space)
    rows = depth_rows(view, placed)
    firsts = loaded.atlas.firsts
    ranges: list[sorting.Range] = [
        (firsts[index], firsts[index + 1], rows[index].tolist()) for index, item in enumerate(placed) if item.shown
    ]
    wanted = (loaded, tuple((first, tuple(row)) for first, _, row in ranges))
    if wanted == shown.sorted_for:
        return
    if loaded.atlas.count <= FEW or orders().trouble or loaded.positions.file is None:
        shown.take(loaded, wanted, sorting.back_to_front(loaded.positions.read(), ranges))
    elif wanted != shown.asked_for:
        shown.asked_for = wanted
        orders().ask(region, loaded.positions, ranges, (loaded, wanted))
        timer.add_pump(_collect, waited_for=False)
    else:
        _collect()


def _draw_picture(shown: _Shown, cloud: Cloud, view: View, space: Any) -> None:
    """Draw what is to be seen, unless that is what was drawn last."""
    dots = shown.loaded is None or space.shading.type == "WIREFRAME"
    loaded = cloud.loaded if shown.loaded is None else shown.loaded
    assert loaded is not None
    placed = cloud.placed(loaded, space)
    depth = _scene_depth(view.size)
    drawn = (_facts(view, placed), loaded, shown.sorted_for, dots)
    if drawn == shown.drawn and shown.depth is not None and np.array_equal(depth, shown.depth):
        return
    if shown.canvas is None or shown.canvas.size != view.size:
        shown.canvas = canvas.Canvas(view.size)
    if isinstance(shown.order, np.ndarray):
        shown.order = order_texture(shown.order)
    order, count = (None, loaded.atlas.count) if dots else (shown.order, shown.count)
    shown.canvas.draw(loaded.atlas, placed, view, order, count, depth)
    shown.drawn, shown.depth = drawn, depth


def _facts(view: View, placed: list[Placed]) -> tuple[Any, ...]:
    """All of it as something that can be compared."""
    numbers = [view.world_to_view, view.window, view.planes, *(item.matrix for item in placed)]
    marks = [(item.shown, item.selected, item.active) for item in placed]
    return view.size, [each.tobytes() for each in numbers], marks


def _scene_depth(size: tuple[int, int]) -> np.ndarray:
    """The depth of what the viewport has drawn until now, in one row."""
    return canvas.numbers_of(gpu.state.active_framebuffer_get().read_depth(0, 0, *size))


def _collect() -> bool:
    """Take an order that has been found; True while there may be more."""
    answer = orders().poll()
    if answer is not None:
        region, (loaded, wanted), order = answer
        if region in _shown:
            _shown[region].take(loaded, wanted, order)
            _redraw({region})
    if orders().trouble:
        _print_once(f"the program that orders splats does not run: {orders().trouble}")
        _redraw(set(_shown))
    return orders().busy


def _print_once(words: str) -> None:
    if words not in _printed:
        _printed.append(words)
        print(f"DA3: {words}")


def _regions() -> Iterator[bpy.types.Region]:
    """Those of all 3D Views."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                yield from (region for region in area.regions if region.type == "WINDOW")


def _redraw(wanted: set[int]) -> None:
    for region in _regions():
        if region.as_pointer() in wanted:
            region.tag_redraw()


def _forget_unseen() -> None:
    """Let go of what no window shows any more."""
    windows = bpy.context.window_manager.windows
    for scene in _clouds.keys() - {(window.scene.session_uid, window.view_layer.name) for window in windows}:
        del _clouds[scene]
    for region in _shown.keys() - {region.as_pointer() for region in _regions()}:
        del _shown[region]


@persistent
def _updated(scene: bpy.types.Scene, graph: bpy.types.Depsgraph | None = None) -> None:
    """What `Cloud.look` has to look at anew. Also called by renders, in a thread of theirs."""
    changed = set[int]() if graph is None else changed_geometry(graph)
    for cloud in _clouds.values():
        cloud.moved = True
        if cloud.changed is not None:
            cloud.changed |= changed


@persistent
def _replaced(*_: object) -> None:
    """After undo and in another file: nothing is known any more, but what is drawn stays until that is read."""
    for cloud in _clouds.values():
        cloud.moved, cloud.changed = True, None


@persistent
def _file_loaded(*_: object) -> None:
    for kept in (_clouds, _shown, _failed, _printed):
        kept.clear()


HANDLERS = (
    (bpy.app.handlers.depsgraph_update_post, _updated),
    (bpy.app.handlers.frame_change_post, _updated),
    (bpy.app.handlers.undo_post, _replaced),
    (bpy.app.handlers.redo_post, _replaced),
    (bpy.app.handlers.load_post, _file_loaded),
)


def register() -> None:
    if bpy.app.background:
        return
    handlers.add(HANDLERS)
    _handler.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    """Forget all, and end what puts splats in order."""
    while _handler:
        bpy.types.SpaceView3D.draw_handler_remove(_handler.pop(), "WINDOW")
    handlers.remove(HANDLERS)
    _file_loaded()
    orders().close()
    orders.cache_clear()
    canvas.forget()
