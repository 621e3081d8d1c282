"""Camera RAW, developed by LibRaw as the camera would without its own taste.

White balance: the camera's. Brightness: the sensor's white is white; nothing is brightened by what is in the picture,
so that photos of one exposure stay alike. Highlights are cut, colors and tones are sRGB's.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image

from model_runtime.photos.exif import Exif, all_tags, read_exif
from model_runtime.photos.opened import DAMAGED, OpenedPhoto, ShownByBlender, UnreadableError

if TYPE_CHECKING:
    import rawpy

BYTES_PER_PIXEL = 24
"""Of memory that developing takes at most; measured: 13."""

SRGB_CURVE = (2.4, 12.92)
"""Power and slope of the encoding's two pieces (IEC 61966-2-1)."""

LIBRAWS_SIDEWAYS = range(4, 8)
"""LibRaw's `flip` is in bits: 1 mirrors, 2 turns upside down, 4 exchanges width and height."""

TIFF_HEADS = {b"II": b"II*\0", b"MM": b"MM\0*"}
"""Olympus and Panasonic begin their TIFFs with other letters."""

RAF_PREVIEW = 84
"""Fujifilm: where the place and the length of a JPEG stand that has the Exif data."""

CANON_BOXES, CANON_REACH = (b"CMT2", b"CMT1"), 1 << 16
"""Canon's CR3: boxes near its start with a TIFF block each, of the Exif directory and of the main one."""


def open_raw(data: bytes) -> OpenedPhoto:
    """Raises UnreadableError."""
    import rawpy

    raw = rawpy.RawPy()
    with _libraws_failures():
        raw.open_buffer(io.BytesIO(data))
    size = (raw.sizes.width, raw.sizes.height)
    if raw.sizes.flip in LIBRAWS_SIDEWAYS:
        size = (size[1], size[0])
    memory = size[0] * size[1] * BYTES_PER_PIXEL
    return OpenedPhoto(size, memory, ShownByBlender.NEVER, lambda: raw_exif(data, size), lambda: _develop(raw))


def raw_exif(data: bytes, size: tuple[int, int]) -> Exif:
    """size: (width, height) of the picture as LibRaw has turned it, so that it is upright whatever the tags say."""
    try:
        told = read_exif(_tags(data), size)
    except Exception:  # whatever is wrong with the Exif data, the picture may be whole
        return Exif()
    return Exif(1, told.focal_35mm, told.camera)


def _develop(raw: rawpy.RawPy) -> Image.Image:
    with _libraws_failures(), raw:
        pixels = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, adjust_maximum_thr=0.0, gamma=SRGB_CURVE, output_bps=8
        )
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])


@contextmanager
def _libraws_failures() -> Iterator[None]:
    import rawpy

    try:
        yield
    except (rawpy.LibRawFileUnsupportedError, rawpy.LibRawNotImplementedError) as error:
        raise UnreadableError(
            "is a RAW photo of a camera that LibRaw does not know, or damaged", "Develop it to a JPEG or TIFF."
        ) from error
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode("ascii", "replace") if isinstance(reason, bytes) else str(reason)
        raise UnreadableError(f"cannot be developed: {told}", DAMAGED) from error


def _tags(data: bytes) -> dict[int, object]:
    """Raises nearly anything where they are broken."""
    if data[:2] in TIFF_HEADS:
        return _block_tags(TIFF_HEADS[data[:2]] + data[4:])
    if data.startswith(b"FUJIFILM"):
        start, length = struct.unpack_from(">II", data, RAF_PREVIEW)
        return all_tags(Image.open(io.BytesIO(data[start : start + length]), formats=("JPEG",)).getexif())
    found: dict[int, object] = {}
    for box in CANON_BOXES:
        place = data.find(box, 0, CANON_REACH)
        if place >= 4:
            (length,) = struct.unpack_from(">I", data, place - 4)
            found |= _block_tags(data[place + 4 : place - 4 + length])
    return found


def _block_tags(block: bytes) -> dict[int, object]:
    exif = Image.Exif()
    exif.load(block)
    return all_tags(exif)
