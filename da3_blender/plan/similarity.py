"""Similarity transforms of a whole scene: scale, turn, move; and finding the one between two sets of cameras. Numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-4
"""How far, relative to its scale, a matrix may be from a similarity and still be taken for one."""

SAME_PLACE = 1e-4
"""Cameras nearer to each other than this share of their distance from what they see tell nothing about scale."""

MOST_CAMERAS = 200
"""Of many cameras, an even choice: their pairs would take too long."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale * rotation @ x + translation, with scale > 0, rotation [3,3] and translation [3] in float64."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    @classmethod
    def of(cls, scale: float = 1.0, rotation: np.ndarray | None = None, about: np.ndarray | None = None) -> Similarity:
        """The one that scales and turns and leaves the point `about` [3] (the origin by default) where it is."""
        rotation = np.eye(3) if rotation is None else rotation
        about = np.zeros(3) if about is None else about
        return cls(scale, rotation, about - scale * rotation @ about)

    @classmethod
    def from_matrix(cls, matrix: np.ndarray) -> Similarity:
        """Of a [4,4] matrix; raises ValueError where that shears, mirrors or scales unevenly."""
        linear = np.asarray(matrix, dtype=np.float64)[:3, :3]
        scale = float(np.cbrt(np.linalg.det(linear)))
        if scale <= 0:
            raise ValueError("The matrix mirrors or flattens.")
        left, _, right = np.linalg.svd(linear / scale)
        if np.abs(linear / scale - left @ right).max() > TOLERANCE:
            raise ValueError("The matrix scales unevenly.")
        return cls(scale, left @ right, np.asarray(matrix, dtype=np.float64)[:3, 3].copy())

    @property
    def matrix(self) -> np.ndarray:
        """[4,4] float64."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.scale * self.rotation
        matrix[:3, 3] = self.translation
        return matrix

    def __matmul__(self, first: Similarity) -> Similarity:
        """`first`, then this one."""
        return Similarity(
            self.scale * first.scale,
            self.rotation @ first.rotation,
            self.scale * self.rotation @ first.translation + self.translation,
        )

    def inverse(self) -> Similarity:
        return Similarity(1 / self.scale, self.rotation.T, -self.rotation.T @ np.asarray(self.translation) / self.scale)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Moved points [...,3], in their own precision."""
        moved = points @ (self.scale * self.rotation).T + self.translation
        return moved.astype(points.dtype) if np.issubdtype(points.dtype, np.floating) else moved

    def pose(self, pose: np.ndarray) -> np.ndarray:
        """Camera-to-world [4,4] of the moved camera: turned and moved along, but not itself scaled."""
        moved = np.eye(4)
        moved[:3, :3] = self.rotation @ pose[:3, :3]
        moved[:3, 3] = self.points(np.asarray(pose, dtype=np.float64)[:3, 3])
        return moved


def align_poses(source: np.ndarray, target: np.ndarray, source_depth: float, target_depth: float) -> Similarity:
    """The similarity that takes cameras `source` [N,4,4] best to `target` [N,4,4], both camera-to-world.

    A few cameras that are elsewhere altogether do not count: rotation and translation are weighted again and again by
    how well they agree (Weiszfeld's algorithm), and scale is the median over pairs of cameras.
    source_depth, target_depth: how far what they see typically is; tells the scale where cameras stand in one place.
    """
    if len(source) > MOST_CAMERAS:
        chosen = np.linspace(0, len(source) - 1, MOST_CAMERAS).astype(int)
        source, target = source[chosen], target[chosen]
    rotation = _typical_rotation(target[:, :3, :3] @ np.swapaxes(source[:, :3, :3], 1, 2))
    scale = _typical_scale(source[:, :3, 3], target[:, :3, 3], SAME_PLACE * source_depth)
    scale = target_depth / source_depth if scale is None else scale
    shifts = target[:, :3, 3] - scale * source[:, :3, 3] @ rotation.T
    return Similarity(scale, rotation, _typical_point(shifts, SAME_PLACE * target_depth))


def _typical_rotation(rotations: np.ndarray) -> np.ndarray:
    """[3,3]: the rotation nearest to most of `rotations` [N,3,3], distances not squared."""
    weights = np.ones(len(rotations))
    typical = rotations[0]
    for _ in range(20):
        left, _, right = np.linalg.svd(np.tensordot(weights, rotations, axes=1))
        typical = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
        weights = 1 / np.maximum(np.linalg.norm(rotations - typical, axis=(1, 2)), 1e-6)
    return typical


def _typical_scale(source: np.ndarray, target: np.ndarray, least: float) -> float | None:
    """Median ratio of distances between places [N,3], far pairs counting more; None where none is `least` apart."""
    first, second = np.triu_indices(len(source), 1)
    apart = np.linalg.norm(source[first] - source[second], axis=1)
    wide = apart > least
    if not wide.any():
        return None
    ratio = np.linalg.norm(target[first] - target[second], axis=1)[wide] / apart[wide]
    order = np.argsort(ratio)
    reached = np.cumsum(apart[wide][order])
    return float(ratio[order][np.searchsorted(reached, reached[-1] / 2)]) or None


def _typical_point(points: np.ndarray, tiny: float) -> np.ndarray:
    """[3]: the geometric median of `points` [N,3]."""
    typical = np.median(points, axis=0)
    for _ in range(20):
        weights = 1 / np.maximum(np.linalg.norm(points - typical, axis=1), tiny * 1e-3 + 1e-12)
        typical = weights @ points / weights.sum()
    return typical
