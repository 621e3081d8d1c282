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

from model_runtime.geometry.arrays import Array, device_of, namespace
from model_runtime.geometry.sampling import resized

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
COARSE, FINE = (float("inf"), 0.2, 0.1, 0.05, 0.03, 0.03), (0.3, 0.1, 0.05)
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

    log_depth: Array
    weight: Array


def fill(log_depth: Array, known: Sequence[Known], color: Array, tick: Callable[[], None]) -> Array:
    """[h,w], the logarithm of the depth everywhere.

    log_depth: [h,w], of the map one has. color: [3,h,w] in 0..1. tick: called every few milliseconds; may raise.
    """
    xp, size = namespace(log_depth), log_depth.shape
    factor = xp.ones((1, 1), dtype=log_depth.dtype, device=device_of(log_depth))
    for level in reversed(range(LEVELS)):
        height, width = (max(len(SECOND), round(side / 2**level)) for side in size)
        reduced = partial(resized, size=(height, width), way="area")
        factor = resized(factor, (height, width), "bilinear")
        weights = [reduced(each.weight) for each in known]
        targets = [
            reduced(xp.exp(log_depth - each.log_depth) * each.weight) / weight.clip(1e-9, None)
            for each, weight in zip(known, weights, strict=True)
        ]
        nearness = xp.exp(-reduced(log_depth))
        coarsest = level == LEVELS - 1
        problem = _Problem(nearness, targets, weights, _ties(xp.stack([reduced(channel) for channel in color])))
        for halving in COARSE if coarsest else FINE:
            factor = problem.solve(factor, halving, ITERATIONS[LEVELS - 1 - level], tick)
    return log_depth - xp.log(factor)


def _ties(color: Array) -> Array:
    """[h,w] in 0..1, how much a pixel of [3,h,w] is tied to its neighbours."""
    xp = namespace(color)
    across = xp.max(abs(color[:, :, 1:] - color[:, :, :-1]), axis=0)
    down = xp.max(abs(color[:, 1:] - color[:, :-1]), axis=0)
    steps = xp.zeros_like(color[0])
    for part, step in (
        (steps[:, :-1], across),
        (steps[:, 1:], across),
        (steps[:-1], down),
        (steps[1:], down),
    ):
        part[...] = xp.maximum(part, step)
    return xp.exp(-steps / EDGE).clip(LEAST_TIE, None)


class _Problem:
    """One level. nearness: [h,w], inverse depth. targets, weights: factors of it that are known, and how surely."""

    def __init__(self, nearness: Array, targets: list[Array], weights: list[Array], ties: Array) -> None:
        self._size, self._nearness = nearness.shape, nearness.reshape(-1)
        self._known = [
            (target.reshape(-1), weight.reshape(-1)) for target, weight in zip(targets, weights, strict=True)
        ]
        even = namespace(nearness).ones_like(nearness)
        self._changes = [_Term(stencil, even, ties, SHAPE, CHANGE, BOLD * CHANGE) for stencil in FIRST]
        self._bends = []
        for stencil in SECOND:
            mixed = 2.0 if stencil == SECOND[-1] else 1.0
            self._bends.append(_Term(stencil, nearness, ties, mixed * FLATNESS, BEND, BOLD * BEND))

    def solve(self, factor: Array, halving: float, iterations: int, tick: Callable[[], None]) -> Array:
        """The next factor [h,w], with the weights that the last one gives."""
        xp, nearness = namespace(factor), self._nearness
        factor = factor.reshape(-1)
        diagonal = xp.full_like(factor, TRUST / STRAY**2)
        right = xp.asarray(diagonal, copy=True)
        for target, weight in self._known:
            says = weight / (1 + ((factor - target) / halving) ** 2) / ERROR**2
            diagonal += says
            right += says * target
        changes = [(term, term.reweighted(factor)) for term in self._changes]
        bends = [(term, term.reweighted(factor * nearness)) for term in self._bends]

        def product(x: Array) -> Array:
            near = x * nearness
            result = xp.zeros_like(x)
            for term, weight in bends:
                term.add_product(near, weight, result)
            result *= nearness
            for term, weight in changes:
                term.add_product(x, weight, result)
            result += diagonal * x
            return result

        preconditioner = xp.zeros_like(factor)
        for term, weight in bends:
            term.add_diagonal(weight, preconditioner)
        preconditioner *= nearness * nearness
        for term, weight in changes:
            term.add_diagonal(weight, preconditioner)
        preconditioner += diagonal
        found = _conjugate_gradients(product, right, preconditioner, factor, iterations, tick)
        return found.clip(*FACTORS).reshape(self._size)


