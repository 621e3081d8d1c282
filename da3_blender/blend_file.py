"""An empty file to build in, and saving it so that it still finds its photos when it is moved."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import bpy

from .output_files import unclaimed

PACK_LIMIT = 64_000_000
"""Bytes of photos that are kept inside a .blend; beyond, it links to them."""


def empty_scene() -> bpy.types.Scene:
    """The scene of a new file with nothing in it. Preferences and add-ons stay as they are."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene


def save(path: Path, photos: Sequence[Path], how: str = "auto") -> str:
    """Saves the open file to `path`, in one move, and tells where it has its photos from.

    how: `pack` keeps the photos inside; `link` leaves them where they are, by paths relative to the .blend;
    `auto` packs up to PACK_LIMIT bytes of them.
    """
    path = path.resolve()
    size = sum(photo.stat().st_size for photo in photos)
    pack = how == "pack" or (how == "auto" and size <= PACK_LIMIT)
    for image in bpy.data.images:
        if image.source == "FILE" and not image.packed_file:
            if pack:
                image.pack()
            else:
                image.filepath = bpy.path.relpath(image.filepath, start=str(path.parent))
    _show_colours()
    part = unclaimed(path.with_name(f"{path.stem}.part.blend"))
    with quietly():
        bpy.ops.wm.save_as_mainfile(filepath=str(part), compress=True)
    os.replace(part, path)
    return f"{'packed into' if pack else 'linked relative to'} the .blend ({size / 1e6:.1f} MB)"


@contextmanager
def quietly() -> Iterator[None]:
    """Keeps what Blender itself writes to the standard output (a line per rendered tile) off the terminal."""
    sys.stdout.flush()
    terminal = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)


def _show_colours() -> None:
    """Lets 3D views open through the camera and with colours, which Solid shading does not show on points."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    space.shading.type = "MATERIAL"
                    space.region_3d.view_perspective = "CAMERA"
