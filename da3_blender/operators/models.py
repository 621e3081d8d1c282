"""Buttons of the models: choose, download, accept the licence, cancel, remove."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from model_runtime.contract.catalogue import CATALOGUE, LICENCES
from model_runtime.contract.messages import JobError

from .. import live, preferences, timer
from ..panels import paragraph
from ..runtime.models import ModelDownloads, check_ready, local_folder, model_row
from ..translation import tip
from . import DIALOG_WIDTH, tell

_shown: list[object] = []


def models_here() -> Path | None:
    """The folder of models on this machine; None where the worker is on another."""
    settings = preferences.runtime_settings()
    return local_folder(settings.models_folder) if settings.local else None


@cache
def downloads() -> ModelDownloads:
    """The add-on's one."""
    return ModelDownloads(live.worker_command, models_here)


def pump() -> bool:
    """Moves downloads on, and shows what changed."""
    state = downloads()
    more = state.pump()
    shown = [state.models, state.name, state.progress, state.failure, more]
    if shown != _shown:
        _shown[:] = shown
        timer.redraw()
    return more


def look() -> None:
    """Look at what is here; the panel shows what is found."""
    downloads().look()
    timer.add_pump(pump)


def refuse(operator: bpy.types.Operator, error: JobError) -> set[str]:
    """Tell the artist, in the panel too, where the button that helps is; and end the operator."""
    downloads().failure, downloads().failed = error.failure, getattr(operator, "model", "")
    tell(operator, error.failure)
    return {"CANCELLED"}


def check_chosen(settings) -> None:
    """Raise JobError where the chosen model is known not to be usable yet, before photos are read and sent."""
    if not settings.checkpoint_path:
        check_ready(downloads().models, settings.model)


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
    def description(cls, context, properties):
        model = CATALOGUE.get(properties.model)
        return tip(model.good_for if model else cls.__doc__ or "")

    def execute(self, context):
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
    def poll(cls, context):
        return not downloads().name

    def invoke(self, context, event):
        row = model_row(downloads().models, self.model)
        if row is None or not row.asks_for_licence:
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, width=DIALOG_WIDTH)

    def draw(self, context):
        model = CATALOGUE[self.model]
        licence = LICENCES[model.licence]
        column = self.layout.column()
        column.label(text=f"{model.title}: {licence.name}", icon="ERROR", translate=False)
        paragraph(column, context, licence.meaning)
        row = column.row(align=True)
        row.operator("wm.url_open", text="Read License", icon="URL").url = licence.url
        row.operator("wm.url_open", text="Model Page", icon="URL").url = model.page
        column.prop(self, "accept")

    def execute(self, context):
        model = CATALOGUE.get(self.model)
        accepted = model.licence if self.accept and model else ""
        try:
            downloads().download(self.model, accepted, online=bpy.app.online_access)
        except JobError as error:
            return refuse(self, error)
        timer.add_pump(pump)
        return {"FINISHED"}


class DA3_OT_cancel_download(bpy.types.Operator):
    """Stop the download; what came stays, and the next one goes on from there"""

    bl_idname = "da3.cancel_download"
    bl_label = "Cancel Download"

    @classmethod
    def poll(cls, context):
        return bool(downloads().name)

    def execute(self, context):
        downloads().cancel()
        return {"FINISHED"}


class DA3_OT_remove_model(NamesModel, bpy.types.Operator):
    """Delete this model's files from the disk"""

    bl_idname = "da3.remove_model"
    bl_label = "Remove Model"
    __annotations__ = NamesModel.__annotations__

    @classmethod
    def poll(cls, context):
        return not downloads().name

    def invoke(self, context, event):
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context):
        try:
            downloads().remove(self.model)
        except JobError as error:
            return refuse(self, error)
        timer.add_pump(pump)
        return {"FINISHED"}


class DA3_OT_refresh_models(bpy.types.Operator):
    """Look again which models are here; a remote worker is asked"""

    bl_idname = "da3.refresh_models"
    bl_label = "Refresh Models"

    @classmethod
    def poll(cls, context):
        return not downloads().busy

    def execute(self, context):
        try:
            look()
        except JobError as error:
            return refuse(self, error)
        return {"FINISHED"}


class DA3_OT_dismiss_download_failure(bpy.types.Operator):
    """Close this message"""

    bl_idname = "da3.dismiss_download_failure"
    bl_label = "Dismiss"

    @classmethod
    def poll(cls, context):
        return downloads().failure is not None

    def execute(self, context):
        downloads().failure = None
        return {"FINISHED"}


CLASSES = (
    DA3_OT_choose_model,
    DA3_OT_download_model,
    DA3_OT_cancel_download,
    DA3_OT_remove_model,
    DA3_OT_refresh_models,
    DA3_OT_dismiss_download_failure,
)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    """End a download that is going on; what came of it stays."""
    downloads().close()
    downloads.cache_clear()
    _shown.clear()
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
