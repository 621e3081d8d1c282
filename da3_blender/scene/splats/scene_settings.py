"""What scenes need so that their splats render well, set where splats come to be seen, and given back without them."""

from __future__ import annotations

import threading

import bpy
from bpy.app.handlers import persistent

from ... import handlers
from ..find import with_instanced
from ..marks import BEFORE_SPLATS, DISPLAYED
from .bounces import give_back_bounces, let_cycles_see_through
from .native import is_splats
from .photo_colors import (
    blend_as_displayed,
    blend_as_light,
    blends_as_displayed,
    bring_up_to_date,
    by_default,
    is_out_of_date,
)

_SUBSCRIBER = object()


def prepare_renders(scene: bpy.types.Scene) -> None:
    """Let Cycles see through splats, and where the artist composites nothing let them blend as displayed."""
    let_cycles_see_through(scene)
    by_default(scene)


def forget_splats(scene: bpy.types.Scene) -> None:
    """Undo `prepare_renders`, once there are no splats, those among instances too."""
    if any(is_splats(item.data) for item in with_instanced(scene.objects)):
        return
    give_back_bounces(scene)
    if blends_as_displayed(scene):
        blend_as_light(scene)


def _follow_view_transform() -> None:
    for scene in bpy.data.scenes:
        if blends_as_displayed(scene):
            blend_as_displayed(scene)


def _bring_up_to_date() -> None:
    for scene in bpy.data.scenes:
        if scene.library is None and is_out_of_date(scene):
            bring_up_to_date(scene)


@persistent
def _changed(scene: bpy.types.Scene, *_: object) -> None:
    """Soon, since nodes and engines are not to be changed while Blender looks at what changed."""
    if is_out_of_date(scene) and not bpy.app.timers.is_registered(_bring_up_to_date):
        bpy.app.timers.register(_bring_up_to_date, first_interval=0)


@persistent
def _before_render(*_: object) -> None:
    """Timers wait while scripts run; where a window renders, they were heard before."""
    if threading.current_thread() is threading.main_thread():
        _bring_up_to_date()


@persistent
def _before_save(*_: object) -> None:
    """Splats may be gone in other ways than by Remove."""
    _bring_up_to_date()
    for scene in bpy.data.scenes:
        if scene.library is None and (BEFORE_SPLATS in scene or DISPLAYED in scene):
            forget_splats(scene)


@persistent
def _subscribe(*_: object) -> None:
    bpy.msgbus.clear_by_owner(_SUBSCRIBER)
    bpy.msgbus.subscribe_rna(
        key=(bpy.types.ColorManagedViewSettings, "view_transform"),
        owner=_SUBSCRIBER,
        args=(),
        notify=_follow_view_transform,
    )


HANDLERS: list[handlers.Handler] = [
    (bpy.app.handlers.depsgraph_update_post, _changed),
    (bpy.app.handlers.render_init, _before_render),
    (bpy.app.handlers.save_pre, _before_save),
    (bpy.app.handlers.load_post, _subscribe),  # another file has no subscribers
]


def register() -> None:
    _subscribe()
    handlers.add(HANDLERS)


def unregister() -> None:
    handlers.remove(HANDLERS)
    if bpy.app.timers.is_registered(_bring_up_to_date):
        bpy.app.timers.unregister(_bring_up_to_date)
    bpy.msgbus.clear_by_owner(_SUBSCRIBER)
