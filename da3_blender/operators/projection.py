"""Operators that project the photo of a DA3 scene's camera onto objects, and take it off again."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from model_runtime.contract.messages import JobError

from ..scene import projection
from ..translation import rpt
from . import UNDOABLE, tell


class NeedsObjects:
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.mode == "OBJECT" and bool(context.selected_objects)


class DA3_OT_project_photo(NeedsObjects, bpy.types.Operator):
    """Project the photo of the active camera, or of the scene's, onto the selected mesh objects: seen through the \
camera they show the photo; what it does not show is transparent. It follows camera and lens"""

    bl_idname = "da3.project_photo"
    bl_label = "Project Photo"
    bl_options = UNDOABLE
    __annotations__ = {
        "camera": StringProperty(
            name="Camera",
            description="Name of the camera; the active one, or else the scene's, where this is empty",
            options={"SKIP_SAVE"},
        )
    }

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        candidates = [context.active_object, context.scene.camera]
        if self.camera:
            candidates = [context.scene.objects.get(self.camera)]
        try:
            camera = projection.projecting_camera(*candidates)
            projection.project_photo(camera, context.selected_objects)
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        return {"FINISHED"}


class DA3_OT_take_projection_off(NeedsObjects, bpy.types.Operator):
    """Give the selected objects back the materials that they had before photos were projected on them"""

    bl_idname = "da3.take_projection_off"
    bl_label = "Take Projection Off"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not projection.take_off(context.selected_objects):
            self.report({"WARNING"}, rpt("No photo is projected on the selected objects"))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (DA3_OT_project_photo, DA3_OT_take_projection_off)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
