"""HEIC by libheif, AVIF by libavif. Both turn a photo as the file's own `irot` and `imir` say, and its Exif orientation
does not count; where a file has neither, it does: some programs write such files."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image, UnidentifiedImageError

from model_runtime.contract.heif_boxes import HeifError, read_heif
from model_runtime.contract.tiff_tags import exif_tags, orientation_of
from model_runtime.photos.exif import UPRIGHT, Exif, image_exif
from model_runtime.photos.opened import DAMAGED, OpenedPhoto, ShownByBlender, UnreadableError

BYTES_PER_PIXEL = 24
"""Of memory that decoding takes at most; measured: 19 with transparent parts, 11 without."""


def open_heic(data: bytes) -> OpenedPhoto:
    """Raises what libheif raises."""
    from pillow_heif import HeifImageFile, options

    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    return _opened(HeifImageFile(io.BytesIO(data)), data, turned_already=True)


def open_avif(data: bytes) -> OpenedPhoto:
    """Raises UnreadableError."""
    try:
        image = Image.open(io.BytesIO(data), formats=("AVIF",))
    except UnidentifiedImageError as error:
        raise UnreadableError("cannot be decoded", DAMAGED) from error
    return _opened(image, data, turned_already=False)


def _opened(image: Image.Image, data: bytes, turned_already: bool) -> OpenedPhoto:
    """turned_already: whether pixels come as the file's own boxes say; else Pillow gives those as Exif orientation."""

    def exif() -> Exif:
        told, orientation = image_exif(image), _orientation_without_boxes(data)
        if orientation is None:
            orientation = 1 if turned_already else told.orientation
        return replace(told, orientation=orientation)

    memory = image.width * image.height * BYTES_PER_PIXEL
    return OpenedPhoto(image.size, memory, ShownByBlender.NEVER, exif, lambda: _upright(image, exif().orientation))


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    image.load()
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _orientation_without_boxes(data: bytes) -> int | None:
    """The Exif orientation where it counts; None where the file's own boxes do."""
    try:
        header = read_heif(io.BytesIO(data))
    except HeifError:
        return None
    return None if header.turned else orientation_of(exif_tags(header.exif))
