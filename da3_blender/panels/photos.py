"""The list of photos, or the clip that it holds instead."""

from __future__ import annotations

import bpy

from ..photos import clip_row, photo_list, thumbnails
from ..settings import ListedPhoto, Settings
from ..translation import iface
from . import Sidebar, paragraph

CLIP_ICONS = {"film": "FILE_MOVIE", "sequence": "RENDERLAYERS"}

WIDE = 300
"""Pixels, at scale 1, from which on a row has room for more than the photo's name."""


class DA3_UL_photos(bpy.types.UIList):
    """A row per photo: thumbnail, name, size, lens, problem; or one for the clip."""

    bl_idname = "DA3_UL_photos"

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
        row = layout.row(align=True)
        row.alert = bool(item.problem)
        row.label(text=item.name, translate=False, **self.picture(item))
        details = row.row(align=True)
        details.alignment = "RIGHT"
        if item.problem:
            details.label(text="", icon="ERROR")
        else:
            details.active = False
            if context.region.width > WIDE * context.preferences.system.ui_scale:
                text = photo_details(item) if item.kind == "photo" else clip_details(item, data)
                details.label(text=text, translate=False)
            if item.reference:
                details.label(text="", icon="ORIENTATION_VIEW")

    @staticmethod
    def picture(item: ListedPhoto) -> dict[str, object]:
        if item.problem:
            return {"icon": CLIP_ICONS.get(item.kind, "FILE_IMAGE")}
        if item.image is not None:
            return {"icon_value": item.image.preview_ensure().icon_id}
        number = thumbnails.icon(item.path)
        return {"icon_value": number} if number else {"icon": CLIP_ICONS.get(item.kind, "FILE_IMAGE")}


def photo_details(photo: ListedPhoto) -> str:
    """Size, where it is known before the photo is read, and, where the camera noted it, lens."""
    size = f"{photo.width} x {photo.height}" if photo.width else "RAW"
    lens = f"   {photo.lens:.0f} mm" if photo.lens else ""
    return f"{size}{lens}"


def clip_details(row: ListedPhoto, settings: Settings) -> str:
    """Of a clip what is known before it is read: frames, size, rate and length."""
    rate = settings.clip_rate if row.kind == "sequence" else row.rate
    parts = []
    if row.frames:
        parts.append(iface("{count} frames", count=row.frames))
    if row.width:
        parts.append(f"{row.width} x {row.height}")
    if rate:
        parts.append(iface("{rate} frames/s", rate=f"{rate:.5g}"))
        count = row.frames and row.last_frame - row.first_frame + 1
        if count:
            parts.append(f"{count / rate:.1f} s")
    return "   ".join(parts)


class DA3_MT_photos(bpy.types.Menu):
    """More to do with the list of photos"""

    bl_idname = "DA3_MT_photos"
    bl_label = "Photo List"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.menu("DA3_MT_images", icon="IMAGE_DATA")
        self.layout.separator()
        self.layout.operator("da3.set_reference", icon="ORIENTATION_VIEW")
        self.layout.operator("da3.refresh_photos", icon="FILE_REFRESH")
        self.layout.operator("da3.clear_photos", icon="TRASH")


class DA3_MT_images(bpy.types.Menu):
    """Add all images of this file to the list, or one of them"""

    bl_idname = "DA3_MT_images"
    bl_label = "Add Images of This File"

    def draw(self, context: bpy.types.Context) -> None:
        images = photo_list.usable_images()
        if not images:
            self.layout.label(text="This file has no images")
            return
        self.layout.operator("da3.add_images", text="All Images").image = ""
        self.layout.separator()
        for image in images:
            picture = image.preview_ensure().icon_id
            self.layout.operator(
                "da3.add_images", text=image.name, icon_value=picture, translate=False
            ).image = image.name


class DA3_PT_photos(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_photos"
    bl_label = "Photos"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.da3
        clip = clip_row.clip_of(settings)
        buttons = layout.row(align=True)
        buttons.enabled = clip is None
        buttons.operator("da3.add_photos", text="Add Photos", icon="FILE_IMAGE")
        buttons.operator("da3.add_photo_folder", icon="FILE_FOLDER")
        buttons = layout.row(align=True)
        buttons.enabled = not settings.photos
        buttons.operator("da3.add_video", text="Add Video", icon="FILE_MOVIE")
        buttons.operator("da3.add_sequence", text="Add Sequence", icon="RENDERLAYERS")
        if not settings.photos:
            layout.menu("DA3_MT_images", icon="IMAGE_DATA")
            paragraph(layout, context, "Two or more photos of one place work best, or a clip of a moving camera")
            return
        row = layout.row()
        rows = 5 if clip is None else 2
        row.template_list("DA3_UL_photos", "", settings, "photos", settings, "active_photo", rows=rows)
        side = row.column(align=True)
        side.operator("da3.remove_photo", icon="REMOVE", text="")
        side.menu("DA3_MT_photos", icon="DOWNARROW_HLT", text="")
        if clip is not None:
            draw_clip(layout, context, settings, clip)
            return
        side.separator()
        side.operator("da3.move_photo", icon="TRIA_UP", text="").step = -1
        side.operator("da3.move_photo", icon="TRIA_DOWN", text="").step = 1
        if settings.active_photo < len(settings.photos):
            draw_active(layout, context, settings.photos[settings.active_photo])


def draw_active(layout: bpy.types.UILayout, context: bpy.types.Context, photo: ListedPhoto) -> None:
    """What is known of the chosen photo, or what is wrong with it."""
    if photo.problem:
        draw_problem(layout, context, photo.problem)
        return
    row = layout.row()
    row.active = False
    row.label(text=photo_details(photo), translate=False)
    if photo.reference:
        row.label(text="Reference", icon="ORIENTATION_VIEW")


def draw_problem(layout: bpy.types.UILayout, context: bpy.types.Context, problem: str) -> None:
    column = layout.column()
    column.alert = True
    paragraph(column, context, problem, icon="ERROR")


def draw_clip(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Settings, row: ListedPhoto) -> None:
    """What is known of the clip, or what is wrong with it, and which of its frames are used."""
    if row.problem:
        draw_problem(layout, context, row.problem)
    else:
        column = layout.column(align=True)
        column.active = False
        paragraph(column, context, clip_details(row, settings))
        if row.frames:
            numbers = iface("Numbered {first} to {last}", first=row.first_frame, last=row.last_frame)
            column.label(text=numbers, translate=False)
    column = layout.column(align=True)
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(settings, "clip_first")
    column.prop(settings, "clip_last", text="Last")
    column.prop(settings, "clip_step")
    if row.kind == "sequence":
        column.prop(settings, "clip_rate")
    column.prop(settings, "set_frame_range")


CLASSES = (DA3_UL_photos, DA3_MT_images, DA3_MT_photos, DA3_PT_photos)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
