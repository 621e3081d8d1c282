"""The list of photos: adding, ordering, and what is wrong with each. Works on `scene.da3`; shows nothing.

Every change goes through here, so that scripts, tests and operators do the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from model_runtime.contract.photo_kinds import READ_NAMES
from model_runtime.contract.photo_names import distinct_names

from ..settings import ListedPhoto, Settings
from . import clip_row
from .files import NOTHING, inspect_file, is_film, natural_key, pictures_in, size_problem
from .header import HeaderError, NotAPhotoError, PhotoHeader, UnusableError, parse_header
from .names import is_text


@dataclass(frozen=True)
class Added:
    """What adding did. known: how many were in the list already. unusable: how many of those added have a problem.
    misnamed: how many were left out because no text can hold their names. clip: the name of the one that was added."""

    added: int
    known: int
    unusable: int = 0
    misnamed: int = 0
    clip: str = ""

    @property
    def sentence(self) -> str:
        if self.clip:
            return f"Clip added: {self.clip}."
        sentences = [f"Photos added: {self.added - self.unusable}."]
        if self.unusable:
            sentences.append(f"Added in red, with the reason: {self.unusable}.")
        if self.known:
            sentences.append(f"In the list already: {self.known}.")
        if self.misnamed:
            sentences.append(f"Left out until they are renamed, as their names are not UTF-8: {self.misnamed}.")
        return " ".join(sentences)


def add_files(settings: Settings, paths: Iterable[Path | str], replace: bool = False) -> Added:
    """Append photo files in natural order of their names, those in the list already left out; or let the empty list
    hold a film.

    replace: take what is in the list out before. Raises ValueError with a sentence, and leaves the list as it is, where
    a clip would not be alone in it.
    """
    files = [Path(bpy.path.abspath(str(path))) for path in paths]
    films = [path for path in files if is_film(path)]
    if films and len(files) > 1:
        raise ValueError("A clip goes alone; choose one video and nothing else, or photos only")
    for film in films:
        clip_row.check_name(film)
    if replace:
        clear(settings)
    if films:
        return Added(1, 0, clip=clip_row.add_film(settings, films[0]).name)
    clip_row.check_room(settings, for_clip=False)
    return _add_photos(settings, files)


def add_video(settings: Settings, paths: Sequence[Path | str]) -> Added:
    """Let the empty list hold a film. Raises ValueError with a sentence where that is not empty, or there are more."""
    if len(paths) != 1:
        raise ValueError("Choose one video: a scene is made from one clip")
    return Added(1, 0, clip=clip_row.add_film(settings, Path(bpy.path.abspath(str(paths[0])))).name)


def add_sequence(settings: Settings, path: Path | str) -> Added:
    """Let the empty list hold the image sequence that a photo is a frame of. Raises ValueError with a sentence where
    the list is not empty, or the photo's name tells no frame number."""
    return Added(1, 0, clip=clip_row.add_sequence(settings, Path(bpy.path.abspath(str(path)))).name)


def _add_photos(settings: Settings, files: Iterable[Path]) -> Added:
    known = {_key(photo.path) for photo in settings.photos if photo.path}
    added: list[str] = []
    repeated = misnamed = 0
    for path in sorted(files, key=natural_key):
        if not is_text(path):
            misnamed += 1
            continue
        if _key(path) in known:
            repeated += 1
            continue
        known.add(_key(path))
        photo = settings.photos.add()
        photo.name, photo.path = path.name, str(path)
        inspect(photo)
        added.append(photo.problem)
    _tell_apart(settings)
    return Added(len(added), repeated, sum(map(bool, added)), misnamed)


def _tell_apart(settings: Settings) -> None:
    """Give photos of one name in several folders as much of those as tells them apart, as the job does."""
    photos = [photo for photo in settings.photos if photo.path]
    taken = [photo.name for photo in settings.photos if not photo.path]
    names = distinct_names([Path(bpy.path.abspath(photo.path)) for photo in photos], taken)
    for photo, name in zip(photos, names, strict=True):
        photo.name = name


