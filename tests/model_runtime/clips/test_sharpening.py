"""Points looked at closely lie where the true cameras see them, more exactly than features do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.result import FeatureCameras, SparsePoints
from model_runtime.clips.frame_files import FrameFiles
from model_runtime.clips.observing import ClipLens, Sight
from model_runtime.clips.sharpening import sharpened
from model_runtime.clips.watching import WatchedClip
from model_runtime.contract.progress import SILENT
from model_runtime.photos.feature_photo import FeaturePhoto

from .made_clips import ArraySource

SIZE, FOCAL = (320, 200), 260.0
DEPTH = 3.0
POINTS = 150
OFF = 0.5
"""Pixels, standard deviation of where features are."""


def wall(at: np.ndarray) -> np.ndarray:
    """[...,3] uint8, what a wall shows at places (x, y) on it: sums of waves, which repeat nowhere."""
    rng = np.random.default_rng(0)
    total = np.zeros(at.shape[:-1])
    for length in np.geomspace(0.06, 0.6, 24):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        total += np.sin(2 * np.pi / length * (at @ (np.cos(angle), np.sin(angle))) + phase)
    return np.repeat(np.clip(128 + 18 * total, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def camera(x: float, turn: tuple[float, float, float]) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    pose[:3, 3] = -pose[:3, :3] @ (x, 0.1 * x, 0.2 * x)
    return pose


def photographed(pose: np.ndarray) -> np.ndarray:
    """[H,W,3], the wall at z = DEPTH, without blur."""
    across, down = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    rays = np.stack(((across - SIZE[0] / 2) / FOCAL, (down - SIZE[1] / 2) / FOCAL, np.ones_like(across)), -1)
    rays, centre = rays @ pose[:3, :3], -pose[:3, :3].T @ pose[:3, 3]
    return wall((centre + rays * ((DEPTH - centre[2]) / rays[..., 2:]))[..., :2])


def planes(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    at = points @ pose[:3, :3].T + pose[:3, 3]
    return at[:, :2] / at[:, 2:]


def test_points_are_found_several_times_as_exactly_as_their_features(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    poses = np.stack([camera(0.0, (0, 0, 0)), camera(0.3, (0.01, -0.08, 0.1)), camera(0.6, (0.0, -0.15, -0.1))])
    points = np.column_stack((rng.uniform((-1.0, -0.7), (1.4, 0.7), (POINTS, 2)), np.full(POINTS, DEPTH)))
    k = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]])
    seen = planes(poses[0], points) * FOCAL + k[:2, 2]
    every = np.arange(POINTS)
    sparse = SparsePoints(points, np.zeros(POINTS, np.int64), every, seen)
    cameras = FeatureCameras(np.ones(1, bool), poses[:1], k[None], sparse, None)
    source = ArraySource(np.stack([photographed(pose) for pose in poses]))
    photo = FeaturePhoto("a", SIZE, np.zeros((0, 0), np.uint8), let_go="a")
    clip = WatchedClip((0, 1, 2), (0,), False, [photo], FrameFiles(tmp_path))
    for place in (1, 2):
        true = planes(poses[place], points)
        rough = Sight(np.full(POINTS, place), every, true + rng.normal(0, OFF / FOCAL, true.shape))
        close = sharpened(clip, source, cameras, ClipLens(cameras, None), poses, points, rough, SILENT)
        away = np.linalg.norm(close.plane - true[close.point], axis=1) * FOCAL
        inside = (np.abs(true) < (0.5, 0.3)).all(1).sum()
        assert len(close.point) > 0.6 * inside
        assert np.median(away) < 0.1
        assert np.quantile(away, 0.9) < 0.3


def test_a_frame_that_shows_something_else_keeps_its_features(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    poses = np.stack([camera(0.0, (0, 0, 0)), camera(0.0, (0, 0, 0))])
    points = np.column_stack((rng.uniform((-1.0, -0.7), (1.0, 0.7), (POINTS, 2)), np.full(POINTS, DEPTH)))
    k = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]])
    plane = planes(poses[0], points)
    sparse = SparsePoints(points, np.zeros(POINTS, np.int64), np.arange(POINTS), plane * FOCAL + k[:2, 2])
    cameras = FeatureCameras(np.ones(1, bool), poses[:1], k[None], sparse, None)
    source = ArraySource(np.stack([photographed(poses[0]), np.zeros((*SIZE[::-1], 3), np.uint8)]))
    photo = FeaturePhoto("a", SIZE, np.zeros((0, 0), np.uint8), let_go="a")
    clip = WatchedClip((0, 1), (0,), False, [photo], FrameFiles(tmp_path))
    rough = Sight(np.ones(POINTS, np.int64), np.arange(POINTS), plane)
    close = sharpened(clip, source, cameras, ClipLens(cameras, None), poses, points, rough, SILENT)
    assert np.array_equal(close.plane, plane)
