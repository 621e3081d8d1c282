"""Which affine maps took splats from where they were to where they are: found from their positions alone. Numpy only.

Applying a transform, joining objects and editing vertices change positions and nothing else. Many splats that moved by
one map tell that map; splats that were each moved by hand do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

ULP = 2.0**-23
"""Of the largest coordinate: what single precision rounds it to."""

MET = 16
"""In roundings: how far from where a map takes it a position may lie and still be taken there by it."""

TOLD = 256
"""In roundings: how far positions must spread along a direction to tell what becomes of it."""

SAME = 2e-6
"""Relative difference of two scales that are the same but for rounding."""

ALIKE = 1e-3
"""Relative difference of two scales along a plane that make it likely that the third is the same."""

MANY = 4096
"""Positions that a map is fitted to: more tell the same."""

TRIES, SAMPLE = 200, 8
"""How often positions are drawn to seek a map, and how many: by chance, so many do not agree on one."""

MOST = 64
"""Maps at most."""

CELL, FEW = 64, 8
"""Positions in a cell of those that no common map moved, about; and how many must be there to tell a map."""


LOOSE = 0.2
"""Of a cell's size: how far off a map may be that still tells what became of the surroundings there."""


class Moved(NamedTuple):
    """Those at `which` [M] were moved with their surroundings by the linear map `linear` [3,3] or, one for each,
    [M,3,3]; None where nothing but the position changed."""

    which: np.ndarray
    linear: np.ndarray | None


def find_maps(home: np.ndarray, position: np.ndarray) -> list[Moved]:
    """How splats came from `home` [G,3] to `position` [G,3]; those that did not move are in none of the result.

    Splats that moved as one are told by an affine map with at least four of them that lie in no plane. Of a plane or
    two of them a similarity is taken, and across a plane that was stretched no change. Of what moved by no such map,
    as under proportional editing, those near one another tell a map of their own; the rest only moved.
    Splats with a home of zeros, as objects without homes have them once joined, only moved.
    """
    moved = np.flatnonzero((home != position).any(axis=1) & np.isfinite(position).all(axis=1))
    if not len(moved):
        return []
    homeless = ~home[moved].any(axis=1)
    homeless &= homeless.sum() > 1
    known, lost = moved[~homeless], moved[homeless]
    found = [Moved(lost, None)] if len(lost) else []
    if not len(known):
        return found
    unit = _Unit(ULP * float(np.abs(home[known]).max()), ULP * float(np.abs(position[known]).max()))
    source, target = home[known].astype(np.float64), position[known].astype(np.float64)
    rest = np.ones(len(known), bool)
    for index, fit in _common_maps(source, target, unit):
        rest[index] = False
        whole = len(index) == len(known) and not len(lost)
        members = np.arange(len(home)) if whole and _keeps(fit, home, moved, unit) else known[index]
        found.append(Moved(members, None if np.array_equal(fit.linear, np.eye(3)) else fit.linear))
    return found + [
        Moved(known[index], linear) for index, linear in _local_maps(source, target, np.flatnonzero(rest), unit)
    ]


class _Unit(NamedTuple):
    """What positions are rounded to: before and after they moved, which may have scaled them by much."""

    before: float
    after: float

    def scaled(self, scale: np.ndarray | float) -> np.ndarray:
        """Of both, before, where a map scales by `scale`."""
        return np.maximum(self.before, self.after / np.maximum(scale, 1e-300))


class _Map(NamedTuple):
    linear: np.ndarray
    shift: np.ndarray

    def meets(self, source: np.ndarray, target: np.ndarray, unit: _Unit) -> np.ndarray:
        """[M] bool."""
        rounded = max(unit.after, unit.before * float(np.abs(self.linear).max()))
        return np.abs(source @ self.linear.T + self.shift - target).max(axis=1) <= MET * rounded


def _keeps(fit: _Map, home: np.ndarray, moved: np.ndarray, unit: _Unit) -> bool:
    """Whether the map leaves all where they are that did not move: then they were mapped, too, as the middle is by a
    turn about it."""
    still = np.ones(len(home), bool)
    still[moved] = False
    return bool(fit.meets(home[still], home[still], unit).all())


def _common_maps(source: np.ndarray, target: np.ndarray, unit: _Unit) -> Iterator[tuple[np.ndarray, _Map]]:
    """Maps, and which [M,3] they took from `source` to `target`, until what is left agrees on none."""
    left = np.arange(len(source))
    random = np.random.default_rng(0)
    for _ in range(MOST):
        fit = _seek(source[left], target[left], unit, random) if len(left) else None
        if fit is None:
            return
        met = fit.meets(source[left], target[left], unit)
        yield left[met], fit
        left = left[~met]


def _seek(source: np.ndarray, target: np.ndarray, unit: _Unit, random: np.random.Generator) -> _Map | None:
    """A map that many of them agree on; None where there is none."""
    count = len(source)
    if count == 1:
        return _Map(np.eye(3), (target - source)[0])
    for index in _samples(count, random):
        fit = _fit(source[index], target[index], unit)
        if fit.meets(source[index], target[index], unit).all():
            every = np.flatnonzero(fit.meets(source, target, unit))
            return _fit(source[_some(every)], target[_some(every)], unit)
    return None


