"""Size, turn and Exif block of a HEIC or AVIF photo, without decoding it. Standard library only.

ISO/IEC 14496-12 (boxes) and 23008-12 (HEIF): the box `meta` lists items; the primary one is the photo. Properties
belong to it: `ispe` its size, `clap` a crop, `irot` and `imir` how readers have to turn it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_BOXES = 1000
"""Looked at to find `meta`, which is the second one of nearly every file."""

MOST_META, MOST_EXIF = 1 << 21, 1 << 20
"""Bytes: more than any real file's, so that a broken length reads no whole film into memory."""


class HeifError(ValueError):
    """A file that is broken, or ends too early; says which as a sentence's end."""


@dataclass(frozen=True)
class HeifHeader:
    """size: (width, height) as `irot` turns it; (0, 0) where it is not told. turned: whether there is an `irot` or
    `imir`, be it one that turns nothing: the photo's Exif orientation then does not count. exif: its TIFF block, or
    empty."""

    size: tuple[int, int]
    turned: bool
    exif: bytes = b""


def read_heif(file: BinaryIO, crops: bool = True) -> HeifHeader:
    """crops: whether `clap` counts, which readers of AVIF ignore. Raises HeifError."""
    try:
        boxes = {kind: Fields(content, 4) for kind, content in _boxes(_find_meta(file)[4:])}
        own = _primary_properties(boxes)
        return HeifHeader(_size(own, crops), any(kind in (b"irot", b"imir") for kind, _ in own), _exif(file, boxes))
    except (struct.error, KeyError, OverflowError) as error:
        raise HeifError("is damaged") from error


class Fields:
    """The numbers of a full box, big-endian, one after the other; struct.error where they end too early."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place

    @property
    def version(self) -> int:
        return struct.unpack_from(">B", self.data)[0]

    @property
    def rest(self) -> bytes:
        return self.data[self.place :]

    def number(self, size: int) -> int:
        """Of `size` bytes; of none, 0."""
        (taken,) = struct.unpack_from(f"{size}s", self.data, self.place)
        self.place += size
        return int.from_bytes(taken, "big")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each box's kind and content."""
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, place + 8), 16
        end = place + size if size else len(data)
        if end < place + head:
            raise HeifError("is damaged")
        yield kind, data[place + head : end]
        place = end


def _find_meta(file: BinaryIO) -> bytes:
    place = 0
    for _ in range(MOST_BOXES):
        file.seek(place)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            (size,), head = struct.unpack(">Q", file.read(8)), 16
        if kind == b"meta" and size - head <= MOST_META:
            return file.read(max(0, size - head))
        if size < head:  # up to the file's end, or broken
            break
        place += size
    raise HeifError("is damaged")


def _primary_properties(boxes: dict[bytes, Fields]) -> list[tuple[bytes, bytes]]:
    """Kind and content of the properties of the primary item, in their order."""
    primary = boxes[b"pitm"].number(4 if boxes[b"pitm"].version else 2)
    inside = list(_boxes(boxes[b"iprp"].data))
    known = [box for kind, content in inside if kind == b"ipco" for box in _boxes(content)]
    for kind, content in inside:
        for item, numbers in _associations(Fields(content, 4)) if kind == b"ipma" else ():
            if item == primary:
                return [known[number - 1] for number in numbers if 0 < number <= len(known)]
    return []


def _associations(ipma: Fields) -> Iterator[tuple[int, list[int]]]:
    """Items, each with the numbers of its properties, from 1."""
    wide = bool(ipma.data[3] & 1) if len(ipma.data) > 3 else False
    for _ in range(ipma.number(4)):
        item = ipma.number(4 if ipma.version else 2)
        # The highest bit says whether a reader has to know the property.
        yield item, [ipma.number(2) & 0x7FFF if wide else ipma.number(1) & 0x7F for _ in range(ipma.number(1))]


def _size(properties: list[tuple[bytes, bytes]], crops: bool) -> tuple[int, int]:
    width = height = 0
    for kind, content in properties:
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", content, 4)
        elif kind == b"clap" and crops:
            across, per_x, down, per_y = struct.unpack_from(">IIII", content)
            width, height = (across // per_x, down // per_y) if per_x and per_y else (0, 0)
        elif kind == b"irot" and content[:1] and content[0] & 1:
            width, height = height, width
    return width, height


def _exif(file: BinaryIO, boxes: dict[bytes, Fields]) -> bytes:
    """The first item of type Exif; empty where there is none that can be found."""
    if not {b"iinf", b"iloc"} <= boxes.keys():
        return b""
    items, idat = _items(boxes[b"iinf"]), boxes.get(b"idat")
    for item, inside, start, length in _extents(boxes[b"iloc"]):
        if items.get(item) != b"Exif" or not 4 < length <= MOST_EXIF:
            continue
        if inside:
            data = b"" if idat is None else idat.data[start : start + length]
        else:
            file.seek(start)
            data = file.read(length)
        if len(data) < length:
            raise HeifError("ends too early")
        (skipped,) = struct.unpack_from(">I", data)  # up to the TIFF header, usually over "Exif\0\0"
        return data[4 + skipped :]
    return b""


def _items(iinf: Fields) -> dict[int, bytes]:
    """The type of each item."""
    iinf.number(4 if iinf.version else 2)
    found = {}
    for kind, content in _boxes(iinf.rest):
        info = Fields(content, 4)
        if kind == b"infe" and info.version >= 2:
            item = info.number(2 if info.version == 2 else 4)
            info.number(2)
            found[item] = info.rest[:4]
    return found


def _extents(iloc: Fields) -> Iterator[tuple[int, bool, int, int]]:
    """Items that are in one piece: number, whether in `idat` rather than in the file, first byte, bytes."""
    sizes = iloc.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if iloc.version == 2 else 2
    for _ in range(iloc.number(wide)):
        item = iloc.number(wide)
        method = iloc.number(2) & 15 if iloc.version else 0
        iloc.number(2)
        base = iloc.number(base_size)
        pieces = []
        for _ in range(iloc.number(2)):
            iloc.number(index_size if iloc.version else 0)
            pieces.append((base + iloc.number(offset_size), iloc.number(length_size)))
        if len(pieces) == 1 and method in (0, 1):
            yield item, method == 1, *pieces[0]
