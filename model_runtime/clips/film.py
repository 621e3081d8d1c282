"""A film's frames, by FFmpeg: those that are asked for are decoded, a few at once, and nothing is unpacked to disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.clips.colour import clockwise, display_matrix, is_hdr, square_size, swaps_sides, to_picture
from model_runtime.clips.film_camera import camera_of
from model_runtime.clips.frame_table import FrameTable, count_frames, read_table
from model_runtime.clips.opened_film import DAMAGED, NOT_A_FILM, OpenedFilm, open_film
from model_runtime.contract.messages import Clip, JobError

if TYPE_CHECKING:
    from av import VideoFrame

FIRST_LOOK = 6
"""Frames that are decoded to see whether the film's packets tell its frames."""

WORTH_WINDING = 8
"""Frames that have to lie between one that is wanted and the key frame before the next for the film to be wound there;
decoding fewer is as quick."""

MIN_SIDE = 14
"""Pixels."""


@dataclass(frozen=True, eq=False)
class FilmFacts:
    """What a film's header and its first frame tell.

    frames: as the header tells, or as many as its length and rate make; 0 where neither is told. size: upright (width,
    height) with square pixels. rate: frames a second. seconds: how long it is. rotation: degrees clockwise by which its
    pictures are stored otherwise than they are shown. mirrored: whether they are, too.
    """

    frames: int
    size: tuple[int, int]
    rate: float
    seconds: float
    rotation: int
    mirrored: bool


@dataclass(frozen=True, eq=False)
class _Look:
    """How the first frame is stored, (width, height), and shown; all others have to be like it."""

    stored: tuple[int, int]
    square: tuple[int, int]
    turn: np.ndarray | None
    interlaced: bool
    hdr: bool

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.square
        return (height, width) if swaps_sides(self.turn) else (width, height)


