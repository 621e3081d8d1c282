"""What a known camera must be before anything is computed from it. Numpy only."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from model_runtime.contract.lens import COEFFICIENTS, Lens, bends, share_lost, straight_camera
from model_runtime.contract.messages import JobError

ROTATION_TOLERANCE = 1e-3
SKEW_TOLERANCE = 1e-4
"""Of the focal length. Blender's cameras have none."""

LARGEST_NUMBER = 1e9
"""In any unit or in pixels. Beyond it float32, as of the network and of Blender, counts in steps of 64."""

SMALLEST_FOCAL = 1.0
"""Pixels. Intrinsics of pixels that are counted from 0 to 1 have less."""

MOST_LOST, LEAST_LEFT = 0.9, 0.2
"""Of a photo's area, what its straight picture may not show; of its sides, what the picture's must have. A fisheye of
220 degrees loses 0.65."""


def check_pose(pose: np.ndarray, name: str) -> None:
    """Raises JobError where `pose` [4,4], of the camera to the world or back, is no rotation and translation.

    name: the photo's.
    """
    check_numbers(pose, name)
    rotation = pose[:3, :3]
    strays = np.abs(rotation @ rotation.T - np.eye(3)).max() > ROTATION_TOLERANCE
    if strays or np.linalg.det(rotation) < 0 or (pose[3] != (0, 0, 0, 1)).any():
        raise _bad(f"The camera of {name} is not placed by a rotation and a translation.")


def check_intrinsics(k: np.ndarray, name: str) -> None:
    """Raises JobError where `k` [3,3], pixels, is not of a pinhole camera without skew. name: the photo's."""
    check_numbers(k, name)
    if min(k[0, 0], k[1, 1]) < SMALLEST_FOCAL or k[1, 0] != 0 or (k[2] != (0, 0, 1)).any():
        raise _bad(f"The intrinsics of {name} are not those of a pinhole camera.")
    if abs(k[0, 1]) > SKEW_TOLERANCE * k[0, 0]:
        raise JobError(
            "bad-cameras",
            f"The camera of {name} has skew, which is not supported.",
            "Calibrate it without skew: the second number of the intrinsics is then 0.",
        )


def check_lens(lens: Lens, name: str) -> None:
    """Raises JobError where hardly anything can be seen of a photo of this name once this lens is straightened.

    lens: its intrinsics are checked.
    """
    check_numbers(lens.coefficients, name)
    known = len(COEFFICIENTS.get(lens.model, ()))
    if not known or lens.coefficients.ndim != 1 or len(lens.coefficients) > known:
        raise _bad_lens(f"The lens of {name} has coefficients of no known model.")
    if not _straightens(lens.model, lens.size, tuple(lens.intrinsics.ravel()), tuple(lens.coefficients)):
        raise _bad_lens(f"The lens of {name} bends the photo beyond recognition.")


@lru_cache(maxsize=256)  # most photos share their lens
def _straightens(
    model: str, size: tuple[int, int], intrinsics: tuple[float, ...], coefficients: tuple[float, ...]
) -> bool:
    lens = Lens(model, size, np.reshape(intrinsics, (3, 3)), np.array(coefficients))
    if not bends(lens):
        return True
    straight = straight_camera(lens)
    left = min(side / photo for side, photo in zip(straight.size, size, strict=True))
    return left >= LEAST_LEFT and share_lost(lens, straight) <= MOST_LOST


def check_numbers(matrix: np.ndarray, name: str) -> None:
    """Raises JobError where a number of the camera of a photo of this name is too large or not finite."""
    if not (np.abs(matrix) <= LARGEST_NUMBER).all():  # NaN is not either
        raise _bad(f"The camera of {name} holds numbers that are too large or not finite.")


def _bad(sentence: str) -> JobError:
    return JobError("bad-cameras", sentence, "Cameras are world-to-camera, x right, y down, z forward, in pixels.")


def _bad_lens(sentence: str) -> JobError:
    return JobError("bad-cameras", sentence, "Check the numbers of the lens, and which kind they are of.")
