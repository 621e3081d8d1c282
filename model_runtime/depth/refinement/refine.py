"""Depth that the photos agree on: every map corrected by what other photos show of the same things.

Needs cameras that are right. Each photo is compared with a few others at many depths about the one it has (`sweep`),
one smooth choice is made of that (`aggregation`), what other photos bear out is kept (`agreement`), and the rest
follows from it (`fill`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, overload

import numpy as np

from model_runtime.contract.progress import Span
from model_runtime.contract.threads import cores
from model_runtime.depth.refinement.aggregation import choose_factors
from model_runtime.depth.refinement.agreement import agreement, seen_points
from model_runtime.depth.refinement.fill import Known, fill
from model_runtime.depth.refinement.sources import choose_sources
from model_runtime.depth.refinement.sweep import matching_cost
from model_runtime.depth.refinement.views import MapCamera, MatchingView, matching_view
from model_runtime.depth.scratch import InMemory, Lazy, Scratch, Slots
from model_runtime.geometry.arrays import Array, Device, as_numpy, lower_median, namespace, on_device
from model_runtime.geometry.sampling import resized

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
    photos: Sequence[DepthPhoto],
    device: Device,
    progress: Span,
    proven: bool = True,
    scratch: Scratch | None = None,
) -> list[RefinedDepth | None]:
    """For each photo; None for one whose depth is none, or that shows nothing that another one does.

    device: where torch calculates; None for numpy.
    proven: whether it is known that the cameras are right. If not, photos must show it: None for one that does not.
    scratch: where what was found out of each photo waits for the others; only a photo and those that it is compared
    with are in memory at once, however many there are, if `photos` are only made when they are looked at.
    """
    usable = [i for i in range(len(photos)) if _usable(photos[i].depth)]
    refined: list[RefinedDepth | None] = [None] * len(photos)
    some = Lazy(len(usable), lambda i: photos[usable[i]], kept=1)
    with _calculating(device):
        for i, result in zip(usable, _refine(some, device, progress, proven, scratch or InMemory()), strict=True):
            refined[i] = result
    return refined


def _usable(depth: np.ndarray) -> bool:
    if not (np.isfinite(depth) & (depth > 0)).all():
        return False
    relative = depth / np.median(depth)
    return bool(relative.min() > DEPTHS[0] and relative.max() < DEPTHS[1])


def _refine(
    photos: Sequence[DepthPhoto], device: Device, progress: Span, proven: bool, scratch: Scratch
) -> list[RefinedDepth | None]:
    def view(i: int) -> MatchingView:
        p = photos[i]
        camera = MapCamera.of_photo(p.grey.shape, p.photo, p.intrinsics, p.extrinsics)
        return matching_view(p.grey, p.depth, camera, device)

    views = Lazy(len(photos), view)
    kept = _Kept(photos, device, scratch)
    others = choose_sources(kept.cameras, Lazy(len(photos), lambda i: views[i].log_depth, kept=1), CHECKED)
    _match(photos, views, kept, others, progress.part(0.0, MATCHED))
    _check(kept, others)
    if not proven:
        others = _proven(kept, others)
    _fill(photos, views, kept, others, progress.part(MATCHED, FILLED))
    return _with_agreement(photos, kept, others, progress.part(FILLED, 1.0))


class _Kept:
    """What was found out of each photo so far, on the device when it is looked at.

    matched: [h,w] log depth; clear: [h,w] in 0..1, how clearly that is better than any other depth; sure: [h,w] in
    0..1, how sure it is; all of these of the maps of `cameras`. filled: [H,W] log depth everywhere; known: [H,W] in
    0..1, how sure what was matched is there; of the maps of `depth_cameras`.
    """

    def __init__(self, photos: Sequence[DepthPhoto], device: Device, scratch: Scratch) -> None:
        self.scratch, self.device = scratch, device
        self.cameras: list[MapCamera] = []
        self.depth_cameras: list[MapCamera] = []
        for p in photos:
            self.cameras.append(MapCamera.of_photo(p.grey.shape, p.photo, p.intrinsics, p.extrinsics))
            self.depth_cameras.append(MapCamera.of_photo(p.depth.shape, p.photo, p.intrinsics, p.extrinsics))
        small, large = ([camera.size for camera in cameras] for cameras in (self.cameras, self.depth_cameras))
        self.matched, self.clear, self.sure = (
            _OnDevice(Slots(scratch, f"refined-{name}", small, np.float32), device)
            for name in ("matched", "clear", "sure")
        )
        self.filled, self.known, self.correction, self.agreement = (
            _OnDevice(Slots(scratch, f"refined-{name}", large, np.float32), device)
            for name in ("filled", "known", "correction", "agreement")
        )


class _OnDevice(Sequence[Array]):
    """Slots as arrays on a device."""

    def __init__(self, slots: Slots, device: Device) -> None:
        self.slots, self._device = slots, device

    def __len__(self) -> int:
        return len(self.slots)

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> list[Array]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        return on_device(self.slots[index], self._device)

    def __setitem__(self, index: int, values: Array) -> None:
        self.slots[index] = as_numpy(values)


def _match(
    photos: Sequence[DepthPhoto], views: Sequence[MatchingView], kept: _Kept, others: list[list[int]], progress: Span
) -> None:
    """Fills `matched` and `clear`."""
    factors, threads = np.linspace(*NEARER, STEPS, dtype=np.float32), cores() if kept.device is None else 1
    for i in range(kept.scratch.done("refined-matched"), len(photos)):
        tick = _ticker(progress, i / len(photos), f"Comparing {photos[i].name} with other photos.")
        tick()
        view = views[i]
        if others[i]:
            sources = [views[j] for j in others[i][:COMPARED]]
            choice = choose_factors(matching_cost(view, sources, factors, tick, threads), view.grey, factors, tick)
            kept.matched[i] = view.log_depth - namespace(choice.factor).log(choice.factor)
            kept.clear[i] = (choice.margin / CLEAR).clip(0, 1)
        else:
            kept.matched[i] = view.log_depth
            kept.clear[i] = namespace(view.log_depth).zeros_like(view.log_depth)
        kept.scratch.advance("refined-matched", i + 1)


@contextmanager
def _calculating(device: Device) -> Iterator[None]:
    """As torch is to calculate where it does: pieces of work have threads of their own."""
    if device is None:
        yield
        return
    import torch

    with torch.inference_mode(), one_thread():
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """For thousands of small steps on a CPU by torch: threads that meet after each of them wait for the slowest core,
    which on a busy machine makes it ten times as slow."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _ticker(progress: Span, done: float, sentence: str) -> Callable[[], None]:
    return lambda: progress(done, sentence)


