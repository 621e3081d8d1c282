"""Which frames a film has and when each is shown: from its packets, where these tell, without decoding any."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.clips.opened_film import OpenedFilm

if TYPE_CHECKING:
    from av import Packet, VideoStream

VP8_SHOWN = 0x10
"""Bit of a VP8 frame's first byte (RFC 6386): the others are only referred to."""

FEW_DAMAGED = 1.5
"""Packets for each frame, up to which some frames are damaged; at two the packets are half frames."""

SAME_RATE = 0.01
"""Part by which a told rate may differ from the measured one, of which the units of time are the error."""


@dataclass(frozen=True, eq=False)
class FrameTable:
    """F frames, told by their places in the order in which they are shown, from 0.

    times: [F] int64, rising, in the stream's units; None where they tell frames apart by nothing but their order.
    seconds: [F] float64, after frame 0. rate: frames a second, the usual ones. even: whether all frames last alike.
    keys: [K] places of key frames, rising, 0 among them.
    """

    times: np.ndarray | None
    seconds: np.ndarray
    rate: float
    even: bool
    keys: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)

    def place(self, time: int | None) -> int | None:
        """Of the frame that is shown at this time of the stream; None where there is none."""
        assert self.times is not None
        if time is None:
            return None
        place = int(np.searchsorted(self.times, time))
        return place if place < len(self.times) and self.times[place] == time else None

    def wind_to(self, key: int) -> int | None:
        """The time of a key frame; None where the film is to be read from its start."""
        return None if key == 0 or self.times is None else int(self.times[self.keys[key]])

    def key_before(self, place: int) -> int:
        """Which of `keys` is the last one up to a place."""
        return max(0, int(np.searchsorted(self.keys, place, side="right")) - 1)


def read_table(film: OpenedFilm, first_times: Sequence[int | None]) -> FrameTable | None:
    """From the packets of a film that is wound to its start; None where they do not stand for its frames.

    first_times: of the frames that were decoded first, which have to be those of the packets, too.
    """
    times, keys = array("q"), array("b")
    for packet in film.packets():
        if packet.is_discard or _is_hidden(film, packet):
            continue
        if packet.pts is None or not film.has_times:
            return None
        times.append(packet.pts)
        keys.append(packet.is_keyframe)
    order = np.argsort(np.array(times), kind="stable")
    rising = np.array(times)[order]
    if not len(rising) or (np.diff(rising) <= 0).any() or not _begins_with(rising, first_times):
        return None
    is_key = np.array(keys, bool)[order]
    is_key[0] = True
    seconds, rate, even = _timing(film, rising)
    return FrameTable(rising, seconds, rate, even, np.flatnonzero(is_key))


def _is_hidden(film: OpenedFilm, packet: Packet[VideoStream]) -> bool:
    return film.stream.codec_context.name.endswith("vp8") and not memoryview(packet)[0] & VP8_SHOWN


def _begins_with(times: np.ndarray, first: Sequence[int | None]) -> bool:
    """Whether frames decoded one after the other are so among the packets, but for a few that are damaged."""
    known = [time for time in first if time is not None]
    if not known or len(known) < len(first):
        return False
    places = np.searchsorted(times, known)
    there = places < len(times)
    if not there.all() or (times[places] != known).any() or (np.diff(places) < 1).any():
        return False
    return int(places[-1] - places[0]) < FEW_DAMAGED * len(known)


def count_frames(film: OpenedFilm) -> FrameTable:
    """From the frames themselves, all of which are decoded, of a film that is wound to its start."""
    found = [frame.pts for frame in film.frames()]
    told = [-1 if time is None else time for time in found]
    if film.has_times and None not in found and (np.diff(told) > 0).all():
        seconds, rate, even = _timing(film, np.array(told))
    else:
        rate, even = _told_rates(film)[0], True
        seconds = np.arange(len(found)) / rate
    return FrameTable(None, seconds, rate, even, np.zeros(1, int))


def _timing(film: OpenedFilm, times: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """`seconds`, `rate` and `even` of a table."""
    unit = film.stream.time_base
    seconds = (times - times[0]) * (float(unit) if unit else 1.0)
    told = _told_rates(film)
    for rate in told:
        if (np.abs(seconds * rate - np.arange(len(seconds))) < 0.5).all():
            return seconds, rate, True
    lasting = np.diff(seconds)
    middle = np.sort(lasting)[(len(lasting) - 1) // 2]
    usual = 1 / float(np.mean(lasting[np.abs(lasting - middle) <= middle / 2]))
    near = min(told, key=lambda rate: abs(rate - usual))
    even = bool((np.abs(seconds * usual - np.arange(len(seconds))) < 0.5).all())
    return seconds, near if abs(near - usual) <= SAME_RATE * usual else usual, even


def _told_rates(film: OpenedFilm) -> list[float]:
    """Frames a second, of the whole film and of most of its frames, as far as they are told; the usual one else."""
    rates = (film.stream.average_rate, film.stream.guessed_rate, film.stream.base_rate)
    return [float(rate) for rate in rates if rate and 0 < rate <= 1000] or [25.0]
