"""File > Import and File > Export of Gaussian splats, and dropping such files on a 3D viewport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty

from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files import axes
from model_runtime.contract.splat_files.suffixes import WRITTEN

from ..scene.splats.files import Report, export_splats, import_splats, splat_objects
from ..scene.splats.follow import settle
from ..scene.splats.scene_settings import prepare_renders
from ..translation import rpt
from . import UNDOABLE, select, tell
from .photos import chosen_files

SUFFIXES = (".ply", ".spz", ".sog", ".splat")
"""What the file browser shows first and a drop takes; a SOG's meta.json is read, too, where it is chosen by name."""

FILTER = ";".join(f"*{suffix}" for suffix in (*SUFFIXES, ".json"))
AXES = (
    (
        "FILE",
        "Of the Format",
        "As files of the kind have them: PLY, SOG and .splat Y down, Z forward; SPZ and GLB Y up",
    ),
    ("OPENCV", "Y Down, Z Forward", "X right, Y down, Z forward, as cameras of COLMAP look"),
    ("Y_UP", "Y Up, Z Back", "X right, Y up, Z back"),
    ("Z_UP", "Z Up, as in Blender", "The numbers as they are, as Blender's own PLY importer takes them"),
)
NAMED_AXES = {"FILE": "", "OPENCV": axes.OPENCV, "Y_UP": axes.Y_UP, "Z_UP": axes.Z_UP}
FORMATS = (
    (".ply", "PLY", "Everything, in full precision: 250 bytes a splat with colors of degree 3"),
    (".spz", "SPZ", "Small, with steps one hardly sees: a tenth of a PLY"),
    (".glb", "GLB", "By glTF's KHR_gaussian_splatting; other viewers show colored points. Colors up to degree 3"),
    (".usda", "USD", "ParticleField3DGaussianSplat of OpenUSD 26.03 and later, as text: large"),
)
VERSIONS = (
    ("3", "SPZ 3", "What most programs read"),
    ("4", "SPZ 4", "Since 2026; needs Zstandard, which Blender brings along"),
)
MIDDLE_OF_IMPORT, WHOLE = 90, 100
"""Percent: where reading ends and making the object begins; the end."""


@contextmanager
def progress(context: bpy.types.Context, most: int = WHOLE) -> Iterator[Report]:
    """What tells the share that is done to Blender's cursor, up to `most` percent."""
    context.window_manager.progress_begin(0, WHOLE)
    try:
        yield lambda share: context.window_manager.progress_update(most * share)
    finally:
        context.window_manager.progress_end()


class DA3_OT_import_splats(bpy.types.Operator):
    """Make an object of each file of Gaussian splats, with the same filters and drawing as the splats of a DA3 scene"""

    bl_idname = "da3.import_splats"
    bl_label = "Import Gaussian Splats"
    bl_options = UNDOABLE
    __annotations__ = {
        "filepath": StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "directory": StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "files": CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}),
        "filter_glob": StringProperty(default=FILTER, options={"HIDDEN"}),
        "axes": EnumProperty(name="Axes", description="Which way is up in the file", items=AXES),
    }

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.mode == "OBJECT"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.files or self.filepath:  # dropped
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        made: list[bpy.types.Object] = []
        for path in chosen_files(self):
            try:
                with progress(context, MIDDLE_OF_IMPORT) as report:
                    item, left_out = import_splats(path, context.collection, NAMED_AXES[self.axes], report)
            except JobError as error:
                tell(self, error.failure)
                continue
            made.append(item)
            if left_out:
                message = "Splats of {name} that are left out, since their numbers are none: {count}"
                self.report({"WARNING"}, rpt(message, name=path.name, count=left_out))
        if not made:
            return {"CANCELLED"}
        select(context, made)
        prepare_renders(context.scene)
        self.report({"INFO"}, rpt("Files of splats imported: {count}", count=len(made)))
        return {"FINISHED"}


class DA3_OT_export_splats(bpy.types.Operator):
    """Write the Gaussian splats that are seen, where they stand: after filters, crops and all modifiers, without \
hidden objects"""

    bl_idname = "da3.export_splats"
    bl_label = "Export Gaussian Splats"
    __annotations__ = {
        "filepath": StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "check_existing": BoolProperty(default=True, options={"HIDDEN"}),
        "filter_glob": StringProperty(default="*.ply;*.spz;*.glb;*.usda", options={"HIDDEN"}),
        "format": EnumProperty(name="Format", description="What kind of file to write", items=FORMATS),
        "spz_version": EnumProperty(name="Version", description="Version of SPZ", items=VERSIONS),
        "use_selection": BoolProperty(
            name="Selection Only", description="Write the splats of selected objects only", options={"SKIP_SAVE"}
        ),
        "axes": EnumProperty(name="Axes", description="Which way is up in the file", items=AXES),
    }

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.mode == "OBJECT" and bool(splat_objects(context.view_layer.objects))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.use_selection = bool(splat_objects(context.selected_objects))
        if not self.filepath:
            self.filepath = f"{Path(bpy.data.filepath).stem or 'splats'}{self.format}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """The name follows the format that is chosen."""
        path = Path(self.filepath)
        if not path.name or path.suffix.lower() == self.format:
            return False
        stem = path.stem if path.suffix.lower() in WRITTEN else path.name
        self.filepath = str(path.with_name(stem + self.format))
        return True

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "format")
        if self.format == ".spz":
            layout.prop(self, "spz_version")
        layout.prop(self, "use_selection")
        layout.prop(self, "axes")

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        candidates = context.selected_objects if self.use_selection else context.view_layer.objects
        items, version = splat_objects(candidates), int(self.spz_version)
        settle(items)
        graph = context.evaluated_depsgraph_get()
        try:
            with progress(context) as report:
                count = export_splats(path, items, graph, NAMED_AXES[self.axes], version, report)
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        self.report({"INFO"}, rpt("Splats exported: {count}", count=count))
        return {"FINISHED"}


class DA3_FH_splats(bpy.types.FileHandler):
    """Files of splats dropped on a 3D viewport; Blender asks where it has an importer of its own for them."""

    bl_idname = "DA3_FH_splats"
    bl_label = "Gaussian Splats (DA3)"
    bl_import_operator = DA3_OT_import_splats.bl_idname
    bl_file_extensions = ";".join(SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def import_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    text = "Gaussian Splats (.ply, .spz, .sog, .splat)"
    self.layout.operator(DA3_OT_import_splats.bl_idname, text=text)


def export_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    text = "Gaussian Splats (.ply, .spz, .glb, .usda)"
    self.layout.operator(DA3_OT_export_splats.bl_idname, text=text)


CLASSES: tuple[Any, ...] = (DA3_OT_import_splats, DA3_OT_export_splats, DA3_FH_splats)

_register, _unregister = bpy.utils.register_classes_factory(CLASSES)


def register() -> None:
    _register()
    bpy.types.TOPBAR_MT_file_import.append(import_menu)
    bpy.types.TOPBAR_MT_file_export.append(export_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_export.remove(export_menu)
    bpy.types.TOPBAR_MT_file_import.remove(import_menu)
    _unregister()
