"""The splats that are worked on: how many show, what hides the others, what crops them."""

from __future__ import annotations

import bpy

from ..drawing import viewport
from ..scene.marks import CROP
from ..scene.meshes import point_count
from ..scene.repeated import KEEP_ALL, tells_repeated
from ..scene.splats.crop_boxes import crops_of
from ..scene.splats.filters import CONFIDENCE_RANK, FLOATER, filter_of, has_filter
from ..scene.splats.native import is_native, is_splats
from ..scene.splats.photo_colors import blends_as_displayed
from ..translation import iface
from . import Sidebar, paragraph
from .result import draw_inputs

HOW_MANY = (("Shown", "Splats Shown"), ("At Most", "At Most"), ("Splat Size", "Splat Size"))
THRESHOLDS = (("Least Opacity", "Least Opacity"), ("Smallest Size", "Smallest Size"), ("Largest Size", "Largest Size"))
"""Inputs of the filter's node group and what the panel calls them."""


class DA3_PT_splats(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_splats"
    bl_label = "Splats"
    bl_order = 0  # right after the scenes

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return chosen_splats(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        item = chosen_splats(context)
        if item is not None:
            draw_splats(self.layout, context, item)
            draw_drawing(self.layout, context, item)


def chosen_splats(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active object where it has splats, or those that it crops; else the first in the scene that are seen."""
    active = context.active_object
    if has_filter(active):
        return active
    every = [item for item in context.scene.objects if has_filter(item)]
    if active is not None and (active.get(CROP) or active.type == "MESH"):
        for item in every:
            if any(crop == active for crop, _ in crops_of(item)):
                return item
    return next((item for item in every if item.visible_get()), every[0] if every else None)


def draw_splats(layout: bpy.types.UILayout, context: bpy.types.Context, item: bpy.types.Object) -> None:
    row = layout.row()
    row.label(text=item.name, icon="OUTLINER_OB_POINTCLOUD", translate=False)
    count = row.row()
    count.alignment, count.active = "RIGHT", False
    count.label(text=count_line(item, context.view_layer.depsgraph), translate=False)
    modifier = filter_of(item)
    if modifier is None:
        return
    known = item.data.attributes.keys()
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, True
    draw_inputs(column, modifier, HOW_MANY)
    if tells_repeated(item):
        draw_inputs(column, modifier, ((KEEP_ALL, "Keep All Splats"),))
    hide = layout.column()
    hide.use_property_split, hide.use_property_decorate = True, True
    if CONFIDENCE_RANK in known:
        draw_inputs(hide, modifier, (("Confidence", "Hide Unsure"),))
    if FLOATER in known:
        draw_inputs(hide, modifier, (("Hide Floaters", "Hide Floaters"),))
    draw_inputs(hide, modifier, THRESHOLDS)
    draw_crops(layout, item)


def draw_crops(layout: bpy.types.UILayout, item: bpy.types.Object) -> None:
    """A line for each mesh that crops the splats, and buttons that add some."""
    crops = crops_of(item)
    if crops:
        box = layout.box().column(align=True)
        for crop, keep in crops:
            row = box.row(align=True)
            name = row.row(align=True)
            name.alignment = "LEFT"
            name.operator(
                "da3.select_crop", text=crop.name, icon="MESH_CUBE", emboss=False, translate=False
            ).crop = crop.name
            buttons = row.row(align=True)
            buttons.alignment = "RIGHT"
            for kept, text in ((True, "Keep"), (False, "Remove")):
                turn = buttons.operator("da3.turn_crop", text=text, depress=keep == kept)
                turn.splats, turn.crop, turn.keep = item.name, crop.name, kept
            drop = buttons.operator("da3.drop_crop", text="", icon="X")
            drop.splats, drop.crop = item.name, crop.name
    row = layout.row(align=True)
    for text, keep in (("Crop to Box", True), ("Cut Out Box", False)):
        add = row.operator("da3.add_crop_box", text=text, icon="MESH_CUBE")
        add.splats, add.keep = item.name, keep
    add = row.operator("da3.crop_by_selected", text="", icon="MESH_ICOSPHERE")
    add.splats, add.keep = item.name, True


def draw_drawing(layout: bpy.types.UILayout, context: bpy.types.Context, item: bpy.types.Object) -> None:
    """How the viewport shows splats, and their exact pictures."""
    if not is_native(item.data):
        layout.prop(context.scene.da3, "draw_splats")
        if viewport.trouble():
            paragraph(layout, context, viewport.trouble(), icon="ERROR")
        displayed = blends_as_displayed(context.scene)
        layout.operator("da3.photo_colors", icon="CHECKBOX_HLT" if displayed else "CHECKBOX_DEHLT", depress=displayed)
    layout.operator("da3.splat_pictures", icon="RENDER_ANIMATION")


def count_line(item: bpy.types.Object, graph: bpy.types.Depsgraph) -> str:
    """How many of its splats `item` shows."""
    total, data = point_count(item.data), item.evaluated_get(graph).data
    if not item.visible_get() or not is_splats(data):  # hidden, or made something else of
        return iface("{count} splats", count=f"{total:,}")
    return iface("{shown} of {total} splats", shown=f"{point_count(data):,}", total=f"{total:,}")


CLASSES = (DA3_PT_splats,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
