"""A lock between processes that ends with whoever holds it. Standard library only: build.py needs it, too."""

from __future__ import annotations

import sys
from typing import IO, Any


def try_lock(file: IO[Any]) -> bool:
    """Holds the open file until it is closed; False, at once, where another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
