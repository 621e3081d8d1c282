"""One picture of a finished scene: the first photo, the scene through its camera, and the scene from elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from model_runtime.contract.messages import JobError

from ..photos.own_pictures import mark
from ..scene import SceneObjects
from ..scene.cameras import apply_camera_resolution
from ..scene.meshes import point_count
from .blend_file import quietly, reason
from .output_files import replacing

PANEL_HEIGHT = 400
GAP = 6
"""Pixels."""

SAMPLES = 8
SPLAT_SAMPLES = 2
"""Seeing through hundreds of splats per ray is slow: few samples, then denoised."""

PNG_END = b"IEND\xaeB`\x82"
"""Name and checksum of a PNG's last chunk, which is empty."""

NEW_VIEW = (20.0, 10.0)
"""Degrees from the first camera to the new viewpoint, around the middle of what it sees: sideways and up."""


def write_preview(objects: SceneObjects, path: Path, splats: bool = False) -> None:
    """Writes `path`, a PNG marked as this program's: the first camera's photo, the points through that camera and from
    a new viewpoint.

    splats: adds the splats through the first camera, which takes minutes on a CPU.
    Cycles renders, which needs neither display nor GPU. Changes the open file, so call it after saving. Raises JobError
    where the picture cannot be written.
    """
    try:
        _write_png(_draw(objects, splats), path)
    except (OSError, RuntimeError, MemoryError) as error:
        why = "there is not enough memory" if isinstance(error, MemoryError) else reason(error)
        sentence = f"The preview cannot be written to {path}: {why}."
        advice = "The scene is finished and stays. Free some space on that disk, or give --no-preview."
        raise JobError("preview-unwritten", sentence, advice) from error


def _draw(objects: SceneObjects, splats: bool) -> np.ndarray:
    """[h,w,4] float32, the panels side by side."""
    scene = bpy.context.scene
    first = objects.cameras[0]
    apply_camera_resolution(scene, first)
    _set_up(scene)
    panels = []
    background = first.data.background_images
    if background and background[0].source == "IMAGE" and background[0].image.source == "FILE":
        panels.append(_photo_pixels(background[0].image, scene))
    for camera, shown, caption in _shots(objects, splats):
        for item in (objects.points, objects.splats):
            if item is not None:
                item.hide_render = item is not shown
        scene.camera = camera
        panels.append(_render(scene, caption))
    gap = np.ones((panels[0].shape[0], GAP, 4), np.float32)
    parts = [part for panel in panels for part in (panel, gap)][:-1]
    return np.concatenate(parts, axis=1)


def _shots(objects: SceneObjects, splats: bool) -> Iterator[tuple[bpy.types.Object, bpy.types.Object, str]]:
    """Camera, what it is to see, and the caption of every rendered panel."""
    first = objects.cameras[0]
    if objects.points is not None:
        yield first, objects.points, f"{point_count(objects.points.data):,} points, camera 1"
        yield new_viewpoint(first, objects.points), objects.points, "new viewpoint"
    if splats and objects.splats is not None:
        bpy.context.scene.cycles.samples, bpy.context.scene.cycles.use_denoising = SPLAT_SAMPLES, True
        yield first, objects.splats, f"{point_count(objects.splats.data):,} splats, camera 1"


def new_viewpoint(first: bpy.types.Object, points: bpy.types.Object) -> bpy.types.Object:
    """A copy of the camera, carried around the point at the median depth before it."""
    position = np.empty(len(points.data.vertices) * 3, np.float32)
    points.data.attributes["position"].data.foreach_get("vector", position)
    to_camera = np.array(first.matrix_world.inverted())
    depth = -(position.reshape(-1, 3) @ to_camera[2, :3] + to_camera[2, 3])
    ahead = depth[depth > 0]
    pivot = first.matrix_world @ Vector((0, 0, -float(np.median(ahead)))) if ahead.size else Vector()
    sideways, up = np.radians(NEW_VIEW)
    axes = first.matrix_world.to_3x3()
    turn = Matrix.Rotation(sideways, 4, axes.col[1]) @ Matrix.Rotation(-up, 4, axes.col[0])
    camera = first.copy()
    camera.animation_data_clear()
    camera.matrix_world = Matrix.Translation(pivot) @ turn @ Matrix.Translation(-pivot) @ first.matrix_world
    bpy.context.scene.collection.objects.link(camera)
    return camera


def _set_up(scene: bpy.types.Scene) -> None:
    """Small, quick and true to the photos' colours, with a caption in the corner."""
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 0
    render.resolution_percentage = 100
    render.resolution_x = round(PANEL_HEIGHT * render.resolution_x / render.resolution_y)
    render.resolution_y = PANEL_HEIGHT
    render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    scene.timeline_markers.clear()
    world = bpy.data.worlds.new("preview")
    world.color = (0.02, 0.02, 0.02)
    scene.world = world
    render.use_stamp = True
    for name in dir(render):
        if name.startswith("use_stamp_"):
            setattr(render, name, name == "use_stamp_note")
    render.stamp_font_size = 14
    render.stamp_foreground, render.stamp_background = (1, 1, 1, 1), (0, 0, 0, 0.7)


def _render(scene: bpy.types.Scene, caption: str) -> np.ndarray:
    scene.render.stamp_note_text = caption
    with tempfile.TemporaryDirectory(dir=bpy.app.tempdir or None) as folder:
        scene.render.filepath = str(Path(folder) / "panel.png")
        with quietly():
            bpy.ops.render.render(write_still=True)
        _whole_png(Path(scene.render.filepath))
        image = bpy.data.images.load(scene.render.filepath)
        pixels = _pixels(image)
    bpy.data.images.remove(image)
    return pixels


def _photo_pixels(photo: bpy.types.Image, scene: bpy.types.Scene) -> np.ndarray:
    """The photo at a panel's size."""
    copy = photo.copy()
    copy.scale(scene.render.resolution_x, scene.render.resolution_y)
    pixels = _pixels(copy)
    bpy.data.images.remove(copy)
    return pixels


def _pixels(image: bpy.types.Image) -> np.ndarray:
    """[h,w,4] float32, display-encoded as in the file, first row at the bottom, opaque."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)
    pixels[..., 3] = 1
    return pixels


def _whole_png(path: Path) -> bytes:
    """What the file holds. Raises OSError where its end is missing, which Blender does not tell."""
    png = path.read_bytes()
    if not png.endswith(PNG_END):
        raise OSError(f"{path} is cut short, as when the disk is full")
    return png


def _write_png(pixels: np.ndarray, path: Path) -> None:
    height, width = pixels.shape[:2]
    image = bpy.data.images.new("preview", width, height)
    image.pixels.foreach_set(np.ascontiguousarray(pixels, np.float32).ravel())
    image.file_format = "PNG"
    with tempfile.TemporaryDirectory(dir=bpy.app.tempdir or None) as folder:
        drawn = Path(folder) / "preview.png"
        image.filepath_raw = str(drawn)
        image.save()
        marked = mark(_whole_png(drawn))
    with replacing(path.resolve()) as part:
        part.write_bytes(marked)
    bpy.data.images.remove(image)
