"""Where frames show a point, told by its surroundings in one key frame: several times as exactly as features lie.

Lucas and Kanade's alignment (1981) in its inverse compositional form (Baker and Matthews 2004): the surroundings of the
key frame, turned and stretched as the cameras tell, are shifted until they look like the frame's.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from model_runtime.cameras.features.result import FeatureCameras
from model_runtime.clips.observing import ClipLens, Sight
from model_runtime.clips.source import FrameSource
from model_runtime.clips.watching import LOOKED_AT, WatchedClip
from model_runtime.contract.progress import Span
from model_runtime.photos.feature_photo import grey_picture

RADIUS = 6
"""Pixels of the working picture from a point to the sides of what is compared."""

SMOOTH = 0.8
"""Standard deviation in pixels by which pictures are smoothed: values between pixels are then told linearly."""

STEPS = 6
FURTHEST = 2.0
"""Pixels of the working picture that a point may be from where its feature was."""

LEAST_ALIKE = 0.8
"""Correlation of the surroundings."""

LEAST_CONTRAST = 2.0
"""Levels of 255 by which they differ within, at least."""

LEAST_LEFT = 40
"""Points of a frame that must be told so for its other features to be given up."""


def sharpened(
    watched: WatchedClip,
    source: FrameSource,
    cameras: FeatureCameras,
    lens: ClipLens,
    poses: np.ndarray,
    points: np.ndarray,
    sight: Sight,
    progress: Span,
) -> Sight:
    """What frames see, with points where their surroundings tell; those whose surroundings look otherwise are left out,
    where enough others are left in the frame.

    poses: [F,4,4] of frames that see something. points: [P,3].
    """
    patches = _Patches(watched, cameras, lens, poses, points)
    patches.take(source)
    order = np.argsort(sight.frame, kind="stable")
    bounds = np.searchsorted(sight.frame[order], np.arange(len(source) + 1))
    places = [place for place in range(len(source)) if bounds[place] < bounds[place + 1]]
    parts = []
    for number, (place, pixels) in enumerate(source.pictures(places)):
        progress(number / len(places), f"Looking closely at frame {number + 1} of {len(places)}.")
        mine = sight.chosen(order[bounds[place] : bounds[place + 1]])
        parts.append(patches.found(place, _picture(pixels), mine))
    return Sight.joined(parts)


class _Patches:
    """The surroundings of points, each in one key frame. per: [2], pixels of the picture per pixel of the clip."""

    def __init__(
        self, watched: WatchedClip, cameras: FeatureCameras, lens: ClipLens, poses: np.ndarray, points: np.ndarray
    ) -> None:
        self.watched, self.lens, self.poses, self.points = watched, lens, poses, points
        size = np.array(watched.key_photos[0].size)
        self.per = np.round(size * min(1.0, LOOKED_AT / size.max())) / size
        self.key, self.at = _references(cameras, watched, points, lens, poses)
        side = 2 * RADIUS + 1
        self.values = np.zeros((len(points), side, side), np.float32)
        self.known = np.zeros(len(points), bool)

    def take(self, source: FrameSource) -> None:
        """The surroundings, from the key frames' pictures."""
        grid = _grid()
        for place, pixels in source.pictures(np.unique(self.key[self.key >= 0]).tolist()):
            mine = np.flatnonzero(self.key == place)
            picture = _picture(pixels)
            at = self.at[mine] * self.per
            values = _values(picture, at[:, None, None] + grid)
            inside = (at > RADIUS + 1).all(1) & (at < np.array(picture.shape[::-1]) - RADIUS - 1).all(1)
            self.values[mine] = values
            self.known[mine] = inside & (values.std((1, 2)) > LEAST_CONTRAST)

    def found(self, place: int, picture: np.ndarray, sight: Sight) -> Sight:
        """Where the picture of a frame shows what it sees."""
        usable = np.flatnonzero(self.known[sight.point])
        if not len(usable):
            return sight
        point = sight.point[usable]
        start = self.lens.pixels(sight.plane[usable]) * self.per
        stretch = self._stretch(place, point)
        at, alike = _aligned(self.values[point], picture, start, stretch)
        good = (alike > LEAST_ALIKE) & (np.linalg.norm(at - start, axis=1) < FURTHEST)
        plane = self.lens.plane(at / self.per)
        good &= np.isfinite(plane).all(1)
        if good.sum() < LEAST_LEFT:
            return sight
        return Sight(sight.frame[usable[good]], point[good], plane[good])

    def _stretch(self, place: int, point: np.ndarray) -> np.ndarray:
        """[M,2,2], how steps in the key frame become steps in the frame, for surfaces that face the key frame."""
        keys = self.key[point]
        middle = self._across(self.at[point], keys, place, point)
        steps = [self._across(self.at[point] + step, keys, place, point) - middle for step in np.eye(2)]
        return np.stack(steps, axis=2)

    def _across(self, at: np.ndarray, keys: np.ndarray, place: int, point: np.ndarray) -> np.ndarray:
        """[M,2] pixels of a frame that show what key frames show at pixels [M,2], as far away as the points."""
        plane = self.lens.plane(at)
        poses = self.poses[keys]
        depth = np.einsum("mj,mj->m", poses[:, 2, :3], self.points[point]) + poses[:, 2, 3]
        seen = np.column_stack((plane, np.ones(len(plane)))) * depth[:, None] - poses[:, :3, 3]
        world = np.einsum("mji,mj->mi", poses[:, :3, :3], seen)
        there = world @ self.poses[place, :3, :3].T + self.poses[place, :3, 3]
        return self.lens.pixels(there[:, :2] / there[:, 2:])


