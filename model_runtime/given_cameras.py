"""Known cameras of a request: checked, with what came along with them, and as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from model_runtime.features.result import SparsePoints
from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.image_batch import Placement
from model_runtime.messages import GivenCameras, JobError

ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class KnownCameras:
    """cameras: one per photo, NaN where a photo's is not known. sparse: points that came along, with where the photos
    see them, or None. notes: what the artist should know."""

    cameras: GivenCameras
    sparse: SparsePoints | None = None
    notes: list[str] = field(default_factory=list[str])

    @property
    def known(self) -> np.ndarray:
        """[N] bool."""
        return np.isfinite(self.cameras.extrinsics).all((1, 2))

    def of(self, photos: Sequence[int]) -> KnownCameras:
        """Those of some of the photos, by their places."""
        chosen = GivenCameras(self.cameras.extrinsics[list(photos)], self.cameras.intrinsics[list(photos)])
        return KnownCameras(chosen, None if self.sparse is None else self.sparse.of(photos), self.notes)


def given_cameras(cameras: GivenCameras | None, count: int) -> GivenCameras:
    """The given cameras in float64.

    Raises JobError `no-cameras` where there are none, and `bad-cameras` for anything but `count` pinhole cameras in
    the contract's conventions, or rows of NaN for those that are not known.
    """
    if cameras is None:
        raise JobError("no-cameras", "The request says its cameras are given, but gives none.", "Give them, or auto.")
    extrinsics, intrinsics = cameras.extrinsics.astype(np.float64), cameras.intrinsics.astype(np.float64)
    if extrinsics.shape != (count, 4, 4) or intrinsics.shape != (count, 3, 3):
        shapes = f"{list(extrinsics.shape)} and {list(intrinsics.shape)}"
        raise _bad(f"{count} photos need extrinsics [{count}, 4, 4] and intrinsics [{count}, 3, 3], not {shapes}.")
    unknown = np.isnan(extrinsics).all((1, 2)) & np.isnan(intrinsics).all((1, 2))
    if unknown.all():
        raise JobError("cameras-missing", "None of the photos has a known camera.", "Choose cameras of these photos.")
    for i in np.flatnonzero(~unknown):
        pose, k = extrinsics[i], intrinsics[i]
        if not (np.isfinite(pose).all() and np.isfinite(k).all()):
            raise _bad(f"Camera {i + 1} holds numbers that are not finite.")
        rotation = pose[:3, :3]
        strays = np.abs(rotation @ rotation.T - np.eye(3)).max() > ROTATION_TOLERANCE
        if strays or np.linalg.det(rotation) < 0 or (pose[3] != (0, 0, 0, 1)).any():
            raise _bad(f"The extrinsics of camera {i + 1} are not a rotation and a translation.")
        if k[0, 0] <= 0 or k[1, 1] <= 0 or k[1, 0] != 0 or (k[2] != (0, 0, 1)).any():
            raise _bad(f"The intrinsics of camera {i + 1} are not those of a pinhole camera.")
    return GivenCameras(extrinsics, intrinsics)


def _bad(sentence: str) -> JobError:
    return JobError("bad-cameras", sentence, "Cameras are world-to-camera, x right, y down, z forward, in pixels.")


def network_cameras(cameras: GivenCameras, placements: Sequence[Placement]) -> tuple[np.ndarray, np.ndarray, float]:
    """What the camera encoder takes: normalised extrinsics [N,4,4] and intrinsics [N,3,3] on the canvas, float64.

    Last, the distance that translations were divided by.
    """
    extrinsics, distance = normalise_given_cameras(torch.from_numpy(cameras.extrinsics))
    canvas = [p.intrinsics_to_canvas(k) for p, k in zip(placements, cameras.intrinsics, strict=True)]
    return extrinsics.numpy(), np.stack(canvas), float(distance)
