"""Features of photos without pictures: points with drawn places and descriptors, seen by known cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.memory import FeatureMemory, PhotoFeatures
from model_runtime.photos.feature_photo import FeaturePhoto

SIZE, FOCAL = (480, 360), 400.0
NOISE, DESCRIPTOR_NOISE = 0.3, 6.0
"""Standard deviations in pixels and in units of descriptors."""


@dataclass(frozen=True, eq=False)
class MadePhotos:
    """photos: without pictures; memory has their features. extrinsics: [N,4,4]. seen: [N,P] bool, who sees what."""

    photos: list[FeaturePhoto]
    memory: FeatureMemory
    extrinsics: np.ndarray
    seen: np.ndarray

    @property
    def shared(self) -> np.ndarray:
        """[N,N], points that two photos both see."""
        seen = self.seen.astype(np.int64)
        return seen @ seen.T


def around(
    count: int,
    points: int = 1500,
    turns: float = 1.0,
    seed: int = 0,
    name: str = "",
    plain: bool = False,
    k1: float = 0.0,
) -> MadePhotos:
    """Photos from a ring of 3 m, looking outwards at points 5 to 7 m from its middle; `turns` times around, by
    a lens with Brown's k1."""
    rng = np.random.default_rng(seed)
    angle, far = rng.uniform(0, 2 * np.pi, points), rng.uniform(5, 7, points)
    world = np.stack((far * np.sin(angle), rng.uniform(-2, 2, points), far * np.cos(angle)), axis=1)
    words = rng.gamma(0.6, 1.0, (points, 128))
    words *= 512 / np.linalg.norm(words, axis=1, keepdims=True)
    memory, photos, every, poses = FeatureMemory(), list[FeaturePhoto](), list[np.ndarray](), list[np.ndarray]()
    for i, phase in enumerate(2 * np.pi * turns * np.arange(count) / count):
        turn = Rotation.from_euler("YX", [phase, rng.normal(0, 0.05)]).as_matrix().T
        pose = np.eye(4)
        pose[:3, :3] = turn
        pose[:3, 3] = -turn @ (3 * np.sin(phase), rng.normal(0, 0.15), 3 * np.cos(phase))
        at = world @ pose[:3, :3].T + pose[:3, 3]
        plane = at[:, :2] / at[:, 2:]
        bent = plane * (1 + k1 * np.square(plane).sum(1, keepdims=True))
        pixel = FOCAL * bent + np.array(SIZE) / 2 + rng.normal(0, NOISE, (points, 2))
        seen = (at[:, 2] > 0.5) & (np.abs(plane) < 1).all(1) & (pixel > 0).all(1) & (pixel < SIZE).all(1)
        noisy = words[seen] + rng.normal(0, DESCRIPTOR_NOISE, (int(seen.sum()), 128))
        photo = FeaturePhoto(f"{name}{i:03}.png", SIZE, np.zeros((0, 0), np.uint8), let_go=f"{name}{seed}-{i}")
        memory.keep(photo, PhotoFeatures(pixel[seen], np.clip(np.round(noisy), 0, 255).astype(np.uint8), plain))
        photos.append(photo)
        every.append(seen)
        poses.append(pose)
    return MadePhotos(photos, memory, np.stack(poses), np.stack(every))
