"""What to make from the photos."""

from __future__ import annotations

import bpy

from .. import live
from ..photos import clip_row
from ..remedies import PREFERENCES
from ..settings import ListedPhoto, Settings
from . import Sidebar, paragraph


class DA3_PT_make(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_make"
    bl_label = "Make"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.da3
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "scene_name")
        layout.prop(settings, "camera_source")
        if settings.camera_source == "given":
            draw_known(layout, context, settings)
        if settings.camera_source in ("auto", "network", "rays"):
            layout.prop(settings, "refine")
        if settings.camera_source in ("auto", "features") or settings.refine:
            layout.prop(settings, "lens")
        layout.prop(settings, "refine_depth")
        column = layout.column(heading="Objects")
        column.prop(settings, "make_points")
        column.prop(settings, "make_splats")
        if settings.make_splats:
            column.prop(settings, "improve_splats")
            if settings.improve_splats and live.lacks_torch():
                draw_needs_torch(layout, context)
        layout.prop(settings, "make_mesh")


class DA3_UL_photo_cameras(bpy.types.UIList):
    """A row per photo: its name and its camera."""

    bl_idname = "DA3_UL_photo_cameras"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Settings,
        item: ListedPhoto,
        icon: int,
        active_data: Settings,
        active_property: str,
        index: int = 0,
    ) -> None:
        row = layout.split(factor=0.45)
        row.label(text=item.name, translate=False)
        row.prop(item, "camera", text="")


def draw_needs_torch(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Before the job starts: the worker would refuse it."""
    box = layout.box()
    text = "Improving splats needs the full runtime, with PyTorch. Install that, or switch Improve Splats off."
    paragraph(box, context, text, icon="ERROR")
    box.operator(PREFERENCES.operator, text=PREFERENCES.label)


def draw_known(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Settings) -> None:
    """Where the known cameras are, and which of them belongs to which photo."""
    if clip_row.clip_of(settings) is not None:
        paragraph(layout, context, "Known cameras do not go with a clip", icon="ERROR")
        return
    layout.prop(settings, "known_cameras", text=" ")
    if settings.known_cameras == "colmap":
        layout.prop(settings, "colmap_folder")
    elif settings.photos:
        layout.template_list(
            "DA3_UL_photo_cameras", "", settings, "photos", settings, "active_photo", rows=3, sort_lock=True
        )
        layout.operator("da3.match_cameras", icon="CAMERA_DATA")


class DA3_PT_make_details(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_make_details"
    bl_parent_id = "DA3_PT_make"
    bl_label = "Details"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.da3
        layout.use_property_split = True
        layout.use_property_decorate = False
        row = layout.row(heading="Detail")
        row.prop(settings, "own_resolution", text="")
        value = row.row()
        value.active = settings.own_resolution
        value.prop(settings, "resolution", text="")
        layout.prop(settings, "backend")
        layout.prop(settings, "confidence")
        layout.prop(settings, "edge_angle")
        column = layout.column(heading="Scene")
        column.prop(settings, "upright")
        column.prop(settings, "centre")
        column.prop(settings, "standard_view")


CLASSES = (DA3_UL_photo_cameras, DA3_PT_make, DA3_PT_make_details)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
