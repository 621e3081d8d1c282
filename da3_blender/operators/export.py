"""The operator that exports a DA3 scene."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from model_runtime.contract.export.settings import ORIGINAL, STRAIGHT, ExportSettings
from model_runtime.contract.messages import JobError

from ..jobs.export import export_result
from ..translation import rpt
from . import tell
from .views import ActsOnResult

FORMATS = (
    ("colmap", "COLMAP", "Cameras, photos and points for programs that train splats or reconstruct: sparse/0, images"),
    ("transforms", "Nerfstudio", "Cameras, photos and points for nerfstudio and its like: transforms.json"),
    ("nuke", "Nuke Script", "Plates, cameras, and for lenses that bend lines STMaps"),
    (
        "chan",
        "Nuke Camera File",
        "A .chan file of the cameras, a frame a photo: place, rotation and angle of view alone",
    ),
    (
        "stmap",
        "STMaps",
        "For each lens that bends lines maps to straighten photos and to bend renders; its coefficients",
    ),
    ("usd", "USD", "Cameras, points and surfaces with their colors"),
    ("alembic", "Alembic", "Cameras, points and surfaces"),
    ("fbx", "FBX", "Cameras, points and textured surfaces"),
    ("glb", "GLB", "Cameras, points and textured surfaces; cameras lose off-center principal points"),
    ("ply", "PLY Points", "The points with color and confidence"),
    ("splats_ply", "PLY Splats", "The Gaussian splats, in full precision"),
    ("splats_spz", "SPZ Splats", "The Gaussian splats, in a tenth of the space"),
    ("splats_glb", "GLB Splats", "The Gaussian splats as glTF with KHR_gaussian_splatting"),
    ("splats_usda", "USD Splats", "The Gaussian splats as USD's ParticleField3DGaussianSplat"),
    ("depth", "Depth EXR", "For each photo how far away its points are, along the camera's axis"),
    ("position", "Position EXR", "For each photo where its points are in the world"),
    ("npz", "NumPy NPZ", "Everything, for scripts and for da3-runtime export"),
)
PICTURES = (
    (STRAIGHT, "Straightened", "The photos as they lie behind the cameras, which see no lens distortion"),
    (ORIGINAL, "Original", "The photos as they were taken, with the distortion of their lenses"),
)


class DA3_OT_export(ActsOnResult, bpy.types.Operator):
    """Write what is seen of this DA3 scene as files for other software: photos, points and surfaces that are not \
hidden, where they stand now"""

    bl_idname = "da3.export"
    bl_label = "Export DA3 Scene"
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "directory": StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}),
        "filter_folder": BoolProperty(default=True, options={"HIDDEN"}),
        "formats": EnumProperty(
            name="Formats", description="What to write", items=FORMATS, options={"ENUM_FLAG"}, default={"colmap"}
        ),
        "pictures": EnumProperty(
            name="Photos",
            description="Which photos COLMAP and transforms.json tell about, where a lens bends lines",
            items=PICTURES,
        ),
        "copy_pictures": BoolProperty(
            name="Copy Photos", description="Write the photos, too, beside the files that name them", default=True
        ),
        "overwrite": BoolProperty(
            name="Replace Files", description="Replace files that are there already", options={"SKIP_SAVE"}
        ),
    }

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.column().prop(self, "formats")
        for name in ("pictures", "copy_pictures", "overwrite"):
            layout.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None:
            self.report({"ERROR"}, rpt("This DA3 scene is not in the file any more"))
            return {"CANCELLED"}
        if not self.formats or not self.directory:
            self.report({"ERROR"}, rpt("Choose a folder and at least one format"))
            return {"CANCELLED"}
        formats = [name for name, _, _ in FORMATS if name in self.formats]
        settings = ExportSettings(self.pictures, self.copy_pictures)
        try:
            files = export_result(
                collection, context.scene, formats, Path(bpy.path.abspath(self.directory)), settings, self.overwrite
            )
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        self.report({"INFO"}, rpt("Files exported: {count}", count=len(files)))
        return {"FINISHED"}


CLASSES = (DA3_OT_export,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
