"""What a photo's file holds, as it goes to the worker, and what has to be known of it before; whoever asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from model_runtime.contract.messages import Clip, JobError, Photo, StoredFile
from model_runtime.contract.stored_files import stored

from .clips import ClipSource
from .header import UNKNOWN
from .names import readable

IN_MEMORY = 64_000_000
"""Bytes of all photos of a job that go to the worker with the request. More would be held by Blender and the worker at
once, and be sent to a remote one again with every job: they are named, and read or sent one by one."""


def fit_in_memory(paths: Iterable[Path]) -> bool:
    """Whether these photos go with the request."""
    size = 0
    for path in paths:
        with suppress(OSError):  # reading it tells
            size += path.stat().st_size
    return size <= IN_MEMORY


def read_photo(name: str, path: Path, whole: bool = True) -> Photo:
    """The photo at `path`, called `name` in its job: what is in it, or where it is and its hash if not `whole`.

    Raises JobError `photo-unreadable`.
    """
    try:
        return Photo(name, path.read_bytes()) if whole else Photo(name, file=stored(path))
    except OSError as error:
        sentence = f"{readable(path)} cannot be read: {error.strerror or error}."
        raise JobError("photo-unreadable", sentence, "Check the file, or remove the photo.") from error


def read_clip(source: ClipSource) -> tuple[tuple[Photo, ...], Clip]:
    """A request's photos and clip, by their hashes. Raises JobError `photo-unreadable`."""
    if not source.frames:
        return (), Clip(source.name, _stored(source.path), source.first, source.last, source.step)
    photos = [Photo(name, file=_stored(path)) for name, path in zip(source.frame_names, source.files, strict=True)]
    return tuple(photos), Clip(source.name, numbers=source.numbers, rate=source.rate)


def _stored(path: Path) -> StoredFile:
    try:
        return stored(path)
    except OSError as error:
        sentence = f"{readable(path)} cannot be read: {error.strerror or error}."
        raise JobError("photo-unreadable", sentence, "Check the file, or choose other frames.") from error


def known_size(size: tuple[int, int], name: str) -> tuple[int, int]:
    """The upright (width, height) of a photo whose camera is given. Raises JobError where its header does not tell."""
    if size == UNKNOWN:
        raise JobError(
            "bad-cameras",
            f"How large {name} is shows only when it is developed, so no known camera can be its own.",
            "Develop it to a JPEG or TIFF first.",
        )
    return size
