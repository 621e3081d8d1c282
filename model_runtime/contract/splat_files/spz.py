"""SPZ (https://github.com/nianticlabs/spz): splats in about 64 bytes each, then compressed as one gzip stream (versions
2 and 3) or as a Zstandard stream for each property (version 4)."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from . import zstandard_frames
from .cloud import SplatCloud, memory_of
from .refusals import SplatFileError, check_count, check_memory
from .spz_numbers import COORDINATES, Packed, unpacked

MAGIC = b"NGSP"
GZIP = b"\x1f\x8b"
GZIP_HEAD, ZSTD_HEAD = struct.Struct("<4sIIBBBx"), struct.Struct("<4sIIBBBBI12x")
VERSIONS = (2, 3, 4)
HAS_EXTENSIONS = 2
EXTENSION = struct.Struct("<II")
AXES = 0xADBE0003
"""The extension that says which way the file's axes point."""

GZIP_LEVEL = 4
"""A file is two percent larger than at 6, and written four times as fast."""

MOST_EXTENSION_BYTES = 1 << 20
MOST_RATIO = 1032
"""How much longer data can be than its deflate stream."""


@dataclass(frozen=True)
class _Head:
    version: int
    count: int
    degree: int
    fraction_bits: int
    flags: int


def read(file: BinaryIO, report: Callable[[float], None]) -> SplatCloud:
    """Raises SplatFileError, JobError where there is no memory, OSError."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(GZIP):
        packed, extensions = _gzip(file)
    elif start == MAGIC:
        packed, extensions = _zstd(file)
    else:
        raise SplatFileError("it is not an SPZ file")
    report(0.5)
    cloud = unpacked(packed)
    for kind, payload in _records(extensions):
        if kind == AXES and len(payload) == 4:
            cloud = cloud.turned(COORDINATES.get(int.from_bytes(payload, "little"), np.eye(3)))
    return cloud


def _left(file: BinaryIO) -> int:
    """Bytes from here to the end."""
    return os.fstat(file.fileno()).st_size - file.tell()


def _checked(head: _Head) -> _Head:
    if head.version not in VERSIONS:
        raise SplatFileError(f"it is version {head.version} of SPZ, and 2 to 4 are known")
    if head.degree > 4:
        raise SplatFileError(f"its colors have degree {head.degree}, and 4 is the most that is known")
    check_count(head.count)
    check_memory(2 * memory_of(head.count, (head.degree + 1) ** 2))
    return head


def _packed(head: _Head, streams: list[bytes]) -> Packed:
    """streams: in the order of the file."""
    places, opacities, colors, scales, rotations, *rest = (np.frombuffer(data, np.uint8) for data in streams)
    return Packed(
        places.reshape(head.count, 3, 3),
        opacities,
        colors.reshape(head.count, 3),
        scales.reshape(head.count, 3),
        rotations.reshape(head.count, -1),
        rest[0].reshape(head.count, -1, 3) if rest else np.empty((head.count, 0, 3), np.uint8),
        head.fraction_bits,
    )


def _sizes(head: _Head) -> list[int]:
    """Bytes of the properties, those of none left out."""
    each = (9, 1, 3, 3, 3 if head.version == 2 else 4, 3 * ((head.degree + 1) ** 2 - 1))
    return [head.count * size for size in each if size]


def _gzip(file: BinaryIO) -> tuple[Packed, bytes]:
    check_memory(_left(file))
    data = file.read()
    stream = zlib.decompressobj(wbits=31)
    try:
        start = stream.decompress(data, GZIP_HEAD.size)
        if len(start) < GZIP_HEAD.size:
            raise SplatFileError("it ends too early")
        magic, *numbers = GZIP_HEAD.unpack(start)
        if magic != MAGIC:
            raise SplatFileError("it is not an SPZ file")
        head = _checked(_Head(*numbers))
        size = sum(_sizes(head))
        if size > MOST_RATIO * len(data):
            raise SplatFileError("it is shorter than its head says")
        content = stream.decompress(stream.unconsumed_tail, size + MOST_EXTENSION_BYTES)
    except zlib.error as error:
        raise SplatFileError("its compressed data are damaged") from error
    if len(content) < size:
        raise SplatFileError("it ends too early")
    ends = np.cumsum(_sizes(head)).tolist()
    streams = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return _packed(head, streams), content[size:] if head.flags & HAS_EXTENSIONS else b""


def _zstd(file: BinaryIO) -> tuple[Packed, bytes]:
    start = file.read(ZSTD_HEAD.size)
    if len(start) < ZSTD_HEAD.size:
        raise SplatFileError("it ends too early")
    _, *numbers, streams, table = ZSTD_HEAD.unpack(start)
    head = _checked(_Head(*numbers))
    sizes = _sizes(head)
    if streams < len(sizes) or not 0 <= table - ZSTD_HEAD.size <= MOST_EXTENSION_BYTES:
        raise SplatFileError("its table of contents is damaged")
    extensions = file.read(table - ZSTD_HEAD.size)
    entries = file.read(16 * streams)
    if len(entries) < 16 * streams:
        raise SplatFileError("it ends too early")
    contents: list[bytes] = []
    for (length, told), size in zip(struct.iter_unpack("<QQ", entries), sizes, strict=False):
        if told != size or length > _left(file):
            raise SplatFileError("its table of contents is damaged, or it ends too early")
        content = zstandard_frames.decompress(file.read(length), size)
        if len(content) != size:
            raise SplatFileError("its compressed data are damaged")
        contents.append(content)
    return _packed(head, contents), extensions if head.flags & HAS_EXTENSIONS else b""


def _records(extensions: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + EXTENSION.size <= len(extensions):
        kind, length = EXTENSION.unpack_from(extensions, at)
        at += EXTENSION.size
        yield kind, extensions[at : at + length]
        at += length


def write_gzip(file: BinaryIO, cloud: SplatCloud, report: Callable[[float], None]) -> None:
    """Version 3. Raises OSError."""
    packed = Packed.of(cloud)
    stream = zlib.compressobj(GZIP_LEVEL, wbits=31)
    file.write(stream.compress(GZIP_HEAD.pack(MAGIC, 3, len(cloud), cloud.degree, packed.fraction_bits, 0)))
    for index, data in enumerate(packed.streams):
        file.write(stream.compress(data))
        report((index + 1) / len(packed.streams))
    file.write(stream.flush())


def write_zstd(file: BinaryIO, cloud: SplatCloud, report: Callable[[float], None]) -> None:
    """Version 4. Raises SplatFileError where this Python has no Zstandard, OSError."""
    packed = Packed.of(cloud)
    contents: list[bytes] = []
    for index, data in enumerate(packed.streams):
        contents.append(zstandard_frames.compress(data))
        report((index + 1) / len(packed.streams))
    numbers = (len(cloud), cloud.degree, packed.fraction_bits, 0, len(contents), ZSTD_HEAD.size)
    file.write(ZSTD_HEAD.pack(MAGIC, 4, *numbers))
    for content, data in zip(contents, packed.streams, strict=True):
        file.write(struct.pack("<QQ", len(content), len(data)))
    for content in contents:
        file.write(content)
