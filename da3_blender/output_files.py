"""Where a command line writes: never over what it reads, nor over a file that this program did not make.

Standard library only: asked before anything is installed or computed.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

PNG_START = b"\x89PNG\r\n\x1a\n"
HEADER_END = 33
"""Bytes of a PNG up to the end of IHDR, its first chunk."""

MARK = b"Software\0DA3 for Blender"
"""Text of a tEXt chunk, by which a picture is known as made here."""


def preview_of(blend: Path) -> Path:
    return blend.with_name(f"{blend.stem}_preview.png")


def check_outputs(blend: Path, preview: Path | None, inputs: Iterable[Path], overwrite: bool) -> None:
    """Raises ValueError with a sentence where one of the two may not be written."""
    inputs = list(inputs)
    for target in filter(None, (blend, preview)):
        _check_place(target)
        read = next((path for path in inputs if _same(path, target)), None)
        if read is not None:
            raise ValueError(f"{target} would be written over {read}, which is read: choose another --output")
    if blend.exists() and not overwrite:
        raise ValueError(f"{blend} is there already: choose another --output, or give --overwrite to replace it")
    if preview is not None and preview.exists() and not is_marked(preview):
        raise ValueError(
            f"{preview} is there already and was not made by this program: "
            "choose another --output, or give --no-preview"
        )


def unclaimed(path: Path) -> Path:
    """`path`, or where that exists the same with the first number that is free: scene.blend, scene_2.blend, ..."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
        number += 1
    return free


def mark(png: bytes) -> bytes:
    """The PNG with a chunk that says what made it (PNG specification, 11.3.4.3)."""
    chunk = struct.pack(">I", len(MARK)) + b"tEXt" + MARK + struct.pack(">I", zlib.crc32(b"tEXt" + MARK))
    return png[:HEADER_END] + chunk + png[HEADER_END:]


def is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_END + 8 + len(MARK))
    except OSError:
        return False
    return start.startswith(PNG_START) and start.endswith(MARK)


def _check_place(target: Path) -> None:
    if target.is_dir():
        raise ValueError(f"{target} is a folder: give --output the name of a file")
    folder = next(path for path in target.absolute().parents if path.exists())
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file, so {target} cannot be written: choose another --output")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{folder} cannot be written to: choose another --output")


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))
