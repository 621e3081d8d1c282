"""OpenEXR: scene-linear colors become what a display shows of them, white at 1; what is brighter is cut."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from model_runtime.contract.exr_header import ExrError, ExrHeader, read_exr_header, window_size
from model_runtime.contract.photo_limits import is_hollow, is_too_large
from model_runtime.photos.exif import Exif
from model_runtime.photos.opened import DAMAGED, OpenedPhoto, ShownByBlender, UnreadableError

BYTES_PER_PIXEL = 16
"""Of memory that decoding takes at most beside the channels of the file, which are all held; measured: 9."""

ADVICE = "Save what should be seen as an EXR with R, G and B alone, or as a PNG."
ROWS_AT_ONCE = 256


def open_exr(data: bytes) -> OpenedPhoto:
    """Raises UnreadableError."""
    try:
        header = read_exr_header(io.BytesIO(data))
    except ExrError as error:
        raise UnreadableError(str(error), DAMAGED) from error
    if header.problem:
        raise UnreadableError(header.problem, ADVICE)
    for size in (window_size(header.data), header.tile):
        if is_too_large(size) or is_hollow(size, len(data)):
            reason = f"claims {size[0]} x {size[1]} pixels, which its {len(data)} bytes cannot hold"
            raise UnreadableError(reason, DAMAGED)
    stored, shown = (width * height for width, height in (window_size(header.data), header.size))
    channels = sum(channel.bytes_per_pixel for channel in header.channels.values())
    memory = shown * BYTES_PER_PIXEL + stored * channels
    # Blender shows what pixels there are as the whole photo.
    shown_by_blender = ShownByBlender.ALWAYS if header.data == header.display else ShownByBlender.NEVER
    return OpenedPhoto(header.size, memory, shown_by_blender, Exif, lambda: _decode(data, header))


def _decode(data: bytes, header: ExrHeader) -> Image.Image:
    """RGB or grey, with alpha where the file has it or has not all the pixels."""
    import OpenEXR

    parts = OpenEXR.File(io.BytesIO(data), separate_channels=True).parts
    if not parts:  # OpenEXR says why on standard error alone
        raise UnreadableError("cannot be decoded", DAMAGED)
    channels = {name: channel.pixels for name, channel in parts[0].channels.items()}
    pixels = encode([channels[name] for name in header.colors], channels.get("A"))
    return Image.fromarray((pixels if header.data == header.display else _on_display(pixels, header)).squeeze())


def encode(colors: Sequence[np.ndarray], alpha: np.ndarray | None = None) -> np.ndarray:
    """[h,w,C] uint8, sRGB-encoded, from scene-linear channels [h,w], and alpha [h,w] as the last one where it is given.

    OpenEXR's colors are multiplied by alpha. What is no number is black.
    """
    height, width = colors[0].shape
    pixels = np.empty((height, width, len(colors) + (alpha is not None)), np.uint8)
    for rows in (slice(top, top + ROWS_AT_ONCE) for top in range(0, height, ROWS_AT_ONCE)):
        opacity = np.float32(1) if alpha is None else _unit(alpha[rows])
        if alpha is not None:
            pixels[rows, :, -1] = np.round(255 * opacity)
        for i, color in enumerate(colors):
            linear = _unit(color[rows].astype(np.float32) / np.where(opacity > 0, opacity, 1))
            encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
            pixels[rows, :, i] = np.round(255 * encoded)
    return pixels


def _unit(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(samples.astype(np.float32), nan=0.0), 0.0, 1.0)


def _on_display(pixels: np.ndarray, header: ExrHeader) -> np.ndarray:
    """[H,W,2 or 4] uint8 of the display window from all pixels [h,w,C]: transparent where there are none."""
    if pixels.shape[2] % 2:
        pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=2)
    width, height = header.size
    canvas = np.zeros((height, width, pixels.shape[2]), np.uint8)
    left, top = header.data[0] - header.display[0], header.data[1] - header.display[1]
    seen = pixels[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    canvas[max(0, top) : max(0, top) + seen.shape[0], max(0, left) : max(0, left) + seen.shape[1]] = seen
    return canvas
