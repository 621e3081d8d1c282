"""In which order splats are left out with the least visible loss, and from when on those that stay must grow.
Numpy only.

Splats are walked along a space-filling curve, and the first N of the points of van der Corput's sequence on it tell
which N splats stay: spread evenly at every N, so that gaps are even, too, and growing covers them. A splat has more of
the curve, and so stays longer, the more it differs in colour from those around it, and the larger it is than they.
"""

from __future__ import annotations

import numpy as np

from model_runtime.contract.harmonics import BASE

from .morton import morton_codes

BITS = 40
"""Of the places on the curve."""

AROUND_COLOR, AROUND_SIZE = 4, 64
"""How many splats before and after one on the curve it is compared with."""

PLAIN = 0.5
"""What a splat counts that has the colour of those around it, in the unit of colours' differences."""

REVERSED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)


def thinning(
    position: np.ndarray, scale: np.ndarray, base: np.ndarray, repeated: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ranks [G] and shares `alone` [G] of splats, both float32 in 0..1; arguments as in `SplatPlan`.

    Of all splats, those of a rank below s are the share s to show. Each of them then stands for alone / s splats like
    it, where that is more than 1. Repeated splats are ranked on their own, so that both hold without them.
    """
    count = len(position)
    if not count:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    codes, _ = morton_codes(position)
    order = np.argsort(codes | repeated.astype(np.uint64) << np.uint64(63), kind="stable")
    weight = _weights(scale[order], base[order])
    number = _first_numbers(weight)
    by_number = np.argsort(number, kind="stable")
    rank, alone = np.empty(count, np.float32), np.empty(count, np.float32)
    rank[order[by_number]] = (np.arange(count) + 0.5) / count
    # After n points a splat of weight w was met n * w / sum(w) times on average: once, when n is sum(w) / w.
    alone[order] = np.searchsorted(number[by_number], weight.sum() / weight) / count
    return rank, alone


def _weights(scale: np.ndarray, base: np.ndarray) -> np.ndarray:
    """[G] float64: how much of the curve each of the splats along it has."""
    lengths = np.sort(np.maximum(scale, 1e-12), axis=1).astype(np.float64)
    size = np.log(lengths[:, 1] * lengths[:, 2])
    color = base[:, :3].astype(np.float64) * BASE
    contrast = np.abs(color - _around(color, AROUND_COLOR)).sum(axis=1)
    return np.exp((size - _around(size[:, None], AROUND_SIZE)[:, 0]) / 2) * (contrast + PLAIN)


def _around(values: np.ndarray, reach: int) -> np.ndarray:
    """Means [G,C] of `values` [G,C] over each and the `reach` before and after it."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    places = np.arange(len(values))
    first, end = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    return (total[end] - total[first]) / (end - first)[:, None]


def _first_numbers(weight: np.ndarray) -> np.ndarray:
    """[G] int64: the first number whose place in van der Corput's sequence lies in each part of the unit interval, cut
    into parts as wide as `weight` [G] says."""
    ends = np.cumsum(weight)
    ends = np.ceil(ends / ends[-1] * 2.0**BITS).astype(np.int64)
    first, last = np.concatenate([[0], ends[:-1]]), ends - 1
    # That place has the fewest binary digits of all in the part: those of its last one, down to where they leave those
    # of what comes before the first.
    differ = np.frexp(((first - 1) ^ last).astype(np.float64))[1].astype(np.int64) - 1
    place = np.where(first == 0, 0, last >> np.maximum(differ, 0) << np.maximum(differ, 0))
    number = _reversed_bits(place.astype(np.uint64)) >> np.uint64(64 - BITS)
    return np.where(last < first, 2**BITS, number.astype(np.int64))


def _reversed_bits(numbers: np.ndarray) -> np.ndarray:
    """[N] uint64 with their 64 bits in the opposite order."""
    return REVERSED[numbers.astype("<u8").view(np.uint8).reshape(-1, 8)[:, ::-1]].copy().view("<u8")[:, 0]
