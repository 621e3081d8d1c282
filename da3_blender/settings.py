"""What the artist sets: `scene.da3`, one group per scene. Only values; what is done with them stands elsewhere.

Blender makes its types at run time, where a type checker sees nothing: `ListedPhoto` and `Settings` say the types of
the values, and the classes that are registered add Blender's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

CAMERA_SOURCES = (
    ("auto", "Automatic", "Features of the photos where they place most of them, else the network"),
    ("network", "Network", "The cameras that the network says directly"),
    ("rays", "Rays", "Solved from the network's ray maps: slower, sometimes better"),
    ("features", "Features", "Solved from points that are found again in several photos, as photogrammetry does"),
    ("given", "Known", "Cameras that are known already"),
)
KNOWN_CAMERAS = (
    ("blender", "Blender Cameras", "Cameras of this scene; what is made stands where they stand"),
    ("colmap", "COLMAP Folder", "Cameras of a COLMAP project, or of one of its models"),
)
REFINE_DEPTH = (
    ("auto", "Automatic", "Where cameras are known, from features or refined; not where they are the network's own"),
    ("on", "On", "Wherever the cameras come from"),
    ("off", "Off", "The depth stays as the network says it, each photo for itself"),
)
LENS_CHOICES = (
    ("auto", "Automatic", "As much distortion, zoom and shift as the photos bear out"),
    ("pinhole", "No Distortion", "Straight lines are straight in the photos already"),
    ("k1", "Slight", "Brown-Conrady with one coefficient, k1"),
    ("k1k2", "Usual", "Brown-Conrady with two coefficients, k1 and k2"),
    ("brown", "Brown-Conrady", "All of it: k1, k2, k3, p1 and p2"),
    ("fisheye", "Fisheye", "Very wide lenses and action cameras: k1 to k4 of the angle"),
)
BACKENDS = (
    ("auto", "Automatic", "PyTorch where the runtime has it, else ONNX Runtime"),
    ("torch", "PyTorch", "Of the full runtime"),
    ("onnx", "ONNX Runtime", "Of both runtimes; the same network, to rounding"),
)
MESHES = (
    ("none", "None", "Make no mesh"),
    ("fused", "One Surface", "One clean surface from all photos, with the photos as its texture"),
    ("sheets", "Sheet per Photo", "One surface per photo, with the photo at its full resolution"),
)


ROW_KINDS = (
    ("photo", "Photo", "One of several photos of a place"),
    ("film", "Video", "A file with all frames of a clip"),
    ("sequence", "Image Sequence", "Photos that are the frames of a clip, by the numbers in their names"),
)

TOLD_ELSEWHERE = {"HIDDEN"}
"""Options of properties that no layout shows by themselves."""


class ListedPhoto:
    """One photo of the list, or the one clip that a list may hold instead.

    kind: one of ROW_KINDS. path: a file; of an image sequence any of its frames; empty where `image` carries the photo
    inside the .blend. frames, first_frame, last_frame, rate: of a clip, how many there are, their numbers, and how many
    a second; 0 where that is not known.
    """

    name: str
    kind: str
    path: str
    image: bpy.types.Image | None
    reference: bool
    width: int
    height: int
    lens: float
    problem: str
    camera: bpy.types.Object | None
    frames: int
    first_frame: int
    last_frame: int
    rate: float
    __annotations__ = {
        "kind": EnumProperty(items=ROW_KINDS, options=TOLD_ELSEWHERE),
        "path": StringProperty(name="File", description="The photo's file", subtype="FILE_PATH"),
        "image": PointerProperty(
            name="Image", description="Image in this file that is the photo", type=bpy.types.Image
        ),
        "reference": BoolProperty(
            name="Reference Photo", description="The scene is made in the frame of this photo's camera"
        ),
        "width": IntProperty(name="Width", description="Pixels of the upright photo", min=0),
        "height": IntProperty(name="Height", description="Pixels of the upright photo", min=0),
        "lens": FloatProperty(name="Lens", description="Focal length the camera noted, mm on 36 mm film", min=0),
        "problem": StringProperty(name="Problem", description="Why this photo cannot be used"),
        "camera": PointerProperty(
            name="Camera",
            description="The camera of this scene that the photo was taken with",
            type=bpy.types.Object,
            poll=lambda _, item: item.type == "CAMERA",
        ),
        "frames": IntProperty(min=0, options=TOLD_ELSEWHERE),
        "first_frame": IntProperty(min=0, options=TOLD_ELSEWHERE),
        "last_frame": IntProperty(min=0, options=TOLD_ELSEWHERE),
        "rate": FloatProperty(min=0, options=TOLD_ELSEWHERE),
    }


class DA3_Photo(ListedPhoto, bpy.types.PropertyGroup):
    __annotations__ = ListedPhoto.__annotations__


class PhotoList(Protocol):
    """What Blender's collections can do."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[ListedPhoto]: ...
    def __getitem__(self, index: int) -> ListedPhoto: ...
    def add(self) -> ListedPhoto: ...
    def remove(self, index: int) -> None: ...
    def move(self, index: int, to: int) -> None: ...
    def clear(self) -> None: ...


