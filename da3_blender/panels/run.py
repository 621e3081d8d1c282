"""The one button, and what comes of it: progress, failure, a result that waits."""

from __future__ import annotations

import bpy

from model_runtime.contract.messages import JobError

from .. import live, preferences
from ..jobs.state import JobState, Waiting
from ..photos import clip_row
from ..runtime.worker_command import worker_command
from ..scene import find
from ..translation import iface
from . import Sidebar, paragraph
from .failures import both, draw_failure, draw_remedy


class DA3_PT_run(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_run"
    bl_label = "Make Scene"
    bl_options = {"HIDE_HEADER"}  # noqa: RUF012
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        state = live.jobs().state
        elsewhere = find.result(context.scene, state.updates) is not None  # there stands what comes of it
        if state.running and not elsewhere:
            draw_progress(self.layout, context, state)
        elif state.waiting is not None:
            draw_waiting(self.layout, context, state.waiting)
        else:
            draw_start(self.layout, context)
        if state.failure is not None and not elsewhere:
            draw_failure(self.layout, context, state.failure, "jobs")


def draw_job(layout: bpy.types.UILayout, context: bpy.types.Context, result: str) -> bool:
    """What goes on with, or went wrong with, an update of the result; True while it is at work."""
    state = live.jobs().state
    if state.updates != result:
        return False
    if state.running:
        draw_progress(layout, context, state)
    elif state.failure is not None:
        draw_failure(layout, context, state.failure, "jobs")
    return state.running


def draw_start(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The button; or, where no worker can be started, why, and what helps."""
    try:
        worker_command(preferences.chosen_runtime())
    except JobError as error:
        box = layout.box()
        paragraph(box, context, both(error.failure), icon="INFO")
        draw_remedy(box, error.failure)
    else:
        draw_button(layout, context)


def draw_button(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.da3
    is_clip = clip_row.clip_of(settings) is not None
    usable = sum(not photo.problem for photo in settings.photos)
    count = len(settings.photos)
    row = layout.row()
    row.scale_y = 1.6
    row.enabled = usable > 0
    text = "Make Scene" if usable == count or is_clip else "Make Scene from {usable} of {count} Photos"
    text = iface(text, usable=usable, count=count)
    row.operator("da3.run", text=text, icon="OUTLINER_OB_CAMERA", translate=False)
    if not usable:
        unusable = "The clip cannot be used" if is_clip else "None of the photos can be used"
        paragraph(layout, context, unusable if count else "Add photos or a video first", icon="INFO")


def draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context, state: JobState) -> None:
    layout.label(text=iface("Making '{name}'", name=state.name), icon="TIME", translate=False)
    text = f"{state.fraction:.0%}"
    if state.seconds_left is not None:
        text = f"{text}, {time_left(state.seconds_left)}"
    layout.progress(factor=state.fraction, text=text, translate=False)
    paragraph(layout, context, state.sentence)
    layout.operator("da3.cancel", icon="CANCEL")


def time_left(seconds: float) -> str:
    """A duration as people say it: seconds below a minute and a half, then minutes."""
    if seconds < 90:
        return iface("{seconds} s left", seconds=f"{seconds:.0f}")
    return iface("{minutes} min left", minutes=f"{seconds / 60:.0f}")


def draw_waiting(layout: bpy.types.UILayout, context: bpy.types.Context, waiting: Waiting) -> None:
    box = layout.box()
    ready = iface(f"'{waiting.result.plan.name}' is ready.")
    paragraph(box, context, f"{ready} {iface(waiting.reason)}", icon="INFO")
    row = box.row(align=True)
    row.operator("da3.place_result", icon="IMPORT")
    row.operator("da3.discard_result", icon="TRASH")


CLASSES = (DA3_PT_run,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