def add_folder(settings: Settings, folder: Path) -> Added:
    """Append the pictures of a folder (`files.pictures_in`), those that cannot be read with the reason.

    Raises ValueError with a sentence where it has none, or too much, or a clip is in the list.
    """
    clip_row.check_room(settings, for_clip=False)
    pictures, _ = pictures_in(folder)
    if not pictures:
        raise ValueError(f"The folder {folder} holds no photos")
    return _add_photos(settings, pictures)


def add_images(settings: Settings, images: Iterable[bpy.types.Image]) -> Added:
    """Append images of this .blend: those with a file as files, packed ones as they are.

    Raises ValueError with a sentence where a clip is in the list.
    """
    clip_row.check_room(settings, for_clip=False)
    files, packed = [], []
    for image in images:
        (packed if image.packed_file else files).append(image)
    known = {photo.image for photo in settings.photos if photo.image}
    fresh = sorted((image for image in packed if image not in known), key=lambda image: natural_key(image.name))
    for image in fresh:
        photo = settings.photos.add()
        photo.name, photo.image = image.name, image
        inspect(photo)
    done = _add_photos(settings, [Path(bpy.path.abspath(image.filepath, library=image.library)) for image in files])
    return Added(done.added + len(fresh), done.known + len(packed) - len(fresh), done.unusable, done.misnamed)


def usable_images() -> list[bpy.types.Image]:
    """Images of this .blend that have a picture of their own: packed, or with a file."""
    return [image for image in bpy.data.images if image.source == "FILE" and (image.packed_file or image.filepath)]


def remove(settings: Settings, index: int) -> None:
    if not 0 <= index < len(settings.photos):
        raise ValueError("No photo is chosen")
    settings.photos.remove(index)
    settings.active_photo = max(0, min(settings.active_photo, len(settings.photos) - 1))


def clear(settings: Settings) -> None:
    settings.photos.clear()
    settings.active_photo = 0


def move(settings: Settings, index: int, step: int) -> bool:
    """Exchange a photo with the one `step` places on; False at the end of the list."""
    target = index + step
    if not (0 <= index < len(settings.photos) and 0 <= target < len(settings.photos)):
        return False
    settings.photos.move(index, target)
    settings.active_photo = target
    return True


def set_reference(settings: Settings, index: int) -> bool:
    """Make one photo the reference, or none where it is that already. True when it now is."""
    chosen = not settings.photos[index].reference
    for place, photo in enumerate(settings.photos):
        photo.reference = chosen and place == index
    return chosen


def refresh(settings: Settings) -> int:
    """Look at every photo again; returns how many have a problem."""
    for photo in settings.photos:
        inspect(photo)
    return sum(bool(photo.problem) for photo in settings.photos)


def usable(settings: Settings) -> list[ListedPhoto]:
    """The photos without a problem, in order, the reference photo first."""
    return sorted((photo for photo in settings.photos if not photo.problem), key=lambda photo: not photo.reference)


def inspect(photo: ListedPhoto) -> None:
    """Write the photo's size, lens and problem into its row, or what is known of the clip."""
    if photo.kind != "photo":
        clip_row.inspect(photo)
        return
    header, photo.problem = _look(photo)
    photo.width, photo.height = header.size
    photo.lens = header.lens


def _look(photo: ListedPhoto) -> tuple[PhotoHeader, str]:
    """What the photo says about itself, and its problem or an empty string."""
    if photo.path:
        return inspect_file(clip_row.row_path(photo))
    try:
        return _look_inside(photo.image)
    except NotAPhotoError:
        return NOTHING, f"The image is not a photo; only these are read: {READ_NAMES}"
    except UnusableError as error:
        return NOTHING, f"The image {error}; save the photo in it as an EXR with R, G and B alone, or as a PNG"
    except HeaderError as error:
        return NOTHING, f"The image {error}; pack it again"


def _look_inside(image: bpy.types.Image | None) -> tuple[PhotoHeader, str]:
    if image is None:
        return NOTHING, "This image is not in the file any more"
    if image.packed_file is None:
        return NOTHING, "This image is not packed into the file any more"
    data = image.packed_file.data
    header = parse_header(io.BytesIO(data))
    return header, size_problem(header.size, len(data))


def _key(path: Path | str) -> str:
    return str(Path(bpy.path.abspath(str(path))).absolute())
