"""How well a photo's pixels match other photos at each of many depths about the one they start from.

A plane sweep (Collins 1996) along factors of a depth map in place of planes, so that the windows compared have that
map's slant and steps. Windows are compared by zero-mean normalised cross-correlation; of the sources at each depth
only the better half counts, since in the others the point may be hidden (Kang, Szeliski and Chai 2001).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from model_runtime.depth.refinement.views import MatchingView

WINDOW = 7
"""Pixels; larger ones lay the depth of near things around them, smaller ones see less texture."""

NOISE = 0.7 / 255
"""Standard deviation within a window, in shares of white, that says nothing yet."""

UNKNOWN = 0.6
"""Cost of a depth that nothing speaks for or against: a source does not show the point, or it looks like any other."""

AT_ONCE = 1 << 19
"""Pixels times depths that are compared at once: what fits into a processor's cache is several times as fast."""


def matching_cost(
    view: MatchingView, sources: Sequence[MatchingView], factors: Tensor, tick: Callable[[], None]
) -> Tensor:
    """[h,w,L] float32 in 0..2, how badly each pixel's surroundings match at its depth divided by each of `factors` [L].

    tick: called every few milliseconds; may raise.
    """
    height, width = view.grey.shape
    cost = torch.empty(len(factors), height, width, device=view.grey.device)
    centred = _Window(view.grey[None])
    depth = view.log_depth.exp()
    ways = []
    for source in sources:
        turned, moved = view.camera.transfer(source.camera, view.grey.device)
        ways.append((source, turned * depth, moved))
    step = max(1, AT_ONCE // (height * width))
    for first in range(0, len(factors), step):
        nearer = factors[first : first + step, None, None]
        best: list[Tensor] = []
        for source, turned, moved in ways:
            tick()
            best = _among_best(best, _cost_in(source, centred, turned, moved, nearer), (len(sources) + 1) // 2)
        cost[first : first + step] = torch.stack(best).mean(0)
    return cost.permute(1, 2, 0).contiguous()


def _cost_in(source: MatchingView, centred: _Window, turned: Tensor, moved: Tensor, nearer: Tensor) -> Tensor:
    """[L,h,w] of one source. turned, moved: of `MapCamera.transfer`, turned times the depth. A point `nearer` times as
    near is seen where turned + nearer * moved is, but for its length."""
    height, width = source.grey.shape
    x, y, z = (t + nearer * m for t, m in zip(turned, moved, strict=True))
    before = z > 0
    z = torch.where(before, z, 1.0)
    x, y = x * (2 / width) / z - 1, y * (2 / height) / z - 1
    seen = before & (x.abs() < 1) & (y.abs() < 1)
    places = torch.stack((x, y), -1)
    picture = source.grey.expand(len(places), 1, height, width)
    looked_up = grid_sample(picture, places, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]
    return torch.where(seen, centred.cost(looked_up), UNKNOWN)


def _among_best(best: list[Tensor], new: Tensor, most: int) -> list[Tensor]:
    """The `most` lowest costs at each place, lowest first; torch.topk is many times as slow."""
    for i, old in enumerate(best):
        best[i], new = torch.minimum(old, new), torch.maximum(old, new)
    return best if len(best) == most else [*best, new]


class _Window:
    """A picture [1,h,w] whose windows others are compared with."""

    def __init__(self, picture: Tensor) -> None:
        self._picture = picture
        self._mean = box(picture)
        texture = (box(picture * picture) - self._mean**2).clamp_min(0)
        self._variance = texture + NOISE**2
        self._telling = texture / self._variance

    def cost(self, pictures: Tensor) -> Tensor:
        """[L,h,w] in 0..2 of each of `pictures` [L,h,w]: 1 less the correlation; UNKNOWN where there is no texture."""
        mean = box(pictures)
        variance = (box(pictures * pictures) - mean * mean).clamp_min(0) + NOISE**2
        covariance = box(self._picture * pictures) - self._mean * mean
        correlation = covariance * torch.rsqrt(self._variance * variance)
        return UNKNOWN + self._telling * (1 - UNKNOWN - correlation)


def box(pictures: Tensor) -> Tensor:
    """Means over windows of [L,h,w], whose rims repeat beyond them."""
    padded = pad(pictures, (WINDOW // 2,) * 4, mode="replicate")
    return _sums(_sums(padded, -1), -2) * (1 / WINDOW**2)


def _sums(pictures: Tensor, dimension: int) -> Tensor:
    """Of WINDOW neighbours along a dimension, by sums of two, of four and of what is left."""
    length = pictures.shape[dimension] - WINDOW + 1
    two = pictures.narrow(dimension, 0, length + 5) + pictures.narrow(dimension, 1, length + 5)
    four = two.narrow(dimension, 0, length) + two.narrow(dimension, 2, length)
    return four + two.narrow(dimension, 4, length) + pictures.narrow(dimension, 6, length)
