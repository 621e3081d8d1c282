"""The folder of a farm's answers: `<shot>.npz`, and beside it what was asked for, so that a farm that was stopped goes
on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from model_runtime.contract.disk import write_file
from model_runtime.contract.messages import JobError

NOTE_SUFFIX = ".farm.json"
"""Of the file that says of which order an answer is, and its hash."""


class Answers:
    """A folder that is made where there is none. Raises JobError `output-unwritten` where that is not possible."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritten(folder, error) from error

    def path(self, shot: str) -> Path:
        return self.folder / f"{shot}.npz"

    def has(self, shot: str, digest: str) -> bool:
        """Whether the answer to this order is there, whole."""
        try:
            note = json.loads(self._note(shot).read_text(encoding="utf-8"))
            with self.path(shot).open("rb") as file:
                return note == _told(digest, hashlib.file_digest(file, "sha256").hexdigest())
        except (OSError, ValueError):
            return False

    def check(self, shot: str) -> None:
        """Raises JobError `output-exists` where a file is in the way that no farm wrote."""
        path = self.path(shot)
        if path.exists() and not self._note(shot).is_file():
            raise JobError("output-exists", f"{path} is there already, and is no farm's.", "Choose another --output.")

    def put(self, shot: str, digest: str, answer: bytes) -> None:
        """Whole or not at all. Raises JobError `output-unwritten`."""
        try:
            note = _told(digest, hashlib.sha256(answer).hexdigest())
            write_file(self._note(shot), (json.dumps(note, indent=2) + "\n").encode())
            write_file(self.path(shot), answer)
        except OSError as error:
            raise _unwritten(self.path(shot), error) from error

    def _note(self, shot: str) -> Path:
        return self.folder / f"{shot}{NOTE_SUFFIX}"


def _told(digest: str, sha256: str) -> dict[str, str]:
    return {"order": digest, "sha256": sha256}


def _unwritten(path: Path, error: OSError) -> JobError:
    return JobError("output-unwritten", f"{path} cannot be written: {error.strerror}.", "Choose another --output.")
