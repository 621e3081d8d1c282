"""Depth that the photos agree on: every map corrected by what other photos show of the same things.

Needs cameras that are right. Each photo is compared with a few others at many depths about the one it has (`sweep`),
one smooth choice is made of that (`aggregation`), what other photos bear out is kept (`agreement`), and the rest
follows from it (`fill`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from model_runtime.contract.progress import Span
from model_runtime.depth.refinement.aggregation import choose_factors
from model_runtime.depth.refinement.agreement import agreement, seen_points
from model_runtime.depth.refinement.fill import Known, fill
from model_runtime.depth.refinement.sources import choose_sources
from model_runtime.depth.refinement.sweep import matching_cost
from model_runtime.depth.refinement.views import MapCamera, MatchingView, matching_view

COMPARED, CHECKED = 4, 8
"""Other photos that a photo is compared with, and that may bear out or deny what comes of it."""

NEARER = 0.35, 1.8
STEPS = 73
"""Depths that are tried: the one a pixel has, divided by so much, evenly. Networks rather see things too near."""

CLEAR = 0.6
"""How much worse any other depth must be for one to be beyond doubt."""

SURE, BORROWED = 0.15, 0.2
"""How sure a pixel must be for other photos to use its point, and what that counts for them."""

LEAST_SURE = 0.03
"""Below this a pixel knows nothing: of even surfaces, chance alone makes as much."""

BORNE_OUT, LEAST_BORNE_OUT = 0.1, 0.15
"""How sure pixels must be, and what share of them, for a photo to show that its camera is right. In two rooms with few
textures 0.21 and more were with the true cameras, 0.13 and less with those of other photos."""

TELLING = 0.05
"""Share of a photo's pixels that must be SURE for them to tell the scale of its whole depth."""

STRAY = 0.03
"""A pixel that was matched but came out different by more than this, relatively, is none that photos agree on."""

SPREAD_SHARE = 0.5
"""Of its agreement, what depth counts that was not matched but follows from other pixels'."""

DEPTHS = 1e-3, 1e3
"""Shares of the median depth; a map that reaches beyond shows nothing, and is left as it is."""

MATCHED, FILLED = 0.75, 0.95
"""Shares of the work after which photos are matched, and after which depth is everywhere."""


@dataclass(frozen=True, eq=False)
class DepthPhoto:
    """A photo whose depth is to be refined. grey: [h,w] uint8, what is compared. depth: [H,W] float32, in the unit of
    the cameras' world. color: [H,W,3] uint8. shown: [H,W] bool, what is neither sky nor transparent.
    photo, intrinsics, extrinsics: its (width, height) and its camera."""

    name: str
    grey: np.ndarray
    depth: np.ndarray
    color: np.ndarray
    shown: np.ndarray
    photo: tuple[int, int]
    intrinsics: np.ndarray
    extrinsics: np.ndarray


@dataclass(frozen=True, eq=False)
class RefinedDepth:
    """correction: [H,W] float32, what the depth is to be multiplied by. agreement: [H,W] float32 in 0..1, how far the
    photos agree on it."""

    correction: np.ndarray
    agreement: np.ndarray


def refine_depths(
    photos: Sequence[DepthPhoto], device: torch.device, progress: Span, proven: bool = True
) -> list[RefinedDepth | None]:
    """For each photo; None for one whose depth is none, or that shows nothing that another one does.

    proven: whether it is known that the cameras are right. If not, photos must show it: None for one that does not.
    """
    usable = [i for i, photo in enumerate(photos) if _usable(photo.depth)]
    refined: list[RefinedDepth | None] = [None] * len(photos)
    with torch.inference_mode():
        for i, result in zip(usable, _refine([photos[i] for i in usable], device, progress, proven), strict=True):
            refined[i] = result
    return refined


def _usable(depth: np.ndarray) -> bool:
    if not (np.isfinite(depth) & (depth > 0)).all():
        return False
    relative = depth / np.median(depth)
    return bool(relative.min() > DEPTHS[0] and relative.max() < DEPTHS[1])


def _refine(photos: list[DepthPhoto], device: torch.device, progress: Span, proven: bool) -> list[RefinedDepth | None]:
    views = [
        matching_view(p.grey, p.depth, MapCamera.of_photo(p.grey.shape, p.photo, p.intrinsics, p.extrinsics), device)
        for p in photos
    ]
    others = choose_sources([view.camera for view in views], [view.log_depth for view in views], CHECKED)
    matched = _match(photos, views, others, progress.part(0.0, MATCHED))
    sure = _check(views, matched, others)
    if not proven:
        others, sure = _proven(others, sure)
    filled = _fill(photos, views, matched, sure, others, progress.part(MATCHED, FILLED))
    return _with_agreement(photos, filled, others, progress.part(FILLED, 1.0))


@dataclass(frozen=True, eq=False)
class _Matched:
    """log_depth: [h,w]. clear: [h,w] in 0..1, how clearly it is better than any other depth."""

    log_depth: Tensor
    clear: Tensor


