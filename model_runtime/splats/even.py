"""An even choice among the splats of many views: one for each cell of space, whichever photos show it.

Views are looked at one after the other, and of cells there are never more than a few times as many as splats are
wanted, so that memory does not grow with the number of photos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.contract.messages import Gaussians, View
from model_runtime.depth.tsdf import unproject
from model_runtime.splats.surface import ARRAYS

BITS = 21
"""Of each of a cell's three coordinates, in one whole number."""

FILLED = 1.05
"""How much larger cells are made than those that would hold just as many splats as are wanted."""


@dataclass(frozen=True, eq=False)
class EvenChoice:
    """place: [S] int64, rising, number of a pixel over all views. stands_for: [S] how many pixels each has a place for.
    starts: [N+1], the number of each view's first pixel."""

    place: np.ndarray
    stands_for: np.ndarray
    starts: np.ndarray

    def of(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of view `i` [S] int64, row by row, and how many pixels each stands for [S]."""
        first, last = np.searchsorted(self.place, self.starts[i : i + 2])
        return self.place[first:last] - self.starts[i], self.stands_for[first:last]


def even_choice(
    views: Sequence[View], offered: Callable[[int], np.ndarray], budget: int, go_on: Callable[[], None] = lambda: None
) -> EvenChoice | None:
    """None where the pixels that are offered are no more than the budget; else at most as many of them.

    offered: [h,w] bool for a view, of `usable` pixels. go_on: called before each view; may raise. What others repeat
    goes first; then one pixel stays for each cell of space, which has most pixels for what it shows.
    """
    starts = np.cumsum([0, *(view.depth.size for view in views)])
    counts = np.array([int(offered(i).sum()) for i in range(len(views))])
    if counts.sum() <= budget:
        return None

    def points(i: int) -> tuple[np.ndarray, np.ndarray]:
        go_on()
        view, mask = views[i], _not_repeated(views[i], offered(i))
        return unproject(view.depth, view.map_intrinsics, view.extrinsics, mask), np.flatnonzero(mask)

    bounds = [(seen.min(0), seen.max(0)) for seen, _ in map(points, range(len(views))) if len(seen)]
    low = np.min([least for least, _ in bounds], axis=0)
    extent = max(float((np.max([most for _, most in bounds], axis=0) - low).max()), 1e-30)
    grid = _Grid(low, extent / (2**BITS - 2))
    size, cells = _size_for(grid, (points(i)[0] for i in range(len(views))), budget)
    size = max(size / 2, size * FILLED * np.sqrt(cells / budget)) if cells < budget else size
    best = _Best(2 * budget)
    for i, view in enumerate(views):
        seen, pixel = points(i)
        focal = view.map_intrinsics[0, 0]
        worth = (focal / view.depth.ravel()[pixel] * view.confidence.ravel()[pixel]).astype(np.float32)
        best.offer(_Grid(low, size).cells(seen), worth, starts[i] + pixel)
    place, stands_for = best.taken()
    if len(place) > budget:  # the cells turned out more than they were reckoned to be
        some = np.random.default_rng(0).permutation(len(place))[:budget]
        place, stands_for = place[some], stands_for[some]
    order = np.argsort(place)
    return EvenChoice(place[order], stands_for[order], starts)


def chosen(
    part: Gaussians, kept: np.ndarray, pixels: np.ndarray, stands_for: np.ndarray
) -> tuple[Gaussians, np.ndarray]:
    """The splats of some pixels, each so much larger that it covers what it stands for; and the pixels of these.

    kept: the pixels that all splats of a view are of. pixels, stands_for: of `EvenChoice.of`.
    """
    taken = np.isin(kept, pixels)
    larger = np.sqrt(stands_for[np.searchsorted(pixels, kept[taken])])
    arrays = {name: getattr(part, name)[taken] for name in ARRAYS}
    arrays["scales"] = (arrays["scales"] * larger[:, None]).astype(np.float32)
    return replace(part, **arrays), kept[taken]


def _not_repeated(view: View, mask: np.ndarray) -> np.ndarray:
    return mask & view.usable if view.repeated is None else mask & view.usable & ~view.repeated


@dataclass(frozen=True, eq=False)
class _Grid:
    """low: [3], where it begins. size: edge of its cells."""

    low: np.ndarray
    size: float

    def cells(self, points: np.ndarray) -> np.ndarray:
        """[P] int64, one number for each cell."""
        x, y, z = np.clip((points - self.low) / self.size, 0, 2**BITS - 1).astype(np.int64).T
        return (x << 2 * BITS) | (y << BITS) | z


def _coarser(cells: np.ndarray) -> np.ndarray:
    """The cells of twice the size that these lie in."""
    mask = 2**BITS - 1
    x, y, z = cells >> 2 * BITS, (cells >> BITS) & mask, cells & mask
    return ((x >> 1) << 2 * BITS) | ((y >> 1) << BITS) | (z >> 1)


def _size_for(finest: _Grid, points: Iterable[np.ndarray], budget: int) -> tuple[float, int]:
    """A size of cells, a power of two of the finest, in which the points are in at most `budget` cells; and how many
    these are."""
    doublings, cells, waiting = 0, np.zeros(0, np.int64), 0
    parts = [cells]
    for seen in points:
        part = finest.cells(seen)
        for _ in range(doublings):
            part = _coarser(part)
        parts.append(np.unique(part))
        waiting += len(parts[-1])
        if waiting > budget:
            cells, doublings = _coarsened(np.unique(np.concatenate(parts)), doublings, budget)
            parts, waiting = [cells], 0
    cells, doublings = _coarsened(np.unique(np.concatenate(parts)), doublings, budget)
    return finest.size * 2.0**doublings, len(cells)


def _coarsened(cells: np.ndarray, doublings: int, most: int) -> tuple[np.ndarray, int]:
    while len(cells) > most:
        cells, doublings = np.unique(_coarser(cells)), doublings + 1
    return cells, doublings


class _Best:
    """Of what falls into each cell the one of most worth, and how much fell into it."""

    def __init__(self, waiting: int) -> None:
        self._most = waiting
        self._cells, self._worth = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        self._place, self._count = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        self._waiting = 0

    def offer(self, cells: np.ndarray, worth: np.ndarray, place: np.ndarray) -> None:
        self._cells.append(cells)
        self._worth.append(worth)
        self._place.append(place)
        self._count.append(np.ones(len(cells), np.int64))
        self._waiting += len(cells)
        if self._waiting > self._most:
            self._choose()

    def taken(self) -> tuple[np.ndarray, np.ndarray]:
        self._choose()
        return self._place[0], self._count[0]

    def _choose(self) -> None:
        cells, worth = np.concatenate(self._cells), np.concatenate(self._worth)
        place, count = np.concatenate(self._place), np.concatenate(self._count)
        order = np.lexsort((-worth, cells))
        first = np.flatnonzero(np.diff(cells[order], prepend=-1))
        count = np.add.reduceat(count[order], first) if len(first) else count[:0]
        chosen = order[first]
        self._cells, self._worth = [cells[chosen]], [worth[chosen]]
        self._place, self._count = [place[chosen]], [count]
        self._waiting = 0
