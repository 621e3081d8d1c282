"""What a photo's file holds, as it goes to the worker, and what has to be known of it before; whoever asks for it."""

from __future__ import annotations

from pathlib import Path

from model_runtime.contract.messages import JobError, Photo

from .header import UNKNOWN
from .names import readable


def read_photo(name: str, path: Path) -> Photo:
    """The photo at `path`, called `name` in its job. Raises JobError `photo-unreadable`."""
    try:
        return Photo(name, path.read_bytes())
    except OSError as error:
        sentence = f"{readable(path)} cannot be read: {error.strerror}."
        raise JobError("photo-unreadable", sentence, "Check the file, or remove the photo.") from error


def known_size(size: tuple[int, int], name: str) -> tuple[int, int]:
    """The upright (width, height) of a photo whose camera is given. Raises JobError where its header does not tell."""
    if size == UNKNOWN:
        raise JobError(
            "bad-cameras",
            f"How large {name} is shows only when it is developed, so no known camera can be its own.",
            "Develop it to a JPEG or TIFF first.",
        )
    return size
