"""Bundle adjustment (Triggs et al. 2000) with lenses of any freedom.

COLMAP's own frees all numbers of a camera model or none. Here every number of every photo's lens is a place in one
list, so that photos share a focal length and a distortion but not the middle, or have all but one number held.
Levenberg-Marquardt with a Cauchy loss; points are eliminated (Schur complement), so that time grows with their number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from model_runtime.contract.lens import BROWN, FISHEYE, bend

FOCAL, MIDDLE, COEFFICIENT = 0, slice(1, 3), 3
"""Where a lens's numbers stand: focal length, middle (x, y), and from here on coefficients."""

NUMBERS = {BROWN: 8, FISHEYE: 7}
"""Of a lens: Brown's coefficients up to k3, without the denominator."""

MOST_STEPS, MOST_OF_POINTS = 60, 8
LEAST_GAIN = 1e-5
"""Of the cost, below which a step ends it."""

MOST_ROUNDS, MUCH_CLOSER = 4, 0.7
"""Adjustments with ever smaller losses, and what of a loss the next one must be at most."""

DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e-10, 1e8
NEAREST = 1e-6


@dataclass(frozen=True, eq=False)
class Seen:
    """M observations of P points: photo view [M] sees point [M] at pixel [M,2], from the photo's middle, in units in
    which the longest side is 1."""

    view: np.ndarray
    point: np.ndarray
    pixel: np.ndarray

    def chosen(self, keep: np.ndarray) -> Seen:
        return Seen(self.view[keep], self.point[keep], self.pixel[keep])


@dataclass(frozen=True, eq=False)
class Bundle:
    """poses: [N,4,4] world-to-camera. points: [P,3]. model: of all lenses. numbers: [L] float64, of all lenses, in
    longest sides. places: [N,K] int64, which of them each photo's lens has; see FOCAL and the others.
    held: [L] bool, numbers that stay. still: [N] bool, poses that stay.
    """

    poses: np.ndarray
    points: np.ndarray
    model: str
    numbers: np.ndarray
    places: np.ndarray
    held: np.ndarray
    still: np.ndarray

    @property
    def lenses(self) -> np.ndarray:
        """[N,K], the numbers of each photo's lens."""
        return self.numbers[self.places]

    def residuals(self, seen: Seen) -> np.ndarray:
        """[M,2], from where a point is seen to where it should be; NaN where it is behind its camera."""
        return _View(self, seen).miss

    def errors(self, seen: Seen) -> np.ndarray:
        """[M], the length of `residuals`; inf behind the camera."""
        return np.nan_to_num(np.linalg.norm(self.residuals(seen), axis=1), nan=np.inf)


class _View:
    """How a bundle sees its points. at: [M,3], from their cameras. bent: [M,2], as the lens sees them, and slope:
    [M,2,2], of that. miss: [M,2], the residuals."""

    def __init__(self, bundle: Bundle, seen: Seen) -> None:
        self.bundle = bundle
        self.lens = bundle.lenses[seen.view]
        self.turn = bundle.poses[seen.view, :3, :3]
        self.at = np.einsum("mij,mj->mi", self.turn, bundle.points[seen.point]) + bundle.poses[seen.view, :3, 3]
        depth = self.at[:, 2:]
        self.plane = self.at[:, :2] / np.where(depth > NEAREST, depth, np.nan)
        self.bent, self.slope = bend(bundle.model, self.lens[:, COEFFICIENT:], self.plane)
        self.miss = self.lens[:, FOCAL, None] * self.bent + self.lens[:, MIDDLE] - seen.pixel

    def cost(self, loss: float) -> float:
        squared = np.square(self.miss).sum(1)
        return float(np.where(np.isfinite(squared), np.log1p(squared / loss**2), np.inf).sum())


