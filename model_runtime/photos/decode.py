"""From the bytes of a photo's file to upright, opaque, 8-bit sRGB pixels, and to a plate Blender shows alike.

Pillow decodes, and for HEIC, RAW and OpenEXR what is loaded only when such a photo comes (`heif_file`, `raw_file`,
`exr_file`). What they leave to their callers is done here: orientation, 16-bit and float samples, alpha, CMYK and
colour profiles, and a sentence naming the file for everything that is not a usable photo.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageCms, ImageOps

from model_runtime.contract.memory import available_memory, is_out_of_memory
from model_runtime.contract.messages import Failure, JobError, LeftOut, Photo
from model_runtime.contract.photo_kinds import START, kind_by_name, kind_by_start
from model_runtime.contract.photo_limits import LONGEST_SIDE, MOST_PIXELS, is_hollow, is_too_large
from model_runtime.contract.stored_files import photo_bytes, photo_digest, photo_size, photo_start
from model_runtime.contract.tiff_tags import SIDEWAYS, TagsError, is_raw, read_tags
from model_runtime.photos.exif import image_exif
from model_runtime.photos.exr_file import LinearPhoto, open_exr, read_linear
from model_runtime.photos.heif_file import open_avif, open_heic
from model_runtime.photos.opened import DAMAGED, OpenedPhoto, ShownByBlender, UnreadableError
from model_runtime.photos.raw_file import open_raw
from model_runtime.photos.room import Room

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
"""Pillow's names. Not every format Pillow knows: some of its decoders start other programs."""

JPEG_XL = "JXL"
"""Pillow's name where somebody has installed a decoder for it."""

BACKDROP = (255, 255, 255)
"""What shows through the transparent parts of a photo: white, as cut-out product shots are usually meant."""

MIN_SIDE = 14
TILE_TAGS = (322, 323)
"""TIFF 6.0: width and height of the tiles that a picture is stored in."""

BYTES_PER_PIXEL, OF_WEBP = 16, 24
"""Of memory that decoding takes at most, measured: 8 for most photos, 15 with transparent parts, 23 as WebP."""

BAND = 256
"""Rows of a photo that are converted at once."""

SAVE_AS = "Save it as JPEG, PNG, WebP or TIFF."
PILLOWS_MEMORY_ERROR = "decoder error -9"

PLATE_QUALITY = 95
SHOWN_MODES = ("L", "RGB", "RGBA", "I;16", "I;16B", "I;16L")
"""Pillow's names of pixels that Blender shows as they are, if all of them are opaque."""


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """size: upright (width, height). plate: see `messages.View`. focal_35mm, camera: see `Exif`. alpha: [h,w] uint8
    of the upright photo, 255 where it is opaque; None where all of it is."""

    name: str
    size: tuple[int, int]
    plate: bytes
    focal_35mm: float | None
    camera: str = ""
    alpha: np.ndarray | None = None


def check_photos(photos: Sequence[Photo]) -> tuple[LeftOut, ...]:
    """The photos that cannot be used as far as that can be told without decoding: empty files, and one file twice.

    Raises JobError where there are no photos, or two of one name.
    """
    if not photos:
        raise JobError("no-photos", "The request holds no photos.", "Choose at least one photo.")
    names: set[str] = set()
    by_digest: dict[str, str] = {}
    left_out = []
    for photo in photos:
        if photo.name in names:
            raise JobError("photo-name-twice", f"Two photos are called {photo.name}.", "Give each its own name.")
        names.add(photo.name)
        if not photo_size(photo):
            empty = Failure("photo-empty", f"{photo.name} is empty (0 bytes).", "Copy the file again or leave it out.")
            left_out.append(LeftOut(photo.name, empty))
            continue
        twin = by_digest.setdefault(photo_digest(photo), photo.name)
        if twin != photo.name:
            sentence = f"{photo.name} is the same file as {twin}."
            left_out.append(LeftOut(photo.name, Failure("photo-duplicate", sentence, "Leave one of the two out.")))
    return tuple(left_out)


