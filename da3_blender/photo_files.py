"""Which files are photos that can be read, and why others are not. Standard library only.

Contents tell what a file is; the ending of its name only where contents do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .photo_header import HeaderError, PhotoHeader, read_header

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff")
"""Usual endings of what is read, for file browsers."""

BY_SUFFIX = {
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2", ".pef", ".srw"), "RAW"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts"), "video"),
    **{f".{kind.lower()}": kind for kind in ("AVIF", "GIF", "BMP", "EXR", "HDR", "PSD", "TGA", "SVG")},
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
    others: files and folders beside them that are no pictures."""

    photos: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]
    others: tuple[Path, ...]


def find_photos(paths: Sequence[Path]) -> FoundPhotos:
    """Photos of folders, in natural order, and single ones as given.

    Of a folder its own photos count; where it has none, those of the folders inside it. Raises ValueError with a
    sentence where a path is missing, or nothing at all can be read.
    """
    photos: dict[Path, Path] = {}
    left_out: list[tuple[Path, str]] = []
    others: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ValueError(f"there is no photo or folder {path}")
        pictures, beside = pictures_in(path) if path.is_dir() else ([path], [])
        others += beside
        for picture in pictures:
            problem = inspect_file(picture)[1]
            if picture.resolve() in photos:
                problem = "The same file is given twice"
            if problem:
                left_out.append((picture, problem))
            else:
                photos[picture.resolve()] = picture
    if not photos:
        where = f"the folder {paths[0]} holds" if len(paths) == 1 and paths[0].is_dir() else "there is"
        reasons = "".join(f"\n  {path.name}: {reason}" for path, reason in left_out)
        raise ValueError(f"{where} no photo (JPEG, PNG, WebP, TIFF){reasons}")
    return FoundPhotos(tuple(photos.values()), tuple(left_out), tuple(others))


def pictures_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures of a folder, of whatever kind, in natural order, and what else is in it; nothing that is hidden.

    Where no picture lies in the folder itself, those of the folders inside it, but no deeper.
    """
    pictures, others = _own_pictures(folder)
    if pictures:
        return pictures, others
    inside = [_own_pictures(path) for path in others if path.is_dir()]
    beside = [path for path in others if path.is_file()] + [path for _, more in inside for path in more]
    return [path for found, _ in inside for path in found], beside


def _own_pictures(folder: Path) -> tuple[list[Path], list[Path]]:
    entries = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=natural_key)
    pictures = [path for path in entries if path.is_file() and is_picture(path)]
    return pictures, [path for path in entries if path not in pictures]


def is_picture(path: Path) -> bool:
    """Whether the file is, or should be, a photo or another picture or a film."""
    return bool(path.suffix.lower() in (*PHOTO_SUFFIXES, *BY_SUFFIX) or _other_kind(path) or _starts_as_photo(path))


def inspect_file(path: Path) -> tuple[PhotoHeader, str]:
    """What the file says about itself, and why it cannot be used; an empty text where it can."""
    try:
        if path.is_dir():
            return NOTHING, "This is a folder, not a photo"
        if path.stat().st_size == 0:
            return NOTHING, "The file is empty"
        kind = _other_kind(path)
        return (NOTHING, _not_read(kind)) if kind else (read_header(path), "")
    except FileNotFoundError:
        return NOTHING, "The file is not there any more"
    except OSError as error:
        return NOTHING, f"The file cannot be read: {error.strerror}"
    except HeaderError as error:
        return NOTHING, f"The file {error}; only JPEG, PNG, WebP and TIFF are read"


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
