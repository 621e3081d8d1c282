"""How long and how large a film is, as Blender itself reads it: the worker's decoder is not here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from ..scene.film_turns import quarter_turns

HEEDS_TURNS = (4, 4)
"""The Blender from which on films that were held upright are upright."""


@dataclass(frozen=True)
class FilmFacts:
    """frames: how many there are, about. size: upright (width, height) in pixels. rate: frames a second. All are 0
    where Blender does not tell."""

    frames: int = 0
    size: tuple[int, int] = (0, 0)
    rate: float = 0.0


def film_facts(path: Path) -> FilmFacts:
    """What Blender tells of the film at `path`. Changes `bpy.data` for a moment, so not while something is drawn."""
    try:
        clip = bpy.data.movieclips.load(str(path))
    except RuntimeError:
        return FilmFacts()
    try:
        if clip.frame_duration < 1 or clip.fps <= 0:  # not decoded: the size that it then tells is no film's
            return FilmFacts()
        width, height = clip.size
        if bpy.app.version < HEEDS_TURNS and quarter_turns(path) % 2:
            width, height = height, width
        return FilmFacts(clip.frame_duration, (width, height), clip.fps)
    finally:
        bpy.data.movieclips.remove(clip)