def _check(kept: _Kept, others: list[list[int]]) -> None:
    """Fills `sure`, [h,w] in 0..1 for each view: how sure its matched depth is."""
    for i in range(len(others)):
        sure = agreement(i, kept.cameras, kept.matched, others[i]) * kept.clear[i]
        kept.sure[i] = namespace(sure).where(sure > LEAST_SURE, sure, 0.0)


def _proven(kept: _Kept, others: list[list[int]]) -> list[list[int]]:
    """Without photos that do not show that their cameras are right: nobody's others, and sure of nothing."""
    proven = [_share(each > BORNE_OUT) > LEAST_BORNE_OUT for each in kept.sure]
    for i, shows_it in enumerate(proven):
        if not shows_it:
            kept.sure.slots[i] = np.zeros(kept.cameras[i].size, np.float32)
    return [[j for j in those if proven[j]] if proven[i] else [] for i, those in enumerate(others)]


def _fill(
    photos: Sequence[DepthPhoto], views: Sequence[MatchingView], kept: _Kept, others: list[list[int]], progress: Span
) -> None:
    """Fills `filled` and `known`."""
    for i in range(kept.scratch.done("refined-filled"), len(photos)):
        photo = photos[i]
        tick = _ticker(progress, i / len(photos), f"Spreading what the photos agree on over {photo.name}.")
        matched, sure, camera = kept.matched[i], kept.sure[i], kept.depth_cameras[i]
        before = _before(photo, kept.device)
        shown = on_device(photo.shown, kept.device)
        own = Known(resized(matched, camera.size, "nearest"), resized(sure, camera.size, "nearest") * shown)
        known = [own]
        if others[i]:
            points = [(kept.cameras[j], kept.matched[j], kept.sure[j] > SURE) for j in others[i]]
            depth, seen = seen_points(camera, points)
            known.append(Known(depth, namespace(depth).where(seen & shown, BORROWED, 0.0)))
        color = on_device(np.moveaxis(photo.color.astype(np.float32) / 255, 2, 0), kept.device)
        start = before + _scale(views[i].log_depth, matched, sure)
        log_depth = fill(start, known, color, tick) if any(bool(k.weight.any()) for k in known) else before
        kept.filled[i] = log_depth
        kept.known[i] = own.weight * (abs(log_depth - own.log_depth) < STRAY)
        kept.scratch.advance("refined-filled", i + 1)


def _before(photo: DepthPhoto, device: Device) -> Array:
    return on_device(np.log(photo.depth), device)


def _scale(log_depth: Array, matched: Array, sure: Array) -> float:
    """Logarithm of what the whole depth is to be multiplied by: with cameras that are given, networks may miss their
    unit."""
    telling = sure > SURE
    if _share(telling) < TELLING:
        return 0.0
    return float(lower_median((matched - log_depth)[telling]))


def _share(chosen: Array) -> float:
    return float(namespace(chosen).count_nonzero(chosen)) / prod(chosen.shape)


def _with_agreement(
    photos: Sequence[DepthPhoto], kept: _Kept, others: list[list[int]], progress: Span
) -> list[RefinedDepth | None]:
    refined: list[RefinedDepth | None] = []
    for i, photo in enumerate(photos):
        progress(i / len(photos), f"Comparing {photo.name} with other photos.")
        if not others[i]:
            refined.append(None)
            continue
        agreed = agreement(i, kept.depth_cameras, kept.filled, others[i])
        xp = namespace(agreed)
        agreed = xp.maximum(kept.known[i], SPREAD_SHARE * agreed)
        correction = as_numpy(xp.exp(kept.filled[i] - _before(photo, kept.device)))
        correction = np.where(photo.shown, correction, 1).astype(np.float32)
        kept.correction.slots[i], kept.agreement.slots[i] = correction, as_numpy(agreed) * photo.shown
        refined.append(RefinedDepth(kept.correction.slots[i], kept.agreement.slots[i]))
    return refined
