"""Single-precision OpenEXR files: scan lines in blocks of 16, ZIP-compressed, any channels.

https://openexr.com/en/latest/OpenEXRFileLayout.html. By hand, for Blender's Python has no library that does it: its
images have four channels, called R, G, B and A.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

MAGIC, VERSION, LONG_NAMES = 20000630, 2, 0x400
FLOAT, ZIP, INCREASING_Y = 2, 3, 0
BLOCK = 16
"""Rows that ZIP packs together."""


def write_exr(path: Path, channels: Mapping[str, np.ndarray]) -> None:
    """channels: [h,w] each, stored as float32, by the names that other programs know them by, e.g. `Z`, `P.X`."""
    names = sorted(channels, key=str.encode)
    height, width = channels[names[0]].shape
    rows = np.stack([np.asarray(channels[name], "<f4") for name in names], axis=1)  # [h,c,w]: a row's channels together
    blocks = [_packed(rows[start : start + BLOCK].tobytes()) for start in range(0, height, BLOCK)]
    head = _head(names, width, height)
    place = len(head) + 8 * len(blocks)
    offsets, parts = [], []
    for number, block in enumerate(blocks):
        offsets.append(place)
        parts.append(struct.pack("<ii", number * BLOCK, len(block)) + block)
        place += len(parts[-1])
    path.write_bytes(head + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(parts))


def _head(names: list[str], width: int, height: int) -> bytes:
    channels = b"".join(name.encode() + b"\0" + struct.pack("<iBxxxii", FLOAT, 0, 1, 1) for name in names) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = (
        ("channels", "chlist", channels),
        ("compression", "compression", bytes([ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", bytes([INCREASING_Y])),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
    )
    flags = LONG_NAMES if any(len(name.encode()) > 31 for name in names) else 0
    data = struct.pack("<ii", MAGIC, VERSION | flags)
    for name, kind, value in attributes:
        data += f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value
    return data + b"\0"


def _packed(raw: bytes) -> bytes:
    """Even bytes, then odd ones, each as its difference from the one before, compressed; as it is where that is not
    shorter."""
    data = np.frombuffer(raw, np.uint8)
    apart = np.concatenate((data[::2], data[1::2])).astype(np.int16)
    steps = np.concatenate((apart[:1], apart[1:] - apart[:-1] + 128)).astype(np.uint8)
    packed = zlib.compress(steps.tobytes(), 6)
    return packed if len(packed) < len(raw) else raw
