"""Which photos a photo is compared with: those that show the same things, from places not too near and not too far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from model_runtime.depth.refinement.views import MapCamera

STRIDE = 10
"""Every so many pixels of a row and a column one is looked at."""

BEST_ANGLE, SPREAD = 10.0, 25.0
"""Degrees between two lines of sight: below the first, depth is the less sure the smaller the angle is; above, things
look the less alike the larger it is, by a Gaussian of the second."""

LEAST_SCORE = 0.05
"""Of a photo that is worth comparing: the share of the pixels that it shows, each counted by its angle."""


def choose_sources(cameras: Sequence[MapCamera], logs: Sequence[torch.Tensor], most: int) -> list[list[int]]:
    """For each map the others to compare it with, best first, at most `most` of them.

    logs: logarithm of each map's depth [h,w].
    """
    return [_sources_of(i, cameras, logs[i], most) for i in range(len(cameras))]


def _sources_of(index: int, cameras: Sequence[MapCamera], log_depth: torch.Tensor, most: int) -> list[int]:
    camera = cameras[index]
    scores = np.array([0.0 if i == index else _score(camera, log_depth, other) for i, other in enumerate(cameras)])
    order = np.argsort(-scores, kind="stable")[:most]
    return [int(i) for i in order if scores[i] > LEAST_SCORE]


def _score(camera: MapCamera, log_depth: torch.Tensor, other: MapCamera) -> float:
    def thinned(dense: torch.Tensor) -> torch.Tensor:
        return dense[..., STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]

    device = log_depth.device
    depth = thinned(log_depth).exp()
    turned, moved = camera.transfer(other, device)
    x, y, z = thinned(turned) * depth + moved
    height, width = other.size
    inside = (z > 0) & (x >= 0) & (x < width * z) & (y >= 0) & (y < height * z)
    points = thinned(camera.rays(device)) * depth
    centre = camera.extrinsics @ np.linalg.inv(other.extrinsics)[:, 3]
    sight = points - torch.from_numpy(centre[:3].astype(np.float32)).to(device)[:, None, None]
    cosine = (points * sight).sum(0) / (points.norm(dim=0) * sight.norm(dim=0)).clamp_min(1e-12)
    angle = torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
    worth = torch.where(angle < BEST_ANGLE, angle / BEST_ANGLE, torch.exp(-(((angle - BEST_ANGLE) / SPREAD) ** 2)))
    return float((worth * inside).mean())
