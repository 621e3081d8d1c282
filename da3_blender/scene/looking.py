"""A photo that is looked through without being bound to the timeline: noticing that nobody looks any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import handlers, timer
from . import find, viewing

_saved: list[tuple[bpy.types.Scene, bpy.types.Object]] = []
"""Scenes that looked through a photo when their file began to be saved, and its camera."""


def look_through(scene: bpy.types.Scene, camera: bpy.types.Object, space: Any = None) -> None:
    """`viewing.switch_to`, in the 3D View `space` where one is given, until it is turned away."""
    viewing.switch_to(scene, camera)
    if space is not None and space.type == "VIEW_3D":
        space.use_local_camera = False
        space.region_3d.view_perspective = "CAMERA"
    if not bpy.app.background:
        timer.add_pump(watch, waited_for=False)


def watch() -> bool:
    """Look back in every scene whose photo nobody looks at any more. True while any is."""
    for scene in bpy.data.scenes:
        if viewing.looks(scene) and not _is_looked_at(scene):
            viewing.look_back(scene)
    return any(viewing.looks(scene) for scene in bpy.data.scenes)


def _is_looked_at(scene: bpy.types.Scene) -> bool:
    if scene.camera is None or not find.identity(scene.camera):
        return False  # the artist has chosen another camera
    return any(area.spaces.active.region_3d.view_perspective == "CAMERA" for area in views(scene))


def views(scene: bpy.types.Scene) -> Iterator[bpy.types.Area]:
    """The 3D Views that show `scene`, of all windows."""
    windows = (window for window in bpy.context.window_manager.windows if window.scene == scene)
    return (area for window in windows for area in window.screen.areas if area.type == "VIEW_3D")


@persistent
def _before_save(*_: object) -> None:
    """Files hold the artist's camera and size, whatever is looked through just then."""
    for scene in bpy.data.scenes:
        if viewing.looks(scene):
            if scene.camera is not None and find.identity(scene.camera):
                _saved.append((scene, scene.camera))
            viewing.look_back(scene)


@persistent
def _after_save(*_: object) -> None:
    while _saved:
        viewing.switch_to(*_saved.pop())


@persistent
def _may_look(*_: object) -> None:
    """Undo and other files bring back that a photo was looked through, and perhaps nobody looks."""
    if not bpy.app.background:
        timer.add_pump(watch, waited_for=False)


HANDLERS = (
    (bpy.app.handlers.save_pre, _before_save),
    (bpy.app.handlers.save_post, _after_save),
    (bpy.app.handlers.save_post_fail, _after_save),
    (bpy.app.handlers.load_post, _may_look),
    (bpy.app.handlers.undo_post, _may_look),
    (bpy.app.handlers.redo_post, _may_look),
)


def register() -> None:
    handlers.add(HANDLERS)


def unregister() -> None:
    handlers.remove(HANDLERS)
