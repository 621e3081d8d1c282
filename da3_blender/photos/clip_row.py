"""A clip in the list of photos: one row, and nothing beside it. Works on `scene.da3`; shows nothing."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..settings import ListedPhoto, Settings
from .clips import ClipSource, film_source, sequence_name, sequence_source, siblings
from .files import film_problem, inspect_file, is_film
from .film_facts import film_facts
from .names import is_text, readable

WHOLE_RANGE = (1, 250)
"""First and last frame of a scene in a new file."""


def clip_of(settings: Settings) -> ListedPhoto | None:
    """The clip that the list holds, or None."""
    return next((row for row in settings.photos if row.kind != "photo"), None)


def check_room(settings: Settings, for_clip: bool) -> None:
    """Raise ValueError with a sentence where the list holds what a clip, or else photos, cannot stand beside."""
    if clip_of(settings) is not None:
        raise ValueError("The list holds a clip, and nothing goes beside it; remove the clip first")
    if for_clip and len(settings.photos):
        raise ValueError("The list holds photos, and a clip goes alone; remove the photos first")


def check_name(path: Path) -> None:
    """Raise ValueError with a sentence where no row can hold the path."""
    if not is_text(path):
        raise ValueError(f"The name {readable(path.name)}, or that of a folder around it, is not UTF-8; rename it")


def add_film(settings: Settings, path: Path) -> ListedPhoto:
    """Let the empty list hold a film. Raises ValueError with a sentence where it is not empty."""
    return _add(settings, "film", path, path.name)


def add_sequence(settings: Settings, path: Path) -> ListedPhoto:
    """Let the empty list hold the image sequence that the photo at `path` is a frame of, at the scene's frame rate.

    Raises ValueError with a sentence where it is not empty, or `siblings` finds none.
    """
    if is_film(path):
        raise ValueError("This is a video; add it as one")
    try:
        siblings(path)
    except OSError as error:
        raise ValueError(f"The folder cannot be read: {error.strerror}") from error
    render = settings.id_data.render
    settings.clip_rate = render.fps / render.fps_base
    return _add(settings, "sequence", path, sequence_name(path))


def source_of(row: ListedPhoto, settings: Settings) -> ClipSource:
    """The frames that are wanted of a clip in the list. Raises ValueError with a sentence where there are none."""
    path, last = row_path(row), settings.clip_last or None
    if row.kind == "film":
        return film_source(path, settings.clip_first, last, settings.clip_step)
    try:
        frames = siblings(path)
    except OSError as error:
        raise ValueError(f"The folder cannot be read: {error.strerror}") from error
    return sequence_source(frames, settings.clip_first, last, settings.clip_step, settings.clip_rate)


def inspect(row: ListedPhoto) -> None:
    """Write into a clip's row how long and large it is, and what is wrong with it."""
    row.frames = row.first_frame = row.last_frame = row.width = row.height = 0
    row.rate = 0.0
    row.problem = _inspect_film(row) if row.kind == "film" else _inspect_sequence(row)


def row_path(row: ListedPhoto) -> Path:
    """Where the file of a row is, be it written relative to the .blend."""
    return Path(bpy.path.abspath(row.path))


def _add(settings: Settings, kind: str, path: Path, name: str) -> ListedPhoto:
    check_room(settings, for_clip=True)
    check_name(path)
    settings.clip_first = settings.clip_last = 0
    settings.clip_step = 1
    settings.set_frame_range = _is_untouched(settings.id_data)
    row = settings.photos.add()
    row.kind, row.path, row.name = kind, str(path), name
    inspect(row)
    return row


def _is_untouched(scene: bpy.types.Scene) -> bool:
    """Whether nothing in the file would miss its scene's frame range."""
    animated = any(action.users for action in bpy.data.actions)
    return (scene.frame_start, scene.frame_end) == WHOLE_RANGE and not scene.timeline_markers and not animated


def _inspect_film(row: ListedPhoto) -> str:
    path = row_path(row)
    problem = film_problem(path)
    if not problem:
        facts = film_facts(path)
        row.frames, row.last_frame, row.rate = facts.frames, max(0, facts.frames - 1), facts.rate
        row.width, row.height = facts.size
    return problem


def _inspect_sequence(row: ListedPhoto) -> str:
    try:
        frames = siblings(row_path(row))
    except OSError as error:
        return f"The folder cannot be read: {error.strerror}"
    except ValueError as error:
        return str(error)
    if not frames:
        return "The file is not there any more"
    row.frames, row.first_frame, row.last_frame = len(frames), frames[0][0], frames[-1][0]
    header, problem = inspect_file(frames[0][1])
    row.width, row.height = header.size
    return f"The first frame cannot be used: {problem}" if problem else ""