def adjust_bundle(bundle: Bundle, seen: Seen, loss: float, points_only: bool = False) -> Bundle:
    """The bundle with everything that is free adjusted to what is seen.

    loss: distance from which on an observation counts less, in longest sides. points_only: cameras stay.
    Observations of points behind their camera at first do not count.
    """
    seen = seen.chosen(np.isfinite(bundle.residuals(seen)).all(1))
    view, sums, damping = _View(bundle, seen), _Sums(bundle, seen), DAMPING
    cost = view.cost(loss)
    for _ in range(MOST_OF_POINTS if points_only else MOST_STEPS):
        step = _Step(view, sums, loss, points_only)
        while damping < MOST_DAMPING:
            moved = _View(step.taken(damping), seen)
            new = moved.cost(loss)
            if new < cost:
                break
            damping *= 8
        else:
            break
        view, gain, cost = moved, cost - new, new
        damping = max(damping / 8, LEAST_DAMPING)
        if gain < LEAST_GAIN * cost:
            break
    return view.bundle


def adjust_closely(bundle: Bundle, seen: Seen, points_only: bool = False) -> Bundle:
    """The bundle adjusted with a loss of twice the typical error, and again with that of where it came to, as long as
    that is much less: far from the end the loss lets wrong observations pull, and how far differs with the start."""
    loss = np.inf
    for _ in range(MOST_ROUNDS):
        closer = 2 * float(np.median(bundle.errors(seen)))
        if closer > MUCH_CLOSER * loss:
            break
        bundle, loss = adjust_bundle(bundle, seen, closer, points_only), closer
    return bundle


class _Sums:
    """Where of a bundle's linearised problem what is seen adds up: the same in every step.

    free: [6*N+L] bool, what moves. columns: which numbers of a photo's lens do at all.
    """

    def __init__(self, bundle: Bundle, seen: Seen) -> None:
        count, photos = len(seen.view), len(bundle.poses)
        one, each = np.ones(count), np.arange(count)
        self.seen, self.count = seen, len(bundle.points)
        self.points = csr_matrix((one, (seen.point, each)), shape=(self.count, count))
        self.views = csr_matrix((one, (seen.view, each)), shape=(photos, count))
        self.columns = np.flatnonzero(~bundle.held[bundle.places].all(0))
        poses = 6 * np.arange(photos)[:, None] + np.arange(6)
        self.free = np.concatenate((np.repeat(~bundle.still, 6), ~bundle.held))
        self.size = int(self.free.sum())
        # What is held goes to one place more, which is cut off.
        every = np.where(self.free, np.cumsum(self.free) - 1, self.size)
        self.number = every[np.concatenate((poses, 6 * photos + bundle.places[:, self.columns]), axis=1)]

    def by_point(self, values: np.ndarray) -> np.ndarray:
        """[M,...] added up into [P,...]."""
        return (self.points @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])

    def by_number(self, values: np.ndarray) -> np.ndarray:
        """[M,C] of photos' numbers added up into [size]."""
        return _gathered(self.number, self.views @ values, self.size + 1)[:-1]

    def by_pair(self, values: np.ndarray) -> np.ndarray:
        """[M,C,C] of any two of them into [size,size]."""
        pairs = self.number[:, :, None] * (self.size + 1) + self.number[:, None]
        summed = _gathered(pairs, self.views @ values.reshape(len(values), -1), (self.size + 1) ** 2)
        return summed.reshape(self.size + 1, -1)[:-1, :-1]

    def by_both(self, values: np.ndarray) -> np.ndarray:
        """[M,C,3] of them and of points into [size,P,3]."""
        summed = _gathered(self._coupled, values, (self.size + 1) * 3 * self.count)
        return summed.reshape(self.size + 1, self.count, 3)[:-1]

    @cached_property
    def _coupled(self) -> np.ndarray:
        """[M,C,3], of each observation, which of photos' numbers and of points' coordinates it has to do with."""
        rows = self.number[self.seen.view, :, None] * (3 * self.count)
        return rows + 3 * self.seen.point[:, None, None] + np.arange(3)