class Settings:
    """Everything the panel shows for a scene before its job is started."""

    photos: PhotoList
    active_photo: int
    active_view: int
    worst_first: bool
    clip_first: int
    clip_last: int
    clip_step: int
    clip_rate: float
    set_frame_range: bool
    scene_name: str
    model: str
    checkpoint_path: str
    only_commercial: bool
    camera_source: str
    known_cameras: str
    colmap_folder: str
    refine: bool
    refine_depth: str
    lens: str
    make_points: bool
    make_splats: bool
    improve_splats: bool
    make_mesh: str
    own_resolution: bool
    resolution: int
    backend: str
    confidence: float
    edge_angle: float
    upright: bool
    centre: bool
    standard_view: bool
    draw_splats: bool
    bl_rna: Any
    """What Blender tells of the properties themselves."""
    id_data: Any
    """The scene that they belong to."""

    __annotations__ = {
        "photos": CollectionProperty(type=DA3_Photo, name="Photos", description="The photos to make a scene from"),
        "active_photo": IntProperty(name="Active Photo", description="The photo chosen in the list", min=0),
        "active_view": IntProperty(
            name="Active Camera", description="The camera chosen in the list of a result", min=0
        ),
        "worst_first": BoolProperty(
            name="Worst Match First", description="List the cameras that match their photos worst at the top"
        ),
        "clip_first": IntProperty(
            name="First Frame",
            description="Number of the first frame of the clip that is used; a video's first frame has number 0",
            min=0,
        ),
        "clip_last": IntProperty(
            name="Last Frame",
            description="Number of the last frame of the clip that is used; 0 for the end of the clip",
            min=0,
        ),
        "clip_step": IntProperty(
            name="Step",
            description="Use every frame, or every second, third, ... one",
            min=1,
            max=1000,
            soft_max=10,
            default=1,
        ),
        "clip_rate": FloatProperty(
            name="Frame Rate",
            description="Frames of the image sequence a second",
            min=0.01,
            max=1000,
            soft_min=1,
            soft_max=120,
            default=24,
            precision=3,
        ),
        "set_frame_range": BoolProperty(
            name="Set Frame Range",
            description="Let the scene begin with the clip's first frame and end with its last one",
        ),
        "scene_name": StringProperty(
            name="Name", description="Name of the collection to make; the photos' folder gives it where this is empty"
        ),
        "model": StringProperty(name="Model", description="Which model looks at the photos", default="da3-tiny"),
        "checkpoint_path": StringProperty(
            name="Own Checkpoint",
            description="A checkpoint of your own in the released format, instead of a model of the list",
            subtype="FILE_PATH",
        ),
        "only_commercial": BoolProperty(
            name="Only Commercially Usable", description="List only models whose results may be sold"
        ),
        "camera_source": EnumProperty(
            name="Cameras", description="Where the cameras come from", items=CAMERA_SOURCES, default="auto"
        ),
        "known_cameras": EnumProperty(
            name="Known Cameras", description="Where the known cameras are", items=KNOWN_CAMERAS, default="blender"
        ),
        "colmap_folder": StringProperty(
            name="COLMAP Folder",
            description="Folder of a COLMAP project of these photos, or of one of its models, such as sparse/0",
            subtype="DIR_PATH",
        ),
        "refine": BoolProperty(
            name="Refine Cameras",
            description="Make the network's cameras agree with points found again in several photos, where that helps",
        ),
        "refine_depth": EnumProperty(
            name="Refine Depth",
            description="Make the depth of the photos agree, by looking at what several of them show",
            items=REFINE_DEPTH,
            default="auto",
        ),
        "lens": EnumProperty(
            name="Lens",
            description="How the lens bends straight lines, where cameras are found by features of the photos",
            items=LENS_CHOICES,
            default="auto",
        ),
        "make_points": BoolProperty(name="Points", description="Make a colored point cloud", default=True),
        "make_splats": BoolProperty(
            name="Splats",
            description="Make Gaussian splats, which look like the photos from nearby views",
            default=True,
        ),
        "improve_splats": BoolProperty(
            name="Improve Splats",
            description="Make one layer of the splats of all photos and let it look like them: sharper from new views, "
            "and about ten seconds more for each photo",
        ),
        "make_mesh": EnumProperty(name="Mesh", description="Which mesh to make", items=MESHES, default="none"),
        "own_resolution": BoolProperty(
            name="Set Detail", description="Choose the detail yourself; otherwise the model works as it does best"
        ),
        "resolution": IntProperty(
            name="Detail",
            description="Longest side in pixels at which the model sees the photos: more is slower and needs memory",
            min=112,
            max=2016,
            soft_max=1008,
            default=504,
            step=14,
        ),
        "backend": EnumProperty(name="Backend", description="What runs the model", items=BACKENDS, default="auto"),
        "confidence": FloatProperty(
            name="Hide Unsure",
            description="Share of the points that is hidden at first, the least sure ones; changed any time later",
            subtype="FACTOR",
            min=0,
            max=1,
            default=0.1,
        ),
        "edge_angle": FloatProperty(
            name="Edge Filter",
            description="Leaves out points between a near and a far thing, where the surface is seen flatter than "
            "this many degrees; 0 keeps all",
            min=0,
            max=89,
            default=10,
            precision=0,
        ),
        "upright": BoolProperty(name="Upright", description="Turn the scene so that up is up", default=True),
        "centre": BoolProperty(
            name="On the Floor", description="Move the floor to height zero and the middle to the origin", default=True
        ),
        "standard_view": BoolProperty(
            name="Colors as in the Photos",
            description="Set the scene's view transform to Standard, so that photo colors render as they are",
        ),
        "draw_splats": BoolProperty(
            name="Draw in Viewport",
            description="Draw splats in 3D Views, in every shading. Blender draws splats of its own kind itself",
            default=True,
        ),
    }


class DA3_Settings(Settings, bpy.types.PropertyGroup):
    __annotations__ = Settings.__annotations__


CLASSES = (DA3_Photo, DA3_Settings)

_register, _unregister = bpy.utils.register_classes_factory(CLASSES)


def register() -> None:
    _register()
    bpy.types.Scene.da3 = PointerProperty(type=DA3_Settings)


def unregister() -> None:
    del bpy.types.Scene.da3
    _unregister()
