"""Which kind of lens the matches bear out: the one with least freedom that matches which were kept back do.

Kinds with more freedom fit any matches better. Whether they are truer is told by matches that they were not fitted to:
half of the tracks fit, the other half judges, and both ways round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.cameras.features.bundle import Bundle, Seen, adjust_bundle
from model_runtime.cameras.features.lens_kinds import DISTORTIONS, PINHOLE, SIMPLER, Groups, Kind, with_kind
from model_runtime.photos.feature_photo import WORKING_SIDE

FEWEST_PHOTOS, FEWEST_POINTS = 3, 100
"""Two photos, or few points, agree with nearly any lens."""

MOST_COMPARED = 800
"""Tracks by which kinds are compared: more take longer and tell the same."""

SURE = 3.0
"""Standard errors by which tracks that were kept back must fit better."""

OF_DISTORTION, OF_OTHERS = 0.05, 0.12
"""Shares by which the typical error must fall, too, for distortion and for other freedom: less is what noise and moving
things make of any freedom."""

LEAST_GAIN = 0.002 / WORKING_SIDE
"""Longest sides by which it must fall: perfect pictures have no noise to hide behind."""


@dataclass(frozen=True, eq=False)
class Judged:
    """bundles: fitted to each half of the tracks. errors: [M], of the observations of the other half. point: [M]."""

    kind: Kind
    bundles: tuple[Bundle, ...]
    errors: np.ndarray
    point: np.ndarray

    @property
    def typical(self) -> float:
        return float(np.median(self.errors))

    def is_worth(self, simpler: Judged) -> bool:
        """Whether tracks fit so much better than with the simpler kind that its freedom is theirs."""
        share = OF_OTHERS if self.kind.distortion == simpler.kind.distortion else OF_DISTORTION
        gain = simpler._costs(simpler.typical) - self._costs(simpler.typical)
        sure = gain.mean() > SURE * gain.std() / np.sqrt(len(gain))
        return sure and simpler.typical - self.typical > max(share * simpler.typical, LEAST_GAIN)

    def _costs(self, scale: float) -> np.ndarray:
        """[P], of each track, with little heed to observations that do not fit."""
        return np.bincount(self.point, np.log1p(np.square(np.minimum(self.errors, 1.0) / scale)))


def choose_kind(start: Bundle, seen: Seen, groups: Groups, go_on: Callable[[], None], first: Kind = PINHOLE) -> Kind:
    """The kind of lens that the matches bear out. first: where the search begins. go_on: called often; may raise."""
    views = len(np.unique(seen.view))
    if views < FEWEST_PHOTOS or len(start.points) < FEWEST_POINTS:
        return PINHOLE
    halves = _Halves(*fewer(start, seen, MOST_COMPARED), groups, go_on)
    best = halves.judged(first, None)
    for more in (_distortions, _others):
        while (freer := _freer(best, halves, more(best.kind))) is not None:
            best = freer
    while (simpler := _simpler(best, halves)) is not None:
        best = simpler
    return best.kind


def _freer(best: Judged, halves: _Halves, kinds: Iterable[Kind]) -> Judged | None:
    """The first of these kinds, which have ever more freedom, that is worth it and than which none is better."""
    worth = [other for kind in kinds if (other := halves.judged(kind, best)).is_worth(best)]
    # What a freer kind found may lie open to the simpler one as well, from there.
    worth = [other for other in worth if other.is_worth(halves.judged(best.kind, other))]
    if not worth:
        return None
    top = min(worth, key=lambda other: other.typical)
    return next(other for other in worth if other is top or not top.is_worth(other))


def _simpler(best: Judged, halves: _Halves) -> Judged | None:
    """A kind with less freedom than which the best is not worth more."""
    kind = best.kind
    less = []
    if kind.distortion in SIMPLER:
        model, free = SIMPLER[kind.distortion]
        less.append(replace(kind, model=model, free=free))
    if kind.middle or kind.own:
        less.append(replace(kind, middle=False, own=kind.own_middle, own_middle=False))
    for other in (halves.judged(kind, best) for kind in less):
        if not best.is_worth(other):
            return other
    return None


def _distortions(kind: Kind) -> list[Kind]:
    return [replace(kind, model=model, free=free) for model, free in DISTORTIONS.get(kind.distortion, ())]


def _others(kind: Kind) -> list[Kind]:
    more = []
    if not kind.middle and not kind.own:
        more.append(replace(kind, middle=True))
    if not kind.own:
        more.append(replace(kind, own=True))
    if not kind.own_middle:
        more.append(replace(kind, own=True, middle=False, own_middle=True))
    return more


class _Halves:
    """Tracks in two halves: each is fitted to, and then judges what the other made."""

    def __init__(self, start: Bundle, seen: Seen, groups: Groups, go_on: Callable[[], None]) -> None:
        self.start, self.seen, self.groups, self.go_on = start, seen, groups, go_on
        self.half = np.random.default_rng(0).permutation(len(start.points)) % 2

    def judged(self, kind: Kind, before: Judged | None) -> Judged:
        """before: another kind, whose bundles are the start."""
        errors, bundles = np.empty(len(self.seen.view)), []
        for half in (0, 1):
            self.go_on()
            mine = self.half[self.seen.point] == half
            fit, kept = self.seen.chosen(~mine), self.seen.chosen(mine)
            bundle = with_kind(self.start if before is None else before.bundles[half], kind, self.groups)
            bundle = adjust_bundle(bundle, fit, 2 * float(np.median(bundle.errors(fit))))
            bundle = adjust_bundle(bundle, kept, 2 * float(np.median(bundle.errors(kept))), points_only=True)
            errors[mine] = bundle.errors(kept)
            bundles.append(bundle)
        return Judged(kind, tuple(bundles), errors, self.seen.point)


def fewer(bundle: Bundle, seen: Seen, most: int) -> tuple[Bundle, Seen]:
    """At most so many points, those that most photos see."""
    times = np.bincount(seen.point, minlength=len(bundle.points))
    chosen = np.sort(np.argsort(-times, kind="stable")[:most])
    number = np.full(len(bundle.points), -1)
    number[chosen] = np.arange(len(chosen))
    kept = seen.chosen(number[seen.point] >= 0)
    return replace(bundle, points=bundle.points[chosen]), replace(kept, point=number[kept.point])
