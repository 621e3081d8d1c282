"""Which files are photos that can be read, and why others are not. Standard library only.

Contents tell what a file is; the ending of its name only where contents do not.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_runtime.contract.photo_kinds import OTHERS, READ, READ_NAMES, START, VIDEO, kind_by_name, kind_by_start
from model_runtime.contract.photo_limits import is_hollow, is_too_large

from .header import UNKNOWN, HeaderError, NotAPhotoError, PhotoHeader, UnusableError, read_header
from .names import is_text, readable
from .own_pictures import is_marked

PHOTO_SUFFIXES = tuple(suffix for suffixes in READ.values() for suffix in suffixes)
"""Usual endings of what is read, for file browsers."""

MOST_FILES = 20_000
"""Files and folders looked at inside a folder. More are a whole disk or home, chosen by mistake: looking at each would
take minutes, in which Blender stands still."""

NOTHING = PhotoHeader(UNKNOWN, 0.0)


@dataclass(frozen=True)
class FoundPhotos:
    """photos: files that can be read. left_out: pictures that cannot, or are given twice, each with the reason.
    others: files beside them that are no pictures."""

    photos: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]
    others: tuple[Path, ...]


def find_photos(paths: Sequence[Path]) -> FoundPhotos:
    """Photos of folders and of all folders inside them, in natural order, and single ones as given.

    Raises ValueError with a sentence where a path is missing, where nothing at all can be read, and as `pictures_in`.
    """
    photos: dict[str, Path] = {}
    left_out: list[tuple[Path, str]] = []
    others: list[Path] = []
    for path in paths:
        try:
            path.lstat()
        except OSError as error:
            raise ValueError(f"there is no photo or folder {readable(path)}: {error.strerror}") from error
        pictures, beside = pictures_in(path) if os.path.isdir(path) else ([path], [])
        others += beside
        for picture in pictures:
            problem, file = inspect_file(picture)[1], os.path.realpath(picture)
            if file in photos:
                problem = "The same file is given twice"
            if problem:
                left_out.append((picture, problem))
            else:
                photos[file] = picture
    if not photos:
        alone = len(paths) == 1 and os.path.isdir(paths[0])
        where = f"the folder {readable(paths[0])} holds" if alone else "there is"
        reasons = "".join(f"\n  {readable(path.name)}: {reason}" for path, reason in left_out)
        raise ValueError(f"{where} no photo ({READ_NAMES}){reasons}")
    return FoundPhotos(tuple(photos.values()), tuple(left_out), tuple(others))


def pictures_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures of a folder and of all inside it, of whatever kind, and the other files there; nothing that is hidden.

    In natural order, a folder's own before those of the folders in it. A folder that cannot be looked into stands in
    the place of its pictures. Raises ValueError with a sentence where there is more than MOST_FILES.
    """
    pictures: list[Path] = []
    others: list[Path] = []
    for path in _walk(folder):
        (pictures if os.path.isdir(path) or is_picture(path) else others).append(path)
    return pictures, others


def _walk(folder: Path) -> Iterator[Path]:
    """Files, and folders that cannot be looked into."""
    waiting, seen, count = [folder], set[str](), 0
    while waiting:
        current = waiting.pop()
        place = os.path.realpath(current)  # so that no link leads to a folder twice, or around in circles
        if place in seen:
            continue
        seen.add(place)
        try:
            names = [name for name in os.listdir(current) if not name.startswith(".")]
        except OSError:  # inspect_file tells of it
            yield current
            continue
        count += len(names)
        if count > MOST_FILES:
            raise ValueError(
                f"The folder {readable(folder)} holds more than {MOST_FILES} files; choose one nearer to the photos"
            )
        entries = sorted((current / name for name in names), key=natural_key)
        inside = {path for path in entries if os.path.isdir(path)}
        yield from (path for path in entries if path not in inside)
        waiting += [path for path in reversed(entries) if path in inside]


def is_picture(path: Path) -> bool:
    """Whether the file is, or should be, a photo or another picture or a film."""
    return bool(kind_by_name(path) or kind_by_start(_start(path)))


