"""Operator for how splats blend in renders."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.splats import photo_colors
from . import UNDOABLE


class DA3_OT_photo_colors(bpy.types.Operator):
    """Let the compositor blend splats as they are displayed: photo colors under every view transform, and the edges \
they were trained for. Else they blend as light does, with photo colors under Standard alone"""

    bl_idname = "da3.photo_colors"
    bl_label = "Photo Colors in Renders"
    bl_options = UNDOABLE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return photo_colors.has_stand_ins(context.scene)

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        if photo_colors.blends_as_displayed(context.scene):
            photo_colors.blend_as_light(context.scene)
        else:
            photo_colors.blend_as_displayed(context.scene)
        return {"FINISHED"}


CLASSES = (DA3_OT_photo_colors,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
