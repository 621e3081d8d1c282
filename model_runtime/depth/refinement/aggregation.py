"""From how well each pixel matches by itself to one smooth choice for all: semi-global matching (Hirschmueller 2008).

What is smooth is the factor about the depth that the sweep went along, so that where photos say nothing, that depth's
shape stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

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

    factor: Tensor
    margin: Tensor


def choose_factors(cost: Tensor, grey: Tensor, factors: Tensor, tick: Callable[[], None]) -> Choice:
    """cost: [h,w,L], see `matching_cost`. grey: [h,w]. factors: [L], evenly spaced."""
    total = torch.zeros_like(cost)
    for axis in (0, 1):
        along = grey.movedim(axis, 0)
        jumps = SMALL_STEP + (JUMP - SMALL_STEP) / (1 + (along[1:] - along[:-1]).abs() / EDGE)
        for forth in (True, False):
            _add_paths(total.movedim(axis, 0), cost.movedim(axis, 0), jumps, forth, tick)
    return _lowest(total / 4, factors)


def _add_paths(total: Tensor, cost: Tensor, jumps: Tensor, forth: bool, tick: Callable[[], None]) -> None:
    """Add to total [n,m,L] the cost of the best paths that lead to each place along the first axis of cost [n,m,L].

    jumps: [n-1,m], the cost of a jump between a place and the next.
    """
    count, lines, choices = cost.shape
    before = torch.full((lines, choices + 2), torch.inf, device=cost.device)
    order = range(count) if forth else range(count - 1, -1, -1)
    for step, i in enumerate(order):
        here = cost[i]
        if step:
            if not step % 64:
                tick()
            kept = before[:, 1:-1]
            lowest = kept.amin(1, keepdim=True)
            beside = torch.minimum(before[:, :-2], before[:, 2:]).add_(SMALL_STEP)
            jump = lowest + jumps[i - 1 if forth else i][:, None]
            here = here + (torch.minimum(torch.minimum(kept, beside), jump) - lowest)
        total[i] += here
        before[:, 1:-1] = here


def _lowest(total: Tensor, factors: Tensor) -> Choice:
    """The lowest of [h,w,L], between two factors by the parabola through it and its neighbours."""
    best = total.argmin(2, keepdim=True)
    middle = best.clamp(1, len(factors) - 2)
    left, low, right = (total.gather(2, middle + step)[..., 0] for step in (-1, 0, 1))
    shift = ((left - right) / (2 * (left - 2 * low + right)).clamp_min(1e-9)).clamp(-0.5, 0.5)
    shift = torch.where(best[..., 0] == middle[..., 0], shift, 0.0)
    factor = factors[0] + (factors[1] - factors[0]) * (best[..., 0] + shift)
    lowest = total.gather(2, best)[..., 0]
    for step in range(-SAME, SAME + 1):
        total.scatter_(2, (best + step).clamp(0, len(factors) - 1), torch.inf)
    return Choice(factor, total.amin(2) - lowest)
