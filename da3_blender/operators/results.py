"""Operators that make a finished DA3 scene again, or remove it."""

from __future__ import annotations

import bpy

from model_runtime.contract.messages import JobError

from .. import live
from ..jobs import stored_request
from ..scene import find
from ..scene.edits import edited_parts
from ..scene.remove import remove_from
from ..settings import Settings
from ..translation import iface, rpt
from . import DIALOG_WIDTH, UNDOABLE
from .run import fail_in_sidebar, start_job
from .views import ActsOnResult


def load_photos(operator: bpy.types.Operator, collection: bpy.types.Collection, settings: Settings) -> None:
    """Let the list hold the result's photos, and tell the artist what is missing. Raises JobError."""
    unusable = stored_request.load_photos(collection, settings)
    if stored_request.is_damaged(collection):
        operator.report(
            {"WARNING"}, rpt("What this scene was made with cannot be read; these are the photos of its cameras")
        )
    elif unusable:
        operator.report(
            {"WARNING"}, rpt("Photos left out, as nothing usable is known of them: {count}", count=unusable)
        )


class DA3_OT_update(ActsOnResult, bpy.types.Operator):
    """Make this scene again with the photos and settings above. Its objects change in place and keep what you did to \
them; with an empty list it takes its own photos"""

    bl_idname = "da3.update"
    bl_label = "Update"
    __annotations__ = ActsOnResult.__annotations__

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.jobs().state.running

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Says first where geometry was edited by hand."""
        self.by_hand = self.edited(context)
        if not self.by_hand:
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, width=DIALOG_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        for text in (
            iface("Edited by hand: {names}", names=", ".join(self.by_hand)),
            "Update replaces the geometry; what you edited is kept beside it, hidden",
        ):
            self.layout.label(text=text)

    def edited(self, context: bpy.types.Context) -> list[str]:
        collection = find.result(context.scene, self.result)
        return [] if collection is None else [item.name for item in edited_parts(collection)]

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        collection = self.found(context)
        if collection is not None and not scene.da3.photos:
            try:
                load_photos(self, collection, scene.da3)
            except JobError as error:
                return fail_in_sidebar(self, error)
        return start_job(self, scene, self.result if collection is None else find.identity(collection))


class DA3_OT_load_request(ActsOnResult, bpy.types.Operator):
    """Set the photos and settings above to those that this scene was made with"""

    bl_idname = "da3.load_request"
    bl_label = "Load Photos and Settings"
    bl_options = UNDOABLE
    __annotations__ = ActsOnResult.__annotations__

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None:
            return {"CANCELLED"}
        settings = context.scene.da3
        try:
            load_photos(self, collection, settings)
        except JobError as error:
            return fail_in_sidebar(self, error)
        unusable = stored_request.load_settings(collection, settings)
        if unusable:
            names = ", ".join(map(iface, unusable))
            self.report({"WARNING"}, rpt("Settings that cannot be used and stay as they are: {names}", names=names))
        return {"FINISHED"}


class DA3_OT_remove(ActsOnResult, bpy.types.Operator):
    """Remove this scene with everything that only it uses; your own objects inside it stay"""

    bl_idname = "da3.remove"
    bl_label = "Remove"
    bl_options = UNDOABLE
    __annotations__ = ActsOnResult.__annotations__

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None:
            return {"CANCELLED"}
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        try:
            remove_from(collection, context.scene)
        except JobError as error:
            return fail_in_sidebar(self, error)
        return {"FINISHED"}


CLASSES = (DA3_OT_update, DA3_OT_load_request, DA3_OT_remove)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
