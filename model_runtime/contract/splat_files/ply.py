"""PLY as 3D Gaussian Splatting trains it (Kerbl et al. 2023): logarithms of scales, logits of opacities, coefficients
of red, then green, then blue. Any order and type of properties is read, binary or text; written are 32-bit floats."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from model_runtime.contract.harmonics import degree_of

from . import compressed_ply
from .cloud import SplatCloud, empty_cloud, logit, memory_of, sigmoid
from .ply_header import Element, PlyHeader, read_header
from .refusals import SplatFileError, check_count, check_memory

ROWS = 1 << 14
"""Splats that are read or written at once: few enough to stay in a processor's cache."""

TEXT_BYTES = 1 << 22
PLACE = ("x", "y", "z")
SCALE = ("scale_0", "scale_1", "scale_2")
ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
BASE = ("f_dc_0", "f_dc_1", "f_dc_2")
NEEDED = (*PLACE, *SCALE[:2], *ROTATION, *BASE, "opacity")
LEAST_SCALE = 1e-20
"""Stands for a scale of zero, which has no logarithm."""

Report = Callable[[float], None]
"""Is told which share of the work is done, 0..1."""


@dataclass(frozen=True)
class _Layout:
    """Where a row has what: names of its properties. Flat splats of 2D Gaussian Splatting have no third scale."""

    scales: tuple[str, ...]
    rest: tuple[str, ...]

    @property
    def coefficients(self) -> int:
        return 1 + len(self.rest) // 3


def read(file: BinaryIO, report: Report) -> SplatCloud:
    """Raises SplatFileError, JobError where there is no memory, OSError."""
    header = read_header(file)
    vertices = _vertices(header)
    if compressed_ply.is_compressed(vertices):
        return compressed_ply.read(file, header, report)
    layout = _layout(vertices)
    check_count(vertices.count)
    check_memory(memory_of(vertices.count, layout.coefficients))
    cloud = empty_cloud(vertices.count, layout.coefficients) if _holds(file, header) else None
    if cloud is None:
        raise SplatFileError("it is shorter than its head says")
    done = 0
    for rows in _text_rows(file, header) if not header.order else _binary_rows(file, header):
        _take(rows, layout, cloud, slice(done, done + len(rows)))
        done += len(rows)
        report(done / vertices.count)
    return cloud


def write(file: BinaryIO, cloud: SplatCloud, report: Report) -> None:
    """Binary, little-endian, with normals of zero, which some viewers ask for. Raises OSError."""
    coefficients = cloud.harmonics.shape[2]
    rest = [f"f_rest_{index}" for index in range(3 * (coefficients - 1))]
    names = [*PLACE, "nx", "ny", "nz", *BASE, *rest, "opacity", *SCALE, *ROTATION]
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(cloud)}"]
    file.write("\n".join([*head, *(f"property float {name}" for name in names), "end_header", ""]).encode())
    for start in range(0, len(cloud), ROWS):
        part = slice(start, start + ROWS)
        means, harmonics = cloud.means[part], cloud.harmonics[part]
        columns = [means, np.zeros_like(means), harmonics[:, :, 0], harmonics[:, :, 1:].reshape(len(means), -1)]
        columns += [logit(cloud.opacities[part].astype(np.float64))[:, None]]
        columns += [np.log(np.maximum(cloud.scales[part], LEAST_SCALE)), cloud.rotations[part]]
        file.write(np.concatenate(columns, axis=1, dtype="<f4", casting="same_kind").tobytes())
        report(min(1.0, (start + ROWS) / len(cloud)))


def _vertices(header: PlyHeader) -> Element:
    found = [element for element in header.elements if element.name == "vertex"]
    if len(found) != 1:
        raise SplatFileError("it has no points")
    if found[0].row is None:
        raise SplatFileError("its points have lists of numbers")
    return found[0]


