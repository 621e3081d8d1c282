"""Whether a `Prediction` can become a scene: every check, before anything is made. Numpy only."""

from __future__ import annotations

import numpy as np

from model_runtime.contract import harmonics
from model_runtime.contract.messages import CameraTrack, Gaussians, JobError, Mesh, Prediction, View


class PlanError(JobError, ValueError):
    """A prediction or a setting that cannot become a scene; carries the `Failure` the artist reads."""

    def __init__(self, sentence: str, advice: str = "Run the job again; if it stays, try another checkpoint.") -> None:
        super().__init__("bad-prediction", sentence, advice)


def check_prediction(prediction: Prediction) -> None:
    """Raises `PlanError` with a sentence naming the view and what is wrong with it."""
    if not prediction.views:
        raise PlanError("The prediction has no views, so there is nothing to build.")
    for view in prediction.views:
        _check_maps(view)
        _check_camera(view)
    if prediction.gaussians is not None:
        _check_gaussians(prediction.gaussians, len(prediction.views))
    if prediction.mesh is not None:
        _check_mesh(prediction.mesh, len(prediction.views))
    if prediction.track is not None:
        _check_track(prediction.track, prediction.views)


def _check_maps(view: View) -> None:
    if len(view.photo_size) != 2 or min(view.photo_size) < 1:
        raise PlanError(f"{view.name}: the photo's size {view.photo_size} is not a width and a height.")
    if view.depth.ndim != 2 or min(view.depth.shape) < 2:
        raise PlanError(f"{view.name}: the depth map has shape {view.depth.shape}, not rows by columns.")
    shape = view.depth.shape
    for what, array, wanted in (
        ("confidence map", view.confidence, shape),
        ("sky mask", view.sky, shape),
        ("colour image", view.color, (*shape, 3)),
        ("transparency", view.opaque, shape),
        ("mask of repeated points", view.repeated, shape),
    ):
        if array is not None and array.shape != wanted:
            raise PlanError(f"{view.name}: the {what} has shape {array.shape}, but the depth map asks for {wanted}.")
    for what, mask in (
        ("sky mask", view.sky),
        ("transparency", view.opaque),
        ("mask of repeated points", view.repeated),
    ):
        if mask is not None and mask.dtype != np.bool_:
            raise PlanError(f"{view.name}: the {what} is {mask.dtype}, not bool.")
    if view.color.dtype != np.uint8:
        raise PlanError(f"{view.name}: the colour image is {view.color.dtype}, not uint8.")
    bad = int(np.count_nonzero(~np.isfinite(view.depth) & view.shown))
    if bad:
        raise PlanError(f"{view.name}: {bad} of {view.depth.size} depths are not finite numbers.")
    if not np.isfinite(view.confidence).all():
        raise PlanError(f"{view.name}: the confidence map holds values that are not finite numbers.")
    if view.shown.any() and not view.usable.any():
        raise PlanError(f"{view.name}: no depth is greater than zero.")


def _check_camera(view: View) -> None:
    _check_pinhole(view.name, view.extrinsics, view.intrinsics)


