"""The operator that makes node groups of a photo's lens for the compositor."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from model_runtime.contract.messages import JobError

from ..scene.lens_groups import DISTORT, UNDISTORT, add_to_compositor, lens_group
from ..translation import rpt
from . import ONLY_ONCE, tell

WAYS = (
    (DISTORT, "Distort", "A render of the camera, at its full size, becomes as the lens would have taken it"),
    (UNDISTORT, "Undistort", "The photo as it was taken becomes the straightened one"),
)


class DA3_OT_lens_group(bpy.types.Operator):
    """Make a node group for the compositor that bends a render of this camera as its lens bent the photo, or \
straightens the photo. A compositor that is in use gets a node of it, unconnected. Takes some seconds for large \
photos"""

    bl_idname = "da3.lens_group"
    bl_label = "Lens Node Group"
    bl_options = ONLY_ONCE
    __annotations__ = {
        "camera": StringProperty(
            name="Camera", description="Name of the camera; the scene's where this is empty", options={"SKIP_SAVE"}
        ),
        "way": EnumProperty(name="Way", items=WAYS),
    }

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        camera = scene.objects.get(self.camera) if self.camera else scene.camera
        if camera is None or camera.type != "CAMERA":
            self.report({"ERROR"}, rpt("The camera '{name}' is not in this scene", name=self.camera))
            return {"CANCELLED"}
        try:
            group = lens_group(camera, self.way)
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        if add_to_compositor(scene, group):
            self.report({"INFO"}, rpt("'{name}' is in the compositor, unconnected", name=group.name))
        else:
            self.report({"INFO"}, rpt("'{name}' is among the compositor's groups: Add > Group", name=group.name))
        return {"FINISHED"}


CLASSES = (DA3_OT_lens_group,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
