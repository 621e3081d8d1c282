"""Which points and splats are made where there are more than may be: as many of every place, whoever shows it. Numpy.

Space is cut into cells, as small as leaves a few points to each. Of a cell with no more points than others have, all
stay; the others keep as many as each other. Points come in parts, as of one view each, and are looked at part by part,
twice: once to count, once to choose. Memory does not grow with their number but for a byte each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .morton import spread_bits

PER_CELL = 4
"""Points that a cell keeps at least, where it has them: fewer would let chance say how dense they are."""

FINEST = 4096
"""Of the finest cells to the extent of what the first part shows."""

HALF = 1 << 20
"""Of the finest cells to each side of the first part's middle; what is farther away counts to the last one."""

Places = Callable[[int], np.ndarray]
"""By a part's number where its points are, [n,3]."""


def within_budget(repeated: Sequence[np.ndarray], places: Places, budget: int) -> list[np.ndarray]:
    """For each part [n] bool, together at most `budget` True: an even choice of those that `repeated` [n] bool of the
    part does not name; the others fill what these leave, as evenly."""
    if sum(map(len, repeated)) <= budget:
        return [np.ones(len(part), bool) for part in repeated]
    fresh = _even([~part for part in repeated], places, budget)
    left = budget - sum(map(np.count_nonzero, fresh))
    others = _even(list(repeated), places, left)
    return [first | second for first, second in zip(fresh, others, strict=True)]


def _even(wanted: Sequence[np.ndarray], places: Places, budget: int) -> list[np.ndarray]:
    """For each part [n] bool, together `budget` of those in `wanted` [n] bool, or all of them."""
    if sum(map(np.count_nonzero, wanted)) <= budget:
        return list(wanted)
    cells = _Cells(max(budget // PER_CELL, 1))
    for part, mask in enumerate(wanted):
        cells.count(places(part)[mask])
    quota = _quotas(cells.counts, budget)
    random = np.random.default_rng(0)
    seen = np.zeros(len(quota), np.int64)
    begin = random.integers(0, cells.counts)
    chosen = []
    for part, mask in enumerate(wanted):
        keep = np.zeros(len(mask), bool)
        keep[mask] = _taken(cells.find(places(part)[mask]), quota, cells.counts, seen, begin, random)
        chosen.append(keep)
    return chosen


def _quotas(counts: np.ndarray, budget: int) -> np.ndarray:
    """[C] int64 how many of its `counts` [C] each cell keeps, `budget` together: all, or as many as the others do."""
    ordered = np.sort(counts)
    rest = len(counts) - np.arange(len(counts))
    before = np.concatenate([[0], np.cumsum(ordered)[:-1]])
    full = np.searchsorted(before + ordered * rest, budget, side="right")  # cells that keep all
    level = (budget - before[full]) // rest[full]
    quota = np.minimum(counts, level)
    more = np.flatnonzero(counts > level)
    quota[np.random.default_rng(0).permutation(more)[: budget - quota.sum()]] += 1
    return quota


def _taken(
    cell: np.ndarray,
    quota: np.ndarray,
    counts: np.ndarray,
    seen: np.ndarray,
    begin: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """[n] bool: of the points of a part, which are in the cells `cell` [n], those that stay. seen: [C] of how many of
    each cell that was said before; those of this part are added. begin: [C] where in the turns of each it begins, so
    that not all of them choose points of the same views."""
    order = random.permutation(len(cell))
    order = order[np.argsort(cell[order], kind="stable")]
    mine = cell[order]
    first = np.flatnonzero(np.concatenate([[True], mine[1:] != mine[:-1]])) if len(mine) else np.zeros(0, np.int64)
    sizes = np.diff(first, append=len(mine))
    number = np.arange(len(mine)) - np.repeat(first, sizes) + seen[mine]
    seen[mine[first]] += sizes
    keep = np.zeros(len(cell), bool)
    # Of a cell's points, one after the other, as many have come by then as its share of them asks for.
    turns = number * quota[mine] + begin[mine]
    keep[order] = (turns + quota[mine]) // counts[mine] > turns // counts[mine]
    return keep


class _Cells:
    """The cells of space that have points, at most `most` of them, and how many each has: as small as that allows."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.level = 0
        self.codes = np.zeros(0, np.uint64)
        self.counts = np.zeros(0, np.int64)
        self._grid: tuple[np.ndarray, float] | None = None

    def count(self, position: np.ndarray) -> None:
        """Add points [n,3]."""
        if not len(position):
            return
        codes, counts = np.unique(self._codes(position), return_counts=True)
        place = np.searchsorted(self.codes, codes)
        known = np.zeros(len(codes), bool)
        inside = place < len(self.codes)
        known[inside] = self.codes[place[inside]] == codes[inside]
        self.counts[place[known]] += counts[known]
        self.codes = np.insert(self.codes, place[~known], codes[~known])
        self.counts = np.insert(self.counts, place[~known], counts[~known])
        while len(self.codes) > self.most:
            self._coarsen()

    def find(self, position: np.ndarray) -> np.ndarray:
        """[n] int64 in which of the cells points [n,3] are, all of which were counted."""
        return np.searchsorted(self.codes, self._codes(position)) if len(position) else np.zeros(0, np.int64)

    def _codes(self, position: np.ndarray) -> np.ndarray:
        """[n] uint64: Morton codes of the cells of this level."""
        if self._grid is None:
            low, high = np.percentile(position, (1, 99), axis=0)
            self._grid = (low + high) / 2, (float((high - low).max()) or 1.0) / FINEST
        middle, unit = self._grid
        place = np.clip(np.floor((position - middle) / unit), -HALF, HALF - 1).astype(np.int64) + HALF
        x, y, z = (spread_bits((place[:, axis] >> self.level).astype(np.uint64)) for axis in range(3))
        return x | y << np.uint64(1) | z << np.uint64(2)

    def _coarsen(self) -> None:
        """Eight cells become one."""
        self.level += 1
        codes = self.codes >> np.uint64(3)
        first = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        self.codes, self.counts = codes[first], np.add.reduceat(self.counts, first)
