"""Photos as they are compared: a grey picture, the depth it starts from, and where its pixels are seen by others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.arrays import Array, Device, like, namespace, on_device
from model_runtime.geometry.sampling import resized

SMALLEST = 1e-30
"""Depth whose logarithm stands for that of points behind a camera, which nobody sees."""


@dataclass(frozen=True, eq=False)
class MapCamera:
    """The camera of a map over a whole photo. size: (height, width) of the map. intrinsics: [3,3] float64, pixels of
    the map, centres at +0.5. extrinsics: [4,4] float64, world-to-camera."""

    size: tuple[int, ...]
    intrinsics: np.ndarray
    extrinsics: np.ndarray

    @staticmethod
    def of_photo(
        size: tuple[int, ...], photo: tuple[int, int], intrinsics: np.ndarray, extrinsics: np.ndarray
    ) -> MapCamera:
        """photo: its (width, height), in whose pixels the intrinsics are."""
        height, width = size
        scale = np.diag((width / photo[0], height / photo[1], 1.0))
        return MapCamera(size, scale @ intrinsics, extrinsics)

    def rays(self, beside: Array) -> Array:
        """[3,h,w]: directions of the pixels' centres in the camera, z component 1. beside: float32, of whose kind and
        on whose device they are."""
        return self._turned(np.eye(3), beside)

    def _turned(self, turn: np.ndarray, beside: Array) -> Array:
        """[3,h,w], a matrix [3,3] times the rays: what it makes of the columns, and of the rows."""
        (height, width), intrinsics = self.size, self.intrinsics
        x = (np.arange(width) + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0]
        y = (np.arange(height) + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1]
        columns, rows = np.outer(turn[:, 0], x), np.outer(turn[:, 1], y) + turn[:, 2:]
        return like(columns, beside)[:, None] + like(rows, beside)[..., None]

    def transfer(self, other: MapCamera, beside: Array) -> tuple[Array, Array]:
        """[3,h,w] and [3,1,1]: a pixel at depth d is seen by `other` at homogeneous pixel d * first + second, whose
        third component is the depth there. beside: as of `rays`."""
        rotation = other.extrinsics[:3, :3] @ self.extrinsics[:3, :3].T
        translation = other.extrinsics[:3, 3] - rotation @ self.extrinsics[:3, 3]
        moved = like(other.intrinsics @ translation, beside)
        return self._turned(other.intrinsics @ rotation, beside), moved[:, None, None]


@dataclass(frozen=True, eq=False)
class MatchingView:
    """grey: [h,w] float32 in 0..1. log_depth: [h,w] float32, logarithm of the depth to start from. camera: of both."""

    grey: Array
    log_depth: Array
    camera: MapCamera


def matching_view(grey: np.ndarray, depth: np.ndarray, camera: MapCamera, device: Device) -> MatchingView:
    """grey: [h,w] uint8, the map of `camera`. depth: [H,W] of any size over the same photo."""
    log_depth = on_device(np.log(depth.astype(np.float32)), device)
    grey_values = on_device(grey.astype(np.float32) / 255, device)
    return MatchingView(grey_values, resized(log_depth, grey.shape, "bilinear"), camera)


@dataclass(frozen=True, eq=False)
class Sight:
    """How another camera sees the pixels of a map. depth: [h,w] along the other's axis. index: [h,w] int64, pixel of
    the other's map, row by row. inside: [h,w] bool, whether there is one; where not, `index` is of its rim."""

    depth: Array
    index: Array
    inside: Array

    def behind(self, log_depth: Array) -> Array:
        """[h,w]: how far the points lie behind what the other sees at their pixels, as a difference of logarithms.

        log_depth: of the other's map, [H,W].
        """
        return namespace(log_depth).log(self.depth.clip(SMALLEST, None)) - log_depth.reshape(-1)[self.index]


def seen_by(camera: MapCamera, log_depth: Array, other: MapCamera) -> Sight:
    """Of the map of `camera` with the depths of `log_depth` [h,w]."""
    xp = namespace(log_depth)
    turned, moved = camera.transfer(other, log_depth)
    x, y, z = turned * xp.exp(log_depth) + moved
    height, width = other.size
    before = z > 0
    depth = xp.where(before, z, 1.0)
    x, y = x / depth, y / depth
    inside = before & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    column, row = xp.astype(x.clip(0, width - 1), xp.int64), xp.astype(y.clip(0, height - 1), xp.int64)
    return Sight(z, row * width + column, inside)
