"""Photos that fall into parts which features do not join, such as those of two rooms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from model_runtime.cameras.features.matching import Matches
from model_runtime.contract.photo_names import listed

FEWEST, LEAST_SHARE = 3, 0.1
"""Photos, and share of all of them, that make a part worth a sentence."""


def largest_group(matches: Matches) -> np.ndarray:
    """[N] bool: the largest group of photos that verified matches join; nobody where none does."""
    count = len(matches.photos)
    label = _groups(list(matches.geometries), count)
    group = label == np.bincount(label).argmax()
    return group if group.sum() > 1 else np.zeros(count, bool)


def _groups(pairs: Sequence[tuple[int, int]], count: int) -> np.ndarray:
    """[N], for each of the photos the number of its group, which pairs join."""
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def part_notes(registered: np.ndarray, matches: Matches) -> list[str]:
    """A sentence for each large group of photos that match each other but are not `registered` [N] bool."""
    notes = []
    for part in other_parts(registered, matches):
        names = [matches.photos[i].name for i in part]
        notes.append(
            f"{len(names)} photos ({listed(names)}) match each other but hardly the others, as photos of another room "
            "do. Photos that show both would join them; or make a scene of these alone."
        )
    return notes


def other_parts(registered: np.ndarray, matches: Matches) -> list[list[int]]:
    """The places of photos that are not registered but match each other, the largest group first."""
    pairs = [pair for pair in matches.geometries if not registered[list(pair)].any()]
    label = _groups(pairs, len(registered))
    groups = [np.flatnonzero(~registered & (label == number)).tolist() for number in np.unique(label[~registered])]
    least = max(FEWEST, LEAST_SHARE * len(registered))
    return sorted((group for group in groups if len(group) >= least), key=len, reverse=True)