class Film:
    """The chosen frames of a film: a `FrameSource` (model_runtime/clips/source.py).

    notes: sentences about what the artist should know of it; more of them once pictures were asked for.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        look: _Look,
        table: FrameTable,
        numbers: np.ndarray,
        focal_35mm: float | None = None,
        camera: str = "",
    ) -> None:
        self._path, self._look, self._table = path, look, table
        self.name = name
        self.size = look.size
        self.numbers = numbers
        self.seconds = table.seconds[numbers]
        self.rate = table.rate
        self.focal_35mm, self.camera = focal_35mm, camera
        self._missing: set[int] = set()

    def __len__(self) -> int:
        return len(self.numbers)

    def frame_name(self, place: int) -> str:
        return f"{Path(self.name).stem} frame {self.numbers[place]}"

    def pictures(self, places: Sequence[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        chosen = sorted(set(range(len(self)) if places is None else places))
        wanted = {int(self.numbers[place]): place for place in chosen}
        found = set()
        for number, frame in self._chosen_frames(list(wanted)):
            if (frame.width, frame.height) == self._look.stored:
                found.add(number)
                yield wanted[number], to_picture(frame, self._look.square, self._look.turn)
        self._missing |= wanted.keys() - found
        if wanted and not found:
            sentence = f"{self.name} is damaged: none of its chosen frames can be decoded."
            raise JobError("clip-unreadable", sentence, DAMAGED)

    def _chosen_frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Those of the rising numbers that can be decoded, each with its number."""
        start = 0
        while start < len(wanted):
            stop = start + 1
            while stop < len(wanted) and not _is_far(self._table, wanted[stop - 1], wanted[stop]):
                stop += 1
            yield from self._run(wanted[start:stop])
            start = stop

    def _run(self, wanted: Sequence[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Of wanted frames that lie near each other, from the key frame before them on; from one before that where
        FFmpeg then begins too late."""
        key = self._table.key_before(wanted[0])
        asked = set(wanted)
        for start in sorted({key, max(0, key - 1), 0}, reverse=True):
            with open_film(self._path, self.name) as film:
                time = self._table.wind_to(start)
                if time is not None:
                    film.wind(time)
                numbered = _numbered(film, self._table)
                first = next(numbered, None)
                if first is None or (start and first[0] > wanted[0]):
                    continue
                for number, frame in chain((first,), numbered):
                    if number in asked:
                        yield number, frame
                    if number >= wanted[-1]:
                        break
                return

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if self._look.interlaced:
            notes.append(
                f"{self.name} is interlaced: its frames show two moments at once, which makes combs of what moves. "
                "Deinterlace it for better cameras."
            )
        if self._look.hdr:
            notes.append(f"{self.name} is HDR; its colors were converted to those of ordinary screens.")
        if not self._table.even:
            notes.append(f"{self.name} has a variable frame rate; most of its frames come at {self.rate:.5g} a second.")
        if self._missing:
            notes.append(
                f"{len(self._missing)} of {len(self)} frames of {self.name} cannot be decoded, or differ in size from "
                f"its first one; the first of them is frame {min(self._missing)}."
            )
        return tuple(notes)


def film_source(path: Path, clip: Clip) -> Film:
    """The clip's frames of a film that lies at `path`.

    Raises JobError `clip-unreadable`, `photo-too-large`, `photo-too-small` or `out-of-memory` where it cannot be read,
    and `bad-request` where the clip chooses none of its frames.
    """
    with open_film(path, clip.name) as film:
        first = list(islice(film.frames(), FIRST_LOOK))
        look, times = _look(film, first), [frame.pts for frame in first]
        focal_35mm, camera = camera_of(film)
    with open_film(path, clip.name) as film:
        table = read_table(film, times)
    if table is None:
        with open_film(path, clip.name) as film:
            table = count_frames(film)
    return Film(path, clip.name, look, table, _numbers(clip, len(table)), focal_35mm, camera)


def film_facts(path: Path, name: str = "") -> FilmFacts:
    """Of the film at `path`, one frame of which is decoded. Raises as `film_source`."""
    with open_film(path, name or path.name) as film:
        look = _look(film, list(islice(film.frames(), 1)))
        rates = (film.stream.average_rate, film.stream.guessed_rate)
        rate = next((float(each) for each in rates if each), 0.0)
        seconds = _told_seconds(film)
        frames = film.stream.frames or round(seconds * rate)
        mirrored = look.turn is not None and np.linalg.det(look.turn) < 0
        return FilmFacts(frames, look.size, rate, seconds, clockwise(look.turn), bool(mirrored))


def _told_seconds(film: OpenedFilm) -> float:
    stream, container = film.stream, film.container
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6  # in millionths of a second


def _look(film: OpenedFilm, first: Sequence[VideoFrame]) -> _Look:
    if not first:
        raise JobError("clip-unreadable", f"{film.name} has no frame that can be decoded.", NOT_A_FILM)
    frame = first[0]
    aspect = film.stream.sample_aspect_ratio or film.stream.codec_context.sample_aspect_ratio or 0
    square = square_size(frame, float(aspect))
    if min(square) < MIN_SIDE:
        sentence = f"{film.name} has only {square[0]} x {square[1]} pixels."
        raise JobError("photo-too-small", sentence, f"Sides need {MIN_SIDE} or more.")
    turn, interlaced = display_matrix(frame), bool(frame.interlaced_frame)
    return _Look((frame.width, frame.height), square, turn, interlaced, is_hdr(frame))


def _numbers(clip: Clip, frames: int) -> np.ndarray:
    """[F] int64: the film's frames that the clip chooses. Raises JobError where that is none."""
    if clip.step < 1:
        raise JobError(
            "bad-request", f"The step from frame to frame of {clip.name} is {clip.step}.", "Choose 1 or more."
        )
    last = frames - 1 if clip.last is None else min(clip.last, frames - 1)
    numbers = np.arange(max(clip.first, 0), last + 1, clip.step, dtype=np.int64)
    if not len(numbers):
        sentence = f"{clip.name} has the frames 0 to {frames - 1}; none of them lies from {clip.first} to {clip.last}."
        if clip.last is None:
            sentence = f"{clip.name} has the frames 0 to {frames - 1}; there is none from {clip.first} on."
        raise JobError("bad-request", sentence, "Choose frames that it has.")
    return numbers


def _numbered(film: OpenedFilm, table: FrameTable) -> Iterator[tuple[int, VideoFrame]]:
    """The film's frames from where it is wound to, with their numbers, as they come."""
    for count, frame in enumerate(film.frames()):
        number = count if table.times is None else table.place(frame.pts)
        if number is not None:
            yield number, frame


def _is_far(table: FrameTable, number: int, other: int) -> bool:
    """Whether winding from one wanted frame to the next is quicker than decoding what lies between."""
    return int(table.keys[table.key_before(other)]) - number > WORTH_WINDING