def _match(
    photos: list[DepthPhoto], views: list[MatchingView], others: list[list[int]], progress: Span
) -> list[_Matched]:
    matched = []
    for i, (photo, view) in enumerate(zip(photos, views, strict=True)):
        tick = _ticker(progress, i / len(photos), f"Comparing {photo.name} with other photos.")
        tick()
        if not others[i]:
            matched.append(_Matched(view.log_depth, torch.zeros_like(view.log_depth)))
            continue
        factors = torch.linspace(*NEARER, STEPS, device=view.grey.device)
        cost = matching_cost(view, [views[j] for j in others[i][:COMPARED]], factors, tick)
        with one_thread():
            choice = choose_factors(cost, view.grey, factors, tick)
        matched.append(_Matched(view.log_depth - choice.factor.log(), (choice.margin / CLEAR).clamp(0, 1)))
    return matched


@contextmanager
def one_thread() -> Iterator[None]:
    """For thousands of small steps on a CPU: threads that meet after each of them wait for the slowest core, which on a
    busy machine makes it ten times as slow."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _ticker(progress: Span, done: float, sentence: str) -> Callable[[], None]:
    return lambda: progress(done, sentence)


def _check(views: list[MatchingView], matched: list[_Matched], others: list[list[int]]) -> list[Tensor]:
    """[h,w] in 0..1 for each view: how sure its matched depth is."""
    cameras, logs = [view.camera for view in views], [each.log_depth for each in matched]
    sure = [agreement(i, cameras, logs, others[i]) * each.clear for i, each in enumerate(matched)]
    return [torch.where(each > LEAST_SURE, each, 0.0) for each in sure]


def _proven(others: list[list[int]], sure: list[Tensor]) -> tuple[list[list[int]], list[Tensor]]:
    """Without photos that do not show that their cameras are right: nobody's others, and sure of nothing."""
    proven = [float((each > BORNE_OUT).float().mean()) > LEAST_BORNE_OUT for each in sure]
    kept = [[j for j in those if proven[j]] if proven[i] else [] for i, those in enumerate(others)]
    return kept, [each if proven[i] else torch.zeros_like(each) for i, each in enumerate(sure)]


@dataclass(frozen=True, eq=False)
class _Filled:
    """log_depth, before: [H,W], logarithms of the refined depth and of the one there was. sure: [H,W] in 0..1, how sure
    what was matched is. camera: of these maps."""

    log_depth: Tensor
    before: Tensor
    sure: Tensor
    camera: MapCamera


def _fill(
    photos: list[DepthPhoto],
    views: list[MatchingView],
    matched: list[_Matched],
    sure: list[Tensor],
    others: list[list[int]],
    progress: Span,
) -> list[_Filled]:
    filled = []
    for i, photo in enumerate(photos):
        tick = _ticker(progress, i / len(photos), f"Spreading what the photos agree on over {photo.name}.")
        device = sure[i].device
        camera = MapCamera.of_photo(photo.depth.shape, photo.photo, photo.intrinsics, photo.extrinsics)
        before = torch.from_numpy(np.log(photo.depth)).to(device)
        shown = torch.from_numpy(photo.shown).to(device)
        own = Known(_nearest(matched[i].log_depth, camera.size), _nearest(sure[i], camera.size) * shown)
        known = [own]
        if others[i]:
            points = [(views[j].camera, matched[j].log_depth, sure[j] > SURE) for j in others[i]]
            depth, seen = seen_points(camera, points)
            known.append(Known(depth, BORROWED * (seen & shown)))
        color = torch.from_numpy(photo.color.astype(np.float32) / 255).permute(2, 0, 1).to(device)
        start = before + _scale(views[i], matched[i], sure[i])
        with one_thread():
            log_depth = fill(start, known, color, tick) if any(bool(k.weight.any()) for k in known) else before
        stayed = (log_depth - own.log_depth).abs() < STRAY
        filled.append(_Filled(log_depth, before, own.weight * stayed, camera))
    return filled


def _scale(view: MatchingView, matched: _Matched, sure: Tensor) -> float:
    """Logarithm of what the whole depth is to be multiplied by: with cameras that are given, networks may miss their
    unit."""
    telling = sure > SURE
    if float(telling.float().mean()) < TELLING:
        return 0.0
    return float((matched.log_depth - view.log_depth)[telling].median())


def _nearest(dense: Tensor, size: tuple[int, ...]) -> Tensor:
    return interpolate(dense[None, None], size, mode="nearest-exact")[0, 0]


def _with_agreement(
    photos: list[DepthPhoto], filled: list[_Filled], others: list[list[int]], progress: Span
) -> list[RefinedDepth | None]:
    cameras, logs = [each.camera for each in filled], [each.log_depth for each in filled]
    refined: list[RefinedDepth | None] = []
    for i, (photo, each) in enumerate(zip(photos, filled, strict=True)):
        progress(i / len(photos), f"Comparing {photo.name} with other photos.")
        if not others[i]:
            refined.append(None)
            continue
        agreed = torch.maximum(each.sure, SPREAD_SHARE * agreement(i, cameras, logs, others[i]))
        correction = (each.log_depth - each.before).exp().cpu().numpy()
        shown = photo.shown
        refined.append(RefinedDepth(np.where(shown, correction, 1).astype(np.float32), agreed.cpu().numpy() * shown))
    return refined
