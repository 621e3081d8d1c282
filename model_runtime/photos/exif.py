"""What a photo's Exif data tell: how it is turned, and with what lens it was taken. Pillow reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from model_runtime.contract.focal_length import focal_on_35mm
from model_runtime.contract.tiff_tags import ORIENTATION, TURNED

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Exif orientation -> what brings the stored picture upright."""

TEXTS = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.FocalLength)


@dataclass(frozen=True)
class Exif:
    """orientation: Exif 2.3, tag 0x0112. focal_35mm: the focal length in millimetres on 36 x 24 mm film of the same
    angle of view, where it is told. camera: make, model and focal length as one text, equal for photos of the same
    lens; empty where nothing is told."""

    orientation: int = 1
    focal_35mm: float | None = None
    camera: str = ""


def all_tags(main: Image.Exif) -> dict[int, object]:
    """Those of the first directory and of the Exif directory in it."""
    return {**main.get_ifd(ExifTags.IFD.Exif), **main}


def read_exif(tags: Mapping[int, object], size: tuple[int, int]) -> Exif:
    """size: (width, height) of the photo, turned or not."""
    camera = " ".join(str(tags[tag]).strip() for tag in TEXTS if tags.get(tag) is not None)
    orientation = tags.get(ExifTags.Base.Orientation)
    numbers = {tag: float(value) for tag, value in tags.items() if isinstance(value, int | float | IFDRational)}
    return Exif(int(numbers[ORIENTATION]) if orientation in TURNED else 1, focal_on_35mm(numbers, size), camera)


def image_exif(image: Image.Image) -> Exif:
    """Decodes a PNG, for its Exif data may stand at its end."""
    try:
        return read_exif(all_tags(image.getexif()), image.size)
    except Exception:  # whatever is wrong with the Exif data, the picture may be whole
        return Exif()
