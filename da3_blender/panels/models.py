"""The model of a scene: which there are, what each is for and may be used for, and its download."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import live, preferences
from ..runtime.models import ModelRow, model_row, model_rows, own_checkpoint
from ..settings import Settings
from ..translation import iface
from . import paragraph
from .failures import draw_failure

USES = {
    True: "License {license}: commercial use allowed",
    False: "License {license}: no commercial use",
    None: "License {license}: whether commercial use is allowed is not told",
}


class DA3_MT_models(bpy.types.Menu):
    bl_idname = "DA3_MT_models"
    bl_label = "Models"

    def draw(self, context: bpy.types.Context) -> None:
        for row in model_rows(live.downloads().models, context.scene.da3.only_commercial):
            text = f"{row.model.title}   {row.size}   {row.model.licence}"
            icon = "CHECKMARK" if row.ready else "IMPORT"
            self.layout.operator("da3.choose_model", text=text, icon=icon, translate=False).model = row.model.name


def draw_models(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The whole choice: switch, menu, what the chosen model is, its download, and a checkpoint of one's own."""
    settings = context.scene.da3
    state = live.downloads()
    column = layout.column()
    row = model_row(state.models, settings.model)
    menu = column.row(align=True)
    menu.menu("DA3_MT_models", text=row.model.title if row else settings.model, translate=False)
    menu.operator("da3.refresh_models", text="", icon="FILE_REFRESH")
    column.prop(settings, "only_commercial")
    if settings.checkpoint_path:
        column.active = False
    elif row is None:
        paragraph(column, context, "No model has this name", icon="ERROR")
    else:
        draw_model(column, context, row)
    draw_own_checkpoint(layout, context, settings)


def draw_chosen(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The chosen model's name, and whether it is ready."""
    settings = context.scene.da3
    row = model_row(live.downloads().models, settings.model)
    line = layout.row()
    if settings.checkpoint_path:
        line.label(text=Path(settings.checkpoint_path).name, icon="FILE", translate=False)
    elif row is not None:
        line.label(text=row.model.title, icon="CHECKMARK" if row.ready else "IMPORT", translate=False)


def draw_model(layout: bpy.types.UILayout, context: bpy.types.Context, row: ModelRow) -> None:
    """What the model is, and the button that it needs."""
    state, model = live.downloads(), row.model
    paragraph(layout, context, model.good_for)
    facts = layout.column(align=True)
    size = iface("{size} on disk, about {memory} of memory", size=row.size, memory=row.memory)
    paragraph(facts, context, size, icon="DISK_DRIVE")
    use = iface(USES[model.commercial_use], license=model.licence)
    paragraph(facts, context, use, icon="CHECKMARK" if model.commercial_use else "CANCEL")
    for text, holds in (
        ("Single photos only", not model.cameras),
        ("Results in meters", model.metric),
        ("Predicts splats itself", model.gaussians),
    ):
        if holds:
            paragraph(facts, context, text, icon="INFO")
    if state.name == model.name and state.progress is not None:
        layout.progress(factor=state.progress.fraction, text=f"{state.progress.fraction:.0%}", translate=False)
        paragraph(layout, context, state.progress.sentence)
        layout.operator("da3.cancel_download", icon="CANCEL")
    else:
        draw_buttons(layout, row)
    if state.failure is not None and state.failed in ("", model.name):
        draw_failure(layout, context, state.failure, "models")


def draw_buttons(layout: bpy.types.UILayout, row: ModelRow) -> None:
    name = row.model.name
    if row.ready and not row.asks_for_licence:
        line = layout.row(align=True)
        line.label(text="Ready", icon="CHECKMARK")
        if not row.model.bundled:
            line.operator("da3.remove_model", text="", icon="TRASH").model = name
    elif row.ready:
        layout.operator("da3.download_model", text="Accept License", icon="CHECKMARK").model = name
    else:
        line = layout.row(align=True)
        if row.started:
            text = iface("Resume Download ({here} of {size})", here=row.here, size=row.size)
        else:
            text = iface("Download ({size})", size=row.size)
        line.operator("da3.download_model", text=text, icon="IMPORT", translate=False).model = name
        if row.started:
            line.operator("da3.remove_model", text="", icon="TRASH").model = name


def draw_own_checkpoint(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Settings) -> None:
    layout.prop(settings, "checkpoint_path", text="", placeholder="Own Checkpoint")
    if not settings.checkpoint_path or preferences.models_here() is None:
        return
    own = own_checkpoint(Path(bpy.path.abspath(settings.checkpoint_path)))
    if own.problem:
        paragraph(layout, context, own.problem, icon="ERROR")
    else:
        paragraph(layout, context, iface(USES[own.commercial_use], license=own.licence), icon="INFO")


CLASSES = (DA3_MT_models,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
