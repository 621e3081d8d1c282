"""Names of files as texts. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path


def is_text(path: Path | str) -> bool:
    """Whether a name is UTF-8, as everything that Blender keeps must be."""
    return not any("\ud800" <= letter <= "\udfff" for letter in str(path))


def readable(path: Path | str) -> str:
    """The name, with bytes that are not UTF-8 as \\xff."""
    return str(path) if is_text(path) else os.fsencode(path).decode("utf-8", "backslashreplace")
