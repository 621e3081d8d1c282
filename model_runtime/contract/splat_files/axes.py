"""Which way is up in a file of splats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .cloud import SplatCloud

OPENCV, Y_UP, Z_UP = "opencv", "y_up", "z_up"

TO_Z_UP: Mapping[str, np.ndarray] = {
    OPENCV: np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    Y_UP: np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    Z_UP: np.eye(3),
}
"""Axes -> the rotation of a file's numbers to Blender's: OPENCV is x right, y down, z forward, as what 3D Gaussian
Splatting trains on; Y_UP is x right, y up, z back."""


def to_z_up(cloud: SplatCloud, axes: str) -> SplatCloud:
    """A file's splats as they lie in Blender's axes."""
    return cloud.turned(TO_Z_UP[axes])


def from_z_up(cloud: SplatCloud, axes: str) -> SplatCloud:
    """Splats in Blender's axes as a file has them."""
    return cloud.turned(TO_Z_UP[axes].T)
