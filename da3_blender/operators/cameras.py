"""The operator that finds the photos' cameras among those of the scene."""

from __future__ import annotations

import bpy

from ..photos import known_cameras
from ..translation import rpt
from . import UNDOABLE
from .photos import HasPhotosAlone


class DA3_OT_match_cameras(HasPhotosAlone, bpy.types.Operator):
    """Find the camera of every photo that has none yet: the one with the photo behind it, or with the photo's name"""

    bl_idname = "da3.match_cameras"
    bl_label = "Match Cameras to Photos"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        missing = known_cameras.match_list(context.scene)
        if missing:
            self.report({"WARNING"}, rpt("Photos without a camera: {names}", names=", ".join(missing)))
        else:
            self.report({"INFO"}, rpt("Every photo has a camera"))
        return {"FINISHED"}


CLASSES = (DA3_OT_match_cameras,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
