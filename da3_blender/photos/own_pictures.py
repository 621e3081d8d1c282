"""Pictures that were made here, such as previews: marked, so that none is taken for a photo. Standard library only."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

PNG_START = b"\x89PNG\r\n\x1a\n"
HEADER_END = 33
"""Bytes of a PNG up to the end of IHDR, its first chunk."""

MARK = b"Software\0DA3 for Blender"
"""Text of a tEXt chunk, by which a picture is known as made here."""


def mark(png: bytes) -> bytes:
    """The PNG with a chunk that says what made it (PNG specification, 11.3.4.3)."""
    chunk = struct.pack(">I", len(MARK)) + b"tEXt" + MARK + struct.pack(">I", zlib.crc32(b"tEXt" + MARK))
    return png[:HEADER_END] + chunk + png[HEADER_END:]


def is_marked(path: Path) -> bool:
    if not os.path.isfile(path):  # opening a pipe would wait for whoever writes to it
        return False
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_END + 8 + len(MARK))
    except OSError:
        return False
    return start.startswith(PNG_START) and start.endswith(MARK)
