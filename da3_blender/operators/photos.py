"""Operators on the list of photos, and dropping photos or a video on a 3D viewport."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from bpy.props import CollectionProperty, IntProperty, StringProperty

from model_runtime.contract.photo_kinds import VIDEO_SUFFIXES

from ..photos import clip_row, photo_list
from ..photos.files import PHOTO_SUFFIXES
from ..translation import rpt
from . import UNDOABLE

FILTER = ";".join(f"*{suffix}" for suffix in PHOTO_SUFFIXES)
VIDEO_FILTER = ";".join(f"*{suffix}" for suffix in VIDEO_SUFFIXES)
BOTH_FILTER = ";".join((*VIDEO_FILTER.split(";")[:3], FILTER))
"""Not all of both: Blender cuts a file browser's filter after 255 letters."""


def chosen_files(operator: bpy.types.Operator) -> list[Path]:
    """The files of a file browser's or a drop's operator."""
    if operator.files:
        return [Path(operator.directory) / file.name for file in operator.files if file.name]
    return [Path(operator.filepath)] if operator.filepath else []


def add(operator: bpy.types.Operator, work: Callable[[], photo_list.Added]) -> set[str]:
    """Add to the list, tell what was added or why nothing was, and end the operator."""
    try:
        added = work()
    except (OSError, ValueError) as error:
        operator.report({"ERROR"}, rpt(str(error)))
        return {"CANCELLED"}
    operator.report({"INFO"}, rpt(added.sentence))
    return {"FINISHED"}


class ChoosesFiles:
    """A file browser that takes several photos."""

    __annotations__ = {
        "filepath": StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "directory": StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "files": CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}),
        "filter_glob": StringProperty(default=FILTER, options={"HIDDEN"}),
    }

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.files:  # dropped
            if context.area is not None and context.area.type == "VIEW_3D":
                context.space_data.show_region_ui = True
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class DA3_OT_add_photos(ChoosesFiles, bpy.types.Operator):
    """Choose photo files for the list"""

    bl_idname = "da3.add_photos"
    bl_label = "Add Photos to DA3"  # as the menu for dropped files shows it
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        files = chosen_files(self)
        if not files:
            self.report({"WARNING"}, "No photo was chosen")
            return {"CANCELLED"}
        return add(self, lambda: photo_list.add_files(context.scene.da3, files))


