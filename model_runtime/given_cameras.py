"""Known cameras of a request: checked, and as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_runtime.image_batch import Placement
from model_runtime.messages import GivenCameras, JobError

ROTATION_TOLERANCE = 1e-3
SMALLEST_DISTANCE = 0.1


def check_cameras(cameras: GivenCameras, count: int) -> None:
    """Raises JobError `bad-cameras` for anything but `count` pinhole cameras in the contract's conventions."""
    extrinsics, intrinsics = cameras.extrinsics, cameras.intrinsics
    if extrinsics.shape != (count, 4, 4) or intrinsics.shape != (count, 3, 3):
        shapes = f"{list(extrinsics.shape)} and {list(intrinsics.shape)}"
        raise _bad(f"{count} photos need extrinsics [{count}, 4, 4] and intrinsics [{count}, 3, 3], not {shapes}.")
    for i, (pose, k) in enumerate(zip(extrinsics, intrinsics, strict=True)):
        if not (np.isfinite(pose).all() and np.isfinite(k).all()):
            raise _bad(f"Camera {i + 1} holds numbers that are not finite.")
        rotation = pose[:3, :3]
        strays = np.abs(rotation @ rotation.T - np.eye(3)).max() > ROTATION_TOLERANCE
        if strays or np.linalg.det(rotation) < 0 or (pose[3] != (0, 0, 0, 1)).any():
            raise _bad(f"The extrinsics of camera {i + 1} are not a rotation and a translation.")
        if k[0, 0] <= 0 or k[1, 1] <= 0 or k[1, 0] != 0 or (k[2] != (0, 0, 1)).any():
            raise _bad(f"The intrinsics of camera {i + 1} are not those of a pinhole camera.")


def _bad(sentence: str) -> JobError:
    return JobError("bad-cameras", sentence, "Cameras are world-to-camera, x right, y down, z forward, in pixels.")


def network_cameras(cameras: GivenCameras, placements: Sequence[Placement]) -> tuple[np.ndarray, np.ndarray, float]:
    """Extrinsics [N,4,4] relative to view 0 and divided by a distance, intrinsics [N,3,3] on the canvas, that distance.

    The distance is the median one of the cameras from view 0, at least 0.1, as in the released code.
    """
    relative = cameras.extrinsics @ np.linalg.inv(cameras.extrinsics[0])
    centres = -(relative[:, :3, :3].transpose(0, 2, 1) @ relative[:, :3, 3:])[..., 0]
    distance = max(float(np.median(np.linalg.norm(centres, axis=1))), SMALLEST_DISTANCE)
    relative[:, :3, 3] /= distance
    canvas = [p.intrinsics_to_canvas(k) for p, k in zip(placements, cameras.intrinsics, strict=True)]
    return relative, np.stack(canvas), distance
