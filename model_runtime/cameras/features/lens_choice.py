"""Which kind of lens the matches bear out: the one with least freedom that matches which were kept back do.

Kinds with more freedom fit any matches better. Whether they are truer is told by matches that they were not fitted to:
half of the tracks fit, the other half judges, and both ways round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.cameras.features.bundle import COEFFICIENT, Bundle, Seen, adjust_closely
from model_runtime.cameras.features.lens_kinds import DISTORTIONS, PINHOLE, SIMPLER, Groups, Kind, with_kind
from model_runtime.cameras.features.mapping import MANY_PHOTOS
from model_runtime.contract.lens import BROWN, FISHEYE
from model_runtime.photos.feature_photo import WORKING_SIDE

FEWEST_PHOTOS, FEWEST_POINTS = 3, 100
"""Two photos, or few points, agree with nearly any lens."""

ROUGH = (PINHOLE, Kind(BROWN, 2), Kind(FISHEYE, 2))

MOST_COMPARED = 600
"""Tracks by which kinds are compared: more take longer and tell the same."""

LEAST_SEEN = 20
"""Of the tracks that are taken, in each photo that sees so many: else nothing holds its camera."""

SURE = 3.0
"""Standard errors by which tracks that were kept back must fit better."""

OF_DISTORTION, OF_OTHERS = 0.05, 0.12
"""Shares by which the typical error must fall, too, for distortion and for other freedom: less is what noise and moving
things make of any freedom."""

OF_ROUGH = 0.01
"""Share by which it must fall for a search to begin at a freer kind: from pinholes, slight distortion is hard to reach,
for a focal length that is off stands in for it; the way back is easy."""

LARGEST_K1 = 1.0
"""No lens bends as much; cameras that are inside out do, to fit at all."""

OF_ONE_HALF = 0.5
"""Of what it must fall by, what the first half of the tracks must see for the other to be asked."""

LEAST_GAIN = 0.002 / WORKING_SIDE
"""Longest sides by which it must fall: perfect pictures have no noise to hide behind."""


@dataclass(frozen=True, eq=False)
class _Half:
    """bundle: fitted to half of the tracks. errors: [M], of the observations of the other half; point: [M], theirs."""

    bundle: Bundle
    errors: np.ndarray
    point: np.ndarray

    @property
    def typical(self) -> float:
        return float(np.median(self.errors))

    def costs(self, scale: float) -> np.ndarray:
        """Of each track, with little heed to observations that do not fit; 0 of those of the other half."""
        return np.bincount(self.point, np.log1p(np.square(np.minimum(self.errors, 1.0) / scale)))


@dataclass(frozen=True, eq=False)
class Judged:
    """A kind of lens as either half of the tracks judges what the other made of it."""

    kind: Kind
    halves: tuple[_Half, _Half]

    @property
    def typical(self) -> float:
        return float(np.median(np.concatenate([half.errors for half in self.halves])))

    def is_worth(self, simpler: Judged) -> bool:
        """Whether tracks fit so much better than with the simpler kind that its freedom is theirs."""
        if simpler.typical - self.typical <= _least_gain(self.kind, simpler.kind, simpler.typical):
            return False
        gains = [
            before.costs(simpler.typical)[points] - after.costs(simpler.typical)[points]
            for before, after in zip(simpler.halves, self.halves, strict=True)
            for points in [np.unique(before.point)]
        ]
        gain = np.concatenate(gains)
        return bool(gain.mean() > SURE * gain.std() / np.sqrt(len(gain)))


def _least_gain(kind: Kind, simpler: Kind, typical: float) -> float:
    """By how much the typical error with the simpler kind must fall."""
    if kind == replace(simpler, model=kind.model):
        return LEAST_GAIN  # as much freedom: fisheyes are no stranger than others
    share = OF_OTHERS if kind.distortion == simpler.distortion else OF_DISTORTION
    return max(share * typical, LEAST_GAIN)


def choose_kind(start: Bundle, seen: Seen, groups: Groups, go_on: Callable[[], None], first: Kind = PINHOLE) -> Kind:
    """The kind of lens that the matches bear out. first: where the search begins. go_on: called often; may raise."""
    if not can_tell(start, seen):
        return PINHOLE
    jury = _Jury(*fewer(start, seen, MOST_COMPARED), groups, go_on)
    best = jury.judged(first, None)
    for more in (_distortions, _others):
        while (freer := _freer(best, jury, more(best.kind))) is not None:
            best = freer
    while (simpler := _simpler(best, jury)) is not None:
        best = simpler
    return best.kind


def can_tell(start: Bundle, seen: Seen) -> bool:
    """Whether there is enough to tell one lens from another by."""
    return len(np.unique(seen.view)) >= FEWEST_PHOTOS and len(start.points) >= FEWEST_POINTS


def rough_kind(start: Bundle, seen: Seen, groups: Groups, go_on: Callable[[], None]) -> tuple[Kind, Bundle]:
    """Which of a few kinds fits best, and everything adjusted with it: a start to look closer from."""
    few, kept = fewer(start, seen, MOST_COMPARED)
    best, least = (PINHOLE, with_kind(start, PINHOLE, groups)), np.inf
    for kind in ROUGH:
        if kind.model not in groups.models:
            continue
        go_on()
        bundle = with_kind(few, kind, groups)
        bundle = adjust_closely(bundle, kept)
        typical = float(np.median(bundle.errors(kept)))
        if typical < (1 - OF_ROUGH) * least:
            best, least = (kind, replace(bundle, points=start.points)), typical
    return best


def _freer(best: Judged, jury: _Jury, kinds: Iterable[Kind]) -> Judged | None:
    """The first of these kinds, which have ever more freedom, that is worth it and than which none is better."""
    possible = [kind for kind in kinds if kind.model in jury.groups.models]
    worth = [other for kind in possible if (other := jury.worth(kind, best)) is not None]
    if not worth:
        return None
    top = min(worth, key=lambda other: other.typical)
    found = next(other for other in worth if other is top or not top.is_worth(other))
    # What the freer kind found may lie open to the simpler one as well, from there.
    return found if found.is_worth(jury.judged(best.kind, found)) else None


def _simpler(best: Judged, jury: _Jury) -> Judged | None:
    """A kind with less freedom than which the best is not worth more."""
    kind = best.kind
    less = []
    if kind.distortion in SIMPLER:
        model, free = SIMPLER[kind.distortion]
        less.append(replace(kind, model=model, free=free))
    if kind.middle or kind.own:
        less.append(replace(kind, middle=False, own=kind.own_middle, own_middle=False))
    for other in (jury.judged(kind, best) for kind in less):
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


class _Jury:
    """Tracks in two halves: each is fitted to, and then judges what the other made."""

    def __init__(self, start: Bundle, seen: Seen, groups: Groups, go_on: Callable[[], None]) -> None:
        self.start, self.groups, self.go_on = start, groups, go_on
        half = (np.random.default_rng(0).permutation(len(start.points)) % 2)[seen.point]
        self.halves = (seen.chosen(half == 0), seen.chosen(half == 1))

    def judged(self, kind: Kind, before: Judged | None) -> Judged:
        """before: another kind, whose bundles are the start."""
        return Judged(kind, (self._half(0, kind, before), self._half(1, kind, before)))

    def worth(self, kind: Kind, best: Judged) -> Judged | None:
        """The kind where it is worth its freedom. Where the first half sees little of that, the other is not asked."""
        first = self._half(0, kind, best)
        if np.abs(first.bundle.lenses[:, COEFFICIENT]).max() > LARGEST_K1:
            return None
        before = best.halves[0].typical
        if before - first.typical < OF_ONE_HALF * _least_gain(kind, best.kind, before):
            return None
        judged = Judged(kind, (first, self._half(1, kind, best)))
        return judged if judged.is_worth(best) else None

    def _half(self, number: int, kind: Kind, before: Judged | None) -> _Half:
        self.go_on()
        fit, kept = self.halves[1 - number], self.halves[number]
        bundle = with_kind(self.start if before is None else before.halves[number].bundle, kind, self.groups)
        bundle = adjust_closely(adjust_closely(bundle, fit), kept, points_only=True)
        return _Half(bundle, bundle.errors(kept), kept.point)


def fewer(bundle: Bundle, seen: Seen, most: int) -> tuple[Bundle, Seen]:
    """At most so many points, those that most photos see; and of many photos a few more for those that see hardly any
    of these."""
    times = np.bincount(seen.point, minlength=len(bundle.points))
    order = np.argsort(-times, kind="stable")
    chosen = np.zeros(len(times), bool)
    chosen[order[:most]] = True
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    for view in np.unique(seen.view) if len(bundle.poses) > MANY_PHOTOS else ():
        mine = seen.point[seen.view == view]
        lacking = LEAST_SEEN - int(chosen[mine].sum())
        if lacking > 0:
            others = mine[~chosen[mine]]
            chosen[others[np.argsort(rank[others])[:lacking]]] = True
    number = np.cumsum(chosen) - 1
    kept = seen.chosen(chosen[seen.point])
    return replace(bundle, points=bundle.points[chosen]), replace(kept, point=number[kept.point])
