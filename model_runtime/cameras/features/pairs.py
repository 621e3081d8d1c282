"""Which pairs of many photos are matched: their number grows with that of the photos, not with its square."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

Pair = tuple[int, int]

MOST_ALL_PAIRS = 40
"""Photos, up to which every pair is matched."""

MOST_ALIKE = 20
"""Photos that a photo is matched with: those most like it."""

STEPS_IN_TIME = (1, 2, 3, 4, 6, 8, 12)
"""Key frames of a film that a frame is matched with, by how many come between."""

LOOPS = 5
"""Frames that a frame is matched with, further away in time: those most like it, should the camera have come back."""

COMMON, MOST_EXPANDED = 2, 5
"""Photos that have so many neighbours in common, who match both, are matched, too: with a photo so many, most alike.
Frames only where they are no neighbours in time."""

BRIDGES = 30
"""Pairs that are tried to join photos which match each other with the others: those most alike."""

ROUNDS = 3
"""Of looking for further pairs."""


def all_pairs(count: int, apart: Callable[[int, int], bool] | None = None) -> list[Pair]:
    """Every two of `count` photos but those that are `apart`."""
    return [pair for pair in combinations(range(count), 2) if apart is None or not apart(*pair)]


class Candidates:
    """Pairs of photos that may show the same.

    likeness: [N,N], as from `retrieval.likeness`. in_time: whether the photos are frames of a film in their order.
    apart: whether two photos are known to show nothing alike.
    """

    def __init__(self, likeness: np.ndarray, in_time: bool, apart: Callable[[int, int], bool] | None = None) -> None:
        self.count = len(likeness)
        self.in_time = in_time
        self.likeness = np.where(np.eye(self.count, dtype=bool), -np.inf, likeness)
        if apart is not None:
            for pair in combinations(range(self.count), 2):
                if apart(*pair):
                    self.likeness[pair] = self.likeness[pair[::-1]] = -np.inf

    def first(self) -> list[Pair]:
        """Of frames those that follow each other, and those alike that do not; of photos those alike, among them a tree
        that holds all together."""
        if not self.in_time:
            return self._pairs([*self._most_alike(self.likeness, MOST_ALIKE), *self._tree()])
        later = [(i, i + step) for step in STEPS_IN_TIME for i in range(self.count - step)]
        return self._pairs([*later, *self._most_alike(np.where(self._near_in_time, -np.inf, self.likeness), LOOPS)])

    def more(self, tried: Collection[Pair], verified: Collection[Pair], last: bool = False) -> list[Pair]:
        """Pairs that were not tried, seeing which were verified: those that match the same photos, and those that may
        join photos which nothing joins yet. last: only the latter."""
        left = self.likeness.copy()
        for i, j in tried:
            left[i, j] = left[j, i] = -np.inf
        rows, columns = np.array(sorted(verified), np.int64).reshape(-1, 2).T
        graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=left.shape)
        graph = graph + graph.T
        found = list(self._bridges(left, connected_components(graph, directed=False)[1]))
        if not last:
            possible = (graph @ graph).toarray() >= COMMON
            if self.in_time:
                possible &= ~self._near_in_time
            found += self._most_alike(np.where(possible, left, -np.inf), MOST_EXPANDED)
        return self._pairs(found)

    @property
    def _near_in_time(self) -> np.ndarray:
        places = np.arange(self.count)
        return np.abs(places[:, None] - places) <= STEPS_IN_TIME[-1]

    def _pairs(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Once each, in order, and only those that may show the same."""
        return [pair for pair in sorted({(min(p), max(p)) for p in pairs}) if self.likeness[pair] > -np.inf]

    def _most_alike(self, likeness: np.ndarray, most: int) -> list[Pair]:
        best = np.argsort(-likeness, axis=1, kind="stable")[:, :most]
        return [(i, int(j)) for i, row in enumerate(best) for j in row if likeness[i, j] > -np.inf]

    def _tree(self) -> Iterable[Pair]:
        """Pairs by which one comes from every photo to every other, as alike as can be."""
        possible = np.isfinite(self.likeness)
        # Distances must not be 0, which stands for no way at all.
        distances = np.where(possible, 2.0 - np.where(possible, self.likeness, 0.0), 0.0)
        tree = minimum_spanning_tree(csr_matrix(distances)).tocoo()
        return zip(tree.row.tolist(), tree.col.tolist(), strict=True)

    def _bridges(self, left: np.ndarray, part: np.ndarray) -> Iterable[Pair]:
        """For each part of the photos [N], the pairs with photos of other parts that are most alike."""
        if part.max() == 0:
            return
        for number in range(part.max() + 1):
            mine, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
            across = left[np.ix_(mine, others)]
            best = np.argsort(-across, axis=None, kind="stable")[:BRIDGES]
            for i, j in zip(*np.unravel_index(best, across.shape), strict=True):
                if across[i, j] > -np.inf:
                    yield int(mine[i]), int(others[j])
