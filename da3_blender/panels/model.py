"""Which model looks at the photos, and what its results may be used for: one line until it is opened."""

from __future__ import annotations

import bpy

from . import Sidebar
from .models import draw_chosen, draw_models


class DA3_PT_model(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_model"
    bl_label = "Model"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012
    bl_order = 2

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        draw_chosen(self.layout, context)

    def draw(self, context: bpy.types.Context) -> None:
        draw_models(self.layout, context)


CLASSES = (DA3_PT_model,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
