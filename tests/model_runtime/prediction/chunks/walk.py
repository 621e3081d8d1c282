"""A walk through a box-shaped room, with exact cameras and depth, as networks might see it a chunk at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.geometry.pose_graph import scales, step
from model_runtime.geometry.similarity import align_cameras
from model_runtime.prediction.chunks.chunk import ChunkOutput

ROOM = np.array([4.0, 3.0, 1.3])
"""Half sizes in metres; the walk is around its middle."""
SIZE = (30, 40)
INTRINSICS = np.array([[32.0, 0, 20.5], [0, 33.0, 14.6], [0, 0, 1]])


@dataclass(frozen=True, eq=False)
class Walk:
    """extrinsics: [N,4,4] world-to-camera. depths: [N,h,w] along z."""

    extrinsics: np.ndarray
    depths: np.ndarray

    @property
    def poses(self) -> np.ndarray:
        return np.linalg.inv(self.extrinsics)

    @property
    def length(self) -> float:
        return float(np.linalg.norm(np.diff(self.poses[:, :3, 3], axis=0), axis=1).sum())


def walk(count: int, turns: float = 1.0) -> Walk:
    """Around the room in `turns` rounds, looking outwards, swaying a little."""
    angle = np.linspace(0, 2 * np.pi * turns, count)
    radius = 1 + 0.15 * np.sin(3 * angle)
    centres = np.stack((1.8 * radius * np.cos(angle), 1.2 * radius * np.sin(angle), 0.2 * np.sin(2 * angle)), 1)
    ahead = np.stack((np.cos(angle), np.sin(angle), 0.15 * np.sin(5 * angle)), 1)
    return of_cameras(centres, ahead)


def of_cameras(centres: np.ndarray, ahead: np.ndarray) -> Walk:
    ahead = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.cross(ahead, [0, 0, 1.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    poses = np.tile(np.eye(4), (len(centres), 1, 1))
    poses[:, :3, :3] = np.stack((right, np.cross(ahead, right), ahead), -1)
    poses[:, :3, 3] = centres
    return Walk(np.linalg.inv(poses), np.stack([_depth(pose) for pose in poses]))


def _depth(pose: np.ndarray) -> np.ndarray:
    y, x = np.indices(SIZE) + 0.5
    rays = np.stack((x, y, np.ones(SIZE)), -1) @ np.linalg.inv(INTRINSICS).T @ pose[:3, :3].T
    rays = np.where(rays == 0, 1e-12, rays)
    return ((np.sign(rays) * ROOM - pose[:3, 3]) / rays).min(-1)


def chunk(
    of: Walk,
    places: tuple[int, ...],
    rng: np.random.Generator,
    noise: float = 0.0,
    outliers: float = 0.0,
    drift: np.ndarray | float = 0.0,
) -> ChunkOutput:
    """What a network sees of these photos, in a world and unit of its own.

    noise: relative, of depth; a third of it is the photo's own, and so are turns of its camera and, relative to 1 m,
    shifts. outliers: share of pixels whose depth is anything. drift: [7] by how much each photo's camera and scale go
    off the one before, a `pose_graph.step`.
    """
    n = len(places)
    poses, depths = of.poses[list(places)], of.depths[list(places)].copy()
    drifted = poses[:1] @ np.eye(4)
    drifted = np.concatenate([drifted, np.zeros((n - 1, 4, 4))])
    for k in range(1, n):
        drifted[k] = drifted[k - 1] @ np.linalg.inv(poses[k - 1]) @ poses[k] @ step(np.ones(7) * drift)
    drifted = drifted @ step(np.concatenate((rng.normal(size=(n, 6)) * noise / 3, np.zeros((n, 1))), 1))
    depths *= np.exp(noise * (rng.normal(size=depths.shape) + rng.normal(size=(n, 1, 1)) / 3))
    depths *= scales(drifted)[:, None, None]
    wrong = rng.random(depths.shape) < outliers
    depths[wrong] *= rng.uniform(0.2, 4, int(wrong.sum()))
    own = step(np.r_[rng.normal(size=3), Rotation.random(rng=rng).as_rotvec(), rng.normal()])
    placed = own @ drifted
    placed[:, :3, :3] /= scales(placed)[:, None, None]
    return ChunkOutput(
        places,
        list(depths * scales(own)),
        list(1 + rng.random(depths.shape)),
        np.linalg.inv(placed),
        np.tile(INTRINSICS, (n, 1, 1)),
    )


def windows(count: int, size: int, overlap: int) -> list[tuple[int, ...]]:
    starts = range(0, max(count - overlap, 1), size - overlap)
    return [tuple(range(start, min(start + size, count))) for start in starts]


@dataclass(frozen=True)
class Score:
    """trajectory: rms distance of the centres after `align_cameras`, share of the path's length. turn: rms degrees.
    scale: rms of the log of depth over its truth, about their mean. jump: most that a centre is off from where the
    truth, moved like the photo before, has it, in metres."""

    trajectory: float
    turn: float
    scale: float
    jump: float


def score(of: Walk, extrinsics: np.ndarray, depth: list[np.ndarray]) -> Score:
    """Of joined photos and their depths [h,w] in the joined world."""
    fit = align_cameras(extrinsics, of.extrinsics)
    scale, placed = float(fit.scale), np.linalg.inv(fit.extrinsics(extrinsics))
    centres = placed[:, :3, 3]
    off = centres - of.poses[:, :3, 3]
    turned = Rotation.from_matrix(placed[:, :3, :3] @ of.extrinsics[:, :3, :3])
    ratios = np.array([np.median(np.log(scale * d / t)) for d, t in zip(depth, of.depths, strict=True)])
    return Score(
        float(np.sqrt(np.square(off).sum(1).mean())) / of.length,
        float(np.degrees(np.sqrt(np.square(turned.magnitude()).mean()))),
        float(np.sqrt(np.square(ratios).mean())),
        float(np.linalg.norm(np.diff(off, axis=0), axis=1).max()),
    )
