"""OpenEXR: scene-linear colors become what a display shows of them, white at 1; what is brighter is cut.

A plate made of such a photo keeps the colors as they are: `read_linear`, `write_linear`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

ABOUT_COLOR = ("chromaticities", "colorInteropID")
"""Attributes that tell what the numbers of R, G and B are of."""

BRIGHTEST = float(np.finfo(np.float16).max)
"""That half floats can tell."""


@dataclass(frozen=True, eq=False)
class LinearPhoto:
    """pixels: [4,h,w] float16, what the file has as R, G, B and A; colors are multiplied by alpha. What is no number is
    0, what is brighter than BRIGHTEST is that. about: those of ABOUT_COLOR that the file has."""

    pixels: np.ndarray
    about: Mapping[str, Any]


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


def read_linear(data: bytes) -> LinearPhoto:
    """What the display window shows; where there are no pixels all is 0. Raises UnreadableError."""
    header = read_exr_header(io.BytesIO(data))
    channels, attributes = _read(data)
    colors = [channels[name] for name in header.colors]
    alpha = channels.get("A", np.broadcast_to(np.float16(1), colors[0].shape))
    width, height = header.size
    pixels = np.zeros((4, height, width), np.float16)
    for plane, channel in zip(pixels, [*(colors * 3)[:3], alpha], strict=True):
        canvas, seen = _overlap(header, plane, channel)
        numbers = np.nan_to_num(seen.astype(np.float32), copy=False, nan=0.0)
        canvas[...] = np.clip(numbers, -BRIGHTEST, BRIGHTEST, out=numbers)
    return LinearPhoto(pixels, {name: attributes[name] for name in ABOUT_COLOR if name in attributes})


def write_linear(photo: LinearPhoto) -> bytes:
    """An OpenEXR file of it."""
    import OpenEXR

    file = io.BytesIO()
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **photo.about}
    OpenEXR.File(header, dict(zip("RGBA", photo.pixels, strict=True))).write(file)
    return file.getvalue()


def _decode(data: bytes, header: ExrHeader) -> Image.Image:
    """RGB or grey, with alpha where the file has it or has not all the pixels."""
    channels, _ = _read(data)
    pixels = encode([channels[name] for name in header.colors], channels.get("A"))
    return Image.fromarray((pixels if header.data == header.display else _on_display(pixels, header)).squeeze())


def _read(data: bytes) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """The channels' pixels [h,w] of the data window, and the file's attributes."""
    import OpenEXR

    parts = OpenEXR.File(io.BytesIO(data), separate_channels=True).parts
    if not parts:  # OpenEXR says why on standard error alone
        raise UnreadableError("cannot be decoded", DAMAGED)
    return {name: channel.pixels for name, channel in parts[0].channels.items()}, parts[0].header


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
    whole = np.zeros((height, width, pixels.shape[2]), np.uint8)
    canvas, seen = _overlap(header, whole, pixels)
    canvas[...] = seen
    return whole


def _overlap(header: ExrHeader, shown: np.ndarray, stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of both windows in what the display window shows [H,W,...] and in what the data window stores [h,w,...],
    neither copied."""
    width, height = header.size
    left, top = header.data[0] - header.display[0], header.data[1] - header.display[1]
    seen = stored[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    return shown[max(0, top) :, max(0, left) :][: seen.shape[0], : seen.shape[1]], seen