def stored_shape(photo: Photo) -> tuple[tuple[int, int], int]:
    """(width, height) of the photo as it is stored, and its EXIF orientation, where possible without decoding it.

    Raises as `decode_photo` does.
    """
    with without_warnings(), _named_failures(photo.name):
        opened = _open(photo)
        _check_memory(photo.name, opened)
        return opened.size, opened.read_exif().orientation


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) of a picture stored in this size and EXIF orientation, when it is upright."""
    return (size[1], size[0]) if orientation in SIDEWAYS else size


def decode_photo(photo: Photo) -> tuple[DecodedPhoto, np.ndarray]:
    """What is known of a photo, and its upright pixels, [h,w,3] uint8 sRGB.

    Raises JobError `photo-unreadable`, `photo-too-large`, `photo-too-small` or `out-of-memory`, naming it.
    """
    with without_warnings(), decoded(photo, Room()) as (known, image):
        return known, in_bands(image)


@contextmanager
def decoded(photo: Photo, room: Room) -> Iterator[tuple[DecodedPhoto, Image.Image]]:
    """The same, with an RGB picture of Pillow's for the pixels, and as long as it is used a place in the room.

    Raises as `decode_photo` does, also where what is done with the picture finds no memory.
    """
    with _named_failures(photo.name):
        opened = _open(photo)
    with room.taken(opened.memory):
        with _named_failures(photo.name):
            _check_memory(photo.name, opened)
            known = _decoded(photo.name, opened)
        try:
            yield known
        except Exception as error:
            if _ran_out_of_memory(error):
                raise _no_memory(photo.name) from error
            raise


def _decoded(name: str, opened: OpenedPhoto) -> tuple[DecodedPhoto, Image.Image]:
    exif, image = opened.read_exif(), opened.decode()
    unchanged = image.mode in SHOWN_MODES and exif.orientation == 1
    image, alpha, repainted = _to_srgb(image)
    unchanged = unchanged and not repainted and opened.shown is ShownByBlender.UNCHANGED
    plate = b"" if unchanged or opened.shown is ShownByBlender.ALWAYS else jpeg_plate(image)
    return DecodedPhoto(name, image.size, plate, exif.focal_35mm, exif.camera, alpha), image


def scene_linear(photo: Photo) -> LinearPhoto | None:
    """What a photo that `decode_photo` has read holds, if that is scene-linear. Raises as that does."""
    with without_warnings(), _named_failures(photo.name):
        return read_linear(photo_bytes(photo)) if kind_by_start(photo_start(photo, START)) == "EXR" else None


@contextmanager
def without_warnings() -> Iterator[None]:
    """Of large pictures and odd metadata, which are nothing an artist need know. One thread at a time, for all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _named_failures(name: str) -> Iterator[None]:
    """Whatever goes wrong with a photo inside, as a JobError that names it."""
    try:
        yield
    except JobError:
        raise
    except Image.DecompressionBombError as error:
        raise JobError(
            "photo-too-large",
            f"{name} is too large: {error}",
            "Scale the photo down; the network sees it at a small part of this size anyway.",
        ) from error
    except Image.UnidentifiedImageError as error:
        raise JobError("photo-unreadable", f"{name} is not a photo of a known format.", SAVE_AS) from error
    except ModuleNotFoundError as error:
        raise JobError(
            "photo-unreadable",
            f"{name} is of a kind that needs the package {error.name}, which the worker's Python has not.",
            "Install the runtime again, or save the photo as JPEG, PNG, WebP or TIFF.",
        ) from error
    except Exception as error:  # a damaged file makes decoders raise nearly anything
        if _ran_out_of_memory(error):
            raise _no_memory(name) from error
        if isinstance(error, UnreadableError):
            raise JobError("photo-unreadable", f"{name} {error}.", error.advice) from error
        raise JobError("photo-unreadable", f"{name} cannot be decoded: {_as_part(error)}.", DAMAGED) from error


def _ran_out_of_memory(error: Exception) -> bool:
    return is_out_of_memory(error) or PILLOWS_MEMORY_ERROR in str(error)


def _no_memory(name: str) -> JobError:
    return JobError(
        "out-of-memory",
        f"There is not enough memory to read {name}.",
        "Close other programs, scale the photo down or leave it out.",
    )


def _as_part(error: Exception) -> str:
    """What a decoder says, as part of a sentence."""
    return " ".join(str(error).split()).rstrip(". ")


def _open(photo: Photo) -> OpenedPhoto:
    """The photo, its header checked. Raises JobError where that claims what cannot be, and what decoders raise.

    One that is stored is in memory as long as what is opened.
    """
    photo = Photo(photo.name, photo_bytes(photo))
    opened = _open_any(photo)
    _check_size(photo, opened.size)
    return opened


def _check_memory(name: str, opened: OpenedPhoto) -> None:
    """Raises JobError where there is not enough to decode the photo."""
    left = available_memory()
    if opened.memory > left:
        raise JobError(
            "photo-too-large",
            f"{name} has {opened.size[0]} x {opened.size[1]} pixels. Reading it takes "
            f"{opened.memory / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are free.",
            "Scale the photo down, or close other programs.",
        )


def _open_any(photo: Photo) -> OpenedPhoto:
    """By what the file holds; its name counts only where it tells a RAW photo from another TIFF."""
    kind = kind_by_start(photo.data[:START])
    if kind == "RAW" or (kind == "TIFF" and _is_raw(photo)):
        return open_raw(photo.data)
    if kind == "HEIC":
        return open_heic(photo.data)
    if kind == "AVIF":
        return open_avif(photo.data)
    if kind == "EXR":
        return open_exr(photo.data)
    if kind == "JPEG XL":
        return _open_jpeg_xl(photo)
    return _open_with_pillow(photo, FORMATS)


def _is_raw(photo: Photo) -> bool:
    try:
        return kind_by_name(photo.name) == "RAW" or is_raw(read_tags(io.BytesIO(photo.data)))
    except TagsError:
        return False


