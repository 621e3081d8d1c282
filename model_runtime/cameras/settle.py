"""From a network's output on the canvas to the cameras of whole photos in the world of the prediction.

The world is the network's own (the reference view's camera), or the frame of the given cameras. Given cameras are
taken over to the last digit, and depths scaled by the one similarity that fits all cameras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.contract.messages import Cameras, JobError
from model_runtime.contract.photo_names import listed
from model_runtime.geometry.cameras import camera_centres
from model_runtime.geometry.similarity import STATIC_SPREAD, Similarity, align_cameras
from model_runtime.network.output import Output, as_array
from model_runtime.photos.feature_photo import focal_in_pixels
from model_runtime.photos.prepare import PreparedPhoto

ASSUMED_FOCAL_35MM = 32.0
"""Of a photo that does not tell: between a phone's main camera (24 to 28 mm) and a normal lens."""

LARGEST_RATIO = 10.0
FOCAL_RANGE = (0.05, 50.0)
"""Focal lengths in photo diagonals that a lens can have: about 170 to 1 degree of field of view."""


@dataclass(frozen=True, eq=False)
class SettledCameras:
    """The prediction's cameras: extrinsics [N,4,4], intrinsics [N,3,3] in photo pixels, both float64.

    depth_scale: [N], what the network's depth is multiplied by to be in the prediction's world.
    similarity: from the network's world to the prediction's.
    depth_correction: for each view the map [h,w] over the photo that its depth is multiplied by besides, or None.
    agreement: for each view [h,w] in 0..1, how far the photos agree on its depth; None where they were not compared.
    """

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    depth_scale: np.ndarray
    similarity: Similarity
    depth_correction: tuple[np.ndarray | None, ...] | None = None
    agreement: tuple[np.ndarray, ...] | None = None

    @property
    def settings(self) -> dict[str, object]:
        """What Prediction.settings tells of it: the share of pixels whose depth other photos bear out."""
        if self.agreement is None:
            return {}
        return {"agreeing": round(float(np.mean([np.mean(each > 0) for each in self.agreement])), 3)}

    def settled_depth(self, output: Output, photo: PreparedPhoto, i: int) -> np.ndarray:
        """[h,w] float32: the network's depth of view `i`, over the whole photo, in the prediction's world."""
        depth = photo.placement.crop(as_array(output.depth[0, i])) * np.float32(self.depth_scale[i])
        correction = None if self.depth_correction is None else self.depth_correction[i]
        return depth if correction is None else depth * correction


def settle_cameras(
    output: Output, photos: Sequence[PreparedPhoto], given: Cameras | None, distance: float
) -> tuple[SettledCameras, list[str]]:
    """The cameras the prediction has, and what the artist should know about them.

    distance: see `network_cameras`.
    """
    notes: list[str] = []
    scale = np.ones(len(photos))
    similarity = Similarity.identity()
    if output.extrinsics is None:
        extrinsics, intrinsics, assumed = _standalone_cameras(photos)
    else:
        extrinsics, intrinsics, assumed = _network_cameras(output, photos)
    if given is not None:
        if output.extrinsics is not None:
            similarity = _align(extrinsics, given.extrinsics, distance, notes)
            scale *= float(similarity.scale)
        elif output.metric_focal is not None:
            notes.append("The depth is in meters; the given cameras are taken to be in meters too.")
        else:
            notes.append("This checkpoint's depth has no known scale; it need not match that of the given cameras.")
        extrinsics, intrinsics = given.extrinsics, given.intrinsics
    else:
        notes += assumed
    if output.metric_focal is not None:
        canvas = [p.placement.intrinsics_to_canvas(k) for p, k in zip(photos, intrinsics, strict=True)]
        scale *= np.array([(k[0, 0] + k[1, 1]) / 2 / output.metric_focal for k in canvas])
    return SettledCameras(extrinsics, intrinsics, scale, similarity), notes


def _align(extrinsics: np.ndarray, given: np.ndarray, distance: float, notes: list[str]) -> Similarity:
    """From the network's world to the given one.

    The network was told the given cameras in units of `distance`. Where its own cameras spread far more or far less
    than that, it has not understood them: then the distance itself is the better guess of the scale.
    """
    similarity = align_cameras(extrinsics, given)
    centres = camera_centres(given)
    static = np.linalg.norm(centres - centres.mean(0)) <= STATIC_SPREAD * np.linalg.norm(centres)
    ratio = float(similarity.scale) / distance
    if static or 1 / LARGEST_RATIO < ratio < LARGEST_RATIO:
        return similarity
    notes.append("The network's own cameras hardly agree with the given ones; the scale of the depth may be off.")
    moved = similarity.rotation @ camera_centres(extrinsics).mean(0)
    return Similarity(np.float64(distance), similarity.rotation, centres.mean(0) - distance * moved)


def _standalone_cameras(photos: Sequence[PreparedPhoto]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    notes = _assumption_notes(photos)
    if len(photos) > 1:
        notes.append("This checkpoint does not relate photos to each other: all cameras stand at the origin.")
    extrinsics = np.tile(np.eye(4), (len(photos), 1, 1))
    return extrinsics, np.stack([_assumed_intrinsics(photo) for photo in photos]), notes


def _network_cameras(output: Output, photos: Sequence[PreparedPhoto]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    assert output.extrinsics is not None and output.intrinsics is not None
    extrinsics = np.tile(np.eye(4), (len(photos), 1, 1))
    extrinsics[:, :3] = as_array(output.extrinsics[0])
    intrinsics = np.empty((len(photos), 3, 3))
    unknown = []
    canvas_intrinsics = as_array(output.intrinsics[0]).astype(np.float64)
    for i, (photo, canvas) in enumerate(zip(photos, canvas_intrinsics, strict=True)):
        intrinsics[i] = photo.placement.intrinsics_to_photo(canvas)
        focal = intrinsics[i].diagonal()[:2] / np.hypot(*photo.placement.photo)
        if not ((focal > FOCAL_RANGE[0]) & (focal < FOCAL_RANGE[1])).all():
            intrinsics[i] = _assumed_intrinsics(photo)
            unknown.append(photo)
    if not np.isfinite(extrinsics).all():
        raise JobError("not-finite", "The network found no cameras.", "Choose precision float32 or another checkpoint.")
    return extrinsics, intrinsics, _assumption_notes(unknown)


def _assumed_intrinsics(photo: PreparedPhoto) -> np.ndarray:
    width, height = photo.placement.photo
    focal = focal_in_pixels(photo.focal_35mm or ASSUMED_FOCAL_35MM, (width, height))
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def _assumption_notes(photos: Sequence[PreparedPhoto]) -> list[str]:
    with_exif = [photo.name for photo in photos if photo.focal_35mm]
    without_exif = [photo.name for photo in photos if not photo.focal_35mm]
    sources = (
        (with_exif, "from their EXIF data"),
        (without_exif, f"assumed to be {ASSUMED_FOCAL_35MM:g} mm (35 mm equivalent)"),
    )
    return [
        f"The checkpoint found no field of view for {listed(names)}; the focal length is {source}."
        for names, source in sources
        if names
    ]
