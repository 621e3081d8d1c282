"""The container of binary glTF 2.0 (https://registry.khronos.org/glTF): numbers, what tells where they are, and both in
one file."""

from __future__ import annotations

import json
import struct
from typing import BinaryIO

import numpy as np

MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
UNSIGNED_BYTE, UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5121, 5123, 5125, 5126
VERTICES, INDICES = 34962, 34963
POINTS, TRIANGLES = 0, 4
GENERATOR = {"version": "2.0", "generator": "DA3 for Blender"}
MOST_BYTES = 2**32 - 1
"""The file tells its length in 32 bits."""


class Buffer:
    """The file's numbers, and the accessors that tell where which of them are."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.length = 0
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, object]] = []

    def add(self, values: np.ndarray, component: int, kind: str, target: int, **more: object) -> int:
        """Appends little-endian `values`, whose rows are multiples of 4 bytes; returns the accessor."""
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": values.nbytes, "target": target}
        self.arrays.append(np.ascontiguousarray(values))
        self.length += values.nbytes
        self.views.append(view)
        place = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(values), "type": kind}
        self.accessors.append({**place, **more})
        return len(self.accessors) - 1

    def add_positions(self, values: np.ndarray) -> int:
        """[N,3] float32, with the bounds that glTF asks for."""
        low, high = values.min(0).tolist(), values.max(0).tolist()
        return self.add(values, FLOAT, "VEC3", VERTICES, min=low, max=high)

    def write(self, file: BinaryIO, content: dict[str, object]) -> None:
        """The whole file: `content`, the accessors and the numbers. Raises OSError."""
        if self.arrays:
            content |= {"accessors": self.accessors, "bufferViews": self.views}
            content["buffers"] = [{"byteLength": self.length}]
        file.write(head(content, self.length))
        for array in self.arrays:
            file.write(array.data)


def head(content: dict[str, object], length: int) -> bytes:
    """All of a file before its `length` bytes of numbers, which have to be a multiple of 4."""
    words = json.dumps(content).encode()
    words += b" " * (-len(words) % 4)
    chunks = struct.pack("<II", len(words), JSON_CHUNK) + words
    if length:
        chunks += struct.pack("<II", length, BINARY_CHUNK)
    return struct.pack("<III", MAGIC, 2, 12 + len(chunks) + length) + chunks
