"""Clips that were watched, made from points of a known world: nothing is rendered and nothing is looked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model_runtime.cameras.features.result import FeatureCameras, SparsePoints
from model_runtime.clips.frame_files import FrameFiles, SeenFrame
from model_runtime.clips.watching import WatchedClip
from model_runtime.contract.lens import Lens, distort, seen_by_straight, straight_camera, to_pixels
from model_runtime.photos.feature_photo import FeaturePhoto

from .made_clips import ArraySource

SIZE = (640, 360)
INTRINSICS = np.array([[520.0, 0, 320], [0, 520, 180], [0, 0, 1]])
POINTS = 500
NOISE = 0.3
"""Pixels, standard deviation of where a feature is."""


def world(extrinsics: np.ndarray) -> np.ndarray:
    """[POINTS,3], before the camera of the middle frame, near and far."""
    rng = np.random.default_rng(0)
    depth = rng.uniform(2.0, 7.0, POINTS)
    plane = rng.uniform((-0.8, -0.5), (0.8, 0.5), (POINTS, 2))
    there = np.column_stack((plane, np.ones(POINTS))) * depth[:, None]
    pose = extrinsics[len(extrinsics) // 2]
    return (there - pose[:3, 3]) @ pose[:3, :3]


def planes(extrinsics: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[F,P,2], where each frame sees each point; NaN behind."""
    at = np.einsum("fij,pj->fpi", extrinsics[:, :3, :3], points) + extrinsics[:, None, :3, 3]
    return at[..., :2] / np.where(at[..., 2:] > 0, at[..., 2:], np.nan)


def watched(
    extrinsics: np.ndarray,
    keys: tuple[int, ...],
    folder: Path,
    lens: Lens | None = None,
    blind: tuple[int, ...] = (),
    noise: float = NOISE,
) -> tuple[WatchedClip, FeatureCameras, ArraySource]:
    """A clip with these cameras [F,4,4], its key frames' true cameras, and its pictures, which are black.

    noise: as NOISE. lens: where it bends lines. blind: frames that show none of the points.
    """
    rng = np.random.default_rng(1)
    points, count = world(extrinsics), len(extrinsics)
    known = rng.integers(0, 120, (POINTS, 128))
    source, files = ArraySource(np.zeros((count, *SIZE[::-1], 3), np.uint8)), FrameFiles(folder)
    where = planes(extrinsics, points)
    seen = to_pixels(INTRINSICS, where) if lens is None else distort(lens, where)
    pixels = seen + rng.normal(0, noise, seen.shape)
    inside = (pixels > 0).all(-1) & (pixels < SIZE).all(-1)
    inside[list(blind)] = False
    straight = INTRINSICS if lens is None else straight_camera(lens).intrinsics
    view, point, pixel = [], [], []
    for place in range(count):
        mine = np.flatnonzero(inside[place])
        descriptors = np.clip(known[mine] + rng.integers(-6, 7, (len(mine), 128)), 0, 255).astype(np.uint8)
        files.write(place, SeenFrame(f"{place}", pixels[place, mine], descriptors, 1.0))
        if place in keys:
            view.append(np.full(len(mine), keys.index(place)))
            point.append(mine)
            pixel.append(_straightened(pixels[place, mine], lens))
    nothing = np.zeros((0, 0), np.uint8)
    photos = [FeaturePhoto(source.frame_name(key), SIZE, nothing, let_go=f"{key}") for key in keys]
    sparse = SparsePoints(points, np.concatenate(view), np.concatenate(point), np.concatenate(pixel))
    intrinsics = np.tile(straight, (len(keys), 1, 1))
    cameras = FeatureCameras(np.ones(len(keys), bool), extrinsics[list(keys)], intrinsics, sparse, NOISE)
    return WatchedClip(tuple(range(count)), keys, False, photos, files), cameras, source


def _straightened(pixels: np.ndarray, lens: Lens | None) -> np.ndarray:
    return pixels if lens is None else seen_by_straight(lens, straight_camera(lens), pixels)
