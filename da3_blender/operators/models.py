"""Buttons of the models: choose, download, accept the licence, cancel, remove."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from model_runtime.contract.catalogue import CATALOGUE, LICENCES
from model_runtime.contract.messages import JobError

from .. import live
from ..panels import paragraph
from ..runtime.models import model_row
from ..translation import tip
from . import DIALOG_WIDTH, tell


def fail_in_list(operator: bpy.types.Operator, error: JobError) -> set[str]:
    """Tell the artist, in the panel too, where the button that helps is; and end the operator."""
    live.downloads().failure, live.downloads().failed = error.failure, getattr(operator, "model", "")
    tell(operator, error.failure)
    return {"CANCELLED"}


class NamesModel:
    __annotations__ = {
        "model": StringProperty(name="Model", description="Name of the model, as the list has it"),
    }


class DA3_OT_choose_model(NamesModel, bpy.types.Operator):
    """Use this model for the scene"""

    bl_idname = "da3.choose_model"
    bl_label = "Choose Model"
    bl_options = {"UNDO", "INTERNAL"}  # noqa: RUF012
    __annotations__ = NamesModel.__annotations__

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        model = CATALOGUE.get(properties.model)
        return tip(model.good_for if model else cls.__doc__ or "")

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.da3.model = self.model
        context.scene.da3.checkpoint_path = ""
        return {"FINISHED"}


class DA3_OT_download_model(NamesModel, bpy.types.Operator):
    """Download this model, or go on with a download that stopped; asks for its license where that is not open"""

    bl_idname = "da3.download_model"
    bl_label = "Download Model"
    __annotations__ = {
        **NamesModel.__annotations__,
        "accept": BoolProperty(
            name="I Accept This License",
            description="The model is only used as this license allows",
            options={"SKIP_SAVE"},
        ),
    }

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.downloads().name

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        row = model_row(live.downloads().models, self.model)
        if row is None or not row.asks_for_licence:
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, width=DIALOG_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        model = CATALOGUE[self.model]
        licence = LICENCES[model.licence]
        column = self.layout.column()
        column.label(text=f"{model.title}: {licence.name}", icon="ERROR", translate=False)
        paragraph(column, context, licence.meaning)
        row = column.row(align=True)
        row.operator("wm.url_open", text="Read License", icon="URL").url = licence.url
        row.operator("wm.url_open", text="Model Page", icon="URL").url = model.page
        column.prop(self, "accept")

    def execute(self, context: bpy.types.Context) -> set[str]:
        model = CATALOGUE.get(self.model)
        accepted = model.licence if self.accept and model else ""
        try:
            live.downloads().download(self.model, accepted, online=bpy.app.online_access)
        except JobError as error:
            return fail_in_list(self, error)
        live.move_on()
        return {"FINISHED"}


class DA3_OT_cancel_download(bpy.types.Operator):
    """Stop the download; what came stays, and the next one goes on from there"""

    bl_idname = "da3.cancel_download"
    bl_label = "Cancel Download"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(live.downloads().name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.downloads().cancel()
        return {"FINISHED"}


class DA3_OT_remove_model(NamesModel, bpy.types.Operator):
    """Delete this model's files from the disk"""

    bl_idname = "da3.remove_model"
    bl_label = "Remove Model"
    __annotations__ = NamesModel.__annotations__

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.downloads().name

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            live.downloads().remove(self.model)
        except JobError as error:
            return fail_in_list(self, error)
        live.move_on()
        return {"FINISHED"}


class DA3_OT_refresh_models(bpy.types.Operator):
    """Look again which models are here; a remote worker is asked"""

    bl_idname = "da3.refresh_models"
    bl_label = "Refresh Models"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.downloads().busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            live.downloads().refresh()
        except JobError as error:
            return fail_in_list(self, error)
        live.move_on()
        return {"FINISHED"}


CLASSES = (
    DA3_OT_choose_model,
    DA3_OT_download_model,
    DA3_OT_cancel_download,
    DA3_OT_remove_model,
    DA3_OT_refresh_models,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
