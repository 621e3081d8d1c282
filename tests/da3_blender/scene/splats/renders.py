"""Splats of the reference in a Blender scene, and what Blender renders of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from da3_blender.plan.splat_cloud import SplatPlan
from da3_blender.scene.splats.bounces import let_cycles_see_through
from da3_blender.scene.splats.write import write_splats
from tests.da3_blender.scene.splats.reference_splatter import Camera, Splats

EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"
CYCLES = "CYCLES"


def stand_splats(splats: Splats, scene: bpy.types.Scene) -> bpy.types.Object:
    """The object of `splats`."""
    count = len(splats.means)
    plan = SplatPlan(
        position=splats.means.astype(np.float32),
        scale=splats.scales.astype(np.float32),
        rotation=splats.rotations.astype(np.float32),
        base=np.concatenate([splats.harmonics[:, :, 0], splats.opacities[:, None]], 1).astype(np.float32),
        harmonics=np.moveaxis(splats.harmonics[:, :, 1:], 2, 0).astype(np.float32, order="C"),
        confidence=np.ones(count, np.float32),
        view=np.zeros(count, np.int32),
        repeated=np.zeros(count, bool),
        source="network",
        left_out=0,
    )
    item = write_splats(plan, "made", scene.collection)
    let_cycles_see_through(scene)
    return item


def stand_camera(camera: Camera, scene: bpy.types.Scene) -> bpy.types.Object:
    """The scene's camera, with the picture's size; square pixels, principal point in the middle."""
    item = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(item)
    scene.camera = item
    height, width = camera.size
    item.matrix_world = Matrix((np.linalg.inv(camera.extrinsics) @ np.diag([1.0, -1, -1, 1])).tolist())
    item.data.sensor_fit, item.data.sensor_width = "HORIZONTAL", 36.0
    item.data.lens = 36.0 * camera.intrinsics[0, 0] / width
    item.data.clip_start = 0.01
    scene.render.resolution_x, scene.render.resolution_y = width, height
    return item


def settle(scene: bpy.types.Scene, engine: str, samples: int) -> None:
    """Render over nothing and unfiltered: each pixel tells of its middle, as in the reference."""
    scene.render.engine = engine
    scene.render.film_transparent = True
    scene.render.filter_size = 0.01  # EEVEE's, pixels
    cycles: Any = scene.cycles
    cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = samples, False, False
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 0.01
    scene.eevee.taa_render_samples = samples if engine == EEVEE else 1


def render(scene: bpy.types.Scene, engine: str, path: Path, samples: int = 2) -> np.ndarray:
    """[H,W,4] as Blender writes it: linear light, premultiplied, first row at the top."""
    settle(scene, engine, samples)
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return read_picture(path)


def read_picture(path: Path) -> np.ndarray:
    """[H,W,4] of a picture file, its numbers as they are."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    shaped = pixels.reshape(image.size[1], image.size[0], 4)[::-1].astype(np.float64)
    bpy.data.images.remove(image)
    return shaped
