"""What scenes need so that their splats render well, set where splats come to be seen, and given back without them."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ..find import with_instanced
from ..marks import BEFORE_SPLATS, DISPLAYED
from .bounces import give_back_bounces, let_cycles_see_through
from .native import is_splats
from .photo_colors import blend_as_displayed, blend_as_light, blends_as_displayed, by_default

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


@persistent
def _before_save(*_: object) -> None:
    """Splats may be gone in other ways than by Remove."""
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


def register() -> None:
    _subscribe()
    bpy.app.handlers.save_pre.append(_before_save)
    bpy.app.handlers.load_post.append(_subscribe)  # another file has no subscribers


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_subscribe)
    bpy.app.handlers.save_pre.remove(_before_save)
    bpy.msgbus.clear_by_owner(_SUBSCRIBER)
