"""Depth everywhere from depth that is known, more or less surely, at some pixels.

What is solved for is the inverse depth, as a factor of that of the map one has. Where photos agree, it is theirs.
Elsewhere it is as flat as can be: inverse depth is linear in the picture on any plane, so its second differences are
kept small (total generalised variation of second order, Bredies, Kunisch and Pock 2010, here by reweighted least
squares); the factor itself changes little, which keeps the network's shapes; and both give way at edges of the
picture. Wrong points lose their say by Cauchy weights. From coarse to fine, by conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

ERROR = 0.01
"""Relative error of a depth that photos agree on."""

BEND, FLATNESS = 0.003, 0.3
"""Second difference of the inverse depth, relative to itself, where a surface bends, and what flatness counts."""

CHANGE, SHAPE = 0.02, 0.1
"""Difference of the factor between neighbours where the network's shape is wrong, and what that shape counts."""

STRAY, TRUST = 0.1, 0.001
"""How far the network's depth is off, relatively, and what it counts by itself."""

EDGE, LEAST_TIE = 0.04, 0.003
"""Difference of colours, in shares of white, at which neighbours are tied by 1/e, and how little they are tied."""

BOLD = 3.0
"""Differences so many times as large as BEND are half way to being steps, which cost no more the larger they are."""

LEVELS = 3
COARSE, FINE = (torch.inf, 0.2, 0.1, 0.05, 0.03, 0.03), (0.3, 0.1, 0.05)
"""Relative errors at which known depth loses half its say, round after round, on the coarsest level and on others."""

ITERATIONS, TOLERANCE = (300, 200, 150), 1e-4
FACTORS = 0.2, 5.0

Stencil = tuple[tuple[int, int, float], ...]
"""Row, column and weight of each pixel that a difference takes."""

FIRST: tuple[Stencil, ...] = (((0, 0, -1), (0, 1, 1)), ((0, 0, -1), (1, 0, 1)))
SECOND: tuple[Stencil, ...] = (
    ((0, 0, 1), (0, 1, -2), (0, 2, 1)),
    ((0, 0, 1), (1, 0, -2), (2, 0, 1)),
    ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)),
)


@dataclass(frozen=True, eq=False)
class Known:
    """log_depth: [h,w]. weight: [h,w] in 0..1, 0 where nothing is known."""

    log_depth: Tensor
    weight: Tensor


def fill(log_depth: Tensor, known: Sequence[Known], color: Tensor, tick: Callable[[], None]) -> Tensor:
    """[h,w], the logarithm of the depth everywhere.

    log_depth: [h,w], of the map one has. color: [3,h,w] in 0..1. tick: called every few milliseconds; may raise.
    """
    size = log_depth.shape
    factor = torch.ones(1, 1, device=log_depth.device)
    for level in reversed(range(LEVELS)):
        height, width = (max(len(SECOND), round(side / 2**level)) for side in size)
        reduced = partial(_reduced, size=(height, width))
        factor = interpolate(factor[None, None], (height, width), mode="bilinear", align_corners=False)[0, 0]
        weights = [reduced(each.weight) for each in known]
        targets = [
            reduced((log_depth - each.log_depth).exp() * each.weight) / weight.clamp_min(1e-9)
            for each, weight in zip(known, weights, strict=True)
        ]
        nearness = (-reduced(log_depth)).exp()
        coarsest = level == LEVELS - 1
        problem = _Problem(nearness, targets, weights, _ties(torch.stack([reduced(channel) for channel in color])))
        for halving in COARSE if coarsest else FINE:
            factor = problem.solve(factor, halving, ITERATIONS[LEVELS - 1 - level], tick)
    return log_depth - factor.log()


def _reduced(dense: Tensor, size: tuple[int, int]) -> Tensor:
    """A map made smaller by means over areas."""
    return dense if dense.shape == size else interpolate(dense[None, None], size, mode="area")[0, 0]


def _ties(color: Tensor) -> Tensor:
    """[h,w] in 0..1, how much a pixel of [3,h,w] is tied to its neighbours."""
    across = (color[:, :, 1:] - color[:, :, :-1]).abs().amax(0)
    down = (color[:, 1:] - color[:, :-1]).abs().amax(0)
    steps = (pad(across, (0, 1)), pad(across, (1, 0)), pad(down, (0, 0, 0, 1)), pad(down, (0, 0, 1, 0)))
    return (-torch.stack(steps).amax(0) / EDGE).exp().clamp_min(LEAST_TIE)


