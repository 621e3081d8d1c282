"""Splats where no photo shows anything: what lies beyond the photos' rims, guessed from what lies beside it.

Each photo's camera looks again, with a wider lens, at the splats there are; colour and inverse depth of what it does
not see are filled from what it does, coarse to fine (pull and push, Gortler et al. 1996, The Lumigraph).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from model_runtime.contract.messages import Gaussians, View
from model_runtime.splats.blending import blend, find_pairs
from model_runtime.splats.renderer import Splats, in_sight, project
from model_runtime.splats.surface import joined, surface_splats

WIDER = 1.8
"""Times the photo's field of view."""

SIDE = 84
"""Pixels for the photo's longest side."""

LEAST_COVERED = 0.7

BEHIND = 1.01
"""Times the depth of what lies beside it: it must not stand before what a photo shows."""

SMOOTHINGS = 12
"""Of each size: so a hole takes what lies beside it and not what shares a large pixel with it."""
LEAST_WEIGHT = 1e-9

UNSURE = 1.0
"""Confidence of a guess: the least there is."""


def guessed_splats(gaussians: Gaussians, views: Sequence[View]) -> list[Gaussians]:
    """Splats for each view's surroundings, the later without what the earlier fill."""
    parts: list[Gaussians] = []
    for i, view in enumerate(views):
        intrinsics, size = _wider(view)
        camera = torch.from_numpy(view.extrinsics).float(), torch.from_numpy(intrinsics).float()
        color, inverse, coverage = _look(tensors(joined([gaussians, *parts])), *camera, size)
        known = (coverage > LEAST_COVERED).float()
        if not known.any() or known.all():
            continue
        filled = pull_push(torch.cat([color, inverse[None]]), known)
        color = (filled[:3].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()
        depth = (BEHIND / filled[3].clamp_min(1e-30)).numpy()
        unsure = np.full(size, UNSURE, np.float32)
        hole = max_pool2d(1 - known[None], 3, 1, 1)[0] > 0  # and the rim about it: what is known ends within a pixel
        parts.append(surface_splats(depth, unsure, color, view.extrinsics, intrinsics, hole.numpy(), i))
    return parts


def tensors(gaussians: Gaussians) -> Splats:
    """The same splats, to be rendered."""
    names = ("means", "scales", "rotations", "harmonics", "opacities")
    return Splats(*(torch.from_numpy(np.array(getattr(gaussians, name), np.float32)) for name in names))


def _wider(view: View) -> tuple[np.ndarray, tuple[int, int]]:
    """Intrinsics and (height, width) of the view's camera with a wider lens."""
    width, height = view.photo_size
    factor = SIDE / max(width, height)
    size = round(height * factor * WIDER), round(width * factor * WIDER)
    intrinsics = np.diag((factor, factor, 1.0)) @ view.intrinsics
    intrinsics[:2, 2] += (size[1] - width * factor) / 2, (size[0] - height * factor) / 2
    return intrinsics, size


def _look(
    splats: Splats, extrinsics: Tensor, intrinsics: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Colour [3,h,w], inverse depth [h,w] and coverage [h,w] of what a camera sees."""
    order = in_sight(splats, extrinsics, intrinsics, size)
    projected = project(splats, order, extrinsics, intrinsics, size)
    depth = (splats.means[order] @ extrinsics[:3, :3].mT + extrinsics[:3, 3])[:, 2:]
    values = torch.cat([projected.colour, 1 / depth, torch.ones_like(depth)], 1)
    seen = blend(projected, values, find_pairs(projected, size)).T.unflatten(1, size)
    seen, coverage = seen[:4] / seen[4].clamp_min(1e-6), seen[4]
    return seen[:3], seen[3], coverage


def pull_push(values: Tensor, weight: Tensor) -> Tensor:
    """Values [C,h,w] where weight [h,w] is above zero; elsewhere smoothly what the nearest with a weight have."""
    levels = [(values * weight, weight[None])]
    while max(levels[-1][1].shape[1:]) > 1:
        levels.append(tuple(avg_pool2d(each[None], 2, ceil_mode=True)[0] for each in levels[-1]))  # pyright: ignore
    filled = torch.zeros(len(values), 1, 1)
    for summed, weights in reversed(levels):
        mean = summed / weights.clamp_min(1e-12)
        coarser = interpolate(filled[None], weights.shape[1:], mode="bilinear", align_corners=False)[0]
        filled = coarser
        for _ in range(SMOOTHINGS):
            filled = torch.where(weights > LEAST_WEIGHT, mean, filled)
            filled = avg_pool2d(filled[None], 3, 1, 1, count_include_pad=False)[0]
        filled = torch.where(weights > LEAST_WEIGHT, mean, filled)
    return filled