class _Step:
    """The linearised problem at a bundle."""

    def __init__(self, view: _View, sums: _Sums, loss: float, points_only: bool) -> None:
        self.bundle, self.sums, self.points_only = view.bundle, sums, points_only
        weight = np.sqrt(1 / (1 + np.square(view.miss).sum(1) / loss**2))[:, None]
        miss, by_place = view.miss * weight, _by_place(view) * weight[:, :, None]
        by_point = by_place @ view.turn
        self.curvature = sums.by_point(by_point.transpose(0, 2, 1) @ by_point)
        self.slope = sums.by_point(np.einsum("mri,mr->mi", by_point, miss))
        if points_only:
            return
        x, y, z = view.at.T
        nought = np.zeros_like(x)
        turned = np.stack((nought, z, -y, -z, nought, x, y, -x, nought), axis=-1).reshape(-1, 3, 3)
        by_numbers = _by_numbers(view, sums.columns) * weight[:, :, None]
        by_camera = np.concatenate((by_place @ turned, by_place, by_numbers), axis=2)
        across = by_camera.transpose(0, 2, 1)
        self.camera_slope = sums.by_number(np.einsum("mri,mr->mi", by_camera, miss))
        self.camera_curvature = sums.by_pair(across @ by_camera)
        self.coupling = sums.by_both(across @ by_point)

    def taken(self, damping: float) -> Bundle:
        """The bundle after the step with this damping (Marquardt's, relative to the curvature)."""
        damped = self.curvature + damping * self.curvature * np.eye(3) + 1e-14 * np.eye(3)
        inverse = np.linalg.inv(damped)
        if self.points_only:
            return replace(self.bundle, points=self.bundle.points - np.einsum("pij,pj->pi", inverse, self.slope))
        through = (self.coupling.transpose(1, 0, 2) @ inverse).transpose(1, 0, 2).reshape(len(self.coupling), -1)
        flat = self.coupling.reshape(len(self.coupling), -1)
        system = self.camera_curvature - through @ flat.T
        system[np.diag_indices_from(system)] += damping * self.camera_curvature.diagonal() + 1e-14
        change = np.linalg.solve(system, through @ self.slope.ravel() - self.camera_slope)
        back = self.slope + (change @ flat).reshape(-1, 3)
        every = np.zeros(len(self.sums.free))
        every[self.sums.free] = change
        poses = 6 * len(self.bundle.poses)
        return replace(
            self.bundle,
            poses=_moved(self.bundle.poses, every[:poses].reshape(-1, 6)),
            numbers=self.bundle.numbers + every[poses:],
            points=self.bundle.points - np.einsum("pij,pj->pi", inverse, back),
        )


def _by_place(view: _View) -> np.ndarray:
    """[M,2,3], how pixels change with the place from the camera."""
    depth = view.at[:, 2, None, None]
    by_plane = view.lens[:, FOCAL, None, None] * view.slope / depth
    return np.concatenate((by_plane, -(by_plane @ view.plane[:, :, None])), axis=2)


def _by_numbers(view: _View, columns: np.ndarray) -> np.ndarray:
    """[M,2,C], how pixels change with these of the lens's numbers."""
    square, plane = np.square(view.plane).sum(1)[:, None], view.plane
    by = np.zeros((*plane.shape, len(columns)))
    for i, column in enumerate(columns.tolist()):
        if column == FOCAL:
            by[:, :, i] = view.bent
        elif column < COEFFICIENT:
            by[:, column - MIDDLE.start, i] = 1
        else:
            number = column - COEFFICIENT
            by[:, :, i] = view.lens[:, FOCAL, None] * _by_coefficient(view.bundle.model, number, plane, square)
    return by


def _by_coefficient(model: str, number: int, plane: np.ndarray, square: np.ndarray) -> np.ndarray:
    """[M,2], how points of the plane [M,2] bend with one of the coefficients. square: [M,1], of their radius."""
    if model == FISHEYE:
        radius = np.sqrt(square)
        return np.arctan(radius) ** (2 * number + 3) * plane / np.maximum(radius, 1e-9)
    if number in (2, 3):
        along, across = plane[:, number - 2, None], plane[:, 3 - number, None]
        aside = np.concatenate((2 * along * across, square + 2 * across**2), axis=1)
        return aside if number == 2 else aside[:, ::-1]
    return square ** {0: 1, 1: 2, 4: 3}[number] * plane


def _moved(poses: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Poses turned by the rotation vectors change[:, :3] and shifted by change[:, 3:], in their cameras' frames."""
    moved = poses.copy()
    turn = Rotation.from_rotvec(change[:, :3]).as_matrix()
    moved[:, :3] = turn @ poses[:, :3]
    moved[:, :3, 3] += change[:, 3:]
    return moved


def _gathered(places: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """[size], values [...] added up at their places [...]."""
    return np.bincount(places.ravel(), values.ravel(), size)
