"""What an OpenEXR file says about itself, read without OpenEXR. Standard library only.

https://openexr.com/en/latest/OpenEXRFileLayout.html tells the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

EXR_START = b"v/1\x01"

DEEP, SEVERAL_PARTS = 0x800, 0x1000
"""Flags of the version field."""

WHOLE_NUMBERS, HALF = 0, 1
MOST_ATTRIBUTES, MOST_LETTERS, MOST_BYTES = 10_000, 256, 1 << 20
"""More than any real file has, so that a made-up one takes no longer than a moment. Bytes: of an attribute that is
read; others, such as lists of objects, may be of any size."""


class ExrError(ValueError):
    """A file that is broken; says so as a sentence's end."""


@dataclass(frozen=True)
class Channel:
    """kind: as in the file, whole numbers, half or float. sampling: 1, 1 where every pixel has a value."""

    kind: int
    sampling: tuple[int, int]

    @property
    def bytes_per_pixel(self) -> int:
        return 2 if self.kind == HALF else 4


@dataclass(frozen=True)
class ExrHeader:
    """display, data: windows as x and y of the first and of the last pixel; the first is what is meant to be seen, the
    second what there are pixels of. flags: of the version field. tile: (width, height), 0 where there are none."""

    display: tuple[int, int, int, int]
    data: tuple[int, int, int, int]
    channels: dict[str, Channel]
    flags: int
    tile: tuple[int, int] = (0, 0)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the photo, which is what is meant to be seen."""
        return window_size(self.display)

    @property
    def colors(self) -> tuple[str, ...]:
        """The channels that make the photo; none where it has no such."""
        return next((names for names in (("R", "G", "B"), ("Y",)) if set(names) <= self.channels.keys()), ())

    @property
    def problem(self) -> str:
        """Why it is not read, as a sentence's end; empty where it is."""
        used = [self.channels[name] for name in self.colors]
        if self.flags & SEVERAL_PARTS:
            return "has several parts"
        if self.flags & DEEP:
            return "has deep pixels"
        if not used:
            return "has neither the channels R, G and B nor Y outside of its layers"
        if any(channel.kind == WHOLE_NUMBERS for channel in used):
            return "has whole numbers where colors should be"
        if any(channel.sampling != (1, 1) for channel in used):
            return "has no color of its own for every pixel"
        return ""


def window_size(window: tuple[int, int, int, int]) -> tuple[int, int]:
    return window[2] - window[0] + 1, window[3] - window[1] + 1


def read_exr_header(file: BinaryIO) -> ExrHeader:
    """Of an open seekable file. Raises ExrError."""
    try:
        file.seek(4)
        (flags,) = struct.unpack("<I", file.read(4))
        found = dict(_attributes(file))
        display, data = (struct.unpack_from("<4i", found[name]) for name in ("displayWindow", "dataWindow"))
        tile = struct.unpack_from("<II", found["tiles"]) if "tiles" in found else (0, 0)
        header = ExrHeader(display, data, dict(_channels(found["channels"])), flags, tile)
    except (struct.error, KeyError, ValueError) as error:
        raise ExrError("is damaged") from error
    if min(*window_size(display), *window_size(data)) < 1:
        raise ExrError("is damaged")
    return header


def _attributes(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Name and content, of a file with one part or of the first of several."""
    for _ in range(MOST_ATTRIBUTES):
        name = _word(file)
        if not name:
            return
        _word(file)
        (size,) = struct.unpack("<i", file.read(4))
        if 0 <= size <= MOST_BYTES:
            yield name, file.read(size)
        else:
            file.seek(size, 1)
    raise ExrError("is damaged")


def _word(file: BinaryIO) -> str:
    start = file.tell()
    word, end, _ = file.read(MOST_LETTERS).partition(b"\0")
    if not end:
        raise ExrError("is damaged")
    file.seek(start + len(word) + 1)
    return word.decode("latin-1")


def _channels(content: bytes) -> Iterator[tuple[str, Channel]]:
    while content and content[0]:
        name, _, content = content.partition(b"\0")
        kind, _, across, down = struct.unpack_from("<iIii", content)
        yield name.decode("latin-1"), Channel(kind, (across, down))
        content = content[16:]
