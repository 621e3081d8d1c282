"""Files that are written whole or not at all, and the room that there is for them. Standard library only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from model_runtime.contract.plain_files import open_own

INCOMPLETE_SUFFIX = ".incomplete"
"""Of a file that gets its name when all of it is there."""


def free_bytes(folder: Path) -> int:
    """Free space of the disk that `folder` is on, or will be on."""
    while not os.path.exists(folder) and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def write_file(path: Path, data: bytes) -> None:
    """Write beside the place, then rename. Raises OSError."""
    beside = path.with_name(path.name + INCOMPLETE_SUFFIX)
    with open_own(beside) as file:
        file.truncate(0)
        file.write(data)
    put_in_place(beside, path)


def put_in_place(written: Path, path: Path) -> None:
    """Lets a finished file take the place of `path`, in one move, when the disk has all of it. Raises OSError."""
    with written.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(written, path)
