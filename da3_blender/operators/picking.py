"""Operators that let the artist click on points of a DA3 scene in the 3D View, for its scale, floor and axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import blf
import bpy
import gpu
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader

from ..plan.scale_and_up import pick_point
from ..scene import find
from ..scene.shown_points import shown_points
from ..translation import iface
from . import NOT_UNDOABLE
from .views import ActsOnResult

RADIUS = 8.0
"""Pixels, at scale 1, that a click may be off its point."""

NAVIGATION = ("MIDDLEMOUSE", "WHEEL", "MOUSE", "TRACKPAD", "NDOF", "NUMPAD", "HOME", "TIMER", "WINDOW")
"""How the types of those events begin that are left to Blender: looking around and moving the view."""

LINE = (1.0, 0.6, 0.1, 1.0)
EDGE = (0.0, 0.0, 0.0, 0.8)

_overlays: list[Any] = []


class Pick(NamedTuple):
    """A point [3] in the world, and the name of the object it was picked on."""

    point: np.ndarray
    item: str


def pick_at(
    context: bpy.types.Context,
    area: bpy.types.Area,
    region: bpy.types.Region,
    mouse: tuple[float, float],
    result: str = "",
) -> Pick | None:
    """What the pixel `mouse` of a 3D View's region shows of the DA3 scene `result`, or of any where that is empty."""
    wanted = [each for each in find.results(context.scene) if result in ("", find.identity(each))]
    shown = shown_points(wanted, context.evaluated_depsgraph_get(), area.spaces.active)
    if not shown:
        return None
    points = np.concatenate([each for _, each in shown])
    radius = RADIUS * context.preferences.system.ui_scale
    view = np.array(region.data.perspective_matrix, dtype=np.float64)
    index = pick_point(points, view, (region.width, region.height), mouse, radius)
    if index is None:
        return None
    owner = np.searchsorted(np.cumsum([len(each) for _, each in shown]), index, side="right")
    return Pick(points[index].astype(np.float64), shown[owner][0].name)


def view_under(window: Any, x: int, y: int) -> tuple[Any, Any] | None:
    """The 3D View's area, and the region of it that shows the scene, under the window's pixel (x, y); None where it is
    another editor's or something lies over it."""
    for area in window.screen.areas:
        here = [region for region in area.regions if _inside(region, x, y)]
        views = [region for region in here if region.type == "WINDOW"]
        if area.type == "VIEW_3D" and views:
            return (area, views[-1]) if len(views) == len(here) else None
    return None


def _inside(region: Any, x: int, y: int) -> bool:
    return region.x <= x < region.x + region.width and region.y <= y < region.y + region.height


def draw_picks(picks: list[Pick]) -> None:
    """In a 3D View, after its scene: a ring and a number at every pick, and lines between them."""
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
    found = [location_3d_to_region_2d(region, bpy.context.region_data, pick.point) for pick in picks]
    places = [np.array(place) for place in found if place is not None]
    turn = np.linspace(0, 2 * np.pi, 25)
    ring = 6 * scale * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    strips = [place + ring for place in places]
    if len(places) > 1:
        strips.append(np.array(places if len(places) == 2 else [*places, places[0]]))
    size = (region.width, region.height)
    gpu.state.blend_set("ALPHA")
    for strip in strips:
        draw_strip(strip, size, 4 * scale, EDGE)
        draw_strip(strip, size, 2 * scale, LINE)
    gpu.state.blend_set("NONE")
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 5, 0.0, 0.0, 0.0, 1.0)
    blf.size(0, 14 * scale)
    blf.color(0, 1.0, 1.0, 1.0, 1.0)
    for number, place in enumerate(found, start=1):
        if place is not None:
            blf.position(0, place[0] + 10 * scale, place[1] + 8 * scale, 0)
            blf.draw(0, str(number))
    blf.disable(0, blf.SHADOW)


def draw_strip(pixels: np.ndarray, size: tuple[int, int], width: float, color: tuple[float, ...]) -> None:
    """A line through `pixels` [N,2] of a region of `size`."""
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    places = [(float(x), float(y), 0.0) for x, y in pixels]
    batch = batch_for_shader(shader, "LINE_STRIP", {"pos": places})
    shader.uniform_float("viewportSize", size)
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", color)
    batch.draw(shader)


