"""Which files are photos that can be read, and why others are not. Standard library only.

Contents tell what a file is; the ending of its name only where contents do not.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_runtime.contract.photo_limits import is_hollow, is_too_large

from .header import HeaderError, NotAPhotoError, PhotoHeader, read_header
from .names import is_text, readable
from .own_pictures import is_marked

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff")
"""Usual endings of what is read, for file browsers."""

BY_SUFFIX = {
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2", ".pef", ".srw"), "RAW"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts"), "video"),
    **{f".{kind.lower()}": kind for kind in ("AVIF", "GIF", "BMP", "ICO", "EXR", "HDR", "DDS", "TGA")},
    **{f".{kind.lower()}": kind for kind in ("PSD", "XCF", "SVG")},
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm", ".pam"), "PPM"),
    ".jp2": "JPEG 2000",
    ".jxl": "JPEG XL",
}
"""Kinds of pictures that are not read."""

BY_START = (
    (re.compile(rb"II\*\0.{4}CR", re.DOTALL), "RAW"),
    (re.compile(rb"FUJIFILMCCD-RAW|IIR[OS]|IIU\0"), "RAW"),
    (re.compile(rb".{4}ftyp(?:crx )", re.DOTALL), "RAW"),
    (re.compile(rb".{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", re.DOTALL), "HEIC"),
    (re.compile(rb".{4}ftyp(?:avi[fs])", re.DOTALL), "AVIF"),
    (re.compile(rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", re.DOTALL), "video"),
    (re.compile(rb"GIF8"), "GIF"),
    (re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"v/1\x01"), "EXR"),
    (re.compile(rb"#\?R"), "HDR"),
    (re.compile(rb"8BPS"), "PSD"),
    (re.compile(rb"P[1-6]\s+[\d#]"), "PPM"),
    (re.compile(rb"\0\0\x01\0[^\0]\0"), "ICO"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "JPEG XL"),
    (re.compile(rb"\0\0\0\x0cjP  "), "JPEG 2000"),
)
"""The first bytes of kinds that are not read, the most telling first."""

TIFF_STARTS = (b"II*\0", b"MM\0*")
START = 16
"""Bytes that tell a kind."""

NOTHING = PhotoHeader((0, 0), 0.0)


@dataclass(frozen=True)
class FoundPhotos:
    """photos: files that can be read. left_out: pictures that cannot, or are given twice, each with the reason.
    others: files beside them that are no pictures."""

    photos: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]
    others: tuple[Path, ...]


def find_photos(paths: Sequence[Path]) -> FoundPhotos:
    """Photos of folders, in natural order, and single ones as given.

    Of a folder its own photos count; where it has none that can be read, those of the folders inside it. Raises
    ValueError with a sentence where a path is missing, or nothing at all can be read.
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
        raise ValueError(f"{where} no photo (JPEG, PNG, WebP, TIFF){reasons}")
    return FoundPhotos(tuple(photos.values()), tuple(left_out), tuple(others))


def pictures_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures of a folder, of whatever kind, in natural order, and the other files in it; nothing that is hidden.

    Where none in the folder itself can be read, those of the folders inside it too, but no deeper. A folder that cannot
    be looked into stands in the place of its pictures.
    """
    pictures, others, folders = _look_into(folder)
    if all(inspect_file(path)[1] for path in pictures):
        for inside in folders:
            more, beside, _ = _look_into(inside)
            pictures += more
            others += beside
    return pictures, others


def _look_into(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Pictures, other files, and folders."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:  # inspect_file tells of it
        return [folder], [], []
    entries = sorted((folder / name for name in names), key=natural_key)
    folders = [path for path in entries if os.path.isdir(path)]
    files = [path for path in entries if path not in folders]
    pictures = [path for path in files if is_picture(path)]
    return pictures, [path for path in files if path not in pictures], folders


def is_picture(path: Path) -> bool:
    """Whether the file is, or should be, a photo or another picture or a film."""
    return bool(path.suffix.lower() in (*PHOTO_SUFFIXES, *BY_SUFFIX) or _other_kind(path) or _starts_as_photo(path))


def inspect_file(path: Path) -> tuple[PhotoHeader, str]:
    """What the file says about itself, and why it cannot be used; an empty text where it can."""
    try:
        return _inspected(path)
    except FileNotFoundError:
        gone = "This is a link to a file that is not there; copy the photo itself to its place"
        return NOTHING, gone if path.is_symlink() else "The file is not there any more"
    except OSError as error:
        if os.path.isdir(path):
            return NOTHING, f"The folder cannot be read: {error.strerror}"
        return NOTHING, f"The file cannot be read: {error.strerror}"
    except NotAPhotoError:
        return NOTHING, "The file is not a photo; only JPEG, PNG, WebP and TIFF are read"
    except HeaderError as error:
        return NOTHING, f"The file {error}; copy it again"


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
    state = path.stat()
    if stat.S_ISDIR(state.st_mode):
        os.listdir(path)
        return "This is a folder, not a photo"
    if not stat.S_ISREG(state.st_mode):
        return "This is a pipe or a device, not a photo"
    if not is_text(path.absolute()):
        return "The name of the file or of a folder around it is not UTF-8; rename it"
    if state.st_size == 0:
        return "The file is empty; copy it again"
    if is_marked(path):
        return "This is a preview that this program made"
    kind = _other_kind(path)
    return _not_read(kind) if kind else ""


def natural_key(path: Path | str) -> tuple[Any, ...]:
    """Sorts `2.jpg` before `10.jpg`, and the files of one folder together."""
    return tuple(_natural(part) for part in Path(path).parts), str(path)


def _natural(text: str) -> tuple[Any, ...]:
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _starts_as_photo(path: Path) -> bool:
    start = _start(path)
    known = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", *TIFF_STARTS)
    return start.startswith(known) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def _other_kind(path: Path) -> str:
    """The kind of a picture that is not read; empty for what is, and for what is no picture."""
    start = _start(path)
    kind = next((kind for pattern, kind in BY_START if pattern.match(start)), "")
    if kind:
        return kind
    by_name = BY_SUFFIX.get(path.suffix.lower(), "")
    if not _starts_as_photo(path):
        return by_name
    # Most RAW formats are TIFFs whose first picture is a small copy.
    is_raw = start.startswith(TIFF_STARTS) and (by_name == "RAW" or _is_reduced(path))
    return "RAW" if is_raw else ""


def _is_reduced(path: Path) -> bool:
    try:
        return read_header(path).reduced
    except (OSError, HeaderError):
        return False


def _start(path: Path) -> bytes:
    if not os.path.isfile(path):  # opening a pipe would wait for whoever writes to it
        return b""
    try:
        with path.open("rb") as file:
            return file.read(START)
    except OSError:
        return b""


def _not_read(kind: str) -> str:
    if kind == "RAW":
        return "RAW photos cannot be read; develop it to a JPEG or TIFF"
    if kind == "video":
        return "Videos cannot be read; save frames of it as JPEGs"
    if kind in ("HEIC", "AVIF"):
        return f"{kind} photos cannot be read; export it as a JPEG"
    return f"{kind} pictures cannot be read; save it as a JPEG or PNG"
