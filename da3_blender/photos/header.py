"""Size and lens of a photo from the first bytes of its file, without decoding it. Standard library only.

Formats: JPEG (ITU-T T.81, markers SOF and APP1), PNG (IHDR, eXIf), WebP (RIFF container), TIFF 6.0, and in each of them
Exif 2.32, of which two tags matter: Orientation (0x0112) and FocalLengthIn35mmFilm (0xA405).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

ORIENTATION, FOCAL_35MM, EXIF_IFD = 0x0112, 0xA405, 0x8769
TIFF_WIDTH, TIFF_HEIGHT = 0x0100, 0x0101
NEW_SUBFILE_TYPE, REDUCED = 0x00FE, 1
"""TIFF 6.0: a picture that is a smaller copy of another in the same file."""

SIDEWAYS = (5, 6, 7, 8)
"""Orientations in which the upright photo's width is the file's height."""

JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""

MOST_EXIF = 1 << 20
"""Bytes: more than any real Exif block, so that a broken length reads no whole file into memory."""

MOST_PIECES = 200_000
"""Segments or chunks looked at: more than any photo has, so that a made-up file takes no longer than a second."""


class HeaderError(ValueError):
    """A file that is not one of the formats, or ends too early; says which as a sentence's end."""


class NotAPhotoError(HeaderError):
    """A file that is not one of the formats."""


@dataclass(frozen=True)
class PhotoHeader:
    """size: upright (width, height) in pixels. lens: focal length in mm for a 36 mm wide film; 0 where not told.
    reduced: whether the file says that this is a smaller copy of another picture in it, as RAW files do.
    orientation: of the stored pixels, 1 to 8 as in EXIF."""

    size: tuple[int, int]
    lens: float
    reduced: bool = False
    orientation: int = 1


def read_header(path: Path) -> PhotoHeader:
    """What the file at `path` says about itself. Raises OSError, or HeaderError where it is not a photo."""
    with path.open("rb") as file:
        return parse_header(file)


def parse_header(file: BinaryIO) -> PhotoHeader:
    """As `read_header`, of an open seekable file."""
    start = file.read(12)
    file.seek(0)
    try:
        if start[:3] == b"\xff\xd8\xff":
            size, tags = _read_jpeg(file)
        elif start[:8] == b"\x89PNG\r\n\x1a\n":
            size, tags = _read_png(file)
        elif start[:4] == b"RIFF" and start[8:] == b"WEBP":
            size, tags = _read_webp(file)
        elif start[:4] in (b"II*\0", b"MM\0*"):
            tags = _read_tags(file)
            size = (tags.get(TIFF_WIDTH, 0), tags.get(TIFF_HEIGHT, 0))
        else:
            raise NotAPhotoError("is not a photo")
    except (struct.error, IndexError, OverflowError) as error:
        raise HeaderError("is damaged") from error
    if min(size) < 1:
        raise HeaderError("is damaged")
    orientation = tags.get(ORIENTATION, 1)
    upright = (size[1], size[0]) if orientation in SIDEWAYS else size
    reduced = bool(tags.get(NEW_SUBFILE_TYPE, 0) & REDUCED)
    return PhotoHeader(upright, float(tags.get(FOCAL_35MM, 0)), reduced, orientation if 1 <= orientation <= 8 else 1)


def _take(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise HeaderError("ends too early")
    return data


def _read_jpeg(file: BinaryIO) -> tuple[tuple[int, int], dict[int, int]]:
    tags: dict[int, int] = {}
    file.seek(2)
    for _ in range(MOST_PIECES):
        start, marker = _take(file, 2)
        if start != 0xFF:
            break
        if marker == 0xFF:  # as many as the writer likes may stand before a marker
            file.seek(-1, 1)
            continue
        if marker in JPEG_BARE:
            continue
        (length,) = struct.unpack(">H", _take(file, 2))
        if length < 2:
            break
        content = _take(file, length - 2)
        if marker in JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, 1)
            return (width, height), tags
        if marker == 0xE1 and content[:6] == b"Exif\0\0":
            tags = _parse_exif(content[6:])
        elif marker in (0xD9, 0xDA):
            break
    raise HeaderError("is damaged")


def _read_png(file: BinaryIO) -> tuple[tuple[int, int], dict[int, int]]:
    file.seek(8)
    size, tags = (0, 0), {}
    for _ in range(MOST_PIECES):
        if len(head := file.read(8)) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IHDR":
            size = struct.unpack(">II", _take(file, 8))
            file.seek(length - 8 + 4, 1)
        elif kind == b"eXIf" and length <= MOST_EXIF:
            tags = _parse_exif(_take(file, length))
            file.seek(4, 1)
        elif kind == b"IEND":
            break
        else:
            file.seek(length + 4, 1)
    return (size[0], size[1]), tags


def _read_webp(file: BinaryIO) -> tuple[tuple[int, int], dict[int, int]]:
    """Sizes stand in VP8X (extended), VP8L (lossless) or VP8 (lossy); the first of them counts."""
    file.seek(12)
    size, tags = (0, 0), {}
    for _ in range(MOST_PIECES):
        if len(head := file.read(8)) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        end = file.tell() + length + length % 2
        if kind == b"EXIF" and length <= MOST_EXIF:
            tags = _parse_exif(_take(file, length).removeprefix(b"Exif\0\0"))
        elif size == (0, 0):
            size = _webp_size(kind, _take(file, min(length, 10)))
        file.seek(end)
    return size, tags


def _webp_size(kind: bytes, data: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _parse_exif(data: bytes) -> dict[int, int]:
    """Whole-number tags; none where the block is broken, which is no reason to refuse a photo that can be seen."""
    try:
        return _read_tags(BytesIO(data))
    except (HeaderError, struct.error, IndexError, OverflowError):
        return {}


def _read_tags(file: BinaryIO) -> dict[int, int]:
    """Tags of type SHORT or LONG with a single value, of the first directory and of the Exif directory in it."""
    start = _take(file, 8)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None:
        raise HeaderError("is damaged")
    (offset,) = struct.unpack(f"{order}I", start[4:])
    tags = dict(_directory(file, order, offset))
    if EXIF_IFD in tags:
        tags |= {tag: value for tag, value in _directory(file, order, tags[EXIF_IFD]) if tag not in tags}
    return tags


def _directory(file: BinaryIO, order: str, offset: int) -> Iterator[tuple[int, int]]:
    file.seek(offset)
    (count,) = struct.unpack(f"{order}H", _take(file, 2))
    entries = _take(file, 12 * count)
    for index in range(count):
        tag, kind, values = struct.unpack_from(f"{order}HHI", entries, 12 * index)
        if values == 1 and kind in (3, 4):
            yield tag, struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", entries, 12 * index + 8)[0]
