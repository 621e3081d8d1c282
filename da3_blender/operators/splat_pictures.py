"""The operator that draws splats exactly, frame by frame, into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatVectorProperty, StringProperty

from model_runtime.contract.messages import JobError

from ..drawing.sequence import PictureSettings, Sequence
from ..translation import iface, rpt
from . import tell

STEP_SECONDS = 0.01
"""Between two frames, for Blender to show how far it is and to hear Esc."""

FRAMES = (
    ("current", "Current Frame", "The frame that is shown now"),
    ("all", "All Frames", "The scene's frames from start to end, by its step"),
)
KINDS = (
    ("png", "PNG", "The photos' colors as they are, 8 bits a channel"),
    ("exr", "OpenEXR", "Linear, 32 bits a channel, with alpha multiplied into the colors"),
)


class DA3_OT_splat_pictures(bpy.types.Operator):
    """Draw splats exactly as 3D Gaussian Splatting does, through the scene's camera, into a folder. Other objects do \
not show: put these pictures over or under a render in the compositor"""

    bl_idname = "da3.splat_pictures"
    bl_label = "Draw Splats to Files"
    __annotations__ = {
        "directory": StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "filter_folder": BoolProperty(default=True, options={"HIDDEN"}),
        "frames": EnumProperty(name="Frames", description="What to draw", items=FRAMES),
        "kind": EnumProperty(name="Format", description="Kind of the files", items=KINDS),
        "transparent": BoolProperty(
            name="Transparent", description="Leave transparent what no splat covers", default=True
        ),
        "background": FloatVectorProperty(
            name="Background", description="Color behind the splats", subtype="COLOR_GAMMA", size=3, min=0, max=1
        ),
        "solids": BoolProperty(
            name="Cut Out Meshes",
            description="Leave out splats behind meshes that render, so that the pictures fit over a render of those",
            default=True,
        ),
        "overwrite": BoolProperty(name="Overwrite", description="Replace files that are there already"),
    }

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self: Any, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        for name in ("frames", "kind", "transparent"):
            layout.prop(self, name)
        row = layout.row()
        row.active = not self.transparent
        row.prop(self, "background")
        for name in ("solids", "overwrite"):
            layout.prop(self, name)

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        frames = range(scene.frame_start, scene.frame_end + 1, scene.frame_step)
        background = None if self.transparent else tuple(self.background)
        settings = PictureSettings(self.kind, background, self.solids, self.overwrite)
        try:
            self.sequence = Sequence(
                scene,
                frames if self.frames == "all" else [scene.frame_current],
                Path(bpy.path.abspath(self.directory)),
                settings,
            )
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        if bpy.app.background:
            while (status := self._step(context)) == {"RUNNING_MODAL"}:
                pass
            self.sequence.end()
            return status
        self.timer = context.window_manager.event_timer_add(STEP_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        context.window_manager.progress_begin(0, len(self.sequence.frames))
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC":
            self.report({"WARNING"}, self._said("Cancelled after {done} of {total} pictures"))
            status = {"CANCELLED"}
        elif event.type == "TIMER":
            status = self._step(context)
        else:
            return {"RUNNING_MODAL"}
        if status == {"RUNNING_MODAL"}:
            context.window_manager.progress_update(self.sequence.done)
            words = "Splats: {done} of {total} pictures. Esc cancels"
            context.workspace.status_text_set(iface(words, done=self.sequence.done, total=len(self.sequence.frames)))
        else:
            context.window_manager.event_timer_remove(self.timer)
            context.window_manager.progress_end()
            context.workspace.status_text_set(None)
            self.sequence.end()
        return status

    def _step(self: Any, context: bpy.types.Context) -> set[str]:
        try:
            if self.sequence.step(context.view_layer):
                return {"RUNNING_MODAL"}
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        self.report({"INFO"}, self._said("Drawn: {done} of {total} pictures"))
        return {"FINISHED"}

    def _said(self: Any, words: str) -> str:
        return rpt(words, done=self.sequence.done, total=len(self.sequence.frames))


CLASSES = (DA3_OT_splat_pictures,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
