"""Splats where no photo shows anything: what lies beyond the photos' rims, guessed from what lies beside it.

Each photo's camera looks again, with a wider lens, at the splats there are; colour and inverse depth of what it does
not see are filled from what it does, coarse to fine (pull and push, Gortler et al. 1996, The Lumigraph).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_dilation, uniform_filter

from model_runtime.contract.messages import Gaussians, View
from model_runtime.geometry.sampling import resized
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
        color, inverse, coverage = _look(joined([gaussians, *parts]), view.extrinsics, intrinsics, size)
        known = coverage > LEAST_COVERED
        if not known.any() or known.all():
            continue
        filled = pull_push(np.concatenate([color, inverse[None]]), known.astype(np.float32))
        color = np.round(np.moveaxis(filled[:3], 0, -1).clip(0, 1) * 255).astype(np.uint8)
        depth = BEHIND / np.maximum(filled[3], np.float32(1e-30))
        unsure = np.full(size, UNSURE, np.float32)
        hole = binary_dilation(~known, np.ones((3, 3)))  # the rim about it, too: what is known ends within a pixel
        parts.append(surface_splats(depth, unsure, color, view.extrinsics, intrinsics, hole, i))
    return parts


def _wider(view: View) -> tuple[np.ndarray, tuple[int, int]]:
    """Intrinsics and (height, width) of the view's camera with a wider lens."""
    width, height = view.photo_size
    factor = SIDE / max(width, height)
    size = round(height * factor * WIDER), round(width * factor * WIDER)
    intrinsics = np.diag((factor, factor, 1.0)) @ view.intrinsics
    intrinsics[:2, 2] += (size[1] - width * factor) / 2, (size[0] - height * factor) / 2
    return intrinsics, size


def _look(
    gaussians: Gaussians, extrinsics: np.ndarray, intrinsics: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colour [3,h,w], inverse depth [h,w] and coverage [h,w] of what a camera sees, by the renderer that improves
    splats afterwards."""
    import torch

    from model_runtime.splats.blending import blend, find_pairs
    from model_runtime.splats.renderer import in_sight, project, tensors

    splats = tensors(gaussians)
    camera = torch.from_numpy(extrinsics).float(), torch.from_numpy(intrinsics).float()
    order = in_sight(splats, *camera, size)
    projected = project(splats, order, *camera, size)
    depth = (splats.means[order] @ camera[0][:3, :3].mT + camera[0][:3, 3])[:, 2:]
    values = torch.cat([projected.colour, 1 / depth, torch.ones_like(depth)], 1)
    seen = blend(projected, values, find_pairs(projected, size)).T.unflatten(1, size).numpy()
    coverage = seen[4]
    seen = seen[:4] / np.maximum(coverage, np.float32(1e-6))
    return seen[:3], seen[3], coverage


def pull_push(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Values [C,h,w] where weight [h,w] is above zero; elsewhere smoothly what the nearest with a weight have."""
    levels = [(values * weight, weight)]
    while max(levels[-1][1].shape) > 1:
        summed, weights = levels[-1]
        levels.append((_halved(summed), _halved(weights)))
    filled = np.zeros((len(values), 1, 1), np.float32)
    for summed, weights in reversed(levels):
        mean = summed / np.maximum(weights, 1e-12)
        filled = np.stack([resized(each, weights.shape, "bilinear") for each in filled])
        some = weights > LEAST_WEIGHT
        shares = uniform_filter(np.ones_like(weights), 3, mode="constant")
        for _ in range(SMOOTHINGS):
            filled = np.where(some, mean, filled)
            filled = uniform_filter(filled, 3, mode="constant", axes=(1, 2)) / shares
        filled = np.where(some, mean, filled)
    return filled


def _halved(dense: np.ndarray) -> np.ndarray:
    """Means [...,ceil(h/2),ceil(w/2)] of two rows and columns each, at the rim of what is there."""
    height, width = dense.shape[-2:]
    even = np.pad(dense, [*((0, 0),) * (dense.ndim - 2), (0, height % 2), (0, width % 2)], mode="edge")
    return (even[..., ::2, ::2] + even[..., 1::2, ::2] + even[..., ::2, 1::2] + even[..., 1::2, 1::2]) / 4
