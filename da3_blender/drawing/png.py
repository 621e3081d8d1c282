"""PNG files (RFC 2083) of 8 bits a channel, with alpha. By hand: Blender's images would be part of the open file."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGBA = 6
"""The colour type of red, green, blue and alpha that is not multiplied into them."""
PERCEPTUAL = b"\0"
"""What the chunk sRGB says of how colours are rendered where a screen cannot show them."""


def png_of(pixels: np.ndarray) -> bytes:
    """The file of [h,w,4] uint8, sRGB, the first row at the top."""
    height, width = pixels.shape[:2]
    unfiltered = np.zeros((height, 1 + 4 * width), np.uint8)
    unfiltered[:, 1:] = pixels.reshape(height, 4 * width)
    head = struct.pack(">IIBBBBB", width, height, 8, RGBA, 0, 0, 0)
    chunks = (
        (b"IHDR", head),
        (b"sRGB", PERCEPTUAL),
        (b"IDAT", zlib.compress(unfiltered.tobytes(), 6)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
