"""What a Gaussian head makes of one photo, taken from its output or from where it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from model_runtime.depth.scratch import Lazy
from model_runtime.network.output import GaussianSplats, Output

DITHER = 52.9829189, 0.06711056, 0.00583715
"""Interleaved gradient noise (Jimenez 2014): an even choice of any share of a picture's pixels."""


@dataclass(frozen=True, eq=False)
class HeadSplats:
    """P splats of one photo. pixel: [P] int64, rising, of the canvas, row by row. means [P,3], scales [P,3],
    rotations [P,4], opacities [P], harmonics [P,3,K]: float32, as in `GaussianSplats`, in the world of the network's
    pass, times `world_scale`.
    """

    pixel: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    rotations: np.ndarray
    opacities: np.ndarray
    harmonics: np.ndarray
    world_scale: float


def head_splats(output: Output) -> Sequence[HeadSplats] | None:
    """Those of each photo of the output, one at a time; None where it has none."""
    splats = output.gaussians
    if splats is None:
        return None
    _, count, height, width = output.depth.shape
    return Lazy(count, lambda i: _of_photo(splats, np.arange(i * height * width, (i + 1) * height * width)), kept=1)


def _of_photo(splats: GaussianSplats, index: np.ndarray) -> HeadSplats:
    some = slice(int(index[0]), int(index[-1]) + 1)
    means, scales, rotations, opacities, harmonics = (
        field[0, some].float().cpu().numpy()
        for field in (splats.means, splats.scales, splats.rotations, splats.opacities, splats.harmonics)
    )
    pixel = np.arange(len(index))
    return HeadSplats(pixel, means, scales, rotations, opacities, harmonics, float(splats.world_scale[0]))


def fewer(splats: HeadSplats, width: int, most: int) -> HeadSplats:
    """At most about `most` of them, even over the picture. width: of the canvas, pixels."""
    if len(splats.pixel) <= most:
        return splats
    row, column = np.divmod(splats.pixel, width)
    noise = np.modf(DITHER[0] * np.modf(DITHER[1] * column + DITHER[2] * row)[0])[0]
    kept = noise < most / len(splats.pixel)
    arrays = {name: values[kept] for name, values in vars(splats).items() if name != "world_scale"}
    return replace(splats, **arrays)


def as_tensors(splats: HeadSplats, chosen: np.ndarray) -> list[torch.Tensor]:
    """means, scales, rotations, opacities, harmonics of the splats in `chosen` [P] bool."""
    arrays = (splats.means, splats.scales, splats.rotations, splats.opacities, splats.harmonics)
    return [torch.from_numpy(np.ascontiguousarray(array[chosen])) for array in arrays]
