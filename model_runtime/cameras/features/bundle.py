"""Bundle adjustment (Triggs et al. 2000) with lenses of any freedom.

COLMAP's own frees all numbers of a camera model or none. Here every number of every photo's lens is a place in one
list, so that photos share a focal length and a distortion but not the middle, or have all but one number held.
Levenberg-Marquardt with a Cauchy loss; points are eliminated (Schur complement), so that time grows with their number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.tracks import sum_by_point
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
        return self._projected(seen)[0] - seen.pixel

    def errors(self, seen: Seen) -> np.ndarray:
        """[M], the length of `residuals`; inf behind the camera."""
        return np.nan_to_num(np.linalg.norm(self.residuals(seen), axis=1), nan=np.inf)

    def _projected(self, seen: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """[M,2] where points are seen, [M,3] where they are from their cameras, [M,2] where the lens sees them, and the
        slope of that."""
        pose, lens = self.poses[seen.view], self.lenses[seen.view]
        at = np.einsum("mij,mj->mi", pose[:, :3, :3], self.points[seen.point]) + pose[:, :3, 3]
        plane = at[:, :2] / np.where(at[:, 2:] > NEAREST, at[:, 2:], np.nan)
        bent, slope = bend(self.model, lens[:, COEFFICIENT:], plane)
        return lens[:, FOCAL, None] * bent + lens[:, MIDDLE], at, bent, slope


def adjust_bundle(bundle: Bundle, seen: Seen, loss: float, points_only: bool = False) -> Bundle:
    """The bundle with everything that is free adjusted to what is seen.

    loss: distance from which on an observation counts less, in longest sides. points_only: cameras stay.
    Observations of points behind their camera at first do not count.
    """
    seen = seen.chosen(np.isfinite(bundle.residuals(seen)).all(1))
    damping, cost = DAMPING, _cost(bundle, seen, loss)
    for _ in range(MOST_OF_POINTS if points_only else MOST_STEPS):
        step = _Step(bundle, seen, loss, points_only)
        while damping < MOST_DAMPING:
            moved = step.taken(damping)
            new = _cost(moved, seen, loss)
            if new < cost:
                break
            damping *= 8
        else:
            break
        bundle, gain, cost = moved, cost - new, new
        damping = max(damping / 8, LEAST_DAMPING)
        if gain < LEAST_GAIN * cost:
            break
    return bundle


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


def _cost(bundle: Bundle, seen: Seen, loss: float) -> float:
    squared = np.square(bundle.residuals(seen)).sum(1)
    return float(np.where(np.isfinite(squared), np.log1p(squared / loss**2), np.inf).sum())


class _Step:
    """The linearised problem at a bundle."""

    def __init__(self, bundle: Bundle, seen: Seen, loss: float, points_only: bool) -> None:
        self.bundle, self.count = bundle, len(bundle.points)
        projected, at, bent, slope = bundle._projected(seen)
        miss = projected - seen.pixel
        weight = np.sqrt(1 / (1 + np.square(miss).sum(1) / loss**2))[:, None]
        by_place, by_numbers = _jacobians(bundle, seen, at, bent, slope)
        by_point = by_place @ bundle.poses[seen.view, :3, :3]
        self.points_only = points_only
        self.by_point, self.miss = by_point * weight[:, :, None], miss * weight
        self.point = seen.point
        self.curvature = sum_by_point(np.einsum("mri,mrj->mij", self.by_point, self.by_point), seen.point, self.count)
        self.slope = sum_by_point(np.einsum("mri,mr->mi", self.by_point, self.miss), seen.point, self.count)
        if not points_only:
            self._couple(seen, at, by_place * weight[:, :, None], by_numbers * weight[:, :, None])

    def _couple(self, seen: Seen, at: np.ndarray, by_place: np.ndarray, by_numbers: np.ndarray) -> None:
        """What moving cameras and changing lenses does."""
        bundle = self.bundle
        x, y, z = at.T
        nought = np.zeros_like(x)
        turned = np.stack((nought, z, -y, -z, nought, x, y, -x, nought), axis=-1).reshape(-1, 3, 3)
        by_camera = np.concatenate((by_place @ turned, by_place, by_numbers), axis=2)
        poses = 6 * len(bundle.poses)
        places = np.concatenate((6 * seen.view[:, None] + np.arange(6), poses + bundle.places[seen.view]), axis=1)
        free = np.concatenate((np.repeat(~bundle.still, 6), ~bundle.held))
        size = int(free.sum())
        # What is held goes to one place more, which is cut off.
        number = np.where(free, np.cumsum(free) - 1, size)[places]
        self.free = free
        self.camera_slope = _gathered(number, np.einsum("mrc,mr->mc", by_camera, self.miss), size + 1)[:-1]
        pairs = number[:, :, None] * (size + 1) + number[:, None]
        curvature = _gathered(pairs, by_camera.transpose(0, 2, 1) @ by_camera, (size + 1) ** 2)
        self.camera_curvature = curvature.reshape(size + 1, -1)[:-1, :-1]
        across = number[:, :, None] * (3 * self.count) + 3 * seen.point[:, None, None] + np.arange(3)
        coupling = _gathered(across, by_camera.transpose(0, 2, 1) @ self.by_point, (size + 1) * 3 * self.count)
        self.coupling = coupling.reshape(size + 1, self.count, 3)[:-1]

    def taken(self, damping: float) -> Bundle:
        """The bundle after the step with this damping (Marquardt's, relative to the curvature)."""
        damped = self.curvature + damping * self.curvature * np.eye(3) + 1e-14 * np.eye(3)
        inverse = np.linalg.inv(damped)
        if self.points_only:
            move = -np.einsum("pij,pj->pi", inverse, self.slope)
            return replace(self.bundle, points=self.bundle.points + move)
        through = np.einsum("cpi,pij->cpj", self.coupling, inverse).reshape(len(self.coupling), -1)
        flat = self.coupling.reshape(len(self.coupling), -1)
        system = self.camera_curvature - through @ flat.T
        system[np.diag_indices_from(system)] += damping * self.camera_curvature.diagonal() + 1e-14
        change = np.linalg.solve(system, through @ self.slope.ravel() - self.camera_slope)
        back = self.slope + (change @ flat).reshape(-1, 3)
        points = self.bundle.points - np.einsum("pij,pj->pi", inverse, back)
        every = np.zeros(len(self.free))
        every[self.free] = change
        poses = 6 * len(self.bundle.poses)
        return replace(
            self.bundle,
            poses=_moved(self.bundle.poses, every[:poses].reshape(-1, 6)),
            numbers=self.bundle.numbers + every[poses:],
            points=points,
        )


def _jacobians(
    bundle: Bundle, seen: Seen, at: np.ndarray, bent: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How pixels change with the place from the camera, [M,2,3], and with the lens's numbers, [M,2,K]."""
    focal, plane = bundle.lenses[seen.view, FOCAL], at[:, :2] / at[:, 2:]
    by_plane = focal[:, None, None] * slope
    to_plane = np.concatenate((np.tile(np.eye(2), (len(at), 1, 1)), -plane[:, :, None]), axis=2)
    by_place = by_plane @ (to_plane / at[:, 2:, None])
    square = np.square(plane).sum(1)
    x, y = plane.T
    if bundle.model == BROWN:
        radial = [(square**n)[:, None] * plane for n in (1, 2, 3)]
        aside = np.stack((2 * x * y, square + 2 * y * y), axis=1), np.stack((square + 2 * x * x, 2 * x * y), axis=1)
        by_coefficient = [radial[0], radial[1], *aside, radial[2]]
    else:
        radius, angle = np.sqrt(square), np.arctan(np.sqrt(square))
        direction = plane / np.maximum(radius, 1e-9)[:, None]
        by_coefficient = [(angle ** (2 * n + 1))[:, None] * direction for n in (1, 2, 3, 4)]
    middle = np.tile(np.eye(2), (len(at), 1, 1))
    columns = [bent[:, :, None], middle, *(focal[:, None, None] * each[:, :, None] for each in by_coefficient)]
    return by_place, np.concatenate(columns, axis=2)


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
