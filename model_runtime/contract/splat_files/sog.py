"""SOG, PlayCanvas' ordered Gaussians (https://developer.playcanvas.com/user-manual/gaussian-splatting/formats/sog): a
meta.json and lossless WebP pictures whose pixels are the splats' numbers, in one zip (.sog) or side by side.
Versions 1 and 2.

WebP is decoded by whoever calls: Blender and Pillow can, Python cannot.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np

from model_runtime.contract.json_files import JsonError, parse_json, shown
from model_runtime.contract.plain_files import open_plain

from .cloud import SplatCloud, empty_cloud, memory_of, sigmoid
from .refusals import SplatFileError, check_count, check_memory
from .suffixes import META

DecodeWebp = Callable[[bytes], np.ndarray]
"""A WebP file's bytes -> its pixels [H,W,4] uint8, exactly as they are stored: no colour management, alpha apart."""

ReadFile = Callable[[str, int], bytes]
"""Name of a file beside meta.json, and how many bytes it may have at most -> its bytes. Raises SplatFileError."""

MOST_JSON = 4_000_000
MOST_PICTURE = 1 << 30
PIECE = 1 << 18
"""Bytes."""

CENTROIDS_A_ROW = 64
COEFFICIENTS = {192: 3, 512: 8, 960: 15}
"""Width of the picture of centroids -> coefficients of degree 1 and up."""

MOST_CENTROIDS = 1 << 16
OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Number of a quaternion's largest number, wxyz -> those that are kept."""

FIRST_TAG = 252
NO_DECODER = "its pictures (WebP) cannot be decoded here"
DAMAGED = "its meta.json is damaged"


@dataclass(frozen=True)
class _Pictures:
    read: ReadFile
    decode: DecodeWebp
    meta: dict[str, Any]

    def pixels(self, part: str, index: int, least: int, most: int) -> np.ndarray:
        """[P,4] uint8 of the picture that a part of meta.json names, at least `least` of them; raises
        SplatFileError."""
        return self.picture(part, index, least, most).reshape(-1, 4)

    def picture(self, part: str, index: int, least: int, most: int) -> np.ndarray:
        """[H,W,4]"""
        files = self.part(part).get("files")
        name = cast("list[object]", files)[index] if isinstance(files, list) and len(files) > index else None
        if not isinstance(name, str) or Path(name).name != name:
            raise SplatFileError(DAMAGED)
        data = self.read(name, MOST_PICTURE)
        width, height = webp_size(data)
        if not least <= width * height <= most:
            raise SplatFileError(
                f"its picture {shown(name)} has {width} x {height} pixels, which do not fit its splats"
            )
        check_memory(16.0 * width * height)
        pixels = self.decode(data)
        if pixels.shape != (height, width, 4):
            raise SplatFileError(f"its picture {shown(name)} is damaged")
        return pixels

    def part(self, name: str) -> dict[str, Any]:
        found = self.meta.get(name)
        if not isinstance(found, dict):
            raise SplatFileError(DAMAGED)
        return cast("dict[str, Any]", found)

    def numbers(self, part: str, name: str, count: int) -> np.ndarray:
        """[count] float64. Raises SplatFileError."""
        values = self.part(part).get(name)
        try:
            found = np.atleast_1d(np.array(values, np.float64))
        except (TypeError, ValueError) as error:
            raise SplatFileError(DAMAGED) from error
        if found.shape != (count,):
            raise SplatFileError(DAMAGED)
        return found


def read_zip(file: BinaryIO, decode: DecodeWebp | None, report: Callable[[float], None]) -> SplatCloud:
    """Raises SplatFileError, JobError where there is no memory, OSError."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(lambda name, most: _member(archive, name, most), decode, report)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise SplatFileError("it is not a SOG file, or damaged") from error


def read_folder(meta: Path, decode: DecodeWebp | None, report: Callable[[float], None]) -> SplatCloud:
    """The splats that a meta.json and the pictures beside it hold. Raises as `read_zip`."""

    def read(name: str, most: int) -> bytes:
        try:
            with open_plain(meta.with_name(name)) as file:
                return _all_of(file, name, most)
        except OSError as error:
            raise SplatFileError(f"{shown(name)} beside it cannot be read") from error

    return _read(read, decode, report)


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height that a WebP file says to have, in its frame (VP8L) or around it (VP8X). Raises
    SplatFileError."""
    kind = data[12:16] if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30 else b""
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    raise SplatFileError("a picture of it is no lossless WebP")


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    try:
        with archive.open(name) as file:
            return _all_of(file, name, most)
    except KeyError as error:
        raise SplatFileError(f"{shown(name)} is missing in it") from error


def _all_of(file: IO[bytes], name: str, most: int) -> bytes:
    """In pieces: room for `most` bytes would be taken at once, however few there are."""
    data = bytearray()
    while piece := file.read(PIECE):
        data += piece
        if len(data) > most:
            raise SplatFileError(f"{shown(name)} in it is too large")
    return bytes(data)