class PicksPoints(ActsOnResult):
    """Modal: as many clicks as there are `PROMPTS`, then `use`. Navigation and the sidebar stay usable meanwhile."""

    PROMPTS: tuple[str, ...] = ()
    MISSED = "No point of a DA3 scene is shown here. Click on one"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D" and bool(find.results(context.scene))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.picks: list[Pick] = []
        self.start_overlay(context)
        context.window.cursor_modal_set("CROSSHAIR")
        context.window_manager.modal_handler_add(self)
        self.prompt(context, self.PROMPTS[0])
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            self.cancel(context)
            return {"CANCELLED"}
        view = view_under(context.window, event.mouse_x, event.mouse_y)
        if event.type != "LEFTMOUSE" or view is None or event.alt:
            free = view is None or event.alt or event.type.startswith(NAVIGATION)
            return {"PASS_THROUGH"} if free else {"RUNNING_MODAL"}
        return self.click(context, event, *view) if event.value == "PRESS" else {"RUNNING_MODAL"}

    def click(
        self: Any, context: bpy.types.Context, event: bpy.types.Event, area: bpy.types.Area, region: bpy.types.Region
    ) -> set[str]:
        mouse = (event.mouse_x - region.x + 0.5, event.mouse_y - region.y + 0.5)
        pick = pick_at(context, area, region, mouse, self.result)
        if pick is None:
            self.prompt(context, self.MISSED)
            return {"RUNNING_MODAL"}
        self.picks.append(pick)
        self.result = find.identity(bpy.data.objects[pick.item])  # the others have to be on the same scene
        if len(self.picks) < len(self.PROMPTS):
            self.prompt(context, self.PROMPTS[len(self.picks)])
            return {"RUNNING_MODAL"}
        self.cancel(context)
        try:
            self.use()
        except RuntimeError as error:  # so Blender hands on what the operator reported
            self.report({"ERROR"}, str(error).partition(": ")[2].strip())
            return {"CANCELLED"}
        return {"FINISHED"}

    def prompt(self, context: bpy.types.Context, text: str | None) -> None:
        text = text and iface(text)
        context.workspace.status_text_set(text)
        for area in context.window.screen.areas:
            if area.type == "VIEW_3D":
                area.header_text_set(text)
                area.tag_redraw()

    def start_overlay(self, context: bpy.types.Context) -> None:
        self.overlay = bpy.types.SpaceView3D.draw_handler_add(draw_picks, (self.picks,), "WINDOW", "POST_PIXEL")
        _overlays.append(self.overlay)

    def cancel(self, context: bpy.types.Context) -> None:
        """Also called by Blender when it ends the operator itself."""
        if self.overlay in _overlays:
            _overlays.remove(self.overlay)
            bpy.types.SpaceView3D.draw_handler_remove(self.overlay, "WINDOW")
        context.window.cursor_modal_restore()
        self.prompt(context, None)


class DA3_OT_pick_distance(PicksPoints, bpy.types.Operator):
    """Click on two points of the DA3 scene and type how far apart they are in reality; the whole scene is scaled"""

    bl_idname = "da3.pick_distance"
    bl_label = "Set Distance"
    bl_options = NOT_UNDOABLE
    __annotations__ = ActsOnResult.__annotations__
    PROMPTS = (
        "Click on the first of two points whose distance you know. Esc: cancel",
        "Click on the second point. Esc: cancel",
    )

    def use(self) -> None:
        first, second = self.picks
        bpy.ops.da3.set_distance(
            "INVOKE_DEFAULT",
            True,
            result=self.result,
            item=first.item,
            first=first.point,
            second=second.point,
            distance=float(np.linalg.norm(second.point - first.point)),
        )


class DA3_OT_pick_floor(PicksPoints, bpy.types.Operator):
    """Click on three points of the floor; the DA3 scene is turned and moved so that they lie at height zero"""

    bl_idname = "da3.pick_floor"
    bl_label = "Set Floor"
    bl_options = NOT_UNDOABLE
    __annotations__ = ActsOnResult.__annotations__
    PROMPTS = (
        "Click on the first of three points of the floor. Esc: cancel",
        "Click on a second point of the floor, far from the first. Esc: cancel",
        "Click on a third point of the floor, beside the line between the two. Esc: cancel",
    )

    def use(self) -> None:
        a, b, c = (pick.point for pick in self.picks)
        bpy.ops.da3.set_floor("EXEC_DEFAULT", True, result=self.result, item=self.picks[0].item, a=a, b=b, c=c)


class DA3_OT_pick_axes(PicksPoints, bpy.types.Operator):
    """Click on the origin, on a point in the direction of X, and on a third point of the floor; the DA3 scene is \
turned and moved so that they lie there, at height zero"""

    bl_idname = "da3.pick_axes"
    bl_label = "Set Origin and Axes"
    bl_options = NOT_UNDOABLE
    __annotations__ = ActsOnResult.__annotations__
    PROMPTS = (
        "Click on the point of the floor that becomes the origin. Esc: cancel",
        "Click on a point of the floor in the direction of X. Esc: cancel",
        "Click on a third point of the floor, beside the line between the two. Esc: cancel",
    )

    def use(self) -> None:
        a, b, c = (pick.point for pick in self.picks)
        bpy.ops.da3.set_axes(
            "EXEC_DEFAULT", True, result=self.result, item=self.picks[0].item, origin=a, along_x=b, floor=c
        )


CLASSES = (DA3_OT_pick_distance, DA3_OT_pick_floor, DA3_OT_pick_axes)

register, _unregister = bpy.utils.register_classes_factory(CLASSES)


def unregister() -> None:
    while _overlays:
        bpy.types.SpaceView3D.draw_handler_remove(_overlays.pop(), "WINDOW")
    _unregister()