def _open_jpeg_xl(photo: Photo) -> OpenedPhoto:
    Image.init()
    if JPEG_XL not in Image.OPEN:
        raise UnreadableError("is a JPEG XL picture, which nothing that is installed here reads", SAVE_AS)
    return replace(_open_with_pillow(photo, (JPEG_XL,)), shown=ShownByBlender.NEVER)


def _open_with_pillow(photo: Photo, formats: tuple[str, ...]) -> OpenedPhoto:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses twice as many; its own limit is that of large cameras
    image = Image.open(io.BytesIO(photo.data), formats=formats)
    tags = getattr(image, "tag_v2", {})
    tile = tuple(tags.get(tag, 0) for tag in TILE_TAGS)  # of a TIFF, decoded as a whole even if it is larger
    _check_size(photo, image.size)
    if is_hollow(tile, len(photo.data)):
        raise _hollow(photo, tile)
    memory = image.width * image.height * (OF_WEBP if image.format == "WEBP" else BYTES_PER_PIXEL)
    return OpenedPhoto(image.size, memory, ShownByBlender.UNCHANGED, lambda: image_exif(image), lambda: _upright(image))


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # which turns a TIFF
    ImageOps.exif_transpose(image, in_place=True)  # else upright ones are copied
    return image


def _check_size(photo: Photo, size: tuple[int, int]) -> None:
    """Raises JobError where a photo of this (width, height) is not read."""
    if is_too_large(size):
        raise JobError(
            "photo-too-large",
            f"{photo.name} has {size[0]} x {size[1]} pixels; {LONGEST_SIDE} a side and {MOST_PIXELS // 10**6} million "
            "in all are the most that can be read.",
            "Scale the photo down; the network sees it at a small part of this size anyway.",
        )
    if is_hollow(size, len(photo.data)):
        raise _hollow(photo, size)
    if min(size) < MIN_SIDE:
        raise JobError(
            "photo-too-small", f"{photo.name} is only {size[0]} x {size[1]} pixels.", f"Sides need {MIN_SIDE} or more."
        )


def _hollow(photo: Photo, size: tuple[int, int]) -> JobError:
    return JobError(
        "photo-unreadable",
        f"{photo.name} claims {size[0]} x {size[1]} pixels, which its {len(photo.data)} bytes cannot hold.",
        DAMAGED,
    )


def in_bands(image: Image.Image, convert: Callable[[np.ndarray], np.ndarray] = lambda band: band) -> np.ndarray:
    """[h,w] or [h,w,C] uint8, each few rows of an image after `convert`: as a whole, Pillow holds them three times."""
    width, height = image.size
    bands = (image.crop((0, top, width, min(top + BAND, height))) for top in range(0, height, BAND))
    first = convert(np.asarray(next(bands)))
    pixels = np.empty((height, *first.shape[1:]), np.uint8)
    pixels[: len(first)] = first
    for i, band in enumerate(bands, 1):
        pixels[i * BAND : (i + 1) * BAND] = convert(np.asarray(band))
    return pixels


def jpeg_plate(image: Image.Image) -> bytes:
    """A file that Blender shows, of a picture in RGB or grey."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=PLATE_QUALITY, subsampling=0)
    return file.getvalue()


def _to_srgb(image: Image.Image) -> tuple[Image.Image, np.ndarray | None, bool]:
    """The image as opaque RGB, its alpha where not all of it is opaque, and whether its colour profile or transparent
    parts changed the picture."""
    profile = _foreign_profile(image.info.get("icc_profile"))
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = _to_8_bit(image)
    converted = None if profile is None else _apply_profile(image, profile)
    image = converted or image
    image = image if image.mode == "RGB" else image.convert("RGB")
    if alpha is None or alpha.getextrema() == (255, 255):
        return image, None, converted is not None
    backdrop = Image.new("RGB", image.size, BACKDROP)
    backdrop.paste(image, mask=alpha)
    return backdrop, np.asarray(alpha), True


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Samples of more than 8 bits scaled, where Pillow's own conversion would clip; palettes and the like as RGB."""
    if image.mode.startswith("I;16") or image.mode == "I":
        scale = 65535.0
    elif image.mode == "F":
        scale = 1.0
    else:
        return image.convert("RGB")

    def scaled(samples: np.ndarray) -> np.ndarray:
        return np.round(np.clip(np.nan_to_num(samples.astype(np.float64)) / scale, 0.0, 1.0) * 255.0).astype(np.uint8)

    return Image.fromarray(in_bands(image, scaled))


def _foreign_profile(icc: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """The embedded profile; None where there is none, it is sRGB, or it is too damaged to be opened."""
    if not icc:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        name = ImageCms.getProfileDescription(profile)
    except (OSError, ImageCms.PyCMSError):
        return None
    return None if "sRGB" in name else profile


def _apply_profile(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """The image taken from `profile` to sRGB; None where the profile is for another kind of image."""
    try:
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError:
        return None
