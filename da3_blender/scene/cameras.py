"""One Blender camera per view, its photo behind it, and the resolution that belongs to it.

Blender keeps one resolution per scene, and it can be neither animated nor driven. So every camera remembers its own
(custom properties on the camera data), which `viewing` applies when the camera is looked through. Without
the add-on, and in an animation render, which keeps the size it began with, a photo of another shape lies whole in the
middle of the first one's frame, and what the camera sees still lies on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.exr_header import EXR_START
from model_runtime.contract.messages import JobError

from ..plan.conventions import SENSOR_WIDTH, any_blender_camera, fit_sensor, from_blender_camera
from ..plan.plain_names import free_name, plain_name
from ..plan.scene_plan import CameraPlan
from .lenses import numbers, write_lens
from .marks import CAMERA_SOURCE, INTRINSICS, MAP_SIZE, MATCH_ERROR, PHOTO_FILE, PIXEL_ASPECT, RESOLUTION
from .placement import put

MADE_HERE = "da3_plate"
"""On images that stand in for a photo's file. Any other may be the photo itself, which is the artist's."""

PLATE_OPACITY, PLATE_DEPTH = 0.5, "FRONT"
"""How cameras show their photos at first."""


def write_camera(plan: CameraPlan, collection: bpy.types.Collection, frame: float) -> bpy.types.Object:
    """The camera object of one view, with its photo as background, linked into `collection`.

    frame: width by height of the render, in which points and photo agree even where nobody applies the camera's own
    resolution.
    """
    sensor = fit_sensor(plan.camera, frame)
    name = free_name(plain_name(plan.name), bpy.data.objects, bpy.data.cameras)
    data = bpy.data.cameras.new(name)
    data.sensor_fit = sensor.fit
    data.sensor_width, data.sensor_height = SENSOR_WIDTH, sensor.height
    data.lens = plan.camera.lens
    data.shift_x, data.shift_y = sensor.shift_x, sensor.shift_y
    data.clip_start, data.clip_end = plan.clip
    data.display_size = plan.display_size
    data[RESOLUTION] = plan.camera.resolution
    data[PIXEL_ASPECT] = plan.camera.pixel_aspect
    data[MAP_SIZE] = plan.map_size
    data[INTRINSICS] = numbers(from_blender_camera(plan.camera)[1])
    write_lens(data, plan.lens)
    if plan.lens is not None and plan.photo_path is not None:
        data[PHOTO_FILE] = str(Path(plan.photo_path).resolve())
    if plan.match_error is not None:
        data[MATCH_ERROR] = plan.match_error
    item = bpy.data.objects.new(name, data)
    put(item, plan.camera.matrix_world, change=np.eye(4))
    item[CAMERA_SOURCE] = plan.source
    collection.objects.link(item)
    image = photo_image(plan)
    if image is not None:
        put_behind(data, image, plan.camera.pixel_aspect)
    return item


def seen_by(
    camera: bpy.types.Object, matrix: np.ndarray, lens: Any, size: tuple[int, int], scene: bpy.types.Scene
) -> tuple[np.ndarray, np.ndarray]:
    """Extrinsics [4,4] and intrinsics [3,3] of a camera at `matrix` [4,4], in the pixels of a picture of this size.

    lens: its evaluated data. Raises JobError where it is no perspective camera, or is sheared or mirrored.
    """
    if lens.type != "PERSP":
        sentence = f"The camera '{camera.name}' is no perspective camera."
        raise JobError("bad-cameras", sentence, "Set its type to Perspective, or choose another.")
    render = scene.render
    pixel_aspect = tuple(camera.data.get(PIXEL_ASPECT, (render.pixel_aspect_x, render.pixel_aspect_y)))
    try:
        pinhole = any_blender_camera(
            matrix,
            lens.lens,
            (lens.shift_x, lens.shift_y),
            lens.sensor_fit,
            (lens.sensor_width, lens.sensor_height),
            size,
            pixel_aspect,
        )
    except ValueError as error:
        sentence = f"The camera '{camera.name}' cannot be used: {error}."
        raise JobError("bad-cameras", sentence, "Apply its scale and that of its parents.") from error
    return from_blender_camera(pinhole)


def apply_camera_resolution(scene: bpy.types.Scene, camera: bpy.types.Object) -> bool:
    """Give `scene` the resolution and pixel aspect that `camera` remembers. False when it remembers none.

    What already agrees is left alone, so that calling this often costs nothing.
    """
    data = camera.data
    if data is None or RESOLUTION not in data:
        return False
    width, height = data[RESOLUTION]
    aspect_x, aspect_y = data[PIXEL_ASPECT]
    wanted = {
        "resolution_x": width,
        "resolution_y": height,
        "pixel_aspect_x": aspect_x,
        "pixel_aspect_y": aspect_y,
    }
    for name, value in wanted.items():
        if abs(getattr(scene.render, name) - value) > 1e-6:
            setattr(scene.render, name, value)
    return True


def photo_image(plan: CameraPlan) -> bpy.types.Image | None:
    """The image that is the photo: packed where the file holds another, else the file's; None where there is none."""
    inside = next((image for image in bpy.data.images if image.session_uid == plan.photo_image), None)
    if plan.plate:
        if inside is not None:
            inside.use_fake_user = True  # the photo itself, which an update needs and nothing else may show
        width, height = plan.camera.resolution
        # Blender takes a new image's colors as linear where they are floats, and keeps to that.
        linear = plan.plate[: len(EXR_START)] == EXR_START
        image = bpy.data.images.new(plan.name, width, height, float_buffer=linear)
        image.pack(data=bytes(plan.plate), data_len=len(plan.plate))  # it may be a view of a file
        image.source = "FILE"
        image[MADE_HERE] = True
        if linear:
            image.alpha_mode = "PREMUL"  # as Blender takes it that files of OpenEXR are
        return image
    if plan.photo_path is None:
        return inside
    return bpy.data.images.load(str(Path(plan.photo_path).resolve()), check_existing=True)


def put_behind(data: bpy.types.Camera, image: bpy.types.Image, pixel_aspect: tuple[float, float]) -> None:
    """Add `image` behind the camera.

    FIT shows it at its own aspect within the camera's frame; with the camera's pixel aspect on the image the two are
    the same rectangle, so the photo covers the frame exactly.
    """
    image.display_aspect = pixel_aspect
    background = data.background_images.new()
    background.image = image
    background.frame_method = "FIT"
    background.alpha, background.display_depth = PLATE_OPACITY, PLATE_DEPTH
    data.show_background_images = True