def _samples(count: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """All; the first ones, as joined objects lie one after the other; chosen ones of all, or from a part."""
    yield _some(np.arange(count))
    for first in (1024, 256, 64, 16):
        if first < count:
            yield np.arange(first)
    for _ in range(TRIES if count > SAMPLE else 0):
        width = int(random.integers(SAMPLE, count + 1))
        begin = int(random.integers(0, count - width + 1))
        yield begin + random.choice(width, SAMPLE, replace=False)


def _some(index: np.ndarray) -> np.ndarray:
    return index[:: max(1, len(index) // MANY)]


def _fit(source: np.ndarray, target: np.ndarray, unit: _Unit) -> _Map:
    """The affine map with the least squares, a similarity where it is one but for rounding."""
    middle, image = source.mean(axis=0), target.mean(axis=0)
    apart, there = source - middle, target - image
    linear = _completed((apart.T @ apart)[None] / len(source), (there.T @ apart)[None] / len(source), unit)[0]
    spread, wide = np.sqrt((apart**2).mean()), np.sqrt((there**2).mean())
    rounded = float(unit.scaled(wide / max(spread, unit.before)))
    linear = _tidied(linear, max(SAME, 4 * rounded / max(spread, rounded)))
    return _Map(linear, image - linear @ middle)


def _tidied(linear: np.ndarray, same: float) -> np.ndarray:
    left, sizes, right = np.linalg.svd(linear)
    if sizes[0] - sizes[2] > same * sizes[0]:
        return linear
    turn, size = left @ right, sizes.mean()
    if np.abs(size * turn - np.eye(3)).max() <= same:
        return np.eye(3)
    return size * turn


def _completed(moments: np.ndarray, crossed: np.ndarray, unit: _Unit) -> np.ndarray:
    """[C,3,3]: linear maps from second moments [C,3,3] of positions x and mean products y x^T [C,3,3] with images y.

    A direction that the positions do not spread along is mapped across the others, as long as they are where these
    are scaled alike, else as long as it is.
    """
    values, axes = np.linalg.eigh(moments)  # the widest is the last
    images = np.einsum("cij,cjk->cik", crossed, axes) / np.maximum(values, max(unit.before**2, 1e-300))[:, None, :]
    scales = np.sqrt((images**2).sum(axis=1) * np.maximum(values, 0)).sum(axis=1)
    scales /= np.maximum(np.sqrt(np.maximum(values, 0)).sum(axis=1), 1e-300)
    told = np.sqrt(np.maximum(values, 0)) > TOLD * unit.scaled(scales)[:, None]
    third = np.where(told[:, 2, None], images[:, :, 2], axes[:, :, 2])
    length = np.linalg.norm(third, axis=1)
    turned = _least_turn(axes[:, :, 2], third) @ axes[:, :, 1:2]
    second = np.where(told[:, 1, None], images[:, :, 1], turned[:, :, 0] * length[:, None])
    width = np.linalg.norm(second, axis=1)
    across = np.cross(second, third) * np.linalg.det(axes)[:, None]
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-300)
    alike = np.abs(width - length) <= ALIKE * length
    alike &= np.abs(np.sum(second * third, axis=1)) <= ALIKE * length**2
    first = np.where(told[:, 0, None], images[:, :, 0], across * np.where(alike, length, 1.0)[:, None])
    return np.stack([first, second, third], axis=2) @ axes.swapaxes(1, 2)


def _least_turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """[C,3,3]: the rotations by the least angle that take unit vectors [C,3] to the directions of others [C,3]."""
    after = after / np.maximum(np.linalg.norm(after, axis=1, keepdims=True), 1e-300)
    # Two reflections are a turn: the one that takes `before` to its opposite after the one that halves the way.
    half = before + after
    length = np.linalg.norm(half, axis=1, keepdims=True)
    aside = np.eye(3)[np.abs(before).argmin(axis=1)]
    aside = np.cross(before, aside)
    half = np.where(length > 1e-6, half, aside)
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    first = np.eye(3) - 2 * before[:, :, None] * before[:, None, :]
    second = np.eye(3) - 2 * half[:, :, None] * half[:, None, :]
    return second @ first


def _local_maps(
    source: np.ndarray, target: np.ndarray, rest: np.ndarray, unit: _Unit
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """What became of the surroundings of those at `rest`, by cells of a grid."""
    if not len(rest):
        return
    source, target = source[rest], target[rest]
    low, high = source.min(axis=0), source.max(axis=0)
    # Splats lie on surfaces, of which a grid of n by n by n cells has about n * n in it.
    size = max(float((high - low).max()) / max(1.0, np.sqrt(len(rest) / CELL)), unit.before)
    grid = ((source - low) / size).astype(np.int64)
    _, cell = np.unique(grid @ [1, 1 << 20, 1 << 40], return_inverse=True)
    cell = cell.ravel()
    count = np.bincount(cell)
    apart = source - _sums(source, cell)[cell] / count[cell, None]
    there = target - _sums(target, cell)[cell] / count[cell, None]
    moments = _sums((apart[:, :, None] * apart[:, None, :]).reshape(-1, 9), cell).reshape(-1, 3, 3)
    crossed = _sums((there[:, :, None] * apart[:, None, :]).reshape(-1, 9), cell).reshape(-1, 3, 3)
    per = count[:, None, None]
    linear = _completed(moments / per, crossed / per, unit)
    off = _sums((there - np.einsum("mij,mj->mi", linear[cell], apart)) ** 2, cell).sum(axis=1)
    telling = ((count >= FEW) & (off <= LOOSE**2 * np.trace(moments, axis1=1, axis2=2)))[cell]
    if telling.any():
        yield rest[telling], linear[cell[telling]]
    if not telling.all():
        yield rest[~telling], None


def _sums(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """[C,N]: the sums of `values` [M,N] by cell."""
    return np.stack([np.bincount(cell, column) for column in values.T], axis=1)
