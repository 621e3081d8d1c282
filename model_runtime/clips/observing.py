"""What the frames of a clip see of the map that its key frames made: points, and where each frame shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from model_runtime.cameras.features.result import FeatureCameras
from model_runtime.clips.motion import alike
from model_runtime.clips.watching import WatchedClip
from model_runtime.contract.lens import Lens, distort, to_pixels, to_plane, undistort

SAME_PIXEL = 0.02
"""Working pixels, up to which a point was seen at a keypoint: on the way there through a lens so little is lost."""

NEIGHBOURS = 2
"""Key frames before and after a frame, each, with which it is matched: with more than one the points that a frame shows
change little by little as it passes a key frame."""


@dataclass(frozen=True, eq=False)
class Sight:
    """M observations: frame [M] int64, by its place, sees point [M] int64 at plane [M,2], the point (x / z, y / z) of
    the plane before its camera."""

    frame: np.ndarray
    point: np.ndarray
    plane: np.ndarray

    def chosen(self, keep: np.ndarray) -> Sight:
        """Those that `keep`, [M] bool or numbers, tells."""
        return Sight(self.frame[keep], self.point[keep], self.plane[keep])

    @staticmethod
    def joined(parts: list[Sight]) -> Sight:
        """All of several."""
        if not parts:
            return Sight(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)))
        return Sight(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("frame", "point", "plane")))


class ClipLens:
    """The one lens of a clip. intrinsics: [3,3], pixels of the upright clip, the lens's own where it bends lines."""

    def __init__(self, cameras: FeatureCameras, lens: Lens | None) -> None:
        self.lens = lens
        known = cameras.intrinsics[np.isfinite(cameras.intrinsics).all((1, 2))]
        self.intrinsics = np.median(known, axis=0) if lens is None else lens.intrinsics

    @property
    def focal(self) -> float:
        """Pixels of the clip."""
        return float(self.intrinsics[0, 0])

    def plane(self, pixels: np.ndarray) -> np.ndarray:
        """[...,2] of pixels of the clip; NaN where the lens shows nothing."""
        return to_plane(self.intrinsics, pixels) if self.lens is None else undistort(self.lens, pixels)

    def pixels(self, plane: np.ndarray) -> np.ndarray:
        """[...,2] of points of the plane; NaN where the lens does not see them."""
        return to_pixels(self.intrinsics, plane) if self.lens is None else distort(self.lens, plane)


class Observer:
    """Finds points of the map in other frames. keys: places of the key frames that are placed, rising."""

    def __init__(self, watched: WatchedClip, cameras: FeatureCameras, lens: ClipLens) -> None:
        self.watched, self.cameras, self.lens = watched, cameras, lens
        self.keys = [place for place, there in zip(watched.keys, cameras.registered, strict=True) if there]
        self._number = {place: i for i, place in enumerate(watched.keys)}

    def of_keys(self) -> Sight:
        """What the key frames see, as their cameras were found by it."""
        sparse = self.cameras.sparse
        intrinsics = self.cameras.intrinsics[sparse.view]
        plane = (sparse.pixel - intrinsics[:, :2, 2]) / intrinsics[:, (0, 1), (0, 1)]
        return Sight(np.array(self.watched.keys, np.int64)[sparse.view], sparse.point, plane)

    def neighbours(self, place: int) -> list[int]:
        """Key frames around a frame, without itself."""
        at = int(np.searchsorted(self.keys, place))
        others = self.keys[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]
        before, after = ([k for k in others if k < place], [k for k in others if k > place])
        return before[-NEIGHBOURS:] + after[:NEIGHBOURS]

    def planes(self, place: int) -> np.ndarray:
        """[K,2], where a frame's features are on the plane; NaN where the lens shows nothing."""
        return self.lens.plane(self.watched.features(place).keypoints * self.watched.pixel)

    def look(self, place: int) -> Sight:
        """What a frame may see of the map, with mistakes: some features as several points, some points twice."""
        features, planes = self.watched.features(place), self.planes(place)
        parts = []
        for key in self.neighbours(place):
            matched = alike(self.watched.features(key), features)
            point = self.points_of(key)[matched[:, 0]]
            parts.append(np.stack((matched[:, 1], point), axis=1)[point >= 0])
        pairs = np.unique(np.concatenate(parts), axis=0) if parts else np.zeros((0, 2), np.int64)
        pairs = pairs[np.isfinite(planes[pairs[:, 0]]).all(1)]
        return Sight(np.full(len(pairs), place), pairs[:, 1], planes[pairs[:, 0]])

    def points_of(self, key: int) -> np.ndarray:
        """[K], for each feature of a key frame the point that it is; -1 for none."""
        sparse, number = self.cameras.sparse, self._number[key]
        mine = sparse.view == number
        planes = self.planes(key)
        points = np.full(len(planes), -1)
        there = np.flatnonzero(np.isfinite(planes).all(1))
        if mine.any() and len(there):
            seen = to_plane(self.cameras.intrinsics[number], sparse.pixel[mine])
            away, nearest = (np.asarray(each) for each in KDTree(seen).query(planes[there]))
            close = away < SAME_PIXEL * self.watched.pixel / self.lens.focal
            points[there[close]] = sparse.point[mine][nearest[close]]
        return points
