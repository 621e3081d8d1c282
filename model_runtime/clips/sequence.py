"""Photos in their order as the frames of a clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from model_runtime.contract.messages import Clip, Failure, JobError, Photo
from model_runtime.contract.photo_names import listed
from model_runtime.photos.decode import decode_photo


class PhotoSequence:
    """A `FrameSource` (model_runtime/clips/source.py). Each photo is decoded when its picture is asked for.

    notes: sentences about photos that are left out, of those that were asked for until now.
    """

    def __init__(self, photos: Sequence[Photo], clip: Clip, numbers: np.ndarray) -> None:
        self._photos, self._clip = photos, clip
        self.name = clip.name
        self.numbers = numbers
        self.rate = clip.rate
        self.seconds = (numbers - numbers[0]) / clip.rate
        self.size, self.focal_35mm, self.camera = (0, 0), None, ""
        self._unread: dict[int, Failure] = {}
        self._other_size: set[int] = set()
        self._look_at_first()

    def __len__(self) -> int:
        return len(self._photos)

    def frame_name(self, place: int) -> str:
        return self._photos[place].name

    def pictures(self, places: Sequence[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        found = False
        chosen = sorted(set(range(len(self)) if places is None else places))
        for place in chosen:
            pixels = self._picture(place)
            if pixels is not None:
                found = True
                yield place, pixels
        if chosen and not found:
            raise self._nothing()

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if self._unread:
            notes.append(f"Frames that cannot be read are left out: {self._names(self._unread)}.")
        if self._other_size:
            width, height = self.size
            notes.append(
                f"Frames of another size than {width} x {height} are left out: {self._names(self._other_size)}."
            )
        return tuple(notes)

    def _look_at_first(self) -> None:
        for place, photo in enumerate(self._photos):
            try:
                known, _ = decode_photo(photo)
            except JobError as error:
                self._unread[place] = error.failure
                continue
            self.size, self.focal_35mm, self.camera = known.size, known.focal_35mm, known.camera
            return
        raise self._nothing()

    def _picture(self, place: int) -> np.ndarray | None:
        """None where it is left out."""
        try:
            known, pixels = decode_photo(self._photos[place])
        except JobError as error:
            self._unread[place] = error.failure
            return None
        if known.size != self.size:
            self._other_size.add(place)
            return None
        return pixels

    def _nothing(self) -> JobError:
        """Where not one frame can be used: what is wrong with the first of those that cannot be read."""
        if self._unread:
            first = self._unread[min(self._unread)]
            return JobError(first.code, first.sentence, first.advice, first.log)
        sentence = f"None of the chosen frames of {self.name} has the size of its first one."
        return JobError("clip-unreadable", sentence, "Give frames of one size.")

    def _names(self, places: dict[int, Failure] | set[int]) -> str:
        return listed([self._photos[place].name for place in sorted(places)])


def sequence_source(photos: Sequence[Photo], clip: Clip) -> PhotoSequence:
    """The photos, in their order, with the clip's numbers; from 0 on where it has none.

    Raises JobError `no-photos`, `bad-request`, and, where no photo can be read, what is wrong with the first.
    """
    if not photos:
        raise JobError("no-photos", f"{clip.name} has no frames.", "Choose at least one photo.")
    numbers = np.array(clip.numbers or range(len(photos)), np.int64)
    if len(numbers) != len(photos) or (np.diff(numbers) <= 0).any():
        sentence = f"The {len(photos)} frames of {clip.name} need as many numbers, each larger than the one before."
        raise JobError("bad-request", sentence, "Give a number for each frame, in their order.")
    if not 0 < clip.rate < 1e6:
        raise JobError("bad-request", f"{clip.name} has {clip.rate:g} frames a second.", "Give a rate above 0.")
    return PhotoSequence(photos, clip, numbers)
