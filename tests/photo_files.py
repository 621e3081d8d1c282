"""Photos as phones and cameras write them, made here: HEIC and AVIF turned in every way, RAW, OpenEXR."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""IEC 61966-2-1."""

FORMS = {"B": (1, "B"), "A": (2, "s"), "H": (3, "H"), "I": (4, "I"), "R": (5, "I"), "S": (10, "i")}
"""TIFF 6.0: numbers and `struct` letters of the types used here; R and S are fractions."""

FRACTION = 10_000
"""What fractions are of."""

NEUTRAL = (0.5, 1.0, 0.6)
"""What the sensor of `dng` sees of grey, in its red, green and blue."""


def srgb(linear: np.ndarray) -> np.ndarray:
    """0..255 (IEC 61966-2-1)."""
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def exif_block(**tags: Any) -> bytes:
    """Exif block with tags by their names in Pillow, those of the Exif directory in there."""
    exif = Image.Exif()
    inside = exif.get_ifd(ExifTags.IFD.Exif)
    for name, value in tags.items():
        main = name in ("Orientation", "Make", "Model", "ResolutionUnit")
        fraction = IFDRational(round(value * FRACTION), FRACTION) if isinstance(value, float) else value
        (exif if main else inside)[ExifTags.Base[name]] = fraction
    return exif.tobytes()


def heic(image: Image.Image, box_turn: int = 1, exif_turn: int = 1, **tags: Any) -> bytes:
    """box_turn: the turn that `irot` and `imir` tell, by Exif's numbers; 1 for no such box. exif_turn: that of Exif."""
    import pillow_heif

    # pillow-heif makes the boxes from the Exif orientation, which is then changed by hand.
    block = exif_block(Orientation=box_turn, **tags)
    pillow_heif.register_heif_opener()
    return _file(image, "HEIF", exif=block, quality=95, chroma=444).replace(block, _turned(block, exif_turn))


def avif(image: Image.Image, box_turn: int = 1, exif_turn: int = 1, **tags: Any) -> bytes:
    """As `heic`."""
    # Pillow makes the boxes from the orientation and takes it out; another tag is renamed to stand for it.
    block = exif_block(Orientation=box_turn, ResolutionUnit=exif_turn, **tags)
    unit, orientation = (struct.pack(">HHIH", tag, 3, 1, exif_turn) for tag in (0x0128, 0x0112))
    return _file(image, "AVIF", exif=block, quality=95, subsampling="4:4:4").replace(unit, orientation)


def _turned(block: bytes, orientation: int) -> bytes:
    place = block.index(struct.pack(">HHI", 0x0112, 3, 1))
    return block[: place + 8] + struct.pack(">H", orientation) + block[place + 10 :]


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exr(channels: dict[str, np.ndarray], **header: Any) -> bytes:
    """Scanlines in one part; the header's windows are pairs of corners."""
    import OpenEXR

    header = {name: tuple(np.array(corner, np.int32) for corner in value) for name, value in header.items()}
    file = io.BytesIO()
    head = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    OpenEXR.File(head, {name: np.ascontiguousarray(pixels) for name, pixels in channels.items()}).write(file)
    return file.getvalue()


def dng(linear: np.ndarray, orientation: int = 1, exif: dict[int, tuple[str, Any]] | None = None) -> bytes:
    """An uncompressed Bayer DNG (1.4) of [H,W,3] linear sRGB colors, by a sensor that sees grey as NEUTRAL.

    exif: tags of the Exif directory, as `_directory` takes them.
    """
    height, width = linear.shape[:2]
    seen = np.round(linear * NEUTRAL * 65535).clip(0, 65535).astype("<u2")
    mosaic = seen[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = seen[::2, ::2, 0], seen[1::2, 1::2, 2]
    matrix = np.diag(NEUTRAL) @ np.linalg.inv(RGB_TO_XYZ)
    tags: dict[int, tuple[str, Any]] = {
        **{254: ("I", [0]), 256: ("I", [width]), 257: ("I", [height]), 258: ("H", [16]), 259: ("H", [1])},
        **{262: ("H", [32803]), 271: ("A", b"Maker\0"), 272: ("A", b"Model X\0"), 274: ("H", [orientation])},
        **{277: ("H", [1]), 278: ("I", [height]), 279: ("I", [2 * width * height]), 284: ("H", [1])},
        **{33421: ("H", [2, 2]), 33422: ("B", [0, 1, 1, 2]), 50706: ("B", [1, 4, 0, 0]), 50707: ("B", [1, 1, 0, 0])},
        **{50708: ("A", b"Maker Model X\0"), 50714: ("I", [0]), 50717: ("I", [65535]), 50721: ("S", matrix.ravel())},
        **{50728: ("R", NEUTRAL), 50778: ("H", [21])},  # as shot; illuminated by D65
    }
    start = 8 + len(_directory({**tags, 273: ("I", [0]), 34665: ("I", [0])}, 8))
    inside = _directory(exif or {}, start)
    body = _directory({**tags, 273: ("I", [start + len(inside)]), 34665: ("I", [start])}, 8)
    return b"II*\0" + struct.pack("<I", 8) + body + inside + mosaic.tobytes()


def _directory(tags: dict[int, tuple[str, Any]], start: int) -> bytes:
    """A TIFF directory, little-endian, with what does not fit into it behind it. start: where it stands."""
    entries, behind = struct.pack("<H", len(tags)), b""
    place = start + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        number, letter = FORMS[kind]
        if kind in "RS":
            numbers = [part for value in values for part in (round(value * FRACTION), FRACTION)]
            data = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        else:
            data = values if kind == "A" else struct.pack(f"<{len(values)}{letter}", *values)
        field = data
        if len(data) > 4:
            field = struct.pack("<I", place + len(behind))
            behind += data + b"\0" * (len(data) % 2)
        entries += struct.pack("<HHI", tag, number, len(values)) + field.ljust(4, b"\0")
    return entries + bytes(4) + behind