class _Problem:
    """One level. nearness: [h,w], inverse depth. targets, weights: factors of it that are known, and how surely."""

    def __init__(self, nearness: Tensor, targets: list[Tensor], weights: list[Tensor], ties: Tensor) -> None:
        self._targets, self._weights = targets, weights
        self._terms = [
            _Term(stencil, torch.ones_like(nearness), ties, SHAPE, CHANGE, BOLD * CHANGE) for stencil in FIRST
        ]
        for stencil in SECOND:
            mixed = 2.0 if stencil == SECOND[-1] else 1.0
            self._terms.append(_Term(stencil, nearness, ties, mixed * FLATNESS, BEND, BOLD * BEND))

    def solve(self, factor: Tensor, halving: float, iterations: int, tick: Callable[[], None]) -> Tensor:
        """The next factor [h,w], with the weights that the last one gives."""
        diagonal = torch.full_like(factor, TRUST / STRAY**2)
        right = diagonal.clone()
        for target, weight in zip(self._targets, self._weights, strict=True):
            says = weight / (1 + ((factor - target) / halving) ** 2) / ERROR**2
            diagonal += says
            right += says * target
        weighted = [(term, term.reweighted(factor)) for term in self._terms]

        def product(x: Tensor) -> Tensor:
            return sum((term.product(x, weight) for term, weight in weighted), diagonal * x)

        preconditioner = sum((term.diagonal(weight) for term, weight in weighted), diagonal)
        return _conjugate_gradients(product, right, preconditioner, factor, iterations, tick).clamp(*FACTORS)


class _Term:
    """Differences of the factor times `scale` [h,w], relative to that scale, that are to be small."""

    def __init__(self, stencil: Stencil, scale: Tensor, ties: Tensor, weight: float, size: float, bold: float) -> None:
        """size: of a difference that counts 1. bold: of one that is half way to being a step."""
        self._stencil, self._scale, self._bold = stencil, scale, bold
        self._rows, self._columns = (1 + max(tap[i] for tap in stencil) for i in (0, 1))
        parts = [self._part(ties, row, column) for row, column, _ in stencil]
        row, column, _ = stencil[len(stencil) // 2] if len(stencil) == 3 else stencil[-1]
        self._middle = self._part(scale, row, column)
        self._weight = weight / size**2 * torch.stack(parts).amin(0) / self._middle**2
        self._own = (self._difference(scale) / self._middle).abs()

    def reweighted(self, factor: Tensor) -> Tensor:
        """Weights of the differences of what is smooth but for steps: those it has, and those the network sees."""
        relative = (self._difference(factor * self._scale) / self._middle).abs()
        return self._weight / (1 + (torch.maximum(relative, self._own) / self._bold) ** 2)

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """The normal equations' part [h,w] for these weights."""
        weighted = weight * self._difference(x * self._scale)
        result = torch.zeros_like(x)
        for row, column, share in self._stencil:
            self._part(result, row, column).add_(weighted, alpha=share)
        return result.mul_(self._scale)

    def diagonal(self, weight: Tensor) -> Tensor:
        result = torch.zeros_like(self._scale)
        for row, column, share in self._stencil:
            self._part(result, row, column).add_(weight, alpha=share**2)
        return result * self._scale**2

    def _difference(self, x: Tensor) -> Tensor:
        (row, column, share), *others = self._stencil
        total = self._part(x, row, column) * share
        for row, column, share in others:
            total.add_(self._part(x, row, column), alpha=share)
        return total

    def _part(self, x: Tensor, row: int, column: int) -> Tensor:
        height, width = x.shape
        return x[row : height - self._rows + 1 + row, column : width - self._columns + 1 + column]


def _conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    right: Tensor,
    diagonal: Tensor,
    start: Tensor,
    iterations: int,
    tick: Callable[[], None],
) -> Tensor:
    """Of product(x) = right, with Jacobi's preconditioner."""
    x = start
    rest = right - product(x)
    direction = scaled = rest / diagonal
    size = (rest * scaled).sum()
    enough = TOLERANCE**2 * float((right * right / diagonal).sum())
    for i in range(iterations):
        if not i % 20:
            tick()
        if float(size) < enough:
            break
        moved = product(direction)
        step = size / (direction * moved).sum()
        x = x + step * direction
        rest = rest - step * moved
        scaled = rest / diagonal
        size, before = (rest * scaled).sum(), size
        direction = scaled + size / before * direction
    return x