def _references(
    cameras: FeatureCameras, watched: WatchedClip, points: np.ndarray, lens: ClipLens, poses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """[P] the place of the key frame that stands for each point, the middle one of those that see it, and [P,2] where
    in it, pixels of the clip; -1 for points that none sees."""
    sparse = cameras.sparse
    order = np.lexsort((sparse.view, sparse.point))
    counts = np.bincount(sparse.point, minlength=len(points))
    middle = np.cumsum(counts) - counts + counts // 2
    key, at = np.full(len(points), -1), np.full((len(points), 2), np.nan)
    seen = np.flatnonzero(counts)
    chosen = order[middle[seen]]
    key[seen] = np.array(watched.keys)[sparse.view[chosen]]
    intrinsics = cameras.intrinsics[sparse.view[chosen]]
    at[seen] = lens.pixels((sparse.pixel[chosen] - intrinsics[:, :2, 2]) / intrinsics[:, (0, 1), (0, 1)])
    return key, at


def _picture(pixels: np.ndarray) -> np.ndarray:
    """[h,w] float32, smoothed."""
    return gaussian_filter(grey_picture(pixels, LOOKED_AT).astype(np.float32), SMOOTH)


def _grid() -> np.ndarray:
    """[S,S,2], steps (x, y) from the middle."""
    steps = np.arange(-RADIUS, RADIUS + 1, dtype=np.float32)
    return np.stack(np.meshgrid(steps, steps), axis=-1)


def _values(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    """[...], of the picture at pixels [...,2], centres at +0.5."""
    return map_coordinates(picture, (at[..., 1] - 0.5, at[..., 0] - 0.5), np.float32, order=1, mode="nearest")


def _aligned(
    patches: np.ndarray, picture: np.ndarray, start: np.ndarray, stretch: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """[M,2] where the picture shows patches [M,S,S], near `start` [M,2], and how alike it is there, [M] up to 1."""
    grid = _grid()
    weight = np.exp(-np.square(grid).sum(-1) / (2 * (RADIUS / 1.5) ** 2)).ravel()
    weight = (weight / weight.sum()).astype(np.float32)
    normal = _normalised(patches.reshape(len(patches), -1), weight)
    down, across = np.gradient(normal.reshape(patches.shape), axis=(1, 2))
    slope = np.stack((across, down), axis=-1).reshape(len(patches), -1, 2)
    weighted = slope * weight[:, None]
    curvature = slope.transpose(0, 2, 1) @ weighted + 1e-9 * np.eye(2)
    inverse = stretch @ np.linalg.inv(curvature)
    shifted = grid.reshape(-1, 2) @ stretch.transpose(0, 2, 1)
    at, alike = start.copy(), np.zeros(len(start))
    for _ in range(STEPS):
        seen = _normalised(_values(picture, at[:, None] + shifted), weight)
        alike = (seen * normal) @ weight
        pull = ((seen - normal)[:, None] @ weighted)[:, 0]
        at -= np.clip((inverse @ pull[:, :, None])[:, :, 0], -1.0, 1.0)
    return at, alike


def _normalised(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """[M,K] with a mean of 0 and a variance of 1."""
    away = values - (values @ weight)[:, None]
    return away / np.sqrt(np.square(away) @ weight + 1e-6)[:, None]
