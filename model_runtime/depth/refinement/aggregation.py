"""From how well each pixel matches by itself to one smooth choice for all: semi-global matching (Hirschmueller 2008).

What is smooth is the factor about the depth that the sweep went along, so that where photos say nothing, that depth's
shape stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.arrays import Array, namespace
from model_runtime.geometry.sampling import functions_of, put_along

SMALL_STEP = 0.1
"""Cost of a factor that is the next one at the neighbouring pixel."""

JUMP = 2.0
"""Cost of any other, where the picture is even."""

EDGE = 0.05
"""Difference of neighbouring greys, in shares of white, at which a jump costs half as much."""

SAME = 3
"""Factors so many steps away from the best are no other choice than it."""


@dataclass(frozen=True, eq=False)
class Choice:
    """factor: [h,w], between the factors of the sweep. margin: [h,w] >= 0, how much worse any other choice would be."""

    factor: Array
    margin: Array


def choose_factors(cost: Array, grey: Array, factors: np.ndarray, tick: Callable[[], None]) -> Choice:
    """cost: [h,L,w], see `matching_cost`. grey: [h,w]. factors: [L], evenly spaced."""
    total = namespace(cost).zeros_like(cost)
    _add_paths(total, cost, grey, tick)
    total, cost = _turned(total), _turned(cost)
    _add_paths(total, cost, namespace(grey).matrix_transpose(grey), tick)
    total /= 4
    choice = _lowest(total, factors)
    return Choice(choice.factor.T, choice.margin.T)


def _turned(volume: Array) -> Array:
    """[n,L,m] as [m,L,n], in this order in memory too: steps along the first axis are many times as fast."""
    count, choices, lines = volume.shape
    turned = namespace(volume).empty_like(volume).reshape(lines, choices, count)
    for i in range(choices):
        turned[:, i] = volume[:, i].T
    return turned


def _add_paths(total: Array, cost: Array, grey: Array, tick: Callable[[], None]) -> None:
    """Add to total [n,L,m] the cost of the best paths that lead to each place along the first axis of cost [n,L,m],
    forth and back. grey: [n,m]."""
    jumps = SMALL_STEP + (JUMP - SMALL_STEP) / (1 + abs(grey[1:] - grey[:-1]) / EDGE)
    steps = range(len(cost))
    for order, between in ((steps, [0, *steps[:-1]]), (steps[::-1], steps)):
        _add_path(total, cost, jumps, [(i, between[i]) for i in order], tick)


def _add_path(total: Array, cost: Array, jumps: Array, order: list[tuple[int, int]], tick: Callable[[], None]) -> None:
    """One way. jumps: [n-1,m], the cost of a jump between a place and the next. order: the places, each with the place
    of the jump to it."""
    functions, xp = functions_of(cost), namespace(cost)
    (first, _), *others = order
    before = xp.full_like(cost[0, :1], float("inf"))
    before = xp.concat((before, cost[first], before))
    here = xp.asarray(before, copy=True)
    total[first] += cost[first]
    beside = xp.empty_like(cost[0])
    for step, (i, jump) in enumerate(others, 1):
        if not step % 64:
            tick()
        kept, new = before[1:-1], here[1:-1]
        lowest = functions.amin(kept, 0)
        functions.minimum(before[:-2], before[2:], out=beside)
        beside += SMALL_STEP
        functions.minimum(kept, beside, out=beside)
        functions.minimum(beside, lowest + jumps[jump], out=beside)
        beside -= lowest
        functions.add(beside, cost[i], out=new)
        total[i] += new
        before, here = here, before


def _lowest(total: Array, factors: np.ndarray) -> Choice:
    """The lowest of [n,L,m], between two factors by the parabola through it and its neighbours. Uses the costs up."""
    xp, last = namespace(total), len(factors) - 1
    best = xp.argmin(total, axis=1, keepdims=True)
    middle = best.clip(1, last - 1)
    left, low, right = (xp.take_along_axis(total, middle + step, axis=1)[:, 0] for step in (-1, 0, 1))
    shift = ((left - right) / (2 * (left - 2 * low + right)).clip(1e-9, None)).clip(-0.5, 0.5)
    shift = xp.where(best[:, 0] == middle[:, 0], shift, 0.0)
    factor = float(factors[0]) + float(factors[1] - factors[0]) * (xp.astype(best[:, 0], total.dtype) + shift)
    lowest = xp.take_along_axis(total, best, axis=1)[:, 0]
    for step in range(-SAME, SAME + 1):
        put_along(total, (best + step).clip(0, last), float("inf"), 1)
    return Choice(factor, xp.min(total, axis=1) - lowest)
