"""Known cameras of a request: checked, with what came along with them, and as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from model_runtime.cameras.features.result import SparsePoints
from model_runtime.contract.camera_checks import check_intrinsics, check_pose
from model_runtime.contract.messages import Cameras, JobError
from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.photos.canvas import Placement


@dataclass(frozen=True, eq=False)
class KnownCameras:
    """cameras: one per photo, NaN where a photo's is not known. sparse: points that came along, with where the photos
    see them, or None. notes: what the artist should know."""

    cameras: Cameras
    sparse: SparsePoints | None = None
    notes: list[str] = field(default_factory=list[str])

    @property
    def known(self) -> np.ndarray:
        """[N] bool."""
        return np.isfinite(self.cameras.extrinsics).all((1, 2))

    def of(self, photos: Sequence[int]) -> KnownCameras:
        """Those of some of the photos, by their places."""
        chosen = Cameras(self.cameras.extrinsics[list(photos)], self.cameras.intrinsics[list(photos)])
        return KnownCameras(chosen, None if self.sparse is None else self.sparse.of(photos), self.notes)


def given_cameras(cameras: Cameras | None, names: Sequence[str]) -> Cameras:
    """The given cameras of the photos with these names, in float64.

    Raises JobError `no-cameras` where there are none, and `bad-cameras` for anything but as many pinhole cameras in
    the contract's conventions, or rows of NaN for those that are not known.
    """
    count = len(names)
    if cameras is None:
        raise JobError("no-cameras", "The request says its cameras are given, but gives none.", "Give them, or auto.")
    extrinsics, intrinsics = cameras.extrinsics.astype(np.float64), cameras.intrinsics.astype(np.float64)
    if extrinsics.shape != (count, 4, 4) or intrinsics.shape != (count, 3, 3):
        shapes = f"{list(extrinsics.shape)} and {list(intrinsics.shape)}"
        sentence = f"{count} photos need extrinsics [{count}, 4, 4] and intrinsics [{count}, 3, 3], not {shapes}."
        raise JobError("bad-cameras", sentence, "Choose cameras of these photos.")
    unknown = np.isnan(extrinsics).all((1, 2)) & np.isnan(intrinsics).all((1, 2))
    if unknown.all():
        raise JobError("cameras-missing", "None of the photos has a known camera.", "Choose cameras of these photos.")
    for i, name in enumerate(names):
        if not unknown[i]:
            check_pose(extrinsics[i], name)
            check_intrinsics(intrinsics[i], name)
    return Cameras(extrinsics, intrinsics)


def network_cameras(cameras: Cameras, placements: Sequence[Placement]) -> tuple[np.ndarray, np.ndarray, float]:
    """What the camera encoder takes: normalised extrinsics [N,4,4] and intrinsics [N,3,3] on the canvas, float64.

    Last, the distance that translations were divided by.
    """
    extrinsics, distance = normalise_given_cameras(torch.from_numpy(cameras.extrinsics))
    canvas = [p.intrinsics_to_canvas(k) for p, k in zip(placements, cameras.intrinsics, strict=True)]
    return extrinsics.numpy(), np.stack(canvas), float(distance)