def _check_pinhole(name: str, extrinsics: np.ndarray, intrinsics: np.ndarray) -> None:
    for what, matrix, wanted in (("extrinsics", extrinsics, (4, 4)), ("intrinsics", intrinsics, (3, 3))):
        if matrix.shape != wanted:
            raise PlanError(f"{name}: the camera's {what} have shape {matrix.shape}, not {wanted}.")
        if not np.isfinite(matrix).all():
            raise PlanError(f"{name}: the camera's {what} hold values that are not finite numbers.")
    rotation = extrinsics[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3 or np.linalg.det(rotation) < 0:
        raise PlanError(f"{name}: the camera's extrinsics do not hold a rotation.")
    if np.abs(extrinsics[3] - (0, 0, 0, 1)).max() > 1e-6:
        raise PlanError(f"{name}: the last row of the camera's extrinsics is not 0 0 0 1.")
    fx, fy = intrinsics[0, 0], intrinsics[1, 1]
    if fx <= 0 or fy <= 0:
        raise PlanError(f"{name}: the focal lengths {fx:g} and {fy:g} are not both greater than zero.")
    if abs(intrinsics[0, 1]) > 1e-4 * fx:
        raise PlanError(f"{name}: the camera has skew, which Blender's cameras do not know.")


def _check_track(track: CameraTrack, views: tuple[View, ...]) -> None:
    count = len(track.numbers)
    if not count:
        raise PlanError("The clip has no frames.")
    for what, array, wanted in (
        ("numbers", track.numbers, (count,)),
        ("times", track.seconds, (count,)),
        ("extrinsics", track.extrinsics, (count, 4, 4)),
        ("match errors", track.match_error, (count,)),
    ):
        if array.shape != wanted:
            raise PlanError(f"The {what} of the clip's frames have shape {array.shape}, not {wanted}.")
    if len(track.photo_size) != 2 or min(track.photo_size) < 1:
        raise PlanError(f"The clip's size {track.photo_size} is not a width and a height.")
    if not (np.isfinite(track.seconds).all() and np.isfinite(track.rate) and track.rate > 0):
        raise PlanError("The times of the clip's frames, or their rate, are not numbers.")
    if (np.diff(track.numbers) <= 0).any() or (np.diff(track.seconds) <= 0).any():
        raise PlanError("The frames of the clip do not follow one another.")
    for number, extrinsics in zip(track.numbers, track.extrinsics, strict=True):
        _check_pinhole(f"Frame {number}", extrinsics, track.intrinsics)
    strangers = [view.name for view in views if view.frame is None or view.frame not in track.numbers]
    if strangers:
        raise PlanError(f"{strangers[0]} is none of the clip's frames.")


def _check_gaussians(gaussians: Gaussians, views: int) -> None:
    count = len(gaussians.means)
    for what, array, wanted in (
        ("means", gaussians.means, (count, 3)),
        ("scales", gaussians.scales, (count, 3)),
        ("rotations", gaussians.rotations, (count, 4)),
        ("opacities", gaussians.opacities, (count,)),
        ("harmonics", gaussians.harmonics, (count, 3, *gaussians.harmonics.shape[2:3])),
        ("confidence", gaussians.confidence, (count,)),
        ("view_index", gaussians.view_index, (count,)),
        ("marks of repeated ones", gaussians.repeated, (count,)),
    ):
        if array is None:
            continue
        if array.shape != wanted:
            raise PlanError(f"The splats' {what} have shape {array.shape}, but their number asks for {wanted}.")
        if not np.isfinite(array).all():
            raise PlanError(f"The splats' {what} hold values that are not finite numbers.")
    if gaussians.repeated is not None and gaussians.repeated.dtype != np.bool_:
        raise PlanError(f"The splats' marks of repeated ones are {gaussians.repeated.dtype}, not bool.")
    if gaussians.harmonics.ndim != 3 or harmonics.degree_of(gaussians.harmonics.shape[2]) is None:
        raise PlanError(
            f"The splats' harmonics have shape {gaussians.harmonics.shape}; "
            f"the last number must be 1, 4, 9, 16 or 25 (degree 0 to {harmonics.MAX_DEGREE})."
        )
    if count == 0:
        return
    if gaussians.scales.min() < 0:
        raise PlanError("Some splats have a negative scale.")
    if gaussians.opacities.min() < 0 or gaussians.opacities.max() > 1:
        raise PlanError("Some splats have an opacity outside 0 to 1.")
    if np.linalg.norm(gaussians.rotations, axis=1).min() < 1e-6:
        raise PlanError("Some splats have a rotation of length zero.")
    if gaussians.view_index.min() < 0 or gaussians.view_index.max() >= views:
        raise PlanError(f"Some splats name a view that is not one of the {views}.")


def _check_mesh(mesh: Mesh, views: int) -> None:
    vertices, triangles = len(mesh.vertices), len(mesh.triangles)
    for what, array, wanted, kind in (
        ("vertices", mesh.vertices, (vertices, 3), np.floating),
        ("triangles", mesh.triangles, (triangles, 3), np.integer),
        ("choice of photos", mesh.face_view, (triangles,), np.integer),
        ("colours", mesh.colors, (vertices, 3), np.uint8),
    ):
        if array.shape != wanted or not np.issubdtype(array.dtype, kind):
            raise PlanError(f"The mesh's {what} have shape {array.shape} and type {array.dtype}, not {wanted}.")
    if not np.isfinite(mesh.vertices).all():
        raise PlanError("The mesh has vertices that are not finite numbers.")
    if triangles == 0:
        raise PlanError("The mesh has no triangle.")
    if mesh.triangles.min() < 0 or mesh.triangles.max() >= vertices:
        raise PlanError(f"Some triangles of the mesh name a vertex that is not one of the {vertices}.")
    if (mesh.triangles == np.roll(mesh.triangles, 1, axis=1)).any():
        raise PlanError("Some triangles of the mesh name a vertex twice.")
    if mesh.face_view.min() < -1 or mesh.face_view.max() >= views:
        raise PlanError(f"Some triangles of the mesh name a view that is not one of the {views}.")
