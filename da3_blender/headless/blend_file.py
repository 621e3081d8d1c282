"""An empty file to build in, and saving it so that it still finds its photos when it is moved."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import bpy

from model_runtime.contract.messages import JobError, Photo
from model_runtime.contract.stored_files import photo_size

from .output_files import replacing

PACK_LIMIT = 64_000_000
"""Bytes of photos that are kept inside a .blend; beyond, it links to them."""

TABLE_END = struct.Struct("<IBI")
"""The end of a compressed .blend, in zstd's seekable format: count of frames, flags, and a magic number. Before it
stand the sizes of every frame, packed and unpacked; before those a head of 8 bytes."""

TABLE_MAGIC = 0x8F92EAB1
TABLE_ROW = struct.Struct("<II")
TABLE_HEAD = 8


def empty_scene() -> bpy.types.Scene:
    """The scene of a new file with nothing in it. Preferences and add-ons stay as they are."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene


def save(path: Path, photos: Mapping[Path, Photo], how: str = "auto") -> str:
    """Saves the open file to `path`, in one move, and tells where it has its photos from.

    photos: what the job saw of the file of each; none of a clip, which is not packed. how: `pack` keeps those inside
    that are in memory; `link` leaves them where they are, by paths relative to the .blend; `whole` likewise, by whole
    paths; `auto` packs up to PACK_LIMIT bytes of them. Raises JobError where it cannot be written; what was there then
    stays.
    """
    path = path.resolve()
    size = sum(map(photo_size, photos.values()))
    pack = how == "pack" or (how == "auto" and size <= PACK_LIMIT)
    images = [
        *(image for image in bpy.data.images if image.source in ("FILE", "SEQUENCE") and not image.packed_file),
        *bpy.data.movieclips,
    ]
    _show_colours()
    if pack:
        with _packed(images, {file.resolve(): photo.data for file, photo in photos.items() if photo.file is None}):
            _write(path)
    elif how == "whole":
        _write(path)
    else:
        with _relative(images, path.parent):
            _write(path)
    linked = "linked" if how == "whole" else "linked relative to the .blend"
    kept = "packed into the .blend" if pack else linked
    return f"{kept} ({size / 1e6:.1f} MB)" if photos else kept


@contextmanager
def _packed(images: Sequence[bpy.types.Image | bpy.types.MovieClip], photos: Mapping[Path, bytes]) -> Iterator[None]:
    """Packs what the job saw, whatever became of the files since; where that cannot be saved, images are as before."""
    packed = []
    for image in images:
        data = photos.get(Path(image.filepath).resolve())
        if data is not None and isinstance(image, bpy.types.Image):
            image.pack(data=data, data_len=len(data))
            packed.append(image)
    try:
        yield
    except BaseException:
        for image in packed:
            image.unpack(method="REMOVE")
        raise


@contextmanager
def _relative(images: Sequence[bpy.types.Image | bpy.types.MovieClip], folder: Path) -> Iterator[None]:
    """Gives images paths relative to `folder` for a while: the open file lies nowhere, so it needs whole ones.

    Movie clips are looked up at once, and what is then found of them is saved: so `folder` is the working one, too.
    """
    whole, working = [image.filepath for image in images], os.getcwd()
    os.chdir(folder)
    try:
        for image, path in zip(images, whole, strict=True):
            image.filepath = bpy.path.relpath(path, start=str(folder))
        yield
    finally:
        os.chdir(working)
        for image, path in zip(images, whole, strict=True):
            image.filepath = path


def _write(path: Path) -> None:
    try:
        with replacing(path) as part:
            with quietly():
                bpy.ops.wm.save_as_mainfile(filepath=str(part), compress=True, copy=True, relative_remap=False)
            _check_whole(part)
    except (OSError, RuntimeError) as error:
        sentence = f"The scene cannot be written to {path}: {reason(error)}."
        advice = "Free some space on that disk, or choose another --output; what was there before is unchanged."
        raise JobError("output-unwritten", sentence, advice) from error


def _check_whole(path: Path) -> None:
    """Raises OSError where the end of a compressed .blend is missing: Blender does not tell when the disk gets full."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        if not _frames_add_up(file):
            raise OSError("it is cut short, as when the disk is full")
    with quietly(), bpy.data.libraries.load(str(path)):  # looks for the file's end, and raises where there is none
        pass


def _frames_add_up(file: BinaryIO) -> bool:
    """Whether the sizes in the table of frames are those of the file."""
    size = file.seek(0, os.SEEK_END)
    if size < TABLE_END.size:
        return False
    file.seek(size - TABLE_END.size)
    count, _, magic = TABLE_END.unpack(file.read())
    rest = size - TABLE_END.size - count * TABLE_ROW.size
    if magic != TABLE_MAGIC or rest < 0:
        return False
    file.seek(rest)
    table = file.read(count * TABLE_ROW.size)
    return rest == TABLE_HEAD + sum(packed for packed, _ in TABLE_ROW.iter_unpack(table))


def reason(error: OSError | RuntimeError) -> str:
    """What went wrong, in the words of the system or of Blender, whose own failures are RuntimeErrors."""
    system_reason = error.strerror if isinstance(error, OSError) else None
    return system_reason or str(error).strip().removeprefix("Error: ")


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