class _Term:
    """Differences of a map that are to be small, relative to `scale` [h,w].

    Maps lie row by row in one dimension, which is fastest; a difference that would reach beyond the end of a row, into
    the next one, weighs nothing.
    """

    def __init__(self, stencil: Stencil, scale: Array, ties: Array, weight: float, size: float, bold: float) -> None:
        """size: of a difference that counts 1. bold: of one that is half way to being a step."""
        height, width = scale.shape
        self._bold = bold
        self._taps = [(row * width + column, share) for row, column, share in stencil]
        self._count = height * width - max(place for place, _ in self._taps)
        xp, scale = namespace(scale), scale.reshape(-1)
        place, _ = self._taps[len(stencil) // 2] if len(stencil) == 3 else self._taps[-1]
        self._middle = self._part(scale, place)
        tied = xp.min(xp.stack([self._part(ties.reshape(-1), place) for place, _ in self._taps]), axis=0)
        for column in range(width - max(column for _, column, _ in stencil), width):
            tied[column::width] = 0
        self._weight = weight / size**2 * tied / self._middle**2
        self._own = abs(self._difference(scale) / self._middle)

    def reweighted(self, map: Array) -> Array:
        """Weights of the differences of what is smooth but for steps: those it has, and those the network sees."""
        relative = abs(self._difference(map) / self._middle)
        return self._weight / (1 + (namespace(map).maximum(relative, self._own) / self._bold) ** 2)

    def add_product(self, x: Array, weight: Array, result: Array) -> None:
        """The normal equations' part for these weights, of a map x, added to `result`; [h*w] both."""
        weighted = self._difference(x)
        weighted *= weight
        for place, share in self._taps:
            _add(self._part(result, place), weighted, share)

    def add_diagonal(self, weight: Array, result: Array) -> None:
        for place, share in self._taps:
            _add(self._part(result, place), weight, share**2)

    def _difference(self, x: Array) -> Array:
        (place, share), *others = self._taps
        total = self._part(x, place) * share
        for place, share in others:
            _add(total, self._part(x, place), share)
        return total

    def _part(self, x: Array, place: int) -> Array:
        return x[place : place + self._count]


def _add(total: Array, part: Array, share: float) -> None:
    """In place, and at once where it is counted once."""
    if share == 1:
        total += part
    elif share == -1:
        total -= part
    else:
        total += share * part


def _conjugate_gradients(
    product: Callable[[Array], Array],
    right: Array,
    diagonal: Array,
    start: Array,
    iterations: int,
    tick: Callable[[], None],
) -> Array:
    """Of product(x) = right, with Jacobi's preconditioner."""
    xp = namespace(right)
    x = xp.asarray(start, copy=True)
    rest = right - product(x)
    scaled = rest / diagonal
    direction = xp.asarray(scaled, copy=True)
    size = xp.sum(rest * scaled)
    enough = TOLERANCE**2 * float(xp.sum(right * right / diagonal))
    for i in range(iterations):
        if not i % 20:
            tick()
        if float(size) < enough:
            break
        moved = product(direction)
        step = size / xp.sum(direction * moved)
        x += step * direction
        moved *= step
        rest -= moved
        scaled = rest / diagonal
        size, before = xp.sum(rest * scaled), size
        direction *= size / before
        direction += scaled
    return x
