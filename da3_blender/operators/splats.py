"""Operators that crop splats."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..scene.splats.crop_boxes import add_box, add_crops, drop_crop
from ..scene.splats.filters import has_filter
from ..translation import rpt
from . import UNDOABLE, select

KEEP = BoolProperty(
    name="Keep Inside", default=True, description="Keep what is inside and hide the rest, or hide what is inside"
)
SPLATS = StringProperty(name="Splats", description="Name of the splats' object", options={"SKIP_SAVE"})
CROP = StringProperty(name="Crop", description="Name of the object that crops", options={"SKIP_SAVE"})


class _OfSplats:
    """What works on the splats named, or else on the active object."""

    bl_options = UNDOABLE

    def item(self: Any, context: bpy.types.Context) -> bpy.types.Object | None:
        item = context.scene.objects.get(self.splats) if self.splats else context.active_object
        if has_filter(item):
            return item
        self.report({"ERROR"}, rpt("These are no splats that can be cropped; update their DA3 scene first"))
        return None


class DA3_OT_add_crop_box(_OfSplats, bpy.types.Operator):
    """Add a box that crops the splats, around what is selected of them in Edit Mode, or all. Move, turn and scale it \
as you like; it does not render"""

    bl_idname = "da3.add_crop_box"
    bl_label = "Add Crop Box"
    __annotations__ = {"splats": SPLATS, "keep": KEEP}

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        item = self.item(context)
        if item is None:
            return {"CANCELLED"}
        box = add_box(item, self.keep)
        if context.mode == "OBJECT" and box.name in context.view_layer.objects:
            select(context, [box])
        return {"FINISHED"}


class DA3_OT_crop_by_selected(_OfSplats, bpy.types.Operator):
    """Crop the splats by the selected meshes, which should be closed"""

    bl_idname = "da3.crop_by_selected"
    bl_label = "Crop by Selected Meshes"
    __annotations__ = {"splats": SPLATS, "keep": KEEP}

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        item = self.item(context)
        if item is None:
            return {"CANCELLED"}
        meshes = [
            each
            for each in context.selected_objects
            if each.type == "MESH" and each != item and not has_filter(each) and len(each.data.polygons)
        ]
        if not meshes:
            self.report({"ERROR"}, rpt("No mesh with faces is selected; select what to crop by"))
            return {"CANCELLED"}
        add_crops(item, self.keep, meshes)
        return {"FINISHED"}


class DA3_OT_turn_crop(_OfSplats, bpy.types.Operator):
    """Keep what is inside of this mesh and hide the rest, or the other way round"""

    bl_idname = "da3.turn_crop"
    bl_label = "Keep or Remove"
    __annotations__ = {"splats": SPLATS, "crop": CROP, "keep": KEEP}

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        item, crop = self.item(context), context.scene.objects.get(self.crop)
        if item is None or crop is None:
            return {"CANCELLED"}
        add_crops(item, self.keep, [crop])
        return {"FINISHED"}


class DA3_OT_drop_crop(_OfSplats, bpy.types.Operator):
    """Crop by this mesh no longer. Boxes made for cropping are deleted, other meshes stay"""

    bl_idname = "da3.drop_crop"
    bl_label = "Remove Crop"
    __annotations__ = {"splats": SPLATS, "crop": CROP}

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        item, crop = self.item(context), context.scene.objects.get(self.crop)
        if item is None or crop is None:
            return {"CANCELLED"}
        drop_crop(item, crop)
        return {"FINISHED"}


class DA3_OT_select_crop(_OfSplats, bpy.types.Operator):
    """Select this mesh and make it the active object, to move it"""

    bl_idname = "da3.select_crop"
    bl_label = "Select Crop"
    __annotations__ = {"crop": CROP}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.mode == "OBJECT"

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        crop = context.view_layer.objects.get(self.crop)
        if crop is None:
            return {"CANCELLED"}
        crop.hide_set(False)
        select(context, [crop])
        return {"FINISHED"}


CLASSES = (DA3_OT_add_crop_box, DA3_OT_crop_by_selected, DA3_OT_turn_crop, DA3_OT_drop_crop, DA3_OT_select_crop)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
