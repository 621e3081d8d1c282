"""The pixels of WebP pictures, by Blender, byte for byte as they are stored."""

from __future__ import annotations

import bpy
import numpy as np

NAME = "DA3 pixels"


def decode_webp(data: bytes) -> np.ndarray:
    """[H,W,4] uint8 of a file's bytes, rows from the top; [0,0,4] where Blender cannot read it."""
    image = bpy.data.images.new(NAME, 1, 1, alpha=True)
    try:
        image.pack(data=data, data_len=len(data))  # type: ignore[arg-type]
        image.source = "FILE"
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        width, height = image.size
        if not image.has_data or image.channels != 4:
            return np.empty((0, 0, 4), np.uint8)
        pixels = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return np.round(pixels * 255).astype(np.uint8).reshape(height, width, 4)[::-1]
