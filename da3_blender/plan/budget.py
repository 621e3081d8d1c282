"""Which points and splats are made where there are more than may be. Numpy only."""

from __future__ import annotations

import numpy as np


def within_budget(repeated: np.ndarray, budget: int) -> np.ndarray:
    """[N] bool, at most `budget` of them True: an even, seeded choice of those that `repeated` [N] bool does not name;
    the others fill what these leave."""
    if len(repeated) <= budget:
        return np.ones(len(repeated), dtype=bool)
    keep = np.zeros(len(repeated), dtype=bool)
    rng = np.random.default_rng(0)
    left = budget
    for some in (np.flatnonzero(~repeated), np.flatnonzero(repeated)):
        chosen = some if len(some) <= left else rng.choice(some, size=left, replace=False, shuffle=False)
        keep[chosen] = True
        left -= len(chosen)
    return keep
