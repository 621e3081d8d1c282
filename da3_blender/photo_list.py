"""The list of photos: adding, ordering, and what is wrong with each. Works on `scene.da3`; shows nothing.

Every change goes through here, so that scripts, tests and operators do the same.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .photo_header import HeaderError, PhotoHeader, parse_header, read_header
from .scene_arguments import PHOTO_SUFFIXES

RAW_SUFFIXES = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2", ".pef", ".srw")
PHONE_SUFFIXES = (".heic", ".heif", ".avif")
OTHER_PICTURES = (".gif", ".bmp", ".exr", ".hdr", ".psd", ".tga", ".jp2", ".jxl", ".svg")


@dataclass(frozen=True)
class Added:
    """What adding did. known: how many were in the list already."""

    added: int
    known: int

    @property
    def sentence(self) -> str:
        if self.known:
            return f"Photos added: {self.added}; in the list already: {self.known}"
        return f"Photos added: {self.added}"


def add_files(settings: Any, paths: Iterable[Path | str]) -> Added:
    """Append photo files in natural order of their names; those in the list already are left out."""
    known = {_key(photo.path) for photo in settings.photos if photo.path}
    added = repeated = 0
    for path in sorted((Path(bpy.path.abspath(str(path))) for path in paths), key=natural_key):
        if _key(path) in known:
            repeated += 1
            continue
        known.add(_key(path))
        photo = settings.photos.add()
        photo.name, photo.path = path.name, str(path)
        inspect(photo)
        added += 1
    return Added(added, repeated)


def add_folder(settings: Any, folder: Path) -> Added:
    """Append the photos of a folder, not of its subfolders. Raises ValueError with a sentence where it has none."""
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    photos = [path for path in files if path.suffix.lower() in PHOTO_SUFFIXES]
    if not photos:
        unreadable = [path for path in files if unreadable_kind(path)]
        if unreadable:
            raise ValueError(f"{folder}: {unreadable[0].name}: {unreadable_kind(unreadable[0])}")
        raise ValueError(f"The folder {folder} holds no photos")
    return add_files(settings, photos)


def add_images(settings: Any, images: Iterable[bpy.types.Image]) -> Added:
    """Append images of this .blend: those with a file as files, packed ones as they are."""
    files, packed = [], []
    for image in images:
        (packed if image.packed_file else files).append(image)
    known = {photo.image for photo in settings.photos if photo.image}
    fresh = sorted((image for image in packed if image not in known), key=lambda image: natural_key(image.name))
    for image in fresh:
        photo = settings.photos.add()
        photo.name, photo.image = image.name, image
        inspect(photo)
    done = add_files(settings, [bpy.path.abspath(image.filepath, library=image.library) for image in files])
    return Added(done.added + len(fresh), done.known + len(packed) - len(fresh))


def usable_images() -> list[bpy.types.Image]:
    """Images of this .blend that have a picture of their own: packed, or with a file."""
    return [image for image in bpy.data.images if image.source == "FILE" and (image.packed_file or image.filepath)]


def remove(settings: Any, index: int) -> None:
    if not 0 <= index < len(settings.photos):
        raise ValueError("No photo is chosen")
    settings.photos.remove(index)
    settings.active_photo = max(0, min(settings.active_photo, len(settings.photos) - 1))


def clear(settings: Any) -> None:
    settings.photos.clear()
    settings.active_photo = 0


def move(settings: Any, index: int, step: int) -> bool:
    """Exchange a photo with the one `step` places on; False at the end of the list."""
    target = index + step
    if not (0 <= index < len(settings.photos) and 0 <= target < len(settings.photos)):
        return False
    settings.photos.move(index, target)
    settings.active_photo = target
    return True


def set_reference(settings: Any, index: int) -> bool:
    """Make one photo the reference, or none where it is that already. True when it now is."""
    chosen = not settings.photos[index].reference
    for place, photo in enumerate(settings.photos):
        photo.reference = chosen and place == index
    return chosen


def refresh(settings: Any) -> int:
    """Look at every photo again; returns how many have a problem."""
    for photo in settings.photos:
        inspect(photo)
    return sum(bool(photo.problem) for photo in settings.photos)


def usable(settings: Any) -> list[Any]:
    """The photos without a problem, in order, the reference photo first."""
    return sorted((photo for photo in settings.photos if not photo.problem), key=lambda photo: not photo.reference)


def inspect(photo: Any) -> None:
    """Write the photo's size, lens and problem into its row."""
    header, photo.problem = _look(photo)
    photo.width, photo.height = header.size
    photo.lens = header.lens


def natural_key(path: Path | str) -> tuple[Any, ...]:
    """Sorts `2.jpg` before `10.jpg`; folders of equal names apart from each other."""
    path = Path(path)
    parts = re.split(r"(\d+)", path.name.casefold())
    return (*((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts), (2, 0, str(path)))


def unreadable_kind(path: Path) -> str:
    """A sentence where the file's type is a picture that the worker does not read; else empty."""
    suffix = path.suffix.lower()
    if suffix in RAW_SUFFIXES:
        return "RAW photos cannot be read; develop it to a JPEG or TIFF"
    if suffix in PHONE_SUFFIXES:
        return f"{suffix[1:].upper()} photos cannot be read; export it as a JPEG"
    if suffix in OTHER_PICTURES:
        return f"{suffix[1:].upper()} pictures cannot be read; save it as a JPEG or PNG"
    return ""


NOTHING = PhotoHeader((0, 0), 0.0)


def _look(photo: Any) -> tuple[PhotoHeader, str]:
    """What the photo says about itself, and its problem or an empty string."""
    try:
        if photo.path:
            return _look_at_file(Path(photo.path))
        return _look_inside(photo.image)
    except FileNotFoundError:
        return NOTHING, "The file is not there any more"
    except OSError as error:
        return NOTHING, f"The file cannot be read: {error.strerror}"
    except HeaderError as error:
        return NOTHING, f"The file {error}; only JPEG, PNG, WebP and TIFF are read"


def _look_at_file(path: Path) -> tuple[PhotoHeader, str]:
    kind = unreadable_kind(path)
    if kind:
        return NOTHING, kind
    if path.is_dir():
        return NOTHING, "This is a folder, not a photo"
    if path.stat().st_size == 0:
        return NOTHING, "The file is empty"
    return read_header(path), ""


def _look_inside(image: bpy.types.Image | None) -> tuple[PhotoHeader, str]:
    if image is None:
        return NOTHING, "This image is not in the file any more"
    if image.packed_file is None:
        return NOTHING, "This image is not packed into the file any more"
    return parse_header(io.BytesIO(image.packed_file.data)), ""


def _key(path: Path | str) -> str:
    return str(Path(bpy.path.abspath(str(path))).absolute())
