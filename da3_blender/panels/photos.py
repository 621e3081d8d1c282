"""The list of photos."""

from __future__ import annotations

import bpy

from ..photos import photo_list, thumbnails
from ..settings import ListedPhoto, Settings
from . import Sidebar, paragraph

WIDE = 300
"""Pixels, at scale 1, from which on a row has room for more than the photo's name."""


class DA3_UL_photos(bpy.types.UIList):
    """A row per photo: thumbnail, name, size, lens, problem."""

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
                details.label(text=photo_details(item), translate=False)
            if item.reference:
                details.label(text="", icon="ORIENTATION_VIEW")

    @staticmethod
    def picture(item: ListedPhoto) -> dict[str, object]:
        if item.problem:
            return {"icon": "FILE_IMAGE"}
        if item.image is not None:
            return {"icon_value": item.image.preview_ensure().icon_id}
        number = thumbnails.icon(item.path)
        return {"icon_value": number} if number else {"icon": "FILE_IMAGE"}


def photo_details(photo: ListedPhoto) -> str:
    """Size, where it is known before the photo is read, and, where the camera noted it, lens."""
    size = f"{photo.width} x {photo.height}" if photo.width else "RAW"
    lens = f"   {photo.lens:.0f} mm" if photo.lens else ""
    return f"{size}{lens}"


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
        buttons = layout.row(align=True)
        buttons.operator("da3.add_photos", text="Add Photos", icon="FILE_IMAGE")
        buttons.operator("da3.add_photo_folder", icon="FILE_FOLDER")
        if not settings.photos:
            layout.menu("DA3_MT_images", icon="IMAGE_DATA")
            paragraph(layout, context, "Two or more photos of one place work best")
            return
        row = layout.row()
        row.template_list("DA3_UL_photos", "", settings, "photos", settings, "active_photo", rows=5)
        side = row.column(align=True)
        side.operator("da3.remove_photo", icon="REMOVE", text="")
        side.menu("DA3_MT_photos", icon="DOWNARROW_HLT", text="")
        side.separator()
        side.operator("da3.move_photo", icon="TRIA_UP", text="").step = -1
        side.operator("da3.move_photo", icon="TRIA_DOWN", text="").step = 1
        if settings.active_photo < len(settings.photos):
            draw_active(layout, context, settings.photos[settings.active_photo])


def draw_active(layout: bpy.types.UILayout, context: bpy.types.Context, photo: ListedPhoto) -> None:
    """What is known of the chosen photo, or what is wrong with it."""
    if photo.problem:
        column = layout.column()
        column.alert = True
        paragraph(column, context, photo.problem, icon="ERROR")
        return
    row = layout.row()
    row.active = False
    row.label(text=photo_details(photo), translate=False)
    if photo.reference:
        row.label(text="Reference", icon="ORIENTATION_VIEW")


CLASSES = (DA3_UL_photos, DA3_MT_images, DA3_MT_photos, DA3_PT_photos)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
