"""Which files of splats are read and written. Standard library only: a command line asks before anything is loaded."""

from __future__ import annotations

from pathlib import Path

META = "meta.json"
"""The file of a SOG that names its pictures."""

READ = (".ply", ".spz", ".sog", META, ".splat")
WRITTEN = (".ply", ".spz", ".glb", ".usda")
SPZ_VERSIONS = (3, 4)
"""That are written; 2 is read, too."""


def format_of(path: Path) -> str:
    """Its suffix, in small letters; for SOG's list of pictures its whole name."""
    return META if path.name.lower() == META else path.suffix.lower()
