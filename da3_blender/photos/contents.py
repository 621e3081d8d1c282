"""What a photo's file holds, as it goes to the worker: its bytes, whoever asks for the scene."""

from __future__ import annotations

from pathlib import Path

from model_runtime.contract.messages import JobError, Photo

from .names import readable


def read_photo(name: str, path: Path) -> Photo:
    """The photo at `path`, called `name` in its job. Raises JobError `photo-unreadable`."""
    try:
        return Photo(name, path.read_bytes())
    except OSError as error:
        sentence = f"{readable(path)} cannot be read: {error.strerror}."
        raise JobError("photo-unreadable", sentence, "Check the file, or remove the photo.") from error
