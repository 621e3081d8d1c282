"""What is a clip: a film, or photos whose names number them as its frames. Standard library only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_runtime.contract.photo_kinds import kind_by_name
from model_runtime.contract.photo_names import distinct_names

from .files import natural_key
from .names import readable

LAST_NUMBER = 2**31 - 1
"""The largest frame number that Blender's properties hold."""

USUAL_RATE = 24.0
"""Frames a second of an image sequence, where nobody says."""

NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
"""A file's name without its ending: what stands before its last number, the number, and what stands after it."""

Frame = tuple[int, Path]
"""The number of a photo that is a frame, and its file."""


@dataclass(frozen=True)
class ClipSource:
    """A clip still to be read.

    name: what sentences call it. path: the film, or of an image sequence the first frame's file. frames: of an image
    sequence those that are wanted, empty of a film. first, last, step: which frames of a film, as in `Clip`. rate:
    frames a second of an image sequence.
    """

    name: str
    path: Path
    frames: tuple[Frame, ...] = ()
    first: int = 0
    last: int | None = None
    step: int = 1
    rate: float = USUAL_RATE

    @property
    def files(self) -> tuple[Path, ...]:
        """The frames' files; none of a film."""
        return tuple(path for _, path in self.frames)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The frames' numbers; none of a film."""
        return tuple(number for number, _ in self.frames)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """What the photos of an image sequence are called in their job."""
        return tuple(distinct_names(self.files))


def film_source(path: Path, first: int = 0, last: int | None = None, step: int = 1) -> ClipSource:
    """Every `step`-th frame of a film, from `first` to `last`, or to its end where that is None.

    Raises ValueError with a sentence where there can be none.
    """
    _check_range(first, last)
    return ClipSource(readable(path.name), path, (), first, last, step)


def sequence_source(
    frames: Sequence[Frame], first: int = 0, last: int | None = None, step: int = 1, rate: float = USUAL_RATE
) -> ClipSource:
    """Every `step`-th of the `frames` that there are from number `first` to number `last`.

    frames: by rising number. Raises ValueError with a sentence where there are none.
    """
    _check_range(first, last)
    wanted = [frame for frame in frames if frame[0] >= first and (last is None or frame[0] <= last)][::step]
    if not wanted:
        there = f"they are {frames[0][0]} to {frames[-1][0]}" if frames else "there are none"
        raise ValueError(f"None of the frames has a number in this range; {there}")
    return ClipSource(sequence_name(wanted[0][1]), wanted[0][1], tuple(wanted), rate=rate)


def sequence_name(path: Path) -> str:
    """What sentences call the image sequence of a frame: `walk_0001.png` is of `walk_#.png`."""
    match = NUMBER.fullmatch(path.stem)
    return readable(path.name if match is None else f"{match[1]}#{match[3]}{path.suffix}")


def siblings(path: Path) -> tuple[Frame, ...]:
    """The frames of the image sequence that a file belongs to, by rising number: those of its folder whose names differ
    from its own in their last number only.

    Raises ValueError with a sentence where its name has no number, or two have the same; OSError where the folder
    cannot be read.
    """
    own = _parts(path)
    if own is None:
        raise ValueError(_unnumbered(path))
    others = (path.parent / name for name in os.listdir(path.parent))
    return numbered(other for other in others if (_parts(other) or ())[:2] == own[:2])


def numbered(paths: Iterable[Path]) -> tuple[Frame, ...]:
    """Photos as frames, by rising number, which is the last number in each name.

    Raises ValueError with a sentence where a name has none or too large a one, or two have the same.
    """
    frames: dict[int, Path] = {}
    for path in sorted(paths, key=natural_key):
        parts = _parts(path)
        if parts is None:
            raise ValueError(_unnumbered(path))
        number = parts[2]
        if number > LAST_NUMBER:
            raise ValueError(f"{readable(path.name)} has a number larger than {LAST_NUMBER}; rename the frames")
        if number in frames:
            one, other = readable(frames[number].name), readable(path.name)
            raise ValueError(f"{one} and {other} have the same frame number; rename one of them")
        frames[number] = path
    return tuple(sorted(frames.items()))


def _parts(path: Path) -> tuple[tuple[str, str], str, int] | None:
    """Of a photo's file its name around its last number, its kind or ending, and that number; None without one."""
    match = NUMBER.fullmatch(path.stem)
    if match is None:
        return None
    return (match[1], match[3]), kind_by_name(path) or path.suffix, int(match[2])


def _unnumbered(path: Path) -> str:
    return f"{readable(path.name)} has no number in its name that would tell which frame it is"


def _check_range(first: int, last: int | None) -> None:
    if last is not None and last < first:
        raise ValueError(f"The first frame, {first}, comes after the last, {last}")
