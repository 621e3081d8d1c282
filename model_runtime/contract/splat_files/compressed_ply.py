"""SuperSplat's compressed PLY: splats in chunks of 256, each packed into four numbers between the chunk's bounds.

The format: https://github.com/playcanvas/splat-transform, its reader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from model_runtime.contract.harmonics import BASE, degree_of

from .cloud import SplatCloud, empty_cloud, memory_of
from .ply_header import Element, PlyHeader
from .refusals import SplatFileError, check_count, check_memory

CHUNK = 256
PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
BOUNDS = tuple(f"{end}_{name}" for name in ("x", "y", "z", "scale_x", "scale_y", "scale_z") for end in ("min", "max"))
OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""The largest number of a quaternion -> the three that are kept."""

COEFFICIENTS = np.concatenate([[-4.0], (np.arange(1, 255) + 0.5) / 32 - 4, [4.0]]).astype(np.float32)
"""What a byte of harmonics stands for."""


def is_compressed(vertices: Element) -> bool:
    return set(vertices.names) >= set(PACKED)


def read(file: BinaryIO, header: PlyHeader, report: Callable[[float], None]) -> SplatCloud:
    """Raises SplatFileError, JobError where there is no memory, OSError."""
    if not header.order:
        raise SplatFileError("its points are packed, and yet it is text")
    tables = {element.name: _table(file, element) for element in header.elements if element.count}
    vertices, chunks, rest = tables.get("vertex"), tables.get("chunk"), tables.get("sh")
    check_count(0 if vertices is None else len(vertices))
    if vertices is None or chunks is None or not {*(chunks.dtype.names or ())} >= {*BOUNDS}:
        raise SplatFileError("the bounds of its chunks are missing")
    if len(chunks) != -(-len(vertices) // CHUNK) or (rest is not None and len(rest) != len(vertices)):
        raise SplatFileError("its tables do not fit each other")
    kinds = {} if rest is None else dict(rest.dtype.fields or {})
    names = [f"f_rest_{index}" for index in range(len(kinds)) if kinds.get(f"f_rest_{index}", "?")[0] == np.uint8]
    if len(names) < len(kinds) or len(names) % 3 or degree_of(1 + len(names) // 3) is None:
        raise SplatFileError(f"its {len(kinds)} coefficients of color belong to no degree")
    check_memory(2 * memory_of(len(vertices), 1 + len(names) // 3))
    cloud = empty_cloud(len(vertices), 1 + len(names) // 3)
    _unpack(vertices, np.repeat(chunks, CHUNK)[: len(vertices)], cloud)
    if rest is not None:
        each = len(names) // 3
        for index, name in enumerate(names):
            cloud.harmonics[:, index // each, 1 + index % each] = COEFFICIENTS[rest[name]]
    report(1.0)
    return cloud


def _table(file: BinaryIO, element: Element) -> np.ndarray:
    if element.row is None:
        raise SplatFileError("it has lists of numbers")
    check_memory(element.count * element.row.itemsize)
    data = file.read(element.count * element.row.itemsize)
    if len(data) < element.count * element.row.itemsize:
        raise SplatFileError("it ends too early")
    return np.frombuffer(data, element.row)


def _unpack(vertices: np.ndarray, chunks: np.ndarray, cloud: SplatCloud) -> None:
    def between(name: str, share: np.ndarray) -> np.ndarray:
        low, high = chunks[f"min_{name}"], chunks[f"max_{name}"]
        return low * (1 - share) + high * share

    places, sizes = _bits(vertices["packed_position"], (11, 10, 11)), _bits(vertices["packed_scale"], (11, 10, 11))
    for axis, name in enumerate("xyz"):
        cloud.means[:, axis] = between(name, places[axis])
        cloud.scales[:, axis] = np.exp(between(f"scale_{name}", sizes[axis]))
    *colors, opacity = _bits(vertices["packed_color"], (8, 8, 8, 8))
    for channel, name in enumerate("rgb"):
        bounded = f"min_{name}" in (chunks.dtype.names or ())
        color = between(name, colors[channel]) if bounded else colors[channel]
        cloud.harmonics[:, channel, 0] = (color - 0.5) / BASE
    cloud.opacities[:] = opacity
    cloud.rotations[:] = _quaternions(vertices["packed_rotation"])


def _quaternions(packed: np.ndarray) -> np.ndarray:
    """[G,4] wxyz."""
    largest = packed >> np.uint32(30)
    small = np.stack(_bits(packed & np.uint32(0x3FFFFFFF), (10, 10, 10)), axis=1) * np.sqrt(2) - np.sqrt(0.5)
    quaternions = np.empty((len(packed), 4))
    np.put_along_axis(quaternions, OTHERS[largest], small, axis=1)
    rest = np.sqrt(np.maximum(0, 1 - np.sum(small**2, axis=1)))
    np.put_along_axis(quaternions, largest[:, None].astype(np.int64), rest[:, None], axis=1)
    return quaternions


def _bits(packed: np.ndarray, widths: tuple[int, ...]) -> list[np.ndarray]:
    """Parts of 32-bit numbers, the highest first, each as a share 0..1 of the most that it can be."""
    parts: list[np.ndarray] = []
    at = sum(widths)
    for width in widths:
        at -= width
        most = (1 << width) - 1
        parts.append((packed >> np.uint32(at) & np.uint32(most)).astype(np.float32) / most)
    return parts