def is_film(path: Path) -> bool:
    """Whether the file is, or should be, a film."""
    return not os.path.isdir(path) and (kind_by_start(_start(path)) or kind_by_name(path)) == VIDEO


def film_problem(path: Path) -> str:
    """Why the file is no film that could be read; empty where it may be one, as only its decoder knows."""
    try:
        problem = _no_file(path)
        if problem:
            return problem
        with path.open("rb"):
            return "" if is_film(path) else "The file is not a video; only these are read: MP4, MOV, MKV, WebM, AVI"
    except OSError as error:
        return _unreachable(path, error)


def inspect_file(path: Path) -> tuple[PhotoHeader, str]:
    """What the file says about itself, and why it cannot be used; an empty text where it can."""
    try:
        return _inspected(path)
    except OSError as error:
        return NOTHING, _unreachable(path, error)
    except NotAPhotoError:
        return NOTHING, f"The file is not a photo; only these are read: {READ_NAMES}"
    except HeaderError as error:
        return NOTHING, _told(error)


def _unreachable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        gone = "This is a link to a file that is not there; copy the file itself to its place"
        return gone if path.is_symlink() else "The file is not there any more"
    if os.path.isdir(path):
        return f"The folder cannot be read: {error.strerror}"
    return f"The file cannot be read: {error.strerror}"


def _told(error: HeaderError) -> str:
    if isinstance(error, UnusableError):
        return f"The file {error}; save the photo in it as an EXR with R, G and B alone, or as a PNG"
    return f"The file {error}; copy it again"


def _inspected(path: Path) -> tuple[PhotoHeader, str]:
    """Raises OSError and HeaderError."""
    problem = _no_photo(path)
    if problem:
        return NOTHING, problem
    header = read_header(path)
    return header, size_problem(header.size, path.stat().st_size)


def size_problem(size: tuple[int, int], file_bytes: int) -> str:
    """Why a photo of this (width, height), in a file of so many bytes, cannot be used; empty where it can."""
    if is_too_large(size):
        return f"The photo has {size[0]} x {size[1]} pixels, more than can be read; scale it down"
    if is_hollow(size, file_bytes):
        return f"The file claims {size[0]} x {size[1]} pixels, which it is too small to hold; copy it again"
    return ""


def _no_photo(path: Path) -> str:
    """Why a file is no photo, whatever its header says; empty where it may be one. Raises OSError."""
    problem = _no_file(path)
    if problem:
        return problem
    if is_marked(path):
        return "This is a preview that this program made"
    kind = kind_by_start(_start(path)) or kind_by_name(path)
    return _not_read(kind) if kind in OTHERS else ""


def _no_file(path: Path) -> str:
    """Why a path is none of a file with something in it; empty where it is. Raises OSError."""
    state = path.stat()
    if stat.S_ISDIR(state.st_mode):
        os.listdir(path)
        return "This is a folder, not a file"
    if not stat.S_ISREG(state.st_mode):
        return "This is a pipe or a device, not a file"
    if not is_text(path.absolute()):
        return "The name of the file or of a folder around it is not UTF-8; rename it"
    return "" if state.st_size else "The file is empty; copy it again"


def natural_key(path: Path | str) -> tuple[Any, ...]:
    """Sorts `2.jpg` before `10.jpg`, and the files of one folder together, before those of the folders in it."""
    *folders, name = Path(path).parts or ("",)
    return tuple(map(_natural, folders)), _natural(name), str(path)


def _natural(text: str) -> tuple[Any, ...]:
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _start(path: Path) -> bytes:
    if not os.path.isfile(path):  # opening a pipe would wait for whoever writes to it
        return b""
    try:
        with path.open("rb") as file:
            return file.read(START)
    except OSError:
        return b""


def _not_read(kind: str) -> str:
    if kind == VIDEO:
        return "A video makes a scene of its own; add it alone"
    return f"{kind} pictures cannot be read; save it as a JPEG or PNG"
