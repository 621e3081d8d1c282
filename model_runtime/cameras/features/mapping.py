"""Cameras and sparse points from matches alone: COLMAP's incremental mapping (Schönberger and Frahm 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pycolmap

from model_runtime.cameras.features.adjust import adjust
from model_runtime.cameras.features.matching import MAX_ERROR, SEED, TYPICAL_FOCAL, Matches, starting_camera
from model_runtime.cameras.features.parts import largest_group
from model_runtime.cameras.features.result import FeatureCameras, from_reconstruction, nothing_found
from model_runtime.cameras.features.tracks import build_tracks
from model_runtime.contract.progress import Span
from model_runtime.geometry.similarity import align_cameras
from model_runtime.photos.feature_photo import FeaturePhoto

STARTING_FOCALS = (TYPICAL_FOCAL, 0.6, 1.2)
"""Focal lengths in longest sides to start from where EXIF tells none: fields of view of 60, 80 and 45 degrees."""

CLEAR_FIT = 0.9
"""Share of what photos see in common that a reconstruction of all of them explains, above which another start would
only find the same again. Wrong ones, with everything inside out, were seen to explain up to 0.82."""

FOCAL_RANGE = (0.3, 3.0)
"""Focal lengths in longest sides that a reconstruction may end with: fields of view of 118 to 19 degrees."""

NEAR_EXIF = 1.2
"""Factor by which focal lengths may end away from what EXIF tells before that is doubted: digital zoom and stabilising
crop by less."""

MANY_PHOTOS, PART = 60, 30
"""Photos from which on their focal lengths are found by a part of them, and how many that are: to map all from one
focal length after the other takes as many times the time."""

LEAST_OF_MATCHED = 0.5
"""Share of the photos that match any, below which the usual focal lengths are tried with all photos after all."""

ENOUGH_SHARED = 100
"""Matches of a pair, above which it is not counted as better."""

GROWTH, LOCAL_REFINEMENTS, GLOBAL_REFINEMENTS = 1.3, 1, 2
"""By which factor a reconstruction grows until all of it is adjusted again, and how often an adjustment is repeated
with other observations. COLMAP's (1.1, 2, 5) take longer and end in the same place."""

LEAST_GAIN = 1e-6
"""Of the cost, below which a step ends an adjustment. COLMAP's go on to the last digit, for three times the time."""

SMALLEST_MODEL = 2
MIN_PAIR_INLIERS = 30
MIN_PAIR_ANGLE = 4.0
MIN_POSE_INLIERS = 15
"""Below COLMAP's (100, 16 degrees, 30), which are meant for hundreds of photos."""


@dataclass(frozen=True, eq=False)
class _Mapped:
    """A reconstruction, and how many photos and how well it explains; more is better."""

    model: pycolmap.Reconstruction
    quality: tuple[int, float]

    def is_enough(self, quality: tuple[int, float]) -> bool:
        return all(mine >= wanted for mine, wanted in zip(self.quality, quality, strict=True))


def map_photos(matches: Matches, progress: Span) -> FeatureCameras:
    """The largest and best fitting reconstruction that comes out; photos outside of it are not registered.

    Focal lengths start from EXIF where it tells them. Where that leaves much unexplained, or ends far from it, EXIF is
    doubted: the usual starts are tried, too. Of many photos those that match each other best do that for all. Too few
    photos or matches are no error: nothing is registered then.
    """
    if not matches.geometries:
        return nothing_found(len(matches.photos))
    best = _mapped_by_part(matches, progress) if len(matches.photos) > MANY_PHOTOS else None
    matched = {place for pair in matches.geometries for place in pair}
    if best is None or best.quality[0] < LEAST_OF_MATCHED * len(matched):
        other = _mapped(matches, progress)
        best = max((m for m in (best, other) if m is not None), key=lambda mapped: mapped.quality, default=None)
    if best is None:
        return nothing_found(len(matches.photos))
    _polish(best.model)
    return from_reconstruction(best.model, matches)


def _mapped(matches: Matches, progress: Span) -> _Mapped | None:
    """The best reconstruction from EXIF's and the usual focal lengths."""
    known = [photo.known_focal is not None for photo in matches.photos]
    # Photos of another place are never in one reconstruction with the others, whatever it starts from.
    tracks = build_tracks(matches, largest_group(matches))
    enough = len(np.unique(tracks.view)), CLEAR_FIT * len(tracks.view)
    best = None
    if any(known):
        focals = (TYPICAL_FOCAL,) if all(known) else STARTING_FOCALS
        best = _best_of(best, enough, focals, matches, progress.part(0.0, 0.5), trust_exif=True)
    if best is None or not best.is_enough(enough) or not _bears_out_exif(best.model, matches):
        best = _best_of(best, enough, STARTING_FOCALS, matches, progress, trust_exif=False)
    return best


