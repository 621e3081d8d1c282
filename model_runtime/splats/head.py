"""What a Gaussian head makes of one photo, taken from its output or from where it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.geometry.arrays import Array, on_device
from model_runtime.network.output import GaussianSplats, Output, as_array

DITHER = 52.9829189, 0.06711056, 0.00583715
"""Interleaved gradient noise (Jimenez 2014): an even choice of any share of a picture's pixels."""

FIELDS = ("means", "scales", "rotations", "opacities", "harmonics")


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

    def taken(self, chosen: np.ndarray) -> HeadSplats:
        """Those in `chosen` [P] bool."""
        return replace(self, pixel=self.pixel[chosen], **{name: getattr(self, name)[chosen] for name in FIELDS})


@dataclass(frozen=True, eq=False)
class OutputSplats:
    """The same in an output, on whichever device that has them. first: number of the photo's first one there."""

    splats: GaussianSplats
    first: int
    pixel: np.ndarray

    def taken(self, chosen: np.ndarray) -> HeadSplats:
        """Those in `chosen` [P] bool, of which alone the numbers are fetched from the device."""
        index = self.first + np.flatnonzero(chosen)

        def some(values: Array) -> np.ndarray:
            device = None if isinstance(values, np.ndarray) else values.device
            return as_array(values[0][on_device(index, device)])

        fields = {name: some(getattr(self.splats, name)) for name in FIELDS}
        return HeadSplats(pixel=self.pixel[chosen], world_scale=float(self.splats.world_scale[0]), **fields)


PhotoSplats = HeadSplats | OutputSplats


def head_splats(output: Output) -> Sequence[OutputSplats] | None:
    """Those of each photo of the output; None where it has none."""
    splats = output.gaussians
    if splats is None:
        return None
    _, count, height, width = output.depth.shape
    pixel = np.arange(height * width)
    return [OutputSplats(splats, i * len(pixel), pixel) for i in range(count)]


def fewer(splats: OutputSplats, width: int, most: int) -> HeadSplats:
    """At most about `most` of them, even over the picture. width: of the canvas, pixels."""
    if len(splats.pixel) <= most:
        return splats.taken(np.ones(len(splats.pixel), bool))
    row, column = np.divmod(splats.pixel, width)
    noise = np.modf(DITHER[0] * np.modf(DITHER[1] * column + DITHER[2] * row)[0])[0]
    return splats.taken(noise < most / len(splats.pixel))
