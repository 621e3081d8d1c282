"""How well a photo's pixels match other photos at each of many depths about the one they start from.

A plane sweep (Collins 1996) along factors of a depth map in place of planes, so that the windows compared have that
map's slant and steps. Windows are compared by zero-mean normalised cross-correlation; of the sources at each depth
only the better half counts, since in the others the point may be hidden (Kang, Szeliski and Chai 2001).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from model_runtime.contract.threads import in_order
from model_runtime.depth.refinement.views import SMALLEST, MatchingView
from model_runtime.geometry.arrays import Array, device_of, like, namespace
from model_runtime.geometry.sampling import Between, functions_of, with_rim

WINDOW = 7
"""Pixels; larger ones lay the depth of near things around them, smaller ones see less texture."""

RIM = WINDOW // 2

NOISE = 0.7 / 255
"""Standard deviation within a window, in shares of white, that says nothing yet."""

UNKNOWN = 0.6
"""Cost of a depth that nothing speaks for or against: a source does not show the point, or it looks like any other."""

AT_ONCE, BY_TORCH = 1 << 16, 1 << 19
"""Pixels times depths that are compared at once: what fits into a processor's cache is several times as fast, but each
call of torch costs more than one of numpy."""


def matching_cost(
    view: MatchingView,
    sources: Sequence[MatchingView],
    factors: np.ndarray,
    tick: Callable[[], None],
    threads: int = 1,
) -> Array:
    """[h,L,w] float32 in 0..2, how badly each pixel's surroundings match at its depth divided by each of `factors` [L].

    tick: called every few milliseconds; may raise. threads: how many parts of the work go side by side.
    """
    height, width = view.grey.shape
    xp = namespace(view.grey)
    cost = xp.empty((height, len(factors), width), dtype=view.grey.dtype, device=device_of(view.grey))
    centred = _Window(view.grey)
    ways = [_Way(view, source, factors) for source in sources]
    at_once = AT_ONCE if isinstance(view.grey, np.ndarray) else BY_TORCH
    rows = max(1, at_once // (width + 2 * RIM) - 2 * RIM)
    rows = -(-height // -(-height // rows))  # strips alike
    step = max(1, at_once // ((rows + 2 * RIM) * (width + 2 * RIM)))

    def compare(block: tuple[slice, slice]) -> Array:
        some, lines = block
        nearer = factors[some]
        costs = []
        for way in ways:
            pictures = centred.room(lines, len(nearer))
            shown = way.look_up(lines, nearer, pictures[0])
            costs.append(centred.cost(pictures, shown, lines))
        return _better_half(costs)

    blocks = list(product(_slices(len(factors), step), _slices(height, rows)))
    for (some, lines), found in zip(blocks, in_order(compare, blocks, threads), strict=True):
        tick()
        cost[lines, some] = xp.moveaxis(found, 0, 1)
    return cost


def _slices(count: int, step: int) -> list[slice]:
    return [slice(first, min(first + step, count)) for first in range(0, count, step)]


class _Way:
    """Where the pixels of a view's map, with a rim around it, are seen in a source at depths divided by `factors`: the
    homogeneous place of each, times its depth, and how it moves with the factor."""

    def __init__(self, view: MatchingView, source: MatchingView, factors: np.ndarray) -> None:
        self._size = source.grey.shape
        self._picture = Between(source.grey)
        turned, moved = view.camera.transfer(source.camera, view.grey)
        xp = namespace(turned)
        x, y, z = turned * xp.exp(view.log_depth)
        # Pixels counted from the first one's centre, as `Between` takes them.
        self._places = with_rim(xp.stack((x - 0.5 * z, y - 0.5 * z, z)), RIM)
        x, y, z = (float(m) for m in moved[:, 0, 0])
        self._moved = np.array((x - 0.5 * z, y - 0.5 * z, z))
        nearest = float(xp.min(self._places[2])) + min(z * float(factors.min()), z * float(factors.max()))
        self._ahead = nearest > 0

    def look_up(self, lines: slice, nearer: np.ndarray, greys: Array) -> Array:
        """Fills `greys` [D,(r+2*RIM)*(w+2*RIM)] with those of the source at `lines` of the map, with their rim, row by
        row; which of these places the source shows, of the same shape."""
        places = self._places[:, lines.start : lines.stop + 2 * RIM].reshape(3, 1, -1)
        shifts = like(np.outer(self._moved, nearer), places)[..., None]
        x, y, z = (place + shift for place, shift in zip(places, shifts, strict=True))
        if not self._ahead:
            z = z.clip(SMALLEST, None)
        with np.errstate(over="ignore"):  # what is behind the source is infinitely far beside its picture
            x /= z
            y /= z
        height, width = self._size
        shown = x > -0.5
        for inside in (x < width - 0.5, y > -0.5, y < height - 0.5):
            shown &= inside
        self._picture.look_up(x, y, greys)
        return shown


def _better_half(costs: list[Array]) -> Array:
    """The mean of the lower half of the costs at each place; sorting is many times as slow."""
    functions = functions_of(costs[0])
    best: list[Array] = []
    for cost in costs:
        rest = cost
        for i, old in enumerate(best):
            best[i], rest = functions.minimum(old, rest), functions.maximum(old, rest)
        if len(best) < (len(costs) + 1) // 2:
            best.append(rest)
    return sum(best[1:], best[0]) / len(best)


class _Window:
    """A picture [h,w] whose windows others are compared with.

    Pictures lie row by row with a rim around them, in one dimension, in which the window of a pixel begins where the
    pixel itself would be without a rim. What is worked out at the rims is of no window, and nobody looks at it.
    """

    def __init__(self, picture: Array) -> None:
        self._size = picture.shape
        self._picture = with_rim(picture[None], RIM)[0]
        stride = self._picture.shape[1]
        pictures = self._picture.reshape(-1)
        mean = _sums(pictures, stride) / WINDOW**2
        texture = (_sums(pictures * pictures, stride) / WINDOW**2 - mean * mean).clip(0, None)
        variance = texture + NOISE**2
        telling = texture / variance
        self._mean = mean
        self._even = UNKNOWN + telling * (1 - UNKNOWN)
        self._telling = telling / (WINDOW * namespace(picture).sqrt(variance))

    def room(self, lines: slice, count: int) -> Array:
        """[3,count,(r+2*RIM)*(w+2*RIM)], for `cost`."""
        size = (lines.stop - lines.start + 2 * RIM) * self._picture.shape[1]
        xp = namespace(self._picture)
        return xp.empty((3, count, size), dtype=self._picture.dtype, device=device_of(self._picture))

    def cost(self, pictures: Array, shown: Array, lines: slice) -> Array:
        """[D,r,w] in 0..2 of pictures of these lines: 1 less the correlation; UNKNOWN where there is no texture, or
        where it is not `shown`, [D,(r+2*RIM)*(w+2*RIM)]. pictures: the first of `room`; the others are for what is
        worked out of them."""
        xp, multiply, width = namespace(pictures), functions_of(pictures).multiply, self._size[1]
        count, stride = lines.stop - lines.start, self._picture.shape[1]
        own = self._picture[lines.start : lines.stop + 2 * RIM].reshape(-1)
        multiply(pictures[0], pictures[0], out=pictures[1])
        multiply(pictures[0], own, out=pictures[2])
        sums = _sums(pictures.reshape(-1), stride).reshape(pictures.shape)
        mean, squares, products = sums[..., : count * stride]
        here = slice(lines.start * stride, lines.stop * stride)
        squares -= mean * mean * (1 / WINDOW**2)
        squares += (WINDOW * NOISE) ** 2
        mean *= self._mean[here]
        products -= mean
        with np.errstate(invalid="ignore"):  # beyond the last pixel there are no windows
            products /= xp.sqrt(squares)
        products *= self._telling[here]
        middle = slice(RIM * stride + RIM, (count + RIM) * stride + RIM)
        costs = xp.where(shown[:, middle], self._even[here] - products, UNKNOWN)
        return costs.reshape(-1, count, stride)[..., :width]


def _sums(pictures: Array, stride: int) -> Array:
    """[n]: over windows that begin at each place of pictures [n], whose rows are so long; 0 for the last ones, which
    reach beyond the end. By sums of two, of four and of what is left."""
    xp, add = namespace(pictures), functions_of(pictures).add
    two, end = xp.empty_like(pictures), len(pictures)
    for step in (1, stride):
        total = xp.empty_like(pictures)
        add(pictures[: end - step], pictures[step:end], out=two[: end - step])
        add(two[: end - 3 * step], two[2 * step : end - step], out=total[: end - 3 * step])
        total[: end - 6 * step] += two[4 * step : end - 2 * step]
        total[: end - 6 * step] += pictures[6 * step : end]
        pictures, end = total, end - 6 * step
    pictures[end:] = 0
    return pictures
