"""Which photos a photo is compared with: those that show the same things, from places not too near and not too far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.depth.refinement.views import MapCamera
from model_runtime.geometry.arrays import Array, as_numpy, like, namespace

STRIDE = 10
"""Every so many pixels of a row and a column one is looked at."""

BEST_ANGLE, SPREAD = 10.0, 25.0
"""Degrees between two lines of sight: below the first, depth is the less sure the smaller the angle is; above, things
look the less alike the larger it is, by a Gaussian of the second."""

LEAST_SCORE = 0.05
"""Of a photo that is worth comparing: the share of the pixels that it shows, each counted by its angle."""


def choose_sources(cameras: Sequence[MapCamera], logs: Sequence[Array], most: int) -> list[list[int]]:
    """For each map the others to compare it with, best first, at most `most` of them.

    logs: logarithm of each map's depth [h,w].
    """
    every = _Cameras(
        np.array([camera.extrinsics for camera in cameras]).reshape(-1, 4, 4),
        np.array([camera.intrinsics for camera in cameras]).reshape(-1, 3, 3),
        np.array([camera.size for camera in cameras]).reshape(-1, 2),
    )
    chosen = []
    for i, (camera, log_depth) in enumerate(zip(cameras, logs, strict=True)):
        scores = _scores(camera, log_depth, every)
        scores[i] = 0.0
        order = np.argsort(-scores, kind="stable")[:most]
        chosen.append([int(j) for j in order if scores[j] > LEAST_SCORE])
    return chosen


@dataclass(frozen=True, eq=False)
class _Cameras:
    """extrinsics [N,4,4], intrinsics [N,3,3] and sizes [N,2] of maps."""

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    sizes: np.ndarray


def _scores(camera: MapCamera, log_depth: Array, others: _Cameras) -> np.ndarray:
    """[N], of each of `others`."""
    xp = namespace(log_depth)

    def thinned(dense: Array) -> Array:
        part = dense[..., STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
        return part.reshape(*part.shape[:-2], -1)

    points = thinned(camera.rays(log_depth)) * xp.exp(thinned(log_depth))
    moves = others.extrinsics @ np.linalg.inv(camera.extrinsics)
    turns = like(others.intrinsics @ moves[:, :3, :3], points)
    shifts = like(others.intrinsics @ moves[:, :3, 3:], points)
    x, y, z = xp.moveaxis(turns @ points + shifts, 1, 0)
    heights, widths = like(others.sizes.T[..., None], points)
    inside = (z > 0) & (x >= 0) & (x < widths * z) & (y >= 0) & (y < heights * z)
    sights = points - like(np.linalg.inv(moves)[:, :3, 3:], points)
    length = xp.sqrt(xp.sum(points * points, axis=0)) * xp.sqrt(xp.sum(sights * sights, axis=1))
    cosine = xp.sum(points * sights, axis=1) / length.clip(1e-30, None)
    angle = xp.acos(cosine.clip(-1, 1)) * (180 / np.pi)
    worth = xp.where(angle < BEST_ANGLE, angle / BEST_ANGLE, xp.exp(-(((angle - BEST_ANGLE) / SPREAD) ** 2)))
    return as_numpy(xp.mean(worth * inside, axis=1))
