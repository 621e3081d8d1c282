"""Frames of a camera that only turned: each is turned so that it sees what the key frames see, in their directions."""

from __future__ import annotations

import numpy as np

from model_runtime.clips.motion import alike
from model_runtime.clips.observing import Observer
from model_runtime.clips.watching import WatchedClip
from model_runtime.contract.progress import Span

LEAST_SEEN = 12
"""Directions that must agree on how a frame is turned."""

TRIES = 64
"""Pairs of directions that are tried for a start."""

STEPS, ROUNDS = 10, 8
LIMIT, LOSS = 3.0, 1.0
"""Working pixels that a direction may be off, and from which on it counts less."""


def turn_frames(
    watched: WatchedClip, observer: Observer, poses: np.ndarray, progress: Span
) -> tuple[np.ndarray, np.ndarray]:
    """Cameras [F,4,4] with those of frames that are NaN found where features tell, and how far off the typical
    direction is in each frame, pixels of the clip.

    Features of key frames are directions of the world. How all frames are turned and where these directions point is
    told from each other again and again, so that key frames do not stand out.
    """
    pixel = watched.pixel / observer.lens.focal
    looks = _Looks(observer, poses)
    count = len(watched.usable)
    for number, place in enumerate(watched.usable):
        progress(0.8 * number / count, f"Finding how frame {number + 1} of {count} is turned.")
        looks.add(place, pixel)
    return looks.settled(pixel, observer.lens.focal)


class _Looks:
    """Which directions the frames see: `at[f]` are numbers of directions, `rays[f]` where frame f sees them."""

    def __init__(self, observer: Observer, poses: np.ndarray) -> None:
        self.observer, self.poses = observer, poses
        self.first: dict[int, int] = {}
        self.turns: dict[int, np.ndarray] = {}
        self.at: dict[int, np.ndarray] = {}
        self.rays: dict[int, np.ndarray] = {}
        directions, count = [], 0
        for key in observer.keys:
            rays = _rays(observer.planes(key))
            self.first[key] = count
            count += len(rays)
            directions.append(rays @ poses[key, :3, :3])
            self.turns[key] = poses[key, :3, :3]
        self.directions = np.concatenate(directions)

    def add(self, place: int, pixel: float) -> None:
        """What a frame sees of the key frames around it, and a first guess at how it is turned."""
        features, planes = self.observer.watched.features(place), self.observer.planes(place)
        at, mine = [], []
        if place in self.first:
            own = np.arange(len(planes))
            at.append(self.first[place] + own)
            mine.append(own)
        for key in self.observer.neighbours(place):
            matched = alike(self.observer.watched.features(key), features)
            at.append(self.first[key] + matched[:, 0])
            mine.append(matched[:, 1])
        if not at:
            return
        numbers, rays = np.concatenate(at), _rays(planes[np.concatenate(mine)])
        there = np.isfinite(rays).all(1) & np.isfinite(self.directions[numbers]).all(1)
        numbers, rays = numbers[there], rays[there]
        turn = self.turns.get(place)
        if turn is None:
            turn = _start(self.directions[numbers], rays, LIMIT * pixel)
        if turn is None:
            return
        good = _off(turn, self.directions[numbers], rays) < LIMIT * pixel
        if good.sum() >= LEAST_SEEN:
            self.turns[place] = turn
            self.at[place], self.rays[place] = numbers[good], rays[good]

    def settled(self, pixel: float, focal: float) -> tuple[np.ndarray, np.ndarray]:
        """Poses, and the typical error of each frame in pixels of the clip."""
        for _ in range(ROUNDS):
            for place in self.at:
                seen = self.directions[self.at[place]]
                self.turns[place] = _turned(self.turns[place], seen, self.rays[place], LOSS * pixel)
            self._point_anew(LOSS * pixel)
        poses, error = self.poses.copy(), np.full(len(self.poses), np.nan)
        first = self.observer.keys[0]
        centre = np.linalg.inv(self.poses[first])[:3, 3]
        back = self.turns[first].T @ self.poses[first, :3, :3]
        for place, turn in self.turns.items():
            poses[place] = np.eye(4)
            poses[place, :3, :3] = turn @ back
            poses[place, :3, 3] = -poses[place, :3, :3] @ centre
            if place in self.at:
                away = _off(turn, self.directions[self.at[place]], self.rays[place])
                error[place] = float(np.median(away)) * focal
        return poses, error

    def _point_anew(self, loss: float) -> None:
        """Directions as all frames together see them."""
        total = np.zeros_like(self.directions)
        for place, numbers in self.at.items():
            away = _off(self.turns[place], self.directions[numbers], self.rays[place])
            weight = 1 / (1 + (away / loss) ** 2)
            pointed = (self.rays[place] @ self.turns[place]) * weight[:, None]
            for axis in range(3):
                total[:, axis] += np.bincount(numbers, pointed[:, axis], len(total))
        length = np.linalg.norm(total, axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            self.directions = np.where(length > 0, total / length, self.directions)


def _rays(planes: np.ndarray) -> np.ndarray:
    """[M,3], unit, through points of the plane."""
    rays = np.column_stack((planes, np.ones(len(planes))))
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _off(turn: np.ndarray, directions: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """[M], radians."""
    return np.linalg.norm(directions @ turn.T - rays, axis=1)


def _start(directions: np.ndarray, rays: np.ndarray, limit: float) -> np.ndarray | None:
    """[3,3], the turn that most directions go by; by pairs of them (Fischler and Bolles 1981)."""
    if len(rays) < LEAST_SEEN:
        return None
    pairs = np.random.default_rng(0).integers(0, len(rays), (TRIES, 2))
    turns = [_fitted(directions[pair], rays[pair], np.ones(2)) for pair in pairs[pairs[:, 0] != pairs[:, 1]]]
    return max(turns, key=lambda turn: int((_off(turn, directions, rays) < limit).sum()), default=None)


def _turned(turn: np.ndarray, directions: np.ndarray, rays: np.ndarray, loss: float) -> np.ndarray:
    """The turn that fits best, those far off counting less."""
    for _ in range(STEPS):
        turn = _fitted(directions, rays, 1 / (1 + (_off(turn, directions, rays) / loss) ** 2))
    return turn


def _fitted(directions: np.ndarray, rays: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """[3,3] that takes directions [M,3] to rays [M,3] (Kabsch 1976)."""
    u, _, vt = np.linalg.svd((rays * weight[:, None]).T @ directions)
    return u @ np.diag((1.0, 1.0, np.linalg.det(u @ vt))) @ vt
