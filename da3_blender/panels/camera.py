"""What a photo's camera is, and what can be set about it: a part of its result's panel."""

from __future__ import annotations

import bpy

from model_runtime.contract.lens import BROWN, FISHEYE, named_coefficients

from ..plan.conventions import film_equivalent
from ..scene import find, locks
from ..scene.clip_camera import clip_frames, clip_rate, is_clip, key_frames
from ..scene.lens_groups import DISTORT, UNDISTORT
from ..scene.lenses import read_lens
from ..scene.marks import CAMERA_SOURCE, MATCH_ERROR, RESOLUTION, VIEW
from ..scene.movie_clips import clip_behind
from ..scene.surfaces import photo_behind
from ..settings import Settings
from ..translation import iface
from . import paragraph

SOURCES = {
    "given": "Known",
    "network": "Network",
    "rays": "Rays",
    "features": "Features",
    "refined": "Refined",
}
LENS_NAMES = {BROWN: "Brown-Conrady", FISHEYE: "Fisheye"}
LOCK_ICONS = {"": "UNLOCKED", locks.CAMERA: "LOCKED", locks.LENS: "DECORATE_LOCKED"}


def chosen_camera(
    settings: Settings, scene: bpy.types.Scene, cameras: list[bpy.types.Object]
) -> bpy.types.Object | None:
    """The one of a result's cameras that is chosen in its list, or else looked through."""
    objects = bpy.data.objects
    chosen = objects[settings.active_view] if settings.active_view < len(objects) else None
    return next((item for item in (chosen, scene.camera) if item in cameras), None)


def draw_plate(layout: bpy.types.UILayout, collection: bpy.types.Collection, cameras: list[bpy.types.Object]) -> None:
    """How the result's cameras show their photos."""
    column = layout.column(align=True)
    column.active = any(photo_behind(camera) or clip_behind(camera) for camera in cameras)
    column.prop(collection.da3, "plate_opacity", slider=True)
    column.row(align=True).prop(collection.da3, "plate_depth", expand=True)


def draw_lock(layout: bpy.types.UILayout, camera: bpy.types.Object, what: str, text: str = "") -> None:
    """The button that locks or unlocks what of a camera."""
    locked = locks.lock_of(camera)
    shown = locked if not text or locked == what else ""
    button = layout.operator(
        "da3.lock_photo", text=text, icon=LOCK_ICONS[shown], emboss=bool(text), depress=bool(text and shown)
    )
    button.result, button.photo, button.what = find.identity(camera), camera.get(VIEW, ""), what


def draw_camera(layout: bpy.types.UILayout, context: bpy.types.Context, camera: bpy.types.Object) -> None:
    """All about the chosen camera, and its locks."""
    header, body = layout.panel(f"DA3_camera_{find.identity(camera)}")
    header.label(text=camera.get(VIEW, camera.name), icon="CAMERA_DATA", translate=False)
    if body is None:
        return
    column = body.column(align=True)
    for line in camera_lines(camera):
        paragraph(column, context, line)
    row = body.row(align=True)
    row.enabled = locks.can_be_locked(camera)
    draw_lock(row, camera, locks.CAMERA, "Lock Camera")
    draw_lock(row, camera, locks.LENS, "Lock Lens")
    row = body.row(align=True)
    row.enabled = not is_clip(camera)
    row.operator("da3.project_photo", icon="MOD_UVPROJECT").camera = camera.name
    row.operator("da3.take_projection_off", text="", icon="X")
    if read_lens(camera.data) is not None:
        draw_lens(body, camera)


def draw_lens(layout: bpy.types.UILayout, camera: bpy.types.Object) -> None:
    """The ways between the straightened photo and the one that its lens bent."""
    column = layout.column(align=True)
    for way, text in ((DISTORT, "Distort in Compositor"), (UNDISTORT, "Undistort in Compositor")):
        button = column.operator("da3.lens_group", text=text, icon="NODE_COMPOSITING")
        button.camera, button.way = camera.name, way
    button = column.operator("da3.export", text="Write STMaps", icon="EXPORT")
    button.result, button.formats = find.identity(camera), {"stmap"}


def short_facts(camera: bpy.types.Object, source: str) -> str:
    """A camera in as few words as a row has room for: where it comes from, unless all do as `source` says; its match,
    or its lens where that is unknown."""
    own, error = camera.get(CAMERA_SOURCE, ""), camera.data.get(MATCH_ERROR)
    origin = "" if own == source else iface(SOURCES.get(own, ""))
    fact = f"{camera.data.lens:.0f} mm" if error is None else f"{error:.2f} px"
    return ", ".join(filter(None, (origin, fact)))


def camera_lines(camera: bpy.types.Object) -> list[str]:
    """Lens, sensor, size, shift, source, match and distortion of a camera, as lines."""
    data = camera.data
    sensor = (data.sensor_width, data.sensor_height)
    equivalent = film_equivalent(data.lens, sensor)
    error, lens = data.get(MATCH_ERROR), read_lens(data)
    lines = [
        iface("Lens: {lens} mm, as {film} mm on 35 mm film", lens=f"{data.lens:.2f}", film=f"{equivalent:.1f}"),
        iface("Sensor: {width} x {height} mm", width=f"{sensor[0]:.2f}", height=f"{sensor[1]:.2f}"),
        iface("Shift: {x}, {y}", x=f"{data.shift_x:.4f}", y=f"{data.shift_y:.4f}"),
        iface("Camera from: {source}", source=iface(SOURCES.get(camera.get(CAMERA_SOURCE, ""), "Unknown"))),
        iface("Match error: unknown")
        if error is None
        else iface("Match error: {error} pixels of the photo", error=f"{error:.2f}"),
    ]
    if RESOLUTION in data:
        width, height = data[RESOLUTION]
        lines.insert(2, iface("Size: {width} x {height} pixels", width=width, height=height))
    if is_clip(camera):
        first, last = clip_frames(camera)
        rate, keys = f"{clip_rate(camera):.6g}", len(key_frames(camera))
        lines.append(
            iface(
                "Clip: frames {first} to {last}, {rate} a second; key frames: {keys}",
                first=first,
                last=last,
                rate=rate,
                keys=keys,
            )
        )
    if lens is not None:
        values = ", ".join(f"{name} {value:.5g}" for name, value in named_coefficients(lens).items() if value)
        size = f"{lens.size[0]} x {lens.size[1]}"
        lines.append(
            iface(
                "Straightened from {size} pixels. {model}: {values}",
                size=size,
                model=iface(LENS_NAMES[lens.model]),
                values=values,
            )
        )
    return lines
