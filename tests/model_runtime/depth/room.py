"""A painted room with a box in it, drawn by following every pixel's ray: exact pictures and exact depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.depth.refinement.refine import DepthPhoto
from model_runtime.depth.refinement.views import MapCamera

WALL, FLOOR, BOX = range(3)
SLANT, WALL_AT, FLOOR_AT = 0.2, 5.0, 1.2
"""The wall is z = WALL_AT + SLANT * x, the floor y = FLOOR_AT; y points down."""
BOX_FROM, BOX_TO = np.array([-0.7, 0.1, 2.6]), np.array([0.3, 1.2, 3.4])
BASE = np.array([0.5, 0.4, 0.6])
"""Mean brightness of what is hit."""

_rng = np.random.default_rng(5)
_WAVES = _rng.normal(size=(24, 3))
_WAVES *= (2 * np.pi / np.geomspace(0.25, 1.2, 24) / np.linalg.norm(_WAVES, axis=1))[:, None]
_PHASES, _PAINT = _rng.uniform(0, 2 * np.pi, 24), _rng.normal(size=(24, 3))


@dataclass(frozen=True, eq=False)
class Camera:
    """photo: (width, height). intrinsics: [3,3] in its pixels. extrinsics: [4,4], world-to-camera."""

    photo: tuple[int, int]
    intrinsics: np.ndarray
    extrinsics: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        return -self.extrinsics[:3, :3].T @ self.extrinsics[:3, 3]

    def map(self, size: tuple[int, ...]) -> MapCamera:
        return MapCamera.of_photo(size, self.photo, self.intrinsics, self.extrinsics)

    def rays(self, size: tuple[int, int]) -> np.ndarray:
        """[h,w,3] in the world, one deep along the camera's axis, of a map of (height, width)."""
        x, y = ((np.arange(n) + 0.5) * side / n for n, side in zip(size[::-1], self.photo, strict=True))
        pixels = np.stack((*np.meshgrid(x, y), np.ones(size)), -1)
        return pixels @ np.linalg.inv(self.intrinsics).T @ self.extrinsics[:3, :3]

    def points(self, depth: np.ndarray) -> np.ndarray:
        """[h,w,3] in the world, of a depth map over the photo."""
        height, width = depth.shape
        return self.centre + self.rays((height, width)) * depth[..., None]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of the photo [...,2] and depth [...] of points [...,3] of the world."""
        seen = points @ self.extrinsics[:3, :3].T + self.extrinsics[:3, 3]
        pixels = seen @ self.intrinsics.T
        return pixels[..., :2] / pixels[..., 2:], seen[..., 2]


def look(
    centre: tuple[float, float, float],
    target: tuple[float, float, float],
    photo: tuple[int, int] = (320, 240),
    focal: float = 280.0,
) -> Camera:
    """A camera with its y axis as near down as can be."""
    ahead = np.subtract(target, centre)
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross((0.0, 1, 0), ahead)
    right /= np.linalg.norm(right)
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = right, np.cross(ahead, right), ahead
    extrinsics[:3, 3] = -extrinsics[:3, :3] @ centre
    intrinsics = np.array([[focal, 0, 0.5 * photo[0] + 3], [0, focal * 1.02, 0.5 * photo[1] - 2], [0, 0, 1]])
    return Camera(photo, intrinsics, extrinsics)


def cast(camera: Camera, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Depth [h,w] along the camera's axis, and what is there [h,w]."""
    rays, eye = camera.rays(size), camera.centre
    with np.errstate(divide="ignore", invalid="ignore"):
        wall = (WALL_AT + SLANT * eye[0] - eye[2]) / (rays[..., 2] - SLANT * rays[..., 0])
        floor = (FLOOR_AT - eye[1]) / rays[..., 1]
        one, other = ((corner - eye) / rays for corner in (BOX_FROM, BOX_TO))
    into, out = np.minimum(one, other).max(-1), np.maximum(one, other).min(-1)
    box = np.where((into < out) & (into > 0), into, np.inf)
    depths = np.stack([np.where(d > 0, d, np.inf) for d in (wall, floor, box)])
    return depths.min(0), depths.argmin(0)


def paint(points: np.ndarray, what: np.ndarray) -> np.ndarray:
    """[h,w,3] uint8 of points [h,w,3] of the world."""
    waves = np.sin(points @ _WAVES.T + _PHASES) @ _PAINT * 0.035
    return np.round(255 * np.clip(BASE[what][..., None] + waves, 0, 1)).astype(np.uint8)


def picture(camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """[h,w,3] uint8."""
    depth, what = cast(camera, size)
    return paint(camera.points(depth), what)


def grey(camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """[h,w] uint8."""
    return np.round(picture(camera, size).mean(-1)).astype(np.uint8)


def bent(size: tuple[int, int], seed: int) -> np.ndarray:
    """[h,w], a smooth factor within 15 % of 0.8."""
    row, column = np.mgrid[: size[0], : size[1]] / np.array(size)[:, None, None]
    return 0.8 * (1 + 0.15 * np.sin(3.1 * row + 1.7 * seed) * np.cos(2.6 * column - seed))


def depth_photo(
    camera: Camera, grey_size: tuple[int, int], size: tuple[int, int], factor: np.ndarray | float = 1.0, name: str = ""
) -> DepthPhoto:
    """A photo of the room whose depth is the true one times `factor`."""
    return DepthPhoto(
        name=name,
        grey=grey(camera, grey_size),
        depth=(cast(camera, size)[0] * factor).astype(np.float32),
        color=picture(camera, size),
        shown=np.ones(size, bool),
        photo=camera.photo,
        intrinsics=camera.intrinsics,
        extrinsics=camera.extrinsics,
    )
