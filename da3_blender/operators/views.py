"""Operators on a finished DA3 scene: looking through its photos, showing and hiding parts of it."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from ..scene import find, photo_visibility
from ..scene.cameras import look_through, marker_frame
from ..scene.marks import HIDDEN, ROLES
from ..translation import rpt
from . import UNDOABLE


class ActsOnResult:
    """Operators that name a result by its `da3_id`."""

    __annotations__ = {"result": StringProperty(name="Result", description="The da3_id of a DA3 scene")}


class DA3_OT_look_through(bpy.types.Operator):
    """Look through this photo's camera; the resolution, the current frame and the photo behind it switch along"""

    bl_idname = "da3.look_through"
    bl_label = "Look Through Photo"
    bl_options = UNDOABLE
    __annotations__ = {"camera": StringProperty(name="Camera", description="Name of the camera object")}

    def execute(self, context):
        camera = bpy.data.objects.get(self.camera)
        if camera is None or camera.name not in context.scene.objects:
            self.report({"ERROR"}, rpt("The camera '{name}' is not in this scene", name=self.camera))
            return {"CANCELLED"}
        look_through(context.scene, camera, marker_frame(context.scene, camera))
        if context.area is not None and context.area.type == "VIEW_3D":
            context.space_data.region_3d.view_perspective = "CAMERA"
        return {"FINISHED"}


class DA3_OT_show_photo(ActsOnResult, bpy.types.Operator):
    """Show or hide what comes from this photo: its camera, points, splats and sheet. With Only, hide all the others"""

    bl_idname = "da3.show_photo"
    bl_label = "Show or Hide Photo"
    bl_options = UNDOABLE
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "photo": StringProperty(name="Photo", description="Name of the photo; all of them where this is empty"),
        "only": BoolProperty(name="Only", description="Show this photo and hide all others", options={"SKIP_SAVE"}),
    }

    def execute(self, context):
        collection = find.result(context.scene, self.result)
        if collection is None:
            return {"CANCELLED"}
        hidden = photo_visibility.hidden_photos(collection)
        if self.only:
            hidden = {camera["da3_view"] for camera in find.objects_of(collection, "camera")} - {self.photo}
        else:
            hidden = hidden ^ {self.photo} if self.photo else set()
        photo_visibility.hide_photos(collection, hidden)
        return {"FINISHED"}


class DA3_OT_show_part(ActsOnResult, bpy.types.Operator):
    """Show or hide this part of the DA3 scene in the viewport"""

    bl_idname = "da3.show_part"
    bl_label = "Show or Hide Part"
    bl_options = UNDOABLE
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "role": bpy.props.EnumProperty(name="Part", items=[(role, role.title(), "") for role in ROLES]),
    }

    def execute(self, context):
        collection = find.result(context.scene, self.result)
        parts = [] if collection is None else find.objects_of(collection, self.role)
        parts = [part for part in parts if part.name in context.view_layer.objects]
        hide = any(part.visible_get() for part in parts)
        for part in parts:
            part.hide_set(hide)
            if not hide and not part.get(HIDDEN):
                part.hide_viewport = False
        return {"FINISHED"} if parts else {"CANCELLED"}


CLASSES = (DA3_OT_look_through, DA3_OT_show_photo, DA3_OT_show_part)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
