"""One Blender camera per view, its photo behind it, and the resolution that belongs to it.

Blender keeps one resolution per scene, and it can be neither animated nor driven. So every camera remembers its own
(custom properties on the camera data), and a handler applies it when a timeline marker brings the camera up. Without
the add-on, and in an animation render, which keeps the size it began with, a photo of another shape lies whole in the
middle of the first one's frame, and what the camera sees still lies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..conventions import SENSOR_WIDTH, fit_sensor
from ..scene_plan import CameraPlan
from .placement import put

RESOLUTION = "da3_resolution"
"""Custom property of the camera data: (width, height) of the original photo in pixels."""

PIXEL_ASPECT = "da3_pixel_aspect"
"""Custom property of the camera data: (x, y) pixel aspect that gives the camera its two focal lengths."""

SOURCE = "da3_camera_source"
"""Custom property of the camera object: where its place and lens come from (`features`, `network`, ...)."""


def write_camera(plan: CameraPlan, collection: bpy.types.Collection, frame: float) -> bpy.types.Object:
    """The camera object of one view, with its photo as background, linked into `collection`.

    frame: width by height of the render, in which points and photo agree even where nobody applies the camera's own
    resolution.
    """
    sensor = fit_sensor(plan.camera, frame)
    data = bpy.data.cameras.new(plan.name)
    data.sensor_fit = sensor.fit
    data.sensor_width, data.sensor_height = SENSOR_WIDTH, sensor.height
    data.lens = plan.camera.lens
    data.shift_x, data.shift_y = sensor.shift_x, sensor.shift_y
    data.clip_start, data.clip_end = plan.clip
    data.display_size = plan.display_size
    data[RESOLUTION] = plan.camera.resolution
    data[PIXEL_ASPECT] = plan.camera.pixel_aspect
    item = bpy.data.objects.new(plan.name, data)
    put(item, plan.camera.matrix_world, change=np.eye(4))
    item[SOURCE] = plan.source
    collection.objects.link(item)
    image = _photo(plan)
    if image is not None:
        put_behind(data, image, plan.camera.pixel_aspect)
    return item


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


def bind_to_timeline(scene: bpy.types.Scene, cameras: Sequence[bpy.types.Object]) -> int:
    """One marker per camera, a frame each; returns the first frame.

    That is frame 1, or the frame after the last marker that already has a camera. The scene's end moves out as needed.
    """
    first = 1 + max((marker.frame for marker in scene.timeline_markers if marker.camera), default=0)
    for frame, camera in enumerate(cameras, start=first):
        scene.timeline_markers.new(camera.name, frame=frame).camera = camera
    scene.frame_end = max(scene.frame_end, first + len(cameras) - 1)
    return first


def look_through(scene: bpy.types.Scene, camera: bpy.types.Object, frame: int) -> None:
    """Make `camera`, which a marker binds to `frame` (`marker_frame`), the scene's camera, and its resolution the
    scene's."""
    scene.frame_set(frame)
    scene.camera = camera
    apply_camera_resolution(scene, camera)
    scene.render.resolution_percentage = 100


def marker_frame(scene: bpy.types.Scene, camera: bpy.types.Object) -> int:
    """The frame a marker binds `camera` to; the current one where there is none."""
    frames = [marker.frame for marker in scene.timeline_markers if marker.camera == camera]
    return frames[0] if frames else scene.frame_current


def marker_camera(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The camera the timeline's markers choose at the current frame, as Blender does: the last one bound before it,
    else the first one after it. None where no marker has a camera."""
    bound = sorted((marker for marker in scene.timeline_markers if marker.camera), key=lambda marker: marker.frame)
    passed = [marker for marker in bound if marker.frame <= scene.frame_current]
    return passed[-1].camera if passed else bound[0].camera if bound else None


@persistent
def follow_marker_camera(scene: bpy.types.Scene, *_: object) -> None:
    """Frame-change handler: the resolution follows the camera that the timeline's markers choose."""
    camera = marker_camera(scene)
    if camera is not None:
        apply_camera_resolution(scene, camera)


def register() -> None:
    bpy.app.handlers.frame_change_post.append(follow_marker_camera)


def unregister() -> None:
    bpy.app.handlers.frame_change_post.remove(follow_marker_camera)


def _photo(plan: CameraPlan) -> bpy.types.Image | None:
    if plan.plate:
        width, height = plan.camera.resolution
        image = bpy.data.images.new(plan.name, width, height)
        image.pack(data=plan.plate, data_len=len(plan.plate))
        image.source = "FILE"
        return image
    if plan.photo_path is None:
        return next((image for image in bpy.data.images if image.session_uid == plan.photo_image), None)
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
    background.display_depth = "FRONT"
    background.alpha = 0.5
    data.show_background_images = True
