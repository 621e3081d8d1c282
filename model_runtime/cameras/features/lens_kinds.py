"""Kinds of lens, from a pinhole to what has most freedom, and which photos share which of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.cameras.features.bundle import COEFFICIENT, FOCAL, MIDDLE, NUMBERS, Bundle
from model_runtime.cameras.features.matching import Matches
from model_runtime.contract.lens import BROWN, COEFFICIENTS, FISHEYE


@dataclass(frozen=True)
class Kind:
    """free: how many coefficients of the model, in its order. middle: the principal point is found. own: every photo
    has a focal length of its own. own_middle: and a middle of its own."""

    model: str = BROWN
    free: int = 0
    middle: bool = False
    own: bool = False
    own_middle: bool = False

    @property
    def distortion(self) -> tuple[str, int]:
        return self.model, self.free

    @property
    def bends(self) -> bool:
        return self.model == FISHEYE or self.free > 0

    def __str__(self) -> str:
        names = " ".join(COEFFICIENTS[self.model][: self.free])
        return f"{self.model} {names}".strip() if self.bends else "pinhole"


PINHOLE = Kind()
DISTORTIONS: dict[tuple[str, int], tuple[tuple[str, int], ...]] = {
    (BROWN, 0): ((BROWN, 1), (BROWN, 2), (FISHEYE, 2)),
    (BROWN, 1): ((BROWN, 2), (FISHEYE, 2)),
    (BROWN, 2): ((FISHEYE, 2), (BROWN, 5), (FISHEYE, 4)),
    (BROWN, 5): ((FISHEYE, 4),),
    (FISHEYE, 2): ((FISHEYE, 4),),
}
"""Model and number of coefficients -> those to try next, with less freedom first: none; k1; k1, k2; Brown-Conrady's
k1, k2, p1, p2, k3; fisheyes."""

SIMPLER = {
    (BROWN, 1): (BROWN, 0),
    (BROWN, 2): (BROWN, 1),
    (BROWN, 5): (BROWN, 2),
    (FISHEYE, 2): (BROWN, 2),
    (FISHEYE, 4): (FISHEYE, 2),
}
"""The next one with less freedom."""


@dataclass(frozen=True)
class Groups:
    """For each photo: the number of its lens, the same for photos of one camera held upright or not, and of its sensor
    as it was held. known: [N,3] focal length and middle in longest sides of lenses that are known and bend nothing; NaN
    of the others."""

    lens: tuple[int, ...]
    sensor: tuple[int, ...]
    known: np.ndarray

    @property
    def models(self) -> tuple[str, ...]:
        """Those that lenses may be of: a known lens bends nothing, which no fisheye does."""
        return (BROWN,) if np.isfinite(self.known).any() else (BROWN, FISHEYE)


def groups_of(matches: Matches) -> Groups:
    numbers: dict[tuple[object, ...], int] = {}
    keys = [(tuple(sorted(photo.size)), *photo.told) for photo in matches.photos]
    known = np.full((len(keys), COEFFICIENT), np.nan)
    for i, photo in enumerate(matches.photos):
        if photo.lens is not None:
            middle = photo.lens[:2, 2] - np.array(photo.size) / 2
            known[i] = np.array((photo.known_focal, *middle)) / max(photo.size)
    return Groups(tuple(numbers.setdefault(key, len(numbers)) for key in keys), matches.cameras, known)


def as_bundle(kind: Kind, poses: np.ndarray, points: np.ndarray, start: np.ndarray, groups: Groups) -> Bundle:
    """start: [N,K] the lenses' numbers to start from, as far as they are known; where photos share one, its median."""
    count, width = len(poses), NUMBERS[kind.model]
    numbers: list[float] = []
    held: list[bool] = []
    places = np.zeros((count, width), np.int64)

    is_known = np.isfinite(groups.known).all(1)

    def share(keys: Sequence[int], column: int, free: bool) -> None:
        for key in dict.fromkeys(keys):
            members = np.flatnonzero(np.array(keys) == key)
            places[members, column] = len(numbers)
            if known := bool(is_known[members[0]]):  # and so are those that share it
                numbers.append(float(groups.known[members[0], column]) if column < COEFFICIENT else 0.0)
            else:
                numbers.append(float(np.median(start[members, column])) if free and column < start.shape[1] else 0.0)
            held.append(known or not free)

    share(range(count) if kind.own else groups.lens, FOCAL, True)
    for column in range(MIDDLE.start, MIDDLE.stop):
        share(range(count) if kind.own_middle else groups.sensor, column, kind.middle or kind.own_middle)
    for n in range(width - COEFFICIENT):
        aside = kind.model == BROWN and n in (2, 3)
        share(groups.sensor if aside else groups.lens, COEFFICIENT + n, n < kind.free)
    return Bundle(poses, points, kind.model, np.array(numbers), places, np.array(held), np.zeros(count, bool))


def with_kind(bundle: Bundle, kind: Kind, groups: Groups) -> Bundle:
    """The bundle with lenses of this kind, which start from what its own have in common with them."""
    known = bundle.lenses if kind.model == bundle.model else bundle.lenses[:, :COEFFICIENT]
    return replace(as_bundle(kind, bundle.poses, bundle.points, known, groups), still=bundle.still)