class DA3_OT_add_video(ChoosesFiles, bpy.types.Operator):
    """Choose a video, whose frames become one moving camera and the scene around it"""

    bl_idname = "da3.add_video"
    bl_label = "Add Video to DA3"
    bl_options = UNDOABLE
    __annotations__ = {
        **ChoosesFiles.__annotations__,
        "filter_glob": StringProperty(default=VIDEO_FILTER, options={"HIDDEN"}),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        files = chosen_files(self)
        if not files:
            self.report({"WARNING"}, "No video was chosen")
            return {"CANCELLED"}
        return add(self, lambda: photo_list.add_video(context.scene.da3, files))


class DA3_OT_add_sequence(ChoosesFiles, bpy.types.Operator):
    """Choose one frame of an image sequence; all photos beside it whose names differ in their number alone become the \
frames of one moving camera"""

    bl_idname = "da3.add_sequence"
    bl_label = "Add Image Sequence to DA3"
    bl_options = UNDOABLE
    __annotations__ = ChoosesFiles.__annotations__

    def execute(self, context: bpy.types.Context) -> set[str]:
        files = chosen_files(self)
        if not files:
            self.report({"WARNING"}, "No photo was chosen")
            return {"CANCELLED"}
        return add(self, lambda: photo_list.add_sequence(context.scene.da3, files[0]))


class DA3_OT_add_photo_folder(bpy.types.Operator):
    """Add all photos of a folder to the list"""

    bl_idname = "da3.add_photo_folder"
    bl_label = "Add Folder"
    bl_options = UNDOABLE
    __annotations__ = {
        "directory": StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "filter_folder": bpy.props.BoolProperty(default=True, options={"HIDDEN"}),
    }

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return add(self, lambda: photo_list.add_folder(context.scene.da3, Path(self.directory)))


class DA3_OT_add_images(bpy.types.Operator):
    """Add images that are already in this file to the list"""

    bl_idname = "da3.add_images"
    bl_label = "Add Images of This File"
    bl_options = UNDOABLE
    __annotations__ = {
        "image": StringProperty(name="Image", description="Name of one image; all of them where this is empty")
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        images = [image for image in photo_list.usable_images() if self.image in ("", image.name)]
        if not images:
            self.report({"WARNING"}, "This file has no images with a file or packed data")
            return {"CANCELLED"}
        return add(self, lambda: photo_list.add_images(context.scene.da3, images))


class HasPhotos:
    """Operators that need a photo in the list."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return len(context.scene.da3.photos) > 0


class HasPhotosAlone(HasPhotos):
    """Operators that need photos in the list, and no clip."""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        if clip_row.clip_of(context.scene.da3) is None:
            return super().poll(context)
        cls.poll_message_set(rpt("This does not go with a clip"))
        return False


class DA3_OT_remove_photo(HasPhotos, bpy.types.Operator):
    """Take the chosen photo out of the list; its file stays"""

    bl_idname = "da3.remove_photo"
    bl_label = "Remove Photo"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.da3
        photo_list.remove(settings, settings.active_photo)
        return {"FINISHED"}


class DA3_OT_clear_photos(HasPhotos, bpy.types.Operator):
    """Take all photos out of the list; their files stay"""

    bl_idname = "da3.clear_photos"
    bl_label = "Remove All Photos"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        photo_list.clear(context.scene.da3)
        return {"FINISHED"}


class DA3_OT_move_photo(HasPhotos, bpy.types.Operator):
    """Move the chosen photo up or down in the list"""

    bl_idname = "da3.move_photo"
    bl_label = "Move Photo"
    bl_options = UNDOABLE
    __annotations__ = {"step": IntProperty(name="Step", description="Places to move on; negative moves up", default=1)}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.da3
        moved = photo_list.move(settings, settings.active_photo, self.step)
        return {"FINISHED"} if moved else {"CANCELLED"}


class DA3_OT_set_reference(HasPhotosAlone, bpy.types.Operator):
    """Make the scene in the frame of the chosen photo's camera; again to leave the choice to the model"""

    bl_idname = "da3.set_reference"
    bl_label = "Use as Reference Photo"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.da3
        photo_list.set_reference(settings, settings.active_photo)
        return {"FINISHED"}


class DA3_OT_refresh_photos(HasPhotos, bpy.types.Operator):
    """Look at the files of all photos again"""

    bl_idname = "da3.refresh_photos"
    bl_label = "Check Photos Again"
    bl_options = UNDOABLE

    def execute(self, context: bpy.types.Context) -> set[str]:
        bad = photo_list.refresh(context.scene.da3)
        message = rpt("Photos that cannot be used: {count}", count=bad) if bad else rpt("All photos can be used")
        self.report({"INFO"}, message)
        return {"FINISHED"}


class DA3_FH_photos(bpy.types.FileHandler):
    """Photos dropped on a 3D viewport; Blender asks whether they go to the list or are meant as image empties."""

    bl_idname = "DA3_FH_photos"
    bl_label = "Photos for DA3"
    bl_import_operator = "da3.add_photos"
    bl_file_extensions = ";".join(PHOTO_SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


class DA3_FH_videos(bpy.types.FileHandler):
    """A video dropped on a 3D viewport."""

    bl_idname = "DA3_FH_videos"
    bl_label = "Video for DA3"
    bl_import_operator = "da3.add_video"
    bl_file_extensions = ";".join(VIDEO_SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return DA3_FH_photos.poll_drop(context)


CLASSES = (
    DA3_OT_add_photos,
    DA3_OT_add_video,
    DA3_OT_add_sequence,
    DA3_OT_add_photo_folder,
    DA3_OT_add_images,
    DA3_OT_remove_photo,
    DA3_OT_clear_photos,
    DA3_OT_move_photo,
    DA3_OT_set_reference,
    DA3_OT_refresh_photos,
    DA3_FH_photos,
    DA3_FH_videos,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
