"""Operators that start, stop and settle a job."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from model_runtime.contract.messages import JobError

from .. import live, timer
from ..jobs import placing
from ..jobs import request as job_request
from ..photos import photo_list
from ..runtime.models import check_ready
from ..scene import arrival
from ..settings import Settings
from ..translation import rpt
from . import ONLY_ONCE, UNDOABLE, tell
from .photos import BOTH_FILTER, ChoosesFiles, add, chosen_files


def fail_in_sidebar(operator: bpy.types.Operator, error: JobError) -> set[str]:
    """Tell the artist, in the sidebar too, where the button that helps is; and end the operator."""
    failure = error.failure
    if not live.jobs().state.running:
        live.jobs().state.failure = failure
        timer.redraw()
    tell(operator, failure)
    return {"CANCELLED"}


def check_chosen(settings: Settings) -> None:
    """Raise JobError where the chosen model is known not to be usable yet, before photos are read and sent."""
    if not settings.checkpoint_path:
        check_ready(live.downloads().models, settings.model)


def start_job(operator: bpy.types.Operator, scene: bpy.types.Scene, collection_id: str = "") -> set[str]:
    """Start the job that `scene.da3` asks for, to update the result `collection_id` if one is given, and end the
    operator."""
    try:
        check_chosen(scene.da3)
        live.start(*job_request.make_job(scene, collection_id=collection_id))
    except JobError as error:
        return fail_in_sidebar(operator, error)
    return {"FINISHED"}


class DA3_OT_run(bpy.types.Operator):
    """Make a scene from the photos; Blender stays usable meanwhile"""

    bl_idname = "da3.run"
    bl_label = "Make Scene"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.jobs().state.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        return start_job(self, context.scene)


class DA3_OT_cancel(bpy.types.Operator):
    """Stop making the scene"""

    bl_idname = "da3.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return live.jobs().state.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.jobs().cancel()
        timer.redraw()
        return {"FINISHED"}


class ResultWaits:
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return live.jobs().state.waiting is not None


class DA3_OT_place_result(ResultWaits, bpy.types.Operator):
    """Put the finished scene into the scene that is open now"""

    bl_idname = "da3.place_result"
    bl_label = "Place Here"
    bl_options = ONLY_ONCE

    def execute(self, context: bpy.types.Context) -> set[str]:
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        try:
            live.jobs().place_waiting(lambda result: placing.write(result, context.scene))
        except JobError as error:
            return fail_in_sidebar(self, error)
        return {"FINISHED"}


class DA3_OT_discard_result(ResultWaits, bpy.types.Operator):
    """Throw the finished scene away"""

    bl_idname = "da3.discard_result"
    bl_label = "Discard"

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.jobs().discard_waiting()
        return {"FINISHED"}


class HasNotice:
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return arrival.notice() is not None


class DA3_OT_show_result(HasNotice, bpy.types.Operator):
    """Go to the finished scene and look through its first photo"""

    bl_idname = "da3.show_result"
    bl_label = "Show Result"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not arrival.find_it(context.window):
            self.report({"WARNING"}, rpt("This DA3 scene is not in the file any more"))
            return {"CANCELLED"}
        return {"FINISHED"}


class DA3_OT_dismiss_notice(HasNotice, bpy.types.Operator):
    """Close this message"""

    bl_idname = "da3.dismiss_notice"
    bl_label = "Dismiss"

    def execute(self, context: bpy.types.Context) -> set[str]:
        arrival.dismiss()
        return {"FINISHED"}


class DA3_OT_import_photos(ChoosesFiles, bpy.types.Operator):
    """Choose photos, or a video, and make a scene from them"""

    bl_idname = "da3.import_photos"
    bl_label = "Photos as 3D Scene"
    bl_options = ONLY_ONCE
    __annotations__ = {
        **ChoosesFiles.__annotations__,
        "filter_glob": StringProperty(default=BOTH_FILTER, options={"HIDDEN"}),
        "replace": BoolProperty(
            name="Replace List", description="Take the photos of the list out before", default=True
        ),
        "run": BoolProperty(
            name="Make Scene", description="Start at once, with the settings of the panel", default=True
        ),
        "scene_name": StringProperty(name="Name", description="Name of the scene; the folder's by default"),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.da3
        done = add(self, lambda: photo_list.add_files(settings, chosen_files(self), self.replace))
        if done == {"FINISHED"}:
            settings.scene_name = self.scene_name or settings.scene_name
            if self.run:
                start_job(self, context.scene)
        return done


def import_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator(DA3_OT_import_photos.bl_idname, text="Photos as 3D Scene (DA3)")


CLASSES = (
    DA3_OT_run,
    DA3_OT_cancel,
    DA3_OT_place_result,
    DA3_OT_discard_result,
    DA3_OT_show_result,
    DA3_OT_dismiss_notice,
    DA3_OT_import_photos,
)

_register, _unregister = bpy.utils.register_classes_factory(CLASSES)


def register() -> None:
    _register()
    bpy.types.TOPBAR_MT_file_import.append(import_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_import.remove(import_menu)
    _unregister()
