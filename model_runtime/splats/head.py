"""What a Gaussian head makes of one photo, taken from its output or from where it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.depth.scratch import Lazy
from model_runtime.geometry.arrays import Array, on_device
from model_runtime.network.output import GaussianSplats, Output, as_array

DITHER = 52.9829189, 0.06711056, 0.00583715
"""Interleaved gradient noise (Jimenez 2014): an even choice of any share of a picture's pixels."""

FIELDS = ("means", "scales", "rotations", "opacities", "harmonics")


@dataclass(frozen=True, eq=False)
class HeadSplats:
    """P splats of one photo. pixel: [P] int64, rising, of the canvas, row by row. means [P,3], scales [P,3],
    rotations [P,4], opacities [P], harmonics [P,3,K]: as in `GaussianSplats`, in the world of the network's pass, times
    `world_scale`; where the output has them, until some are `taken`.
    """

    pixel: np.ndarray
    means: Array
    scales: Array
    rotations: Array
    opacities: Array
    harmonics: Array
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
    fields = {name: getattr(splats, name)[0, some] for name in FIELDS}
    return HeadSplats(pixel=np.arange(len(index)), world_scale=float(splats.world_scale[0]), **fields)


def taken(splats: HeadSplats, chosen: np.ndarray) -> HeadSplats:
    """Those of the splats that are in `chosen` [P] bool, as float32 of numpy: of what lies on a device only these are
    fetched."""
    index = np.flatnonzero(chosen)

    def some(values: Array) -> np.ndarray:
        device = None if isinstance(values, np.ndarray) else values.device
        return as_array(values[on_device(index, device)])

    return replace(splats, pixel=splats.pixel[index], **{name: some(getattr(splats, name)) for name in FIELDS})


def fewer(splats: HeadSplats, width: int, most: int) -> HeadSplats:
    """At most about `most` of them, even over the picture, as `taken`. width: of the canvas, pixels."""
    if len(splats.pixel) <= most:
        return taken(splats, np.ones(len(splats.pixel), bool))
    row, column = np.divmod(splats.pixel, width)
    noise = np.modf(DITHER[0] * np.modf(DITHER[1] * column + DITHER[2] * row)[0])[0]
    return taken(splats, noise < most / len(splats.pixel))
