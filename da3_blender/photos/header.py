"""Size and lens of a photo from the first bytes of its file, without decoding it. Standard library only.

Formats: JPEG (ITU-T T.81, markers SOF and APP1), PNG (IHDR, eXIf), WebP (RIFF container), TIFF 6.0, and in each of them
Exif 2.32, of which orientation and focal length matter; HEIC, AVIF, OpenEXR. The size of a RAW photo, which is in each
maker's own tags, only its developer tells.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from model_runtime.contract.exr_header import ExrError, read_exr_header
from model_runtime.contract.focal_length import focal_on_35mm
from model_runtime.contract.heif_boxes import HeifError, read_heif
from model_runtime.contract.photo_kinds import START, kind_by_name, kind_by_start
from model_runtime.contract.tiff_tags import (
    HEIGHT,
    ORIENTATION,
    SIDEWAYS,
    WIDTH,
    TagsError,
    exif_tags,
    is_raw,
    orientation_of,
    read_tags,
)

UNKNOWN = (0, 0)
"""The size of a photo that is known only when it is read."""

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


class UnusableError(HeaderError):
    """A whole file of one of the formats that holds something else than a photo."""


@dataclass(frozen=True)
class PhotoHeader:
    """size: upright (width, height) in pixels, or UNKNOWN. lens: focal length in mm for a 36 mm wide film; 0 where not
    told. orientation: of the stored pixels, 1 to 8 as in EXIF. raw: whether this is a camera's RAW."""

    size: tuple[int, int]
    lens: float
    orientation: int = 1
    raw: bool = False


def read_header(path: Path) -> PhotoHeader:
    """What the file at `path` says about itself. Raises OSError, or HeaderError where it is not a photo."""
    with path.open("rb") as file:
        return parse_header(file, path.name)


def parse_header(file: BinaryIO, name: str = "") -> PhotoHeader:
    """As `read_header`, of an open seekable file. name: tells some RAW photos from other TIFFs."""
    kind = kind_by_start(file.read(START))
    file.seek(0)
    if kind == "TIFF" and kind_by_name(name) == "RAW":
        kind = "RAW"
    try:
        return _parse(file, kind)
    except (struct.error, IndexError, OverflowError) as error:
        raise HeaderError("is damaged") from error
    except (TagsError, HeifError, ExrError) as error:
        raise HeaderError(str(error)) from error


def _parse(file: BinaryIO, kind: str) -> PhotoHeader:
    if kind == "RAW":
        return PhotoHeader(UNKNOWN, _lens(_raw_tags(file), UNKNOWN), raw=True)
    if kind == "TIFF":
        tags = read_tags(file)
        if is_raw(tags):
            return PhotoHeader(UNKNOWN, _lens(tags, UNKNOWN), raw=True)
        return _header((int(tags.get(WIDTH, 0)), int(tags.get(HEIGHT, 0))), tags)
    if kind in ("HEIC", "AVIF"):
        boxes = read_heif(file, crops=kind == "HEIC")
        tags = exif_tags(boxes.exif)
        return _header(boxes.size, {**tags, ORIENTATION: 1} if boxes.turned else tags)
    if kind == "EXR":
        header = read_exr_header(file)
        if header.problem:
            raise UnusableError(header.problem)
        return _header(header.size, {})
    readers = {"JPEG": _read_jpeg, "PNG": _read_png, "WebP": _read_webp}
    if kind not in readers:
        raise NotAPhotoError("is not a photo")
    return _header(*readers[kind](file))


def _header(stored: tuple[int, int], tags: Mapping[int, float]) -> PhotoHeader:
    """stored: (width, height) before the orientation in `tags` brings the photo upright."""
    if min(stored) < 1:
        raise HeaderError("is damaged")
    orientation = orientation_of(tags)
    size = (stored[1], stored[0]) if orientation in SIDEWAYS else stored
    return PhotoHeader(size, _lens(tags, size), orientation)


def _lens(tags: Mapping[int, float], size: tuple[int, int]) -> float:
    return focal_on_35mm(tags, size) or 0.0


def _raw_tags(file: BinaryIO) -> dict[int, float]:
    """Of RAW photos that begin as a TIFF, whatever is in them; of others none."""
    try:
        return read_tags(file)
    except TagsError:
        return {}


def _take(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise HeaderError("ends too early")
    return data


def _read_jpeg(file: BinaryIO) -> tuple[tuple[int, int], dict[int, float]]:
    tags: dict[int, float] = {}
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
            tags = exif_tags(content)
        elif marker in (0xD9, 0xDA):
            break
    raise HeaderError("is damaged")


def _read_png(file: BinaryIO) -> tuple[tuple[int, int], dict[int, float]]:
    file.seek(8)
    size, tags = (0, 0), dict[int, float]()
    for _ in range(MOST_PIECES):
        if len(head := file.read(8)) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IHDR":
            size = struct.unpack(">II", _take(file, 8))
            file.seek(length - 8 + 4, 1)
        elif kind == b"eXIf" and length <= MOST_EXIF:
            tags = exif_tags(_take(file, length))
            file.seek(4, 1)
        elif kind == b"IEND":
            break
        else:
            file.seek(length + 4, 1)
    return (size[0], size[1]), tags


def _read_webp(file: BinaryIO) -> tuple[tuple[int, int], dict[int, float]]:
    """Sizes stand in VP8X (extended), VP8L (lossless) or VP8 (lossy); the first of them counts."""
    file.seek(12)
    size, tags = (0, 0), dict[int, float]()
    for _ in range(MOST_PIECES):
        if len(head := file.read(8)) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        end = file.tell() + length + length % 2
        if kind == b"EXIF" and length <= MOST_EXIF:
            tags = exif_tags(_take(file, length))
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
