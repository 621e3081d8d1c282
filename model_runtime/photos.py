"""From the bytes of a photo's file to upright, opaque, 8-bit sRGB pixels, and to a plate Blender shows alike.

Pillow decodes. What it leaves to its callers is done here: EXIF orientation, 16-bit and float samples, alpha,
CMYK and colour profiles, and a sentence naming the file for everything that is not a usable photo.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps

from model_runtime.messages import Failure, JobError, LeftOut, Photo

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
"""Pillow's names. Not every format Pillow knows: some of its decoders start other programs."""

BACKDROP = (255, 255, 255)
"""What shows through the transparent parts of a photo: white, as cut-out product shots are usually meant."""

MIN_SIDE = 14
PLATE_QUALITY = 95
SHOWN_MODES = ("L", "RGB", "RGBA")
"""Pillow's names of pixels that Blender shows as they are, if all of them are opaque."""

TURNED = range(2, 9)
"""EXIF orientations of photos that are not stored upright."""

SIDEWAYS = range(5, 9)
"""Those of them that exchange width and height."""

FOCAL_TAG = ExifTags.Base.FocalLengthIn35mmFilm
PLAUSIBLE_35MM = (9, 2000)
"""Millimetres. No lens that keeps straight lines straight is wider; action cameras that do not know write 1."""


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """size: upright (width, height). plate: see `messages.View`. focal_35mm, camera: see `_Exif`. alpha: [h,w] uint8
    of the upright photo, 255 where it is opaque; None where all of it is."""

    name: str
    size: tuple[int, int]
    plate: bytes
    focal_35mm: float | None
    camera: str = ""
    alpha: np.ndarray | None = None


@dataclass(frozen=True)
class _Exif:
    """orientation: Exif 2.3, tag 0x0112. focal_35mm: the focal length in millimetres on 36 x 24 mm film of the same
    angle of view (tag 0xA405), where it is told. camera: make, model and focal length as one text, equal for photos
    of the same lens; empty where nothing is told."""

    orientation: int = 1
    focal_35mm: float | None = None
    camera: str = ""


def check_photos(photos: Sequence[Photo]) -> tuple[LeftOut, ...]:
    """The photos that cannot be used as far as that can be told without decoding: empty files, and one file twice.

    Raises JobError where there are no photos, or two of one name.
    """
    if not photos:
        raise JobError("no-photos", "The request holds no photos.", "Choose at least one photo.")
    names: set[str] = set()
    by_digest: dict[bytes, str] = {}
    left_out = []
    for photo in photos:
        if photo.name in names:
            raise JobError("photo-name-twice", f"Two photos are called {photo.name}.", "Give each its own name.")
        names.add(photo.name)
        if not photo.data:
            empty = Failure("photo-empty", f"{photo.name} is empty (0 bytes).", "Copy the file again or leave it out.")
            left_out.append(LeftOut(photo.name, empty))
            continue
        digest = hashlib.sha256(photo.data).digest()
        twin = by_digest.setdefault(digest, photo.name)
        if twin != photo.name:
            told = f"{photo.name} is the same file as {twin}."
            left_out.append(LeftOut(photo.name, Failure("photo-duplicate", told, "Leave one of the two out.")))
    return tuple(left_out)


def stored_shape(photo: Photo) -> tuple[tuple[int, int], int]:
    """(width, height) of the photo as it is stored, and its EXIF orientation, where possible without decoding it.

    Raises as `decode_photo` does.
    """
    try:
        opened = Image.open(io.BytesIO(photo.data), formats=FORMATS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return decode_photo(photo)[0].size, 1  # tells what is wrong
    return opened.size, _read_exif(opened).orientation


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) of a picture stored in this size and EXIF orientation, when it is upright."""
    return (size[1], size[0]) if orientation in SIDEWAYS else size


def decode_photo(photo: Photo) -> tuple[DecodedPhoto, np.ndarray]:
    """What is known of a photo, and its upright pixels, [h,w,3] uint8 sRGB.

    Raises JobError `photo-unreadable`, `photo-too-large` or `photo-too-small`, naming it.
    """
    try:
        with warnings.catch_warnings():
            # Of sizes from half of what Pillow refuses, and of odd metadata: nothing an artist need know.
            warnings.simplefilter("ignore")
            opened = Image.open(io.BytesIO(photo.data), formats=FORMATS)
            exif = _read_exif(opened)
        opened.load()
        turned = exif.orientation in TURNED
        image, alpha, repainted = _to_srgb(ImageOps.exif_transpose(opened) if turned else opened)
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise JobError(
            "photo-too-large",
            f"{photo.name} is too large: {error}",
            "Scale the photo down; the network sees it at a small part of this size anyway.",
        ) from error
    except Image.UnidentifiedImageError as error:
        raise JobError(
            "photo-unreadable",
            f"{photo.name} is not a photo of a known format.",
            "Save it as JPEG, PNG, WebP or TIFF.",
        ) from error
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        raise JobError(
            "photo-unreadable",
            f"{photo.name} cannot be decoded: {error}.",
            "The file seems damaged or cut short; copy it again or leave it out.",
        ) from error
    if min(image.size) < MIN_SIDE:
        width, height = image.size
        raise JobError(
            "photo-too-small", f"{photo.name} is only {width} x {height} pixels.", f"Sides need {MIN_SIDE} or more."
        )
    shows_as_is = opened.mode in SHOWN_MODES and not turned and not repainted
    plate = b"" if shows_as_is else _plate(image)
    return DecodedPhoto(photo.name, image.size, plate, exif.focal_35mm, exif.camera, alpha), np.asarray(image)


def _plate(image: Image.Image) -> bytes:
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
    image = (converted or image).convert("RGB")
    if alpha is None or alpha.getextrema() == (255, 255):
        return image, None, converted is not None
    backdrop = Image.new("RGB", image.size, BACKDROP)
    backdrop.paste(image, mask=alpha)
    return backdrop, np.asarray(alpha), True


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Samples of more than 8 bits scaled, where Pillow's own conversion would clip; palettes and the like as RGB."""
    if image.mode.startswith("I;16") or image.mode == "I":
        samples = np.asarray(image).astype(np.float64) / 65535.0
    elif image.mode == "F":
        samples = np.nan_to_num(np.asarray(image, np.float64))
    else:
        return image.convert("RGB")
    return Image.fromarray(np.round(np.clip(samples, 0.0, 1.0) * 255.0).astype(np.uint8))


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


def _read_exif(image: Image.Image) -> _Exif:
    try:
        main = image.getexif()
        detail = main.get_ifd(ExifTags.IFD.Exif)
        orientation, focal = main.get(ExifTags.Base.Orientation, 1), detail.get(FOCAL_TAG)
        told = (main.get(ExifTags.Base.Make), main.get(ExifTags.Base.Model), detail.get(ExifTags.Base.FocalLength))
        camera = " ".join(str(value).strip() for value in told if value is not None)
    except Exception:  # whatever is wrong with the EXIF data, the picture may be whole
        return _Exif()
    focal_35mm = float(focal) if isinstance(focal, int | float) else 0.0
    focal_35mm = focal_35mm if PLAUSIBLE_35MM[0] <= focal_35mm <= PLAUSIBLE_35MM[1] else None
    return _Exif(orientation if orientation in TURNED else 1, focal_35mm, camera)
