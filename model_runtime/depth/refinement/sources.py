"""Which photos a photo is compared with: those that show the same things, from places not too near and not too far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from model_runtime.depth.refinement.views import MapCamera

STRIDE = 10
"""Every so many pixels of a row and a column one is looked at."""

BEST_ANGLE, SPREAD = 10.0, 25.0
"""Degrees between two lines of sight: below the first, depth is the less sure the smaller the angle is; above, things
look the less alike the larger it is, by a Gaussian of the second."""

LEAST_SCORE = 0.05
"""Of a photo that is worth comparing: the share of the pixels that it shows, each counted by its angle."""


def choose_sources(cameras: Sequence[MapCamera], logs: Sequence[Tensor], most: int) -> list[list[int]]:
    """For each map the others to compare it with, best first, at most `most` of them.

    logs: logarithm of each map's depth [h,w].
    """
    chosen = []
    for i, (camera, log_depth) in enumerate(zip(cameras, logs, strict=True)):
        scores = _scores(camera, log_depth, cameras)
        scores[i] = 0.0
        order = np.argsort(-scores, kind="stable")[:most]
        chosen.append([int(j) for j in order if scores[j] > LEAST_SCORE])
    return chosen


def _scores(camera: MapCamera, log_depth: Tensor, others: Sequence[MapCamera]) -> np.ndarray:
    """[N], of each of `others`."""

    def sent(arrays: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(arrays).astype(np.float32)).to(log_depth.device)

    def thinned(dense: Tensor) -> Tensor:
        return dense[..., STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].flatten(-2)

    points = thinned(camera.rays(log_depth.device)) * thinned(log_depth).exp()
    moves = [other.extrinsics @ np.linalg.inv(camera.extrinsics) for other in others]
    turns = sent([other.intrinsics @ move[:3, :3] for other, move in zip(others, moves, strict=True)])
    shifts = sent([other.intrinsics @ move[:3, 3:] for other, move in zip(others, moves, strict=True)])
    x, y, z = (turns @ points + shifts).unbind(1)
    heights, widths = sent([np.array(other.size) for other in others]).T[..., None]
    inside = (z > 0) & (x >= 0) & (x < widths * z) & (y >= 0) & (y < heights * z)
    sights = points - sent([np.linalg.inv(move)[:3, 3:] for move in moves])
    cosine = torch.nn.functional.cosine_similarity(points[None], sights, dim=1, eps=1e-30)
    angle = torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
    worth = torch.where(angle < BEST_ANGLE, angle / BEST_ANGLE, torch.exp(-(((angle - BEST_ANGLE) / SPREAD) ** 2)))
    return (worth * inside).mean(1).cpu().numpy()
