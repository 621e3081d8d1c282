"""A walk through a painted hall with painted boxes in it, whose cameras are known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

HALL = np.array([6.0, 1.6, 5.0])
"""Half sides in metres, y down."""

TEXELS, PER_METRE = 1024, 90.0
"""Of a wall's paint, which repeats after 11 m, and so on no wall of the hall."""

BOXES = (
    ((0.0, 0.9, 0.0), (1.1, 0.7, 0.8)),
    ((-3.2, 1.0, 2.2), (0.5, 0.6, 0.7)),
    ((3.4, 0.6, -2.0), (0.6, 1.0, 0.5)),
    ((-3.0, 0.5, -2.6), (0.7, 1.1, 0.4)),
    ((2.8, 1.1, 2.6), (0.8, 0.5, 0.5)),
)
"""Middle and half sides in metres of what stands in the hall."""

NOISE = 2.0
"""Standard deviation in grey levels."""


@dataclass(frozen=True, eq=False)
class Walk:
    """extrinsics: [N,4,4] world-to-camera, metres. intrinsics: [3,3] pixels. size: (width, height)."""

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    size: tuple[int, int]

    def photo(self, i: int) -> np.ndarray:
        """[h,w,3] uint8, the same every time."""
        return _rendered(self.extrinsics[i], self.intrinsics, self.size, i)[0]

    def depth(self, i: int) -> np.ndarray:
        """[h,w] metres along z."""
        return _rendered(self.extrinsics[i], self.intrinsics, self.size, i)[1]


def walk_round(count: int, size: tuple[int, int] = (480, 360), turns: float = 1.0) -> Walk:
    """Once around the hall and back to the start, looking ahead and inwards, with a hand's sway."""
    phase = 2 * np.pi * turns * np.arange(count) / max(count - 1, 1)
    sway = np.random.default_rng(3).uniform(0, 2 * np.pi, 4)
    centre = np.stack((4.2 * np.sin(phase), 0.08 * np.sin(9 * phase + sway[0]), -3.3 * np.cos(phase)), axis=1)
    centre[:, [0, 2]] *= (1 + 0.06 * np.sin(3 * phase + sway[1]))[:, None]
    heading = 55 - np.degrees(phase) + 12 * np.sin(4 * phase + sway[2])
    angles = np.stack((heading, 4 * np.sin(6 * phase + sway[3]) - 4, 2 * np.sin(7 * phase)), axis=1)
    return _walk(centre, angles, size)


def looks_around(count: int, seed: int = 0, size: tuple[int, int] = (480, 360)) -> Walk:
    """Photos in no order from all over the hall, as somebody takes them who photographs all of it."""
    rng = np.random.default_rng(seed)
    phase = rng.permutation(2 * np.pi * np.arange(count) / count)
    reach = rng.uniform(0.75, 1.0, count)
    centre = np.stack((4.6 * np.sin(phase), rng.uniform(-0.5, 0.5, count), -3.7 * np.cos(phase)), axis=1)
    centre[:, [0, 2]] *= reach[:, None]
    heading = rng.uniform(-50, 50, count) - np.degrees(phase)
    angles = np.stack((heading, rng.uniform(-10, 8, count), rng.uniform(-4, 4, count)), axis=1)
    return _walk(centre, angles, size)


def _walk(centre: np.ndarray, angles: np.ndarray, size: tuple[int, int]) -> Walk:
    turn = Rotation.from_euler("YXZ", angles, degrees=True).as_matrix().transpose(0, 2, 1)
    extrinsics = np.tile(np.eye(4), (len(centre), 1, 1))
    extrinsics[:, :3, :3] = turn
    extrinsics[:, :3, 3] = -np.einsum("nij,nj->ni", turn, centre)
    width, height = size
    focal = 0.8 * max(size)
    return Walk(extrinsics, np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]), size)


_PAINT: list[np.ndarray] = []


def _paint() -> np.ndarray:
    """[texels,texels] grey levels, without a seam."""
    if not _PAINT:
        rng = np.random.default_rng(5)
        layers = [s * gaussian_filter(rng.normal(size=(TEXELS, TEXELS)), s, mode="wrap") for s in (1.5, 3, 6, 14)]
        paint = np.sum(layers, axis=0)
        _PAINT.append(128 + 42 * paint / paint.std())
    return _PAINT[0]


def _rendered(
    extrinsics: np.ndarray, intrinsics: np.ndarray, size: tuple[int, int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    rays = np.stack((x, y, np.ones_like(x)), axis=-1) @ np.linalg.inv(intrinsics).T @ extrinsics[:3, :3]
    rays = np.where(np.abs(rays) < 1e-9, 1e-9, rays)
    origin = -extrinsics[:3, :3].T @ extrinsics[:3, 3]
    far_side = rays > 0
    reach = (np.sign(rays) * HALL - origin) / rays
    depth, axis = reach.min(-1), reach.argmin(-1)
    face = 2 * axis + np.take_along_axis(far_side, axis[..., None], 2)[..., 0]
    for number, (middle, half) in enumerate(BOXES, start=1):
        centre, half_sides = np.array(middle), np.array(half)
        near = (centre - np.sign(rays) * half_sides - origin) / rays
        far = (centre + np.sign(rays) * half_sides - origin) / rays
        enters, through = near.max(-1), near.argmax(-1)
        here = (enters < far.min(-1)) & (enters > 0.05) & (enters < depth)
        side = np.take_along_axis(far_side, through[..., None], 2)[..., 0]
        depth, axis = np.where(here, enters, depth), np.where(here, through, axis)
        face = np.where(here, 6 * number + 2 * through + side, face)
    hit = origin + depth[..., None] * rays
    across = np.where(axis == 0, hit[..., 1], hit[..., 0])
    along = np.where(axis == 2, hit[..., 1], hit[..., 2])
    shift = np.stack((face * 331.7, face * 177.3), axis=0)
    grey = map_coordinates(_paint(), np.stack((across, along)) * PER_METRE + shift, order=1, mode="grid-wrap")
    grey += np.random.default_rng(seed).normal(0, NOISE, grey.shape)
    pixels = np.round(np.clip(grey, 0, 255)).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, axis=-1), depth