def _layout(vertices: Element) -> _Layout:
    names = set(vertices.names)
    missing = [name for name in NEEDED if name not in names]
    if missing:
        advice = "Import it with Blender's own PLY importer if it is a mesh or a point cloud."
        raise SplatFileError(f"it has no Gaussian splats (its points have no {missing[0]})", advice)
    rest = tuple(f"f_rest_{index}" for index in range(sum(name.startswith("f_rest_") for name in names)))
    if not names.issuperset(rest) or len(rest) % 3 or degree_of(1 + len(rest) // 3) is None:
        raise SplatFileError(f"its {len(rest)} coefficients of color belong to no degree")
    return _Layout(SCALE if "scale_2" in names else SCALE[:2], rest)


def _holds(file: BinaryIO, header: PlyHeader) -> bool:
    """Whether the file can be as long as its head says."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    size = 0
    for element in header.elements:
        if element.row is not None:
            size += element.count * (element.row.itemsize if header.order else 2 * len(element.names))
        if element.name == "vertex":
            break
    return size <= left + (0 if header.order else 1)


def _skipped(header: PlyHeader) -> Iterator[Element]:
    """The elements before the points."""
    for element in header.elements:
        if element.name == "vertex":
            return
        if element.row is None:
            raise SplatFileError("lists of numbers stand before its points")
        yield element


def _binary_rows(file: BinaryIO, header: PlyHeader) -> Iterator[np.ndarray]:
    vertices = _vertices(header)
    row = vertices.row
    assert row is not None
    for element in _skipped(header):
        file.seek(element.count * (element.row.itemsize if element.row is not None else 0), os.SEEK_CUR)
    for start in range(0, vertices.count, ROWS):
        count = min(ROWS, vertices.count - start)
        data = file.read(count * row.itemsize)
        if len(data) < count * row.itemsize:
            raise SplatFileError("it ends too early")
        yield np.frombuffer(data, row)


def _text_rows(file: BinaryIO, header: PlyHeader) -> Iterator[np.ndarray]:
    vertices = _vertices(header)
    skip = sum(element.count * len(element.names) for element in _skipped(header))
    width, left, words = len(vertices.names), vertices.count, list[bytes]()
    row = np.dtype([(name, "f8") for name in vertices.names])
    for more in _words(file):
        words += more[skip:]
        skip = max(0, skip - len(more))
        count = min(left, len(words) // width)
        if count:
            yield _numbers(words[: count * width]).view(row)
        words, left = words[count * width :], left - count
        if not left:
            return
    raise SplatFileError("it ends too early")


def _numbers(words: list[bytes]) -> np.ndarray:
    try:
        return np.array(words).astype(np.float64)
    except ValueError as error:
        raise SplatFileError("it has words where numbers should be") from error


def _words(file: BinaryIO) -> Iterator[list[bytes]]:
    """What whitespace parts, some at a time."""
    rest = b""
    while data := file.read(TEXT_BYTES):
        words = (rest + data).split()
        rest = b"" if data[-1:].isspace() or not words else words.pop()
        if len(rest) > 100:
            raise SplatFileError("it has words where numbers should be")
        yield words
    yield [rest] if rest else []


def _take(rows: np.ndarray, layout: _Layout, cloud: SplatCloud, part: slice) -> None:
    """Puts rows of the file into their places in the cloud."""

    def columns(into: np.ndarray, names: tuple[str, ...]) -> None:
        for index, name in enumerate(names):
            into[:, index] = rows[name]

    columns(cloud.means[part], PLACE)
    columns(cloud.rotations[part], ROTATION)
    scales = np.full((len(rows), 3), -np.inf, np.float32)
    columns(scales, layout.scales)
    cloud.scales[part] = np.exp(scales)
    cloud.opacities[part] = sigmoid(rows["opacity"].astype(np.float32))
    harmonics = cloud.harmonics[part]
    columns(harmonics[:, :, 0], BASE)
    each = len(layout.rest) // 3
    for channel in range(3):
        columns(harmonics[:, channel, 1:], layout.rest[channel * each : (channel + 1) * each])