def _read(read: ReadFile, decode: DecodeWebp | None, report: Callable[[float], None]) -> SplatCloud:
    if decode is None:
        raise SplatFileError(NO_DECODER, "Save it as PLY or SPZ.")
    try:
        meta = parse_json(read(META, MOST_JSON), MOST_JSON)
    except JsonError as error:
        raise SplatFileError(DAMAGED) from error
    if not isinstance(meta, dict):
        raise SplatFileError(DAMAGED)
    pictures = _Pictures(read, decode, cast("dict[str, Any]", meta))
    version = pictures.meta.get("version", 1)
    if version not in (1, 2):
        raise SplatFileError(f"it is version {shown(version)} of SOG, and 1 and 2 are known")
    count = _count(pictures, version)
    rest = _Rest.of(pictures, version, count) if pictures.meta.get("shN") else None
    coefficients = 1 + (rest.coefficients if rest else 0)
    check_memory(2 * memory_of(count, coefficients))
    cloud = empty_cloud(count, coefficients)
    _take_places(pictures, cloud)
    report(0.3)
    _take_shapes(pictures, version, cloud)
    report(0.6)
    _take_colors(pictures, version, cloud)
    if rest:
        rest.take(cloud)
    return cloud


def _count(pictures: _Pictures, version: int) -> int:
    shape = pictures.part("means").get("shape")
    told = pictures.meta.get("count") if version == 2 else cast("list[object]", shape)[0] if shape else None
    if not isinstance(told, int):
        raise SplatFileError(DAMAGED)
    check_count(told)
    return told


def _each(pictures: _Pictures, part: str, index: int, count: int) -> np.ndarray:
    """[count,4] uint8 of a picture with a pixel for every splat, in rows that the writer rounds up."""
    return pictures.pixels(part, index, count, 2 * count + MOST_CENTROIDS)[:count]


def _take_places(pictures: _Pictures, cloud: SplatCloud) -> None:
    low, high = (pictures.numbers("means", name, 3) for name in ("mins", "maxs"))
    steps = _each(pictures, "means", 0, len(cloud))[:, :3].astype(np.float32)
    steps += _each(pictures, "means", 1, len(cloud))[:, :3].astype(np.float32) * 256
    logarithms = low + (high - low) * (steps.astype(np.float64) / 65535)
    cloud.means[:] = np.sign(logarithms) * np.expm1(np.abs(logarithms))


def _take_shapes(pictures: _Pictures, version: int, cloud: SplatCloud) -> None:
    scales = _each(pictures, "scales", 0, len(cloud))
    for axis, table in enumerate(_tables(pictures, "scales", version, 3)):
        cloud.scales[:, axis] = np.exp(table)[scales[:, axis]]
    packed = _each(pictures, "quats", 0, len(cloud))
    largest = packed[:, 3].astype(np.intp) - FIRST_TAG
    known = largest >= 0
    largest[~known] = 0
    kept = (packed[:, :3].astype(np.float32) / 127.5 - 1) * np.float32(np.sqrt(0.5))
    np.put_along_axis(cloud.rotations, OTHERS[largest], kept, axis=1)
    rest = np.sqrt(np.maximum(0, 1 - np.sum(kept**2, axis=1)))
    np.put_along_axis(cloud.rotations, largest[:, None], rest[:, None], axis=1)
    cloud.rotations[~known] = (1, 0, 0, 0)


def _take_colors(pictures: _Pictures, version: int, cloud: SplatCloud) -> None:
    colors = _each(pictures, "sh0", 0, len(cloud))
    tables = _tables(pictures, "sh0", version, 4)
    for channel in range(3):
        cloud.harmonics[:, channel, 0] = tables[channel][colors[:, channel]]
    opacities = sigmoid(tables[3]) if version == 1 else np.arange(256) / 255
    cloud.opacities[:] = opacities[colors[:, 3]]


def _tables(pictures: _Pictures, part: str, version: int, channels: int) -> list[np.ndarray]:
    """What each byte of each channel stands for: between bounds of its own (1), or in one codebook (2)."""
    if version == 2:
        return [pictures.numbers(part, "codebook", 256).astype(np.float32)] * channels
    low, high = (pictures.numbers(part, name, channels) for name in ("mins", "maxs"))
    return [(a + (b - a) * np.arange(256) / 255).astype(np.float32) for a, b in zip(low, high, strict=True)]


@dataclass(frozen=True)
class _Rest:
    """labels: [G] of the centroid that each splat's coefficients are near to. centroids: [C,coefficients,3]."""

    labels: np.ndarray
    centroids: np.ndarray

    @classmethod
    def of(cls, pictures: _Pictures, version: int, count: int) -> _Rest:
        most = CENTROIDS_A_ROW * 15 * (MOST_CENTROIDS // CENTROIDS_A_ROW)
        picture = pictures.picture("shN", 0, 1, most)
        each = COEFFICIENTS.get(picture.shape[1])
        if each is None:
            raise SplatFileError("its picture of colors belongs to no degree")
        if version == 2:
            table = pictures.numbers("shN", "codebook", 256)
        else:
            low, high = (float(pictures.numbers("shN", name, 1)[0]) for name in ("mins", "maxs"))
            table = low + (high - low) * np.arange(256) / 255
        labels = _each(pictures, "shN", 1, count).astype(np.int32)
        labels = labels[:, 0] | labels[:, 1] << 8
        centroids = table.astype(np.float32)[picture[:, :, :3].reshape(-1, each, 3)]
        if labels.max() >= len(centroids):
            raise SplatFileError("its colors are not all there")
        return cls(labels, centroids)

    @property
    def coefficients(self) -> int:
        return self.centroids.shape[1]

    def take(self, cloud: SplatCloud) -> None:
        cloud.harmonics[:, :, 1:] = self.centroids.swapaxes(1, 2)[self.labels]
