"""Gaussian splats as plain numbers, whatever file they come from or go to. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model_runtime.contract import harmonics as functions
from model_runtime.contract.quaternions import rotate_quaternions

from .refusals import SplatFileError

BYTES_OF_SHAPE = 4 * 11
"""Of one splat, without its harmonics."""


@dataclass(frozen=True, eq=False)
class SplatCloud:
    """G splats, all float32, in the axes of their file.

    means: [G,3]. scales: [G,3], linear standard deviations, 0 or more. rotations: [G,4] wxyz, of unit length.
    opacities: [G], 0..1. harmonics: [G,3,K], K = (degree + 1) ** 2 coefficients of red, green and blue in the basis of
    3D Gaussian Splatting; they give display-encoded (sRGB) colours. left_out: how many splats of the file are not here
    because their numbers are no splat (see `usable`).
    """

    means: np.ndarray
    scales: np.ndarray
    rotations: np.ndarray
    opacities: np.ndarray
    harmonics: np.ndarray
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.means)

    @property
    def degree(self) -> int:
        """Of the harmonics."""
        return round(self.harmonics.shape[2] ** 0.5) - 1

    def turned(self, turn: np.ndarray) -> SplatCloud:
        """The same splats after an orthogonal map [3,3], which may mirror."""
        if np.array_equal(turn, np.eye(3)):
            return self
        proper = turn * np.sign(np.linalg.det(turn))  # a Gaussian is its own image in its middle
        return replace(
            self,
            means=self.means @ turn.T.astype(np.float32),
            rotations=rotate_quaternions(proper, self.rotations),
            harmonics=functions.rotate(self.harmonics, turn),
        )


def empty_cloud(count: int, coefficients: int) -> SplatCloud:
    """Room for `count` splats."""

    def room(*shape: int) -> np.ndarray:
        return np.empty((count, *shape), np.float32)

    return SplatCloud(room(3), room(3), room(4), room(), room(3, coefficients))


def memory_of(count: int, coefficients: int) -> int:
    """Bytes of `count` splats."""
    return count * (BYTES_OF_SHAPE + 12 * coefficients)


def usable(cloud: SplatCloud) -> SplatCloud:
    """The splats whose numbers are finite, whose scales are not negative and whose rotations have a length, which
    becomes 1; opacities are brought into 0..1. Raises SplatFileError where none are left."""
    largest = np.abs(cloud.rotations).max(axis=1)
    good = np.isfinite(cloud.means).all(1) & np.isfinite(cloud.opacities) & np.isfinite(largest) & (largest > 0)
    good &= (np.isfinite(cloud.scales) & (cloud.scales >= 0)).all(1)
    good &= np.isfinite(cloud.harmonics.reshape(len(good), -1)).all(1)
    count = int(np.count_nonzero(good))
    if not count:
        raise SplatFileError("none of its splats has numbers that are finite, a size and a rotation")
    if count < len(good):
        arrays = (cloud.means, cloud.scales, cloud.rotations, cloud.opacities, cloud.harmonics)
        cloud = SplatCloud(*(array[good] for array in arrays), left_out=cloud.left_out + len(good) - count)
        largest = largest[good]
    rotations = cloud.rotations / largest[:, None]  # squares of very small and large ones would lose their digits
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    return replace(cloud, rotations=rotations, opacities=np.clip(cloud.opacities, 0, 1))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1, small) / (1 + small)


def logit(values: np.ndarray) -> np.ndarray:
    """The inverse of `sigmoid`, finite: 0 and 1 count as almost 0 and 1."""
    within = np.clip(values, LEAST_OPACITY, 1 - LEAST_OPACITY)
    return np.log(within / (1 - within))


LEAST_OPACITY = 1e-7