def _mapped_by_part(matches: Matches, progress: Span) -> _Mapped | None:
    """All photos mapped once, from the focal lengths that a part of them ends with; None where that part is not."""
    places = best_connected(matches, PART)
    part = _mapped(part_of(matches, places), progress.part(0.0, 0.2))
    if part is None or part.model.num_reg_images() < len(places) / 2:
        return None
    found = [part.model.image(number) for number in part.model.reg_image_ids()]
    focals = {
        matches.cameras[places[image.image_id - 1]]: float(part.model.camera(image.camera_id).focal_length)
        for image in found
    }
    tell = _PlacedPhoto(progress.part(0.2, 1.0), 0.0, 1 / len(matches.photos))
    models = _map_from(matches, TYPICAL_FOCAL, True, tell, focals)
    if not models:
        return None
    return max((_Mapped(model, (model.num_reg_images(), _fit(model))) for model in models), key=lambda m: m.quality)


def best_connected(matches: Matches, most: int) -> list[int]:
    """At most so many photos, rising, that match each other well: from the pair with most matches on, always the photo
    that has most with those chosen."""
    weights = np.zeros((len(matches.photos),) * 2)
    for (i, j), geometry in matches.geometries.items():
        weights[i, j] = weights[j, i] = len(geometry.inlier_matches)
    chosen = list(np.unravel_index(int(weights.argmax()), weights.shape))
    while len(chosen) < most:
        # Pairs with very many matches show the same from one place, which tells no focal length.
        shared = np.minimum(weights[chosen], ENOUGH_SHARED).sum(0)
        shared[chosen] = 0
        if not shared.any():
            break
        chosen.append(shared.argmax())
    return sorted(int(i) for i in chosen)


def part_of(matches: Matches, places: Sequence[int]) -> Matches:
    """Only some of the photos, numbered anew."""
    number = {place: n for n, place in enumerate(places)}
    within = {pair for pair in matches.alike if pair[0] in number and pair[1] in number}
    return Matches(
        tuple(matches.photos[i] for i in places),
        tuple(matches.keypoints[i] for i in places),
        tuple(matches.cameras[i] for i in places),
        {(number[i], number[j]): g for (i, j), g in matches.geometries.items() if (i, j) in within},
        {(number[i], number[j]): alike for (i, j), alike in matches.alike.items() if (i, j) in within},
    )


def _best_of(
    best: _Mapped | None,
    enough: tuple[int, float],
    focals: Sequence[float],
    matches: Matches,
    progress: Span,
    trust_exif: bool,
) -> _Mapped | None:
    """The best reconstruction from these focal lengths and of `best`; the first whose quality is `enough` ends it."""
    for i, focal in enumerate(focals):
        tell = _PlacedPhoto(progress, i / len(focals), 1 / len(focals) / len(matches.photos))
        for model in _map_from(matches, focal, trust_exif, tell):
            quality = (model.num_reg_images(), _fit(model))
            if best is None or quality > best.quality:
                best = _Mapped(model, quality)
        if best is not None and best.is_enough(enough):
            break
    return best


def _bears_out_exif(model: pycolmap.Reconstruction, matches: Matches) -> bool:
    """Whether focal lengths ended near those that EXIF tells."""
    for number in model.reg_image_ids():
        photo = matches.photos[number - 1]
        if photo.known_focal is not None:
            ratio = model.camera(model.image(number).camera_id).focal_length * photo.pixel / photo.known_focal
            if not 1 / NEAR_EXIF < ratio < NEAR_EXIF:
                return False
    return True


def exif_notes(mapped: FeatureCameras, matches: Matches) -> list[str]:
    """A note where the photos do not bear out the focal length that their EXIF data tell."""
    for i in np.flatnonzero(mapped.registered):
        photo = matches.photos[i]
        if photo.known_focal is None or photo.focal_35mm is None:
            continue
        ratio = mapped.intrinsics[i, 0, 0] / photo.known_focal
        if not 1 / NEAR_EXIF < ratio < NEAR_EXIF:
            stated, fitting = photo.focal_35mm, photo.focal_35mm * ratio
            return [
                f"The focal length in the EXIF data of {photo.name}, {stated:g} mm, does not fit the photos; "
                f"{fitting:.0f} mm does."
            ]
    return []


