"""Files that are nothing but files: pipes and devices are never opened, for they would wait, or do something.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

NONBLOCK, NOFOLLOW = getattr(os, "O_NONBLOCK", 0), getattr(os, "O_NOFOLLOW", 0)
"""Windows has neither, and no pipes among its files."""


class NotPlainError(OSError):
    """Something else stands where a file should be."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "not a file", str(path))

    def __str__(self) -> str:
        return f"{self.filename} is a folder, a link, a pipe or a device where a file should be"


def open_plain(path: Path) -> BinaryIO:
    """A file to read, be it at the end of a link. Raises OSError."""
    _check(path, os.stat(path).st_mode)
    return _checked(path, open(path, "rb", opener=lambda name, flags: os.open(name, flags | NONBLOCK)))


def open_own(path: Path) -> BinaryIO:
    """A file to read and write, made where there is none; never one that a link leads to. Raises OSError."""
    check_own(path)

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CREAT | NOFOLLOW | NONBLOCK, 0o666)

    return _checked(path, open(path, "r+b", opener=opener))


def check_own(path: Path) -> None:
    """Raises NotPlainError where `path` is neither a file nor free."""
    if os.path.lexists(path):
        _check(path, os.lstat(path).st_mode)


def own_size(path: Path) -> int:
    """Bytes of a file; 0 where there is none, or something else."""
    try:
        status = os.lstat(path)
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _checked(path: Path, file: BinaryIO) -> BinaryIO:
    """Whatever took the place of `path` since it was looked at."""
    try:
        _check(path, os.fstat(file.fileno()).st_mode)
    except OSError:
        file.close()
        raise
    return file


def _check(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotPlainError(path)
