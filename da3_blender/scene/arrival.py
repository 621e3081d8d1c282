"""A finished scene is shown where the artist works: framed, in colour, its panel in sight. And it is told of, in the
status bar, until it has been seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .. import timer
from ..translation import iface
from . import find, looking
from .meshes import point_count

TOLD_SECONDS = 60.0
"""How long the status bar tells of a scene that is in sight; of others until the artist says so."""

PATIENCE = 2.0
"""Seconds that Blender may take to lay out a sidebar or a workspace."""

FRAME_MARGIN = 4
"""Pixels between a camera's frame and the edge of the view, as of Blender's own."""

TAB = "DA3"


@dataclass(frozen=True)
class Notice:
    """What the status bar tells. scene_uid, result: where it is. until: when it goes, by `time.monotonic`; None where
    the artist has not seen the scene yet."""

    sentence: str
    scene_uid: int
    result: str
    until: float | None


_notices: list[Notice] = []


def notice() -> Notice | None:
    """What there is to tell; the latest."""
    return _notices[-1] if _notices else None


def forget() -> None:
    _notices.clear()


def dismiss() -> None:
    """Forget the notice, and take it off the status bar."""
    forget()
    timer.redraw()


def arrive(collection: bpy.types.Collection, scene: bpy.types.Scene, new: bool) -> None:
    """Show a result that was just placed, where one of the windows shows its scene, and tell of it.

    new: where it was only updated, the viewports stay as they are.
    """
    seen = show(collection, scene) if new else _largest_view(scene) is not None
    _notices[:] = [
        Notice(
            ready_sentence(collection, new),
            scene.session_uid,
            find.identity(collection),
            time.monotonic() + TOLD_SECONDS if seen else None,
        )
    ]
    timer.add_pump(_forget_in_time, waited_for=False)


def ready_sentence(collection: bpy.types.Collection, new: bool = True) -> str:
    """What was made, in numbers, in the language of the interface."""
    parts = find.parts_of(collection)
    cameras = len(parts["camera"])
    counts = [iface("1 camera") if cameras == 1 else iface("{count} cameras", count=f"{cameras:,}")]
    if parts["points"]:
        counts.append(iface("{count} points", count=f"{point_count(parts['points'][0].data):,}"))
    if parts["splats"]:
        counts.append(iface("{count} splats", count=f"{point_count(parts['splats'][0].data):,}"))
    if parts["mesh"]:
        counts.append(iface("{count} triangles", count=f"{len(parts['mesh'][0].data.polygons):,}"))
    text = ", ".join(counts)
    return iface("Scene ready: {counts}", counts=text) if new else iface("Scene updated: {counts}", counts=text)


def show(collection: bpy.types.Collection, scene: bpy.types.Scene) -> bool:
    """Look at the result through its first camera, in the largest 3D View that shows its scene, in colour, and open
    the sidebar at its panel. False where there is no such view."""
    area, cameras = _largest_view(scene), find.objects_of(collection, "camera")
    if area is None or not cameras:
        return False
    space: Any = area.spaces.active
    if space.shading.type == "SOLID":  # where points are gray
        space.shading.type = "MATERIAL"
    looking.look_through(scene, cameras[0], space)
    _fit_frame(area, scene)
    space.show_region_ui = True
    uid = scene.session_uid
    _try_for_a_while(lambda: _open_tab(uid))
    return True


def _fit_frame(area: bpy.types.Area, scene: bpy.types.Scene) -> None:
    """The camera's frame in the middle of the view and as large as it fits, as Blender's *Frame Camera Bounds* does.

    That operator needs an override of the context, and Blender with Python 3.11 reads the override's names without the
    interpreter's lock: a crash where a thread runs Python just then.
    """
    space: Any = area.spaces.active
    region = next(region for region in area.regions if region.type == "WINDOW")
    render, fit = scene.render, scene.camera.data.sensor_fit
    frame = np.array([render.resolution_x * render.pixel_aspect_x, render.resolution_y * render.pixel_aspect_y])
    view = np.array([region.width, region.height])
    across, upward = view / frame
    if bpy.app.version >= (5, 3):  # where a frame fits wholly without zoom; nothing but the version tells
        unzoomed = min(across, upward)
    else:
        unzoomed = {"HORIZONTAL": across, "VERTICAL": upward}.get(fit, view.max() / frame.max())
    factor = (view / (frame * unzoomed + FRAME_MARGIN)).min()
    space.region_3d.view_camera_offset = (0, 0)
    space.region_3d.view_camera_zoom = np.clip(50 * (np.sqrt(4 * factor) - np.sqrt(2)), -30, 600)


def find_it(window: bpy.types.Window) -> bool:
    """Bring `window` to the scene that the notice tells of, in a workspace that shows it. False where it is gone."""
    last = notice()
    scene = find.scene_of(last.scene_uid) if last else None
    if last is None or scene is None or find.result(scene, last.result) is None:
        dismiss()
        return False
    window.scene = scene
    if _largest_view(scene) is None:
        window.workspace = next(filter(_has_view, bpy.data.workspaces), window.workspace)
    _try_for_a_while(lambda: _show_again(last))
    dismiss()
    return True


def _show_again(last: Notice) -> bool:
    scene = find.scene_of(last.scene_uid)
    collection = scene and find.result(scene, last.result)
    return not scene or not collection or show(collection, scene)  # what is gone meanwhile is not waited for


def _try_for_a_while(attempt: Callable[[], bool]) -> None:
    """Every tick until it succeeds. `attempt` finds what it works on anew: Blender may have taken that away."""
    began = time.monotonic()
    timer.add_pump(lambda: not attempt() and time.monotonic() - began < PATIENCE)


def _has_view(workspace: bpy.types.WorkSpace) -> bool:
    return any(area.type == "VIEW_3D" for screen in workspace.screens for area in screen.areas)


def _largest_view(scene: bpy.types.Scene) -> bpy.types.Area | None:
    return max(looking.views(scene), key=lambda area: area.width * area.height, default=None)


def _open_tab(scene_uid: int) -> bool:
    """Let the sidebar show the tab; False while it cannot. Blender lays it out some time after it was opened, and lets
    scripts choose its tab only in some versions."""
    scene = find.scene_of(scene_uid)
    area = _largest_view(scene) if scene else None
    sidebar = area and next((region for region in area.regions if region.type == "UI"), None)
    if not sidebar or sidebar.width <= 1:
        return False
    try:
        sidebar.active_panel_category = TAB
    except (AttributeError, TypeError):
        return False
    sidebar.tag_redraw()
    return True


def _forget_in_time() -> bool:
    last = notice()
    if last is None or last.until is None:
        return False
    if time.monotonic() > last.until:
        dismiss()
        return False
    return True