def with_left_out(
    mapped: FeatureCameras, camera_numbers: Sequence[int], extrinsics: np.ndarray, intrinsics: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cameras [N,4,4], [N,3,3] of all photos, in the world of the mapped ones.

    extrinsics, intrinsics: cameras of all photos in another world, which tell where those that features left out are
    relative to the rest. camera_numbers: as in Matches; the focal length of a photo that was left out is that of a
    placed photo of the same camera, where there is one.
    """
    registered = mapped.registered
    similarity = align_cameras(extrinsics[registered], mapped.extrinsics[registered])
    poses = np.where(registered[:, None, None], mapped.extrinsics, similarity.extrinsics(extrinsics))
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
    adjust(model, 2 * errors[len(errors) // 2], least_gain=LEAST_GAIN)


def _map_from(
    matches: Matches, focal: float, trust_exif: bool, tell: _PlacedPhoto, focals: Mapping[int, float] | None = None
) -> list[pycolmap.Reconstruction]:
    manager = pycolmap.ReconstructionManager()
    with pycolmap.Database.open(":memory:") as database:
        cameras = _fill(database, matches, focal, trust_exif, focals or {})
        pipeline = pycolmap.IncrementalPipeline(_options(cameras, matches.photos), database, manager)
        for event in (
            pycolmap.IncrementalPipelineCallback.INITIAL_IMAGE_PAIR_REG_CALLBACK,
            pycolmap.IncrementalPipelineCallback.NEXT_IMAGE_REG_CALLBACK,
        ):
            pipeline.add_callback(int(event), tell)
        pipeline.run()
    # Without points there is nothing to tell a camera from: so end photos of a camera that stood still.
    return [model for i in range(manager.size()) if (model := manager.get(i)).num_points3D() > 0]


class _PlacedPhoto:
    """Called for every photo that is placed."""

    def __init__(self, progress: Span, start: float, step: float) -> None:
        self.progress, self.done, self.step = progress, start, step

    def __call__(self) -> None:
        self.done += self.step
        self.progress(min(self.done, 1.0), "Placing the photos by their features.")


def _fill(
    database: pycolmap.Database, matches: Matches, focal: float, trust_exif: bool, focals: Mapping[int, float]
) -> list[pycolmap.Camera]:
    """Cameras, which are returned, images and matches; image numbers are the photos' plus 1. focals: of cameras, by
    their numbers, whose focal length, in working pixels, is known better."""
    cameras = []
    for number in dict.fromkeys(matches.cameras):
        camera = starting_camera(matches.photos[matches.cameras.index(number)], focal, trust_exif)
        if number in focals:
            camera.focal_length, camera.has_prior_focal_length = focals[number], True
        camera.camera_id = number + 1
        cameras.append(camera)
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
    return cameras


def _options(cameras: Sequence[pycolmap.Camera], photos: Sequence[FeaturePhoto]) -> pycolmap.IncrementalPipelineOptions:
    """Focal lengths beyond the usual range are possible where a camera starts there."""
    starts = [camera.focal_length / max(camera.width, camera.height) for camera in cameras]
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = options.mapper.num_threads = 1
    options.random_seed = options.mapper.random_seed = options.triangulation.random_seed = SEED
    options.extract_colors = False
    options.ba_local_function_tolerance = options.ba_global_function_tolerance = LEAST_GAIN
    options.min_model_size = SMALLEST_MODEL
    options.ba_refine_focal_length = not all(photo.lens is not None for photo in photos)
    options.min_focal_length_ratio = min(FOCAL_RANGE[0], *(start / NEAR_EXIF for start in starts))
    options.max_focal_length_ratio = max(FOCAL_RANGE[1], *(start * NEAR_EXIF for start in starts))
    options.mapper.init_min_num_inliers = MIN_PAIR_INLIERS
    options.mapper.init_min_tri_angle = MIN_PAIR_ANGLE
    options.mapper.abs_pose_min_num_inliers = MIN_POSE_INLIERS
    options.triangulation.ignore_two_view_tracks = False
    options.ba_global_frames_ratio = options.ba_global_points_ratio = GROWTH
    options.ba_local_max_refinements = LOCAL_REFINEMENTS
    options.ba_global_max_refinements = GLOBAL_REFINEMENTS
    return options
