"""Which frames of a clip are key frames: enough to know the way and the room by, each as sharp as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.clips.motion import Motion

STEP = 0.1
"""Longest sides that the typical feature moves from one key frame to the next."""

FEWEST_KEYS, SMALLEST_STEP = 10, 0.004
"""Key frames that a clip should have, for which the step is made smaller, and how small at most: less is no motion."""

LEAST_SHARED = 0.35
"""Share of the features that two key frames in a row have in common, at least, where frames are close enough."""

FROM, TO = 0.7, 1.3
"""Of the step, between which a key frame may be chosen by its sharpness."""

TELL_MOTION = Callable[[int, int], Motion]
"""From one frame, by its place, to another."""


@dataclass(frozen=True, eq=False)
class Choice:
    """keys: places of key frames, rising. motions: of other frames, from the key frame before."""

    keys: tuple[int, ...]
    motions: dict[int, Motion]


def choose_keys(places: Sequence[int], sharpness: Mapping[int, float], motion: TELL_MOTION, most: int) -> Choice:
    """Of the frames at these places, rising. The first and the last are among the key frames; no more than `most`."""
    choice = _chosen(places, STEP, sharpness, motion)
    steps = (choice.motions[key].typical for key in choice.keys[1:])
    way = sum(step for step in steps if np.isfinite(step))  # of a cut nothing tells how far it went
    if len(choice.keys) < min(FEWEST_KEYS, len(places)):
        choice = _chosen(places, max(way / FEWEST_KEYS, SMALLEST_STEP), sharpness, motion)
    return Choice(_fewer(choice.keys, choice.motions, most), choice.motions)


def _chosen(places: Sequence[int], step: float, sharpness: Mapping[int, float], motion: TELL_MOTION) -> Choice:
    """With this step between key frames."""
    keys, motions = [places[0]], dict[int, Motion]()
    start = 0
    while start < len(places) - 1:
        start = _next(places, start, step, sharpness, motion, motions)
        keys.append(places[start])
    return Choice(tuple(keys), motions)


def _next(
    places: Sequence[int],
    start: int,
    step: float,
    sharpness: Mapping[int, float],
    motion: TELL_MOTION,
    motions: dict[int, Motion],
) -> int:
    """Index of the key frame after the one at `start`."""
    candidates: list[int] = []
    for i in range(start + 1, len(places)):
        found = motions[places[i]] = motion(places[start], places[i])
        lost = found.shared < LEAST_SHARED
        if not lost and found.typical <= TO * step:
            if found.typical >= FROM * step:
                candidates.append(i)
            continue
        if not candidates:
            # The frame before still has more in common, where there is one.
            candidates = [i - 1] if i - 1 > start else [i]
        return max(candidates, key=lambda place: sharpness[places[place]])
    return len(places) - 1


def _fewer(keys: Sequence[int], motions: Mapping[int, Motion], most: int) -> tuple[int, ...]:
    """At most so many of the key frames, evenly along the way that the picture moves."""
    if len(keys) <= most:
        return tuple(keys)
    steps = [min(motions[key].typical, 2 * STEP) for key in keys[1:]]
    way = np.concatenate(([0.0], np.cumsum(steps)))
    chosen = np.unique(np.searchsorted(way, np.linspace(0, way[-1], most)).clip(0, len(keys) - 1))
    return tuple(keys[i] for i in chosen)
