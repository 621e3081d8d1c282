"""How a film is stored turned: the display matrix of MP4 and MOV files, which Blender heeds from 4.4 on. No bpy.

ISO/IEC 14496-12: boxes of a length, a name and what is in them; `moov/trak/tkhd` has the matrix of a track.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

MATRIX = {0: 40, 1: 52}
"""Where in `tkhd` the matrix begins, by the version of the box."""

ONE = 1 << 16
"""In its numbers with 16 bits after the point."""

TURNS = {(0, ONE, -ONE, 0): 1, (-ONE, 0, 0, -ONE): 2, (0, -ONE, ONE, 0): 3}
"""Clockwise quarters by the first four numbers of the matrix, row by row without the third."""

LARGEST = 1 << 28
"""Bytes of a `moov` box: one that claims more is broken."""


def quarter_turns(file: Path | str) -> int:
    """By how many quarters, clockwise, the film's pictures are turned to be seen upright; 0 where nothing tells."""
    try:
        moov = _moov(Path(file))
    except OSError:
        return 0
    for _, track in _inside(moov, b"trak"):
        for _, head in _inside(track, b"tkhd"):
            place = MATRIX.get(head[0], 0) if head else 0
            if place and len(head) >= place + 36:
                matrix = struct.unpack_from(">9i", head, place)
                turns = TURNS.get((matrix[0], matrix[1], matrix[3], matrix[4]), 0)
                if turns:
                    return turns
    return 0


def _moov(file: Path) -> bytes:
    """What is in the file's `moov` box; empty where it has none."""
    with file.open("rb") as stream:
        while len(head := stream.read(8)) == 8:
            size, name = struct.unpack(">I4s", head)
            rest = size - 8
            if size == 1:
                (large,) = struct.unpack(">Q", stream.read(8).rjust(8, b"\0"))
                rest = large - 16
            if size == 0 or rest < 0:
                return b""
            if name == b"moov":
                return stream.read(rest) if rest <= LARGEST else b""
            stream.seek(rest, 1)
    return b""


def _inside(data: bytes, wanted: bytes) -> Iterator[tuple[int, bytes]]:
    """Where boxes of this name are in `data`, and what is in each."""
    place = 0
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        if size < 8:
            return
        if name == wanted:
            yield place, data[place + 8 : place + size]
        place += size
