"""Finished DA3 scenes: what can still be changed about them, and what made them."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ..scene import find, locks
from ..scene.clip_camera import is_clip
from ..scene.marks import (
    CAMERA_SOURCE,
    CHECKPOINT,
    COMMERCIAL_USE,
    GROUND,
    HIDDEN,
    INDEX,
    LICENCE,
    MATCH_ERROR,
    NOTES,
    ROLE,
    VIEW,
)
from ..scene.meshes import input_property
from ..scene.repeated import KEEP_ALL, tells_repeated
from ..scene.viewing import is_bound
from ..settings import Settings
from ..translation import iface
from . import Sidebar, paragraph
from .camera import SOURCES, chosen_camera, draw_camera, draw_lock, draw_plate, short_facts
from .models import USES
from .run import draw_job
from .transform import draw_scale, scale_line

PARTS = (
    ("camera", "Cameras", "OUTLINER_OB_CAMERA"),
    ("points", "Points", "OUTLINER_OB_POINTCLOUD"),
    ("splats", "Splats", "SHADERFX"),
    ("mesh", "Mesh", "OUTLINER_OB_MESH"),
    ("sheet", "Sheets", "OUTLINER_OB_SURFACE"),
    (GROUND, "Ground", "MESH_PLANE"),
)
SLIDERS = (
    ("points", (("Confidence", "Hide Unsure"), ("Point Size", "Point Size"))),
    ("splats", (("Shown", "Splats Shown"), ("Splat Size", "Splat Size"))),
)
"""Role of the object; input of its node group and what the panel calls it."""

KEEPING = {"points": ((KEEP_ALL, "Keep All Points"),), "splats": ((KEEP_ALL, "Keep All Splats"),)}
"""The same, where the object tells what is repeated."""


class DA3_UL_views(bpy.types.UIList):
    """The cameras of one result, out of all objects of the file; the list's id is the result's `da3_id`."""

    bl_idname = "DA3_UL_views"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.BlendData,
        item: bpy.types.Object,
        icon: int,
        active_data: Settings,
        active_property: str,
        index: int = 0,
    ) -> None:
        row = layout.row(align=True)
        seen = context.scene.camera == item
        name = row.row(align=True)
        name.alignment = "LEFT"
        button = name.operator(
            "da3.look_through",
            text=item.get(VIEW, item.name),
            icon="VIEW_CAMERA" if seen else "CAMERA_DATA",
            emboss=False,
            translate=False,
        )
        button.camera, button.result = item.name, find.identity(item)
        result = find.result(context.scene, find.identity(item))
        facts = row.row()
        facts.alignment, facts.active = "RIGHT", False
        source = "" if result is None else result.get(CAMERA_SOURCE, "")
        facts.label(text=short_facts(item, source), translate=False)
        hidden = bool(item.get(HIDDEN))
        buttons = row.row(align=True)
        buttons.alignment = "RIGHT"
        buttons.enabled = not is_clip(item)  # which is no one photo's
        draw_lock(buttons, item, locks.lock_of(item) or locks.CAMERA)
        for only, picture in ((False, "HIDE_ON" if hidden else "HIDE_OFF"), (True, "SOLO_OFF")):
            button = buttons.operator("da3.show_photo", text="", icon=picture, emboss=False)
            button.result, button.photo, button.only = find.identity(item), item.get(VIEW, ""), only

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.BlendData, property: str
    ) -> tuple[list[int], list[int]]:
        objects = getattr(data, property)
        mine = [find.identity(item) == self.list_id and item.get(ROLE) == "camera" for item in objects]
        worst_first = context.scene.da3.worst_first

        def rank(place: int) -> tuple[bool, float, int]:
            error = objects[place].data.get(MATCH_ERROR) if mine[place] and worst_first else None
            return not mine[place], 1.0 if error is None else -error, objects[place].get(INDEX, 0)

        places = sorted(range(len(objects)), key=rank)
        order = [0] * len(objects)
        for row, place in enumerate(places):
            order[place] = row
        return [self.bitflag_filter_item if shown else 0 for shown in mine], order


class DA3_PT_results(Sidebar, bpy.types.Panel):
    bl_idname = "DA3_PT_results"
    bl_label = "DA3 Scenes"
    bl_order = 0

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(find.results(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        colors = self.layout.row()
        colors.enabled = context.space_data.shading.type == "SOLID"  # where points are gray
        colors.prop_enum(context.space_data.shading, "type", "MATERIAL", text="Show Colors")
        for collection in find.results(context.scene):
            header, body = self.layout.panel(f"DA3_result_{find.identity(collection)}")
            header.prop(collection, "name", text="", icon="OUTLINER_COLLECTION", emboss=False)
            if body is not None:
                draw_result(body, context, collection)


def draw_result(layout: bpy.types.UILayout, context: bpy.types.Context, collection: bpy.types.Collection) -> None:
    parts = find.parts_of(collection)
    draw_parts(layout, collection, parts)
    draw_sliders(layout, parts)
    draw_photos(layout, context, collection, parts["camera"])
    draw_plate(layout, collection, parts["camera"])
    draw_scale(layout, collection)
    if not draw_job(layout, context, find.identity(collection)):
        draw_changes(layout, collection)
    layout.operator("da3.export", icon="EXPORT").result = find.identity(collection)
    draw_facts(layout, context, collection)


def draw_parts(
    layout: bpy.types.UILayout, collection: bpy.types.Collection, parts: dict[str, list[bpy.types.Object]]
) -> None:
    """A button per part that shows and hides it."""
    row = layout.row(align=True)
    for role, name, picture in PARTS:
        items = parts[role]
        if items:
            shown = any(item.visible_get() for item in items)
            button = row.operator("da3.show_part", text=name, icon=picture, depress=shown)
            button.result, button.role = find.identity(collection), role


def draw_sliders(layout: bpy.types.UILayout, parts: dict[str, list[bpy.types.Object]]) -> None:
    """The inputs of the points' and splats' node groups themselves, so that they act as they are moved."""
    for role, names in SLIDERS:
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.active = any(item.visible_get() for item in parts[role])
        for item in parts[role]:
            for modifier in item.modifiers:
                if modifier.type == "NODES":
                    draw_inputs(column, modifier, names)
                    if tells_repeated(item):
                        draw_inputs(column, modifier, KEEPING[role])


def draw_inputs(
    layout: bpy.types.UILayout, modifier: bpy.types.NodesModifier, names: Iterable[tuple[str, str]]
) -> None:
    for name, text in names:
        try:
            owner, place = input_property(modifier, name)
        except KeyError:  # a group of the artist's own
            continue
        layout.prop(owner, place, text=text)


def draw_photos(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    collection: bpy.types.Collection,
    cameras: list[bpy.types.Object],
) -> None:
    settings = context.scene.da3
    identity = find.identity(collection)
    layout.template_list("DA3_UL_views", identity, bpy.data, "objects", settings, "active_view", rows=3)
    camera = chosen_camera(settings, context.scene, cameras)
    if camera is not None:
        draw_camera(layout, context, camera)
    row = layout.row(align=True)
    order = row.row(align=True)
    order.enabled = any(MATCH_ERROR in camera.data for camera in cameras)
    order.prop(settings, "worst_first", text="", icon="SORT_DESC")
    every = row.row(align=True)
    every.enabled = any(camera.get(HIDDEN) for camera in cameras)
    button = every.operator("da3.show_photo", text="Show All Photos", icon="HIDE_OFF")
    button.result, button.photo = identity, ""
    row.operator("da3.look_back", text="Own Camera", icon="LOOP_BACK")
    bound = is_bound(collection, context.scene)
    button = layout.operator("da3.bind_photos", icon="TIME", depress=bound)
    button.result, button.bind = identity, not bound


def draw_changes(layout: bpy.types.UILayout, collection: bpy.types.Collection) -> None:
    """Making the scene again, and removing it."""
    row = layout.row()
    change = row.row(align=True)
    change.operator("da3.update", icon="FILE_REFRESH").result = find.identity(collection)
    change.operator("da3.load_request", text="", icon="IMPORT").result = find.identity(collection)
    row.separator(factor=3)
    row.operator("da3.remove", text="", icon="TRASH").result = find.identity(collection)


def draw_facts(layout: bpy.types.UILayout, context: bpy.types.Context, collection: bpy.types.Collection) -> None:
    """What made the scene, and what that allows."""
    column = layout.column(align=True)
    for line in fact_lines(collection):
        paragraph(column, context, line)
    for note in filter(None, str(collection.get(NOTES, "")).split("\n")):
        paragraph(layout, context, note, icon="INFO")


def fact_lines(collection: bpy.types.Collection) -> list[str]:
    """Model, licence, commercial use, cameras and their match, unit: as lines."""
    use = USES[{"yes": True, "no": False}.get(collection.get(COMMERCIAL_USE, ""))]
    source = iface(SOURCES.get(collection.get(CAMERA_SOURCE, ""), "Unknown"))
    error = collection.get(MATCH_ERROR)
    cameras = "Cameras: {source}" if error is None else "Cameras: {source}, match error {error} pixels"
    return [
        iface("Model: {model}", model=collection.get(CHECKPOINT, "?")),
        iface(use, license=collection.get(LICENCE, "?")),
        iface(cameras, source=source, error="" if error is None else f"{error:.2f}"),
        scale_line(collection, bpy.context.scene),
    ]


CLASSES = (DA3_UL_views, DA3_PT_results)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
