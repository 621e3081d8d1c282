"""Cameras of frames that nothing places: between their neighbours."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation, Slerp


def fill_between(poses: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Cameras [F,4,4], world-to-camera, with those that are NaN set between the frames around: turned evenly in time
    (Shoemake 1985), their centres on curves that go through the others' and nowhere beyond (Fritsch and Carlson 1980).
    Before the first and after the last that is known, as these. seconds: [F], of each frame, rising."""
    known = np.isfinite(poses).all((1, 2))
    if known.all():
        return poses
    filled = poses.copy()
    if known.sum() == 1:
        filled[:] = poses[known][0]
        return filled
    times = np.clip(seconds[~known], seconds[known][0], seconds[known][-1])
    turns = Rotation.from_matrix(poses[known, :3, :3])
    centres = -np.einsum("fji,fj->fi", poses[known, :3, :3], poses[known, :3, 3])
    turned = Slerp(seconds[known], turns)(times).as_matrix()
    moved = PchipInterpolator(seconds[known], centres)(times)
    filled[~known] = np.eye(4)
    filled[~known, :3, :3] = turned
    filled[~known, :3, 3] = -np.einsum("fij,fj->fi", turned, moved)
    return filled
