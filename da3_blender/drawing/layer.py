"""A picture of splats laid over a viewport: under the camera's frame, with outlines of those that are selected."""

from __future__ import annotations

import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d

from .canvas import Canvas, corners
from .overlay import overlay_shader

OUTLINE = 2.5
"""Width in pixels, at a scale of 1."""


def lay_over(canvas: Canvas, context: bpy.types.Context) -> None:
    """Blend the canvas over what the region of `context` has drawn. Colours come out as they are, whatever the view
    transform is."""
    shader = overlay_shader()
    frame, inside, outside = _camera_frame(context, canvas.size)
    theme = context.preferences.themes[0].view_3d
    overlay = context.space_data.overlay
    outlined = canvas.marked and overlay.show_overlays and overlay.show_outline_selected
    gpu.state.blend_set("ALPHA_PREMULT")
    gpu.state.depth_test_set("NONE")
    shader.bind()
    shader.uniform_sampler("picture", canvas.picture)
    shader.uniform_sampler("selection", canvas.selection)
    shader.uniform_float("frame", frame)
    shader.uniform_float("opacities", (inside, outside))
    shader.uniform_float("selected_color", tuple(theme.object_selected))
    shader.uniform_float("active_color", tuple(theme.object_active))
    shader.uniform_float("reach", OUTLINE * context.preferences.system.ui_scale if outlined else 0.0)
    corners(shader).draw(shader)
    gpu.state.blend_set("NONE")


def _camera_frame(
    context: bpy.types.Context, size: tuple[int, int]
) -> tuple[tuple[float, float, float, float], float, float]:
    """Left, bottom, right, top of the camera's frame in the region, how much of the splats is seen inside, where a
    photo may lie over them, and outside, where the viewport may darken; all of the region where there is none."""
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    space, region3d = context.space_data, context.region_data
    camera = space.camera if space.use_local_camera else context.scene.camera
    if region3d.view_perspective != "CAMERA" or camera is None or camera.type != "CAMERA":
        return whole, 1.0, 1.0
    data = camera.data
    matrix = camera.matrix_world.normalized()
    places = [
        location_3d_to_region_2d(context.region, region3d, matrix @ corner, default=None)
        for corner in data.view_frame(scene=context.scene)
    ]
    if any(place is None for place in places):
        return whole, 1.0, 1.0
    across, upward = [place.x for place in places], [place.y for place in places]
    shown = space.overlay.show_overlays
    inside = 1.0
    if shown and data.show_background_images:
        for photo in data.background_images:
            if photo.show_background_image and photo.display_depth == "FRONT":
                inside *= 1 - photo.alpha
    outside = 1 - data.passepartout_alpha if data.show_passepartout and shown else 1.0
    return (min(across), min(upward), max(across), max(upward)), inside, outside
