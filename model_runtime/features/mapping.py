"""Cameras and sparse points from matches alone: COLMAP's incremental mapping (Schönberger and Frahm 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pycolmap
import torch

from model_runtime.features.adjust import adjust
from model_runtime.features.matching import MAX_ERROR, SEED, Matches, Report, starting_camera
from model_runtime.features.result import FeatureCameras, from_reconstruction, nothing_found
from model_runtime.geometry.similarity import align_cameras

STARTING_FOCALS = (0.6, 0.87, 1.2)
"""Focal lengths in longest sides to start from where EXIF tells none: fields of view of 80, 60 and 45 degrees."""

FOCAL_RANGE = (0.3, 3.0)
"""Focal lengths in longest sides that a reconstruction may end with: fields of view of 118 to 19 degrees."""

SMALLEST_MODEL = 2
MIN_PAIR_INLIERS = 30
MIN_PAIR_ANGLE = 4.0
MIN_POSE_INLIERS = 15
"""Below COLMAP's (100, 16 degrees, 30), which are meant for hundreds of photos."""


def map_photos(matches: Matches, report: Report) -> FeatureCameras:
    """The largest and best fitting reconstruction that comes out; photos outside of it are not registered.

    Too few photos or matches are no error: nothing is registered then.
    """
    focals = STARTING_FOCALS if any(photo.known_focal is None for photo in matches.photos) else STARTING_FOCALS[:1]
    best: tuple[tuple[int, float], pycolmap.Reconstruction] | None = None
    for i, focal in enumerate(focals if matches.geometries else ()):
        progress = _Progress(report, i / len(focals), 1 / len(focals) / len(matches.photos))
        for model in _map_from(matches, focal, progress):
            quality = (model.num_reg_images(), _fit(model))
            if best is None or quality > best[0]:
                best = quality, model
    if best is None:
        return nothing_found(len(matches.photos))
    _polish(best[1])
    return from_reconstruction(best[1], matches)


def with_left_out(
    mapped: FeatureCameras, camera_numbers: Sequence[int], extrinsics: np.ndarray, intrinsics: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cameras [N,4,4], [N,3,3] of all photos, in the world of the mapped ones.

    extrinsics, intrinsics: cameras of all photos in another world, which tell where those that features left out are
    relative to the rest. camera_numbers: as in Matches; the focal length of a photo that was left out is that of a
    placed photo of the same camera, where there is one.
    """
    registered = mapped.registered
    others = torch.from_numpy(extrinsics)
    similarity = align_cameras(others[registered], torch.from_numpy(mapped.extrinsics[registered]))
    poses = np.where(registered[:, None, None], mapped.extrinsics, similarity.extrinsics(others).numpy())
    by_camera = {camera_numbers[i]: mapped.intrinsics[i] for i in np.flatnonzero(registered)}
    return poses, np.stack([by_camera.get(number, k) for number, k in zip(camera_numbers, intrinsics, strict=True)])


def _fit(model: pycolmap.Reconstruction) -> float:
    """How many observations there are, each counting the less the worse it fits (as in MSAC, Torr and Zisserman)."""
    model.update_point_3d_errors()
    points = model.points3D.values()
    return sum(point.track.length() * max(0.0, 1 - (point.error / MAX_ERROR) ** 2) for point in points)


def _polish(model: pycolmap.Reconstruction) -> None:
    """Adjust once more with an eye for how well most observations fit: COLMAP's own adjustments trust every one."""
    model.update_point_3d_errors()
    errors = sorted(point.error for point in model.points3D.values())
    adjust(model, 2 * errors[len(errors) // 2])


def _map_from(matches: Matches, focal: float, progress: _Progress) -> list[pycolmap.Reconstruction]:
    manager = pycolmap.ReconstructionManager()
    with pycolmap.Database.open(":memory:") as database:
        _fill(database, matches, focal)
        pipeline = pycolmap.IncrementalPipeline(_options(), database, manager)
        for event in (
            pycolmap.IncrementalPipelineCallback.INITIAL_IMAGE_PAIR_REG_CALLBACK,
            pycolmap.IncrementalPipelineCallback.NEXT_IMAGE_REG_CALLBACK,
        ):
            pipeline.add_callback(int(event), progress)
        pipeline.run()
    # Without points there is nothing to tell a camera from: so end photos of a camera that stood still.
    return [model for i in range(manager.size()) if (model := manager.get(i)).num_points3D() > 0]


class _Progress:
    """Called for every photo that is placed."""

    def __init__(self, report: Report, start: float, step: float) -> None:
        self.report, self.done, self.step = report, start, step

    def __call__(self) -> None:
        self.done += self.step
        self.report(min(self.done, 1.0), "Placing the photos by their features.")


def _fill(database: pycolmap.Database, matches: Matches, focal: float) -> None:
    """Cameras, images and matches; image numbers are the photos' plus 1."""
    for number in dict.fromkeys(matches.cameras):
        camera = starting_camera(matches.photos[matches.cameras.index(number)], focal)
        camera.camera_id = number + 1
        database.write_camera(camera, use_camera_id=True)
        rig = pycolmap.Rig(rig_id=number + 1)
        rig.add_ref_sensor(camera.sensor_id)
        database.write_rig(rig, use_rig_id=True)
    for i, keypoints in enumerate(matches.keypoints):
        image = pycolmap.Image(name=f"{i:06}", camera_id=matches.cameras[i] + 1, image_id=i + 1)
        frame = pycolmap.Frame(frame_id=i + 1, rig_id=matches.cameras[i] + 1)
        frame.add_data_id(image.data_id)
        database.write_image(image, use_image_id=True)
        database.write_frame(frame, use_frame_id=True)
        database.write_keypoints(i + 1, keypoints.astype(np.float32))
    for (i, j), geometry in matches.geometries.items():
        database.write_two_view_geometry(i + 1, j + 1, geometry)


def _options() -> pycolmap.IncrementalPipelineOptions:
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = options.mapper.num_threads = 1
    options.random_seed = options.mapper.random_seed = options.triangulation.random_seed = SEED
    options.extract_colors = False
    options.min_model_size = SMALLEST_MODEL
    options.min_focal_length_ratio, options.max_focal_length_ratio = FOCAL_RANGE
    options.mapper.init_min_num_inliers = MIN_PAIR_INLIERS
    options.mapper.init_min_tri_angle = MIN_PAIR_ANGLE
    options.mapper.abs_pose_min_num_inliers = MIN_POSE_INLIERS
    options.triangulation.ignore_two_view_tracks = False
    return options
