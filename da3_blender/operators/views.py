"""Operators on a finished DA3 scene: looking through its photos, showing and hiding parts of it."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from model_runtime.contract.messages import JobError

from ..scene import find, locks, looking, viewing, visibility
from ..scene.copies import settle_copies
from ..scene.marks import GROUND, ROLES, VIEW
from ..scene.remove import check_changeable
from ..scene.splats.scene_settings import prepare_renders
from ..translation import rpt
from . import UNDOABLE, tell


class ActsOnResult:
    """Operators that name a result of the scene they are used in."""

    __annotations__ = {"result": StringProperty(name="Result", description="What tells a DA3 scene from others")}

    def found(self: Any, context: bpy.types.Context) -> bpy.types.Collection | None:
        """The result, whose copies no longer answer to its identity; None where it is not in the scene any more."""
        collection = find.result(context.scene, self.result)
        settle_copies()
        return collection

    def refuses(self: Any, collection: bpy.types.Collection) -> bool:
        """Whether the result comes from another file, where alone it can be changed; tells so."""
        try:
            check_changeable(collection, ())
        except JobError as error:
            tell(self, error.failure)
            return True
        return False


class DA3_OT_look_through(ActsOnResult, bpy.types.Operator):
    """Look through this photo's camera, at the photo's size, for as long as you look. Photos that are bound to the \
timeline go to their frame"""

    bl_idname = "da3.look_through"
    bl_label = "Look Through Photo"
    bl_options = UNDOABLE
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "camera": StringProperty(name="Camera", description="Name of the camera object"),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = find.result(context.scene, self.result)
        there = context.scene.objects if collection is None else find.objects_of(collection, "camera")
        camera = next((item for item in there if item.name == self.camera and item.type == "CAMERA"), None)
        if camera is None:
            self.report({"ERROR"}, rpt("The camera '{name}' is not in this scene", name=self.camera))
            return {"CANCELLED"}
        looking.look_through(context.scene, camera, context.space_data)
        context.scene.da3.active_view = bpy.data.objects.find(camera.name)
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

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None or self.refuses(collection):
            return {"CANCELLED"}
        hidden = visibility.hidden_photos(collection)
        if self.only:
            hidden = {camera[VIEW] for camera in find.objects_of(collection, "camera")} - {self.photo}
        else:
            hidden = hidden ^ {self.photo} if self.photo else set()
        visibility.hide_photos(collection, hidden)
        return {"FINISHED"}


class DA3_OT_lock_photo(ActsOnResult, bpy.types.Operator):
    """Lock this photo's camera where it is right, or unlock it: Update leaves it where it stands, with its lens, and \
places the others around it"""

    bl_idname = "da3.lock_photo"
    bl_label = "Lock Camera of Photo"
    bl_options = UNDOABLE
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "photo": StringProperty(name="Photo", description="Name of the photo"),
        "what": EnumProperty(
            name="What",
            items=(
                (locks.CAMERA, "Camera", "Where it stands, and its lens"),
                (locks.LENS, "Lens", "The focal length and shift alone"),
            ),
        ),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        camera = None if collection is None else find.camera_of(collection, self.photo)
        if collection is None or camera is None or self.refuses(collection):
            return {"CANCELLED"}
        try:
            locks.lock(camera, "" if locks.lock_of(camera) == self.what else self.what)
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        return {"FINISHED"}


class DA3_OT_show_part(ActsOnResult, bpy.types.Operator):
    """Show or hide this part of the DA3 scene, in viewports and renders"""

    bl_idname = "da3.show_part"
    bl_label = "Show or Hide Part"
    bl_options = UNDOABLE
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "role": EnumProperty(name="Part", items=[(role, role.title(), "") for role in (*ROLES, GROUND)]),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        parts = [] if collection is None else find.objects_of(collection, self.role)
        parts = [part for part in parts if part.name in context.view_layer.objects]
        if collection is None or not parts or self.refuses(collection):
            return {"CANCELLED"}
        shown = not any(part.visible_get() for part in parts)
        visibility.show_part(collection, self.role, shown)
        if shown and self.role == "splats":
            prepare_renders(context.scene)
        return {"FINISHED"}


class DA3_OT_look_back(bpy.types.Operator):
    """Give the scene its own camera and size again, after a photo was looked through"""

    bl_idname = "da3.look_back"
    bl_label = "Back to Own Camera"
    bl_options = UNDOABLE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return viewing.looks(context.scene)

    def execute(self, context: bpy.types.Context) -> set[str]:
        viewing.look_back(context.scene)
        return {"FINISHED"}


class DA3_OT_bind_photos(ActsOnResult, bpy.types.Operator):
    """Give every photo a frame of the timeline, with its camera and size; they own the scene's camera and render size \
until this is switched off, which gives back what was there"""

    bl_idname = "da3.bind_photos"
    bl_label = "Bind Photos to Timeline"
    bl_options = UNDOABLE
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "bind": BoolProperty(name="Bind", description="Bind them, or take them off the timeline", default=True),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None:
            return {"CANCELLED"}
        change = viewing.bind if self.bind else viewing.unbind
        if self.bind != viewing.is_bound(collection, context.scene):
            change(collection, context.scene)
        return {"FINISHED"}


CLASSES = (
    DA3_OT_look_through,
    DA3_OT_show_photo,
    DA3_OT_lock_photo,
    DA3_OT_show_part,
    DA3_OT_look_back,
    DA3_OT_bind_photos,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
