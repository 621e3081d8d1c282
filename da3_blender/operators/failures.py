"""Buttons of a failure: copy what is known of it, and close it."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from .. import live
from . import report_of


class NamesKeeper:
    """Operators on the failure that one of `live.keeper` keeps."""

    __annotations__ = {"keeper": StringProperty(default="jobs", options={"HIDDEN"})}


class DA3_OT_copy_report(NamesKeeper, bpy.types.Operator):
    """Copy what went wrong, with its log, to the clipboard"""

    bl_idname = "da3.copy_report"
    bl_label = "Copy Report"
    __annotations__ = NamesKeeper.__annotations__

    def execute(self, context: bpy.types.Context) -> set[str]:
        failure = live.keeper(self.keeper).failure
        if failure is None:
            return {"CANCELLED"}
        context.window_manager.clipboard = report_of(failure)
        self.report({"INFO"}, "The report is on the clipboard")
        return {"FINISHED"}


class DA3_OT_dismiss_failure(NamesKeeper, bpy.types.Operator):
    """Close this message"""

    bl_idname = "da3.dismiss_failure"
    bl_label = "Dismiss"
    __annotations__ = NamesKeeper.__annotations__

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.keeper(self.keeper).failure = None
        return {"FINISHED"}


CLASSES = (DA3_OT_copy_report, DA3_OT_dismiss_failure)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
