"""Numbers in the tags of a TIFF, of an Exif block, which is one, and of the RAW formats that begin like one.

TIFF 6.0, Exif 2.32, DNG 1.7. Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

NEW_SUBFILE_TYPE, REDUCED = 0x00FE, 1
"""A picture that is a smaller copy of another in the same file."""

WIDTH, HEIGHT, ORIENTATION, EXIF_IFD, DNG_VERSION = 0x0100, 0x0101, 0x0112, 0x8769, 0xC612
FOCAL, FOCAL_35MM, PIXELS_ACROSS, PIXELS_DOWN = 0x920A, 0xA405, 0xA002, 0xA003
PLANE_X, PLANE_Y, PLANE_UNIT = 0xA20E, 0xA20F, 0xA210

TURNED = range(2, 9)
"""Orientations of photos that are not stored upright."""

SIDEWAYS = range(5, 9)
"""Those of them in which the upright photo's width is the file's height."""

BYTE, SHORT, LONG, RATIONAL = 1, 3, 4, 5
FORMS = {BYTE: "B", SHORT: "H", LONG: "I"}
FRACTIONS = (FOCAL, PLANE_X, PLANE_Y)

STARTS = {b"II": "<", b"MM": ">"}


class TagsError(ValueError):
    """Tags that are broken, or end too early; says which as a sentence's end."""


def read_tags(file: BinaryIO) -> dict[int, float]:
    """Tags with a single number, of the first directory and of the Exif directory in it. Raises TagsError."""
    file.seek(0)
    start = _take(file, 8)
    order = STARTS.get(start[:2])
    if order is None:
        raise TagsError("is damaged")
    try:
        tags = dict(_directory(file, order, struct.unpack(f"{order}I", start[4:])[0]))
        if EXIF_IFD in tags:
            inside = _directory(file, order, int(tags[EXIF_IFD]))
            tags |= {tag: value for tag, value in inside if tag not in tags}
    except (struct.error, OverflowError) as error:
        raise TagsError("is damaged") from error
    return tags


def exif_tags(data: bytes) -> dict[int, float]:
    """Those of an Exif block; none where it is broken, which is no reason to refuse a photo that can be seen."""
    try:
        return read_tags(BytesIO(data.removeprefix(b"Exif\0\0")))
    except TagsError:
        return {}


def orientation_of(tags: Mapping[int, float]) -> int:
    """1 to 8, as in Exif."""
    orientation = int(tags.get(ORIENTATION, 1))
    return orientation if orientation in TURNED else 1


def is_raw(tags: Mapping[int, float]) -> bool:
    """Whether a TIFF is a camera's RAW: it says that it is a DNG, or that its first picture is a small copy."""
    return DNG_VERSION in tags or bool(int(tags.get(NEW_SUBFILE_TYPE, 0)) & REDUCED)


def _directory(file: BinaryIO, order: str, offset: int) -> Iterator[tuple[int, float]]:
    file.seek(offset)
    (count,) = struct.unpack(f"{order}H", _take(file, 2))
    entries = _take(file, 12 * count)
    for index in range(count):
        tag, kind, values = struct.unpack_from(f"{order}HHI", entries, 12 * index)
        if kind in FORMS and (values == 1 or tag == DNG_VERSION):
            yield tag, struct.unpack_from(f"{order}{FORMS[kind]}", entries, 12 * index + 8)[0]
        elif kind == RATIONAL and values == 1 and tag in FRACTIONS:
            file.seek(struct.unpack_from(f"{order}I", entries, 12 * index + 8)[0])
            above, below = struct.unpack(f"{order}II", file.read(8).ljust(8, b"\0"))
            if below:
                yield tag, above / below


def _take(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise TagsError("ends too early")
    return data
