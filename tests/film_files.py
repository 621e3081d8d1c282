"""Films that Blender itself encodes, for tests of what the add-on knows of them."""

from __future__ import annotations

import struct
from pathlib import Path

import bpy

from da3_blender.headless.blend_file import quietly

UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
"""The matrix in a track's header that leaves pictures as they are (ISO 14496-12, 8.3.2)."""


def make_film(path: Path, container: str = "MPEG4", codec: str = "H264", frames: int = 12, rate: int = 30) -> Path:
    """A film of 96 x 64 pixels at `path`, rendered from a colour strip in a scene that is gone afterwards."""
    scene = bpy.data.scenes.new("film")
    try:
        render = scene.render
        render.resolution_x, render.resolution_y, render.resolution_percentage, render.fps = 96, 64, 100, rate
        scene.frame_start, scene.frame_end = 1, frames
        editor = scene.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences
        end = {"length": frames} if bpy.app.version >= (5, 0) else {"frame_end": frames + 1}
        strips.new_effect("colour", "COLOR", 1, frame_start=1, **end)
        settings = render.image_settings
        if hasattr(settings, "media_type"):
            settings.media_type = "VIDEO"
        settings.file_format = "FFMPEG"
        render.ffmpeg.format, render.ffmpeg.codec = container, codec
        render.filepath, render.use_file_extension = str(path), False
        with quietly():
            bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
    return path


def turned(film: Path, path: Path) -> Path:
    """The MP4 film as a phone writes it that was held upright: its header says to turn the pictures by 90 degrees."""
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30)
    data = film.read_bytes()
    assert data.count(UPRIGHT) == 2, "one for the film, one for its track"
    place = data.index(UPRIGHT, data.index(b"tkhd"))
    path.write_bytes(data[:place] + quarter + data[place + len(quarter) :])
    return path
