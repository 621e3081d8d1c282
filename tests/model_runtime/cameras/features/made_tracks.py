"""Tracks of points that known cameras see through known lenses, with noise and wrong ones among them: no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.bundle import MIDDLE, NUMBERS, Bundle, Seen, adjust_closely
from model_runtime.cameras.features.lens_choice import choose_kind, rough_kind
from model_runtime.cameras.features.lens_kinds import Groups, Kind, as_bundle, with_kind
from model_runtime.contract.lens import BROWN, Lens, distort, undistort

SIDE = 1200
"""Longest side of the photos in pixels, of which noise is told."""

SIZE = (1200, 900)
NOISE, WRONG = 0.3, 0.05
"""Pixels by which each observation is off in x and in y, and the share of observations that are anywhere near."""


def poses(count: int, seed: int = 0) -> np.ndarray:
    """[count,4,4] cameras of somebody who walks around the middle, looking there, held a little differently."""
    rng = np.random.default_rng(seed)
    made = np.tile(np.eye(4), (count, 1, 1))
    for i, pose in enumerate(made):
        around = 60 * (i - (count - 1) / 2) / max(count - 1, 1)
        turn = Rotation.from_euler("yxz", [around, *rng.normal(0, 5, 2)], degrees=True).as_matrix()
        pose[:3, :3] = turn
        pose[:3, 3] = np.array([0, 0, 3.5]) + rng.normal(0, 0.25, 3)
    return made


def lens_of(
    model: str = BROWN,
    coefficients: Sequence[float] = (),
    focal: float = 0.75,
    middle: Sequence[float] = (0, 0),
    size: tuple[int, int] = SIZE,
) -> Lens:
    """focal, middle (from the photo's): in longest sides."""
    x, y = np.array(size) / 2 + np.array(middle) * SIDE
    return Lens(model, size, np.array([[focal * SIDE, 0, x], [0, focal * SIDE, y], [0, 0, 1]]), np.array(coefficients))


def groups_of_lenses(lenses: Sequence[Lens]) -> Groups:
    """One camera, held upright or not."""
    numbers: dict[tuple[int, int], int] = {}
    sensors = tuple(numbers.setdefault(lens.size, len(numbers)) for lens in lenses)
    return Groups((0,) * len(lenses), sensors, np.full((len(lenses), 3), np.nan))


def one_camera(count: int) -> Groups:
    return groups_of_lenses([lens_of()] * count)


def tracks(
    lenses: Sequence[Lens], count: int = 500, seed: int = 0, noise: float = NOISE, wrong: float = WRONG
) -> tuple[np.ndarray, np.ndarray, Seen]:
    """The true cameras [N,4,4] and points [count,3], and what the photos show of the points."""
    rng = np.random.default_rng(seed)
    cameras, points = poses(len(lenses), seed), rng.uniform(-1.6, 1.6, (count, 3)) * (1.3, 1, 1)
    views, numbers, pixels = [], [], []
    for view, (pose, lens) in enumerate(zip(cameras, lenses, strict=True)):
        at = points @ pose[:3, :3].T + pose[:3, 3]
        pixel = distort(lens, at[:, :2] / at[:, 2:])
        inside = (at[:, 2] > 0.1) & (pixel > 0).all(1) & (pixel < lens.size).all(1) & (rng.random(count) < 0.8)
        pixel = pixel[inside] + rng.normal(0, noise, (int(inside.sum()), 2))
        off = rng.random(len(pixel)) < wrong
        pixel[off] += rng.uniform(-15, 15, (int(off.sum()), 2))
        views.append(np.full(len(pixel), view))
        numbers.append(np.flatnonzero(inside))
        pixels.append((pixel - np.array(lens.size) / 2) / SIDE)
    seen = Seen(np.concatenate(views), np.concatenate(numbers), np.concatenate(pixels))
    often = np.bincount(seen.point, minlength=count) >= 2
    kept = seen.chosen(often[seen.point])
    return cameras, points[often], replace(kept, point=(np.cumsum(often) - 1)[kept.point])


def started(kind: Kind, cameras: np.ndarray, points: np.ndarray, focal: float, groups: Groups, seed: int = 9) -> Bundle:
    """With lenses of this kind that bend nothing, and everything somewhat off."""
    rng = np.random.default_rng(seed)
    off = cameras.copy()
    off[:, :3] = Rotation.from_rotvec(rng.normal(0, 0.01, (len(cameras), 3))).as_matrix() @ cameras[:, :3]
    numbers = np.zeros((len(cameras), NUMBERS[kind.model]))
    numbers[:, 0] = focal
    return as_bundle(kind, off, points + rng.normal(0, 0.02, points.shape), numbers, groups)


def go_on() -> None:
    """Nobody cancels."""


def chosen(bundle: Bundle, seen: Seen, groups: Groups) -> tuple[Kind, Bundle]:
    """As `solve_lenses` does it, without new matches: the kind, and the bundle with it."""
    first, rough = rough_kind(bundle, seen, groups, go_on)
    kind = choose_kind(rough, seen, groups, go_on, first)
    return kind, adjust_closely(with_kind(rough, kind, groups), seen)


def corner_miss(found: np.ndarray, model: str, true: Lens) -> float:
    """Pixels by which a lens, numbers [K] of a bundle's, shows things elsewhere than the true one, at most, along the
    photo's rim. Directions may be turned as a whole: that is a camera's rotation, not its lens."""
    size, side = np.array(true.size), max(true.size)
    middle = found[MIDDLE] * side + size / 2
    focal = found[0] * side
    mine = Lens(model, true.size, np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]]), found[3:])
    grid = np.stack(np.meshgrid(*(np.linspace(0, side, 21) for side in size)), axis=-1).reshape(-1, 2)
    planes = np.stack([undistort(lens, grid) for lens in (true, mine)])
    there = np.isfinite(planes).all((0, 2))
    if np.isfinite(planes[0]).all(1).sum() > there.sum():
        return float("inf")  # of what the true lens shows there
    rays, its = (_rays(plane[there]) for plane in planes)
    turned = Rotation.align_vectors(rays, its)[0].apply(its)
    return float(np.linalg.norm(distort(true, turned[:, :2] / turned[:, 2:]) - grid[there], axis=1).max())


def _rays(plane: np.ndarray) -> np.ndarray:
    rays = np.column_stack((plane, np.ones(len(plane))))
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)
