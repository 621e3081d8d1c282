"""Cameras from elsewhere made to agree with feature matches: bundle adjustment (Triggs et al. 2000) with COLMAP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycolmap
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from model_runtime.features.adjust import adjust
from model_runtime.features.matching import MAX_ERROR, Matches, Report
from model_runtime.features.resection import resect
from model_runtime.features.result import SparsePoints, no_points, reprojection_errors, seen_points
from model_runtime.features.tracks import build_tracks, select, triangulate
from model_runtime.geometry.similarity import align_cameras

LOSS_SCALES = (16.0, 4.0, 1.0, 0.5)
"""Working pixels from which on an error counts less, one adjustment after the other: cameras that are degrees off miss
by tens of pixels at first. The last is twice the median error where that is less."""

LEAST_OBSERVATIONS = 40
"""Points a photo must see to be adjusted."""

LEAST_EXPLAINED = 0.5
"""Share of the observations, of each photo and of all, that must fit within MAX_ERROR in the end."""

LARGEST_ERROR = 0.9
"""Median error in working pixels that good matches stay below; wrong ones that happen to agree seldom do."""

FOCAL_FACTOR = 1.5
LARGEST_TURN = 20.0
"""How far, as a factor and in degrees, most cameras may move: more is not a refinement but another solution."""


@dataclass(frozen=True, eq=False)
class RefinedCameras:
    """kept: whether the adjusted cameras are better; otherwise they are as given and nothing is adjusted.

    extrinsics [N,4,4], intrinsics [N,3,3]: as `refine_cameras` takes them. adjusted: [N] bool, the photos with
    enough matches. sparse: points and observations of the adjusted photos. start_error, match_error: median
    reprojection error of one and the same tracks before and after, pixels of the original photos; None without.
    """

    kept: bool
    extrinsics: np.ndarray
    intrinsics: np.ndarray
    adjusted: np.ndarray
    sparse: SparsePoints
    start_error: float | None
    match_error: float | None


def refine_cameras(extrinsics: np.ndarray, intrinsics: np.ndarray, matches: Matches, report: Report) -> RefinedCameras:
    """Cameras [N,4,4], [N,3,3] (photo pixels) adjusted to the matches, in the frame and scale they came in.

    Photos of one camera share its focal length, which starts at what EXIF tells, where it does. The result is kept
    only where it is a small correction that lowers the median reprojection error; see the constants for the limits.
    """
    reached = _reached(matches)
    tracks = build_tracks(matches, reached)
    if len(tracks.points) == 0:
        return _as_given(extrinsics, intrinsics)
    pixel = np.array([photo.pixel for photo in matches.photos])
    told = "Refining the cameras by their features."
    report(0.0, told)
    poses, lenses = _adjust_in_steps(extrinsics, _shared_start(intrinsics, matches), tracks, matches, LOSS_SCALES)
    adjusted = _agreeing(poses, lenses, tracks, pixel)
    lost = reached & ~adjusted
    if lost.any() and adjusted.sum() >= 2:
        report(0.5, told)
        poses = resect(poses, lenses, tracks, matches, lost, LEAST_OBSERVATIONS)
        poses, lenses = _adjust_in_steps(poses, lenses, tracks, matches, LOSS_SCALES[1:])
        adjusted = _agreeing(poses, lenses, tracks, pixel)
    tracks = select(tracks, adjusted[tracks.view])
    if len(tracks.points) == 0:
        return _as_given(extrinsics, intrinsics)
    poses = _in_frame_of(extrinsics, poses, adjusted)
    start = triangulate(extrinsics, intrinsics, tracks)
    start_error = float(np.median(reprojection_errors(extrinsics, intrinsics, start)))
    final, explained = _fit(poses, lenses, tracks, pixel)
    errors = reprojection_errors(poses, lenses, final)
    match_error = float(np.median(errors))
    fits = explained.mean() >= LEAST_EXPLAINED and np.median(errors / pixel[final.view]) < LARGEST_ERROR
    if match_error >= start_error or not fits or not _is_small(extrinsics, intrinsics, poses, lenses, adjusted):
        return _as_given(extrinsics, intrinsics, start_error)
    return RefinedCameras(True, poses, lenses, adjusted, select(final, explained), start_error, match_error)


def _as_given(extrinsics: np.ndarray, intrinsics: np.ndarray, error: float | None = None) -> RefinedCameras:
    nobody = np.zeros(len(extrinsics), bool)
    return RefinedCameras(False, extrinsics, intrinsics, nobody, no_points(), error, error)


def _adjust_in_steps(
    poses: np.ndarray, lenses: np.ndarray, tracks: SparsePoints, matches: Matches, scales: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Bundle adjustments, one per loss scale (working pixels), each with points placed and chosen anew."""
    pixel = np.array([photo.pixel for photo in matches.photos])
    for scale in scales:
        placed = triangulate(poses, lenses, tracks)
        errors = reprojection_errors(poses, lenses, placed) / pixel[placed.view]
        in_front = seen_points(poses, placed)[:, 2] > 0
        close = select(placed, in_front & (errors < 8 * scale))
        loss_scale = min(scale, 2 * float(np.median(errors))) if scale == scales[-1] else scale
        poses, lenses = _adjust(poses, lenses, close, matches, loss_scale)
    return poses, lenses


def _agreeing(poses: np.ndarray, lenses: np.ndarray, tracks: SparsePoints, pixel: np.ndarray) -> np.ndarray:
    """[N] bool, the photos whose camera explains enough of what they see."""
    _, explained = _fit(poses, lenses, tracks, pixel)
    fitting = np.bincount(tracks.view[explained], minlength=len(poses))
    of_all = np.bincount(tracks.view, minlength=len(poses))
    return fitting >= np.maximum(LEAST_OBSERVATIONS, LEAST_EXPLAINED * of_all)


def _fit(
    extrinsics: np.ndarray, intrinsics: np.ndarray, tracks: SparsePoints, pixel: np.ndarray
) -> tuple[SparsePoints, np.ndarray]:
    """The tracks' points as these cameras place them, and which observations [M] bool they explain."""
    placed = triangulate(extrinsics, intrinsics, tracks)
    near = reprojection_errors(extrinsics, intrinsics, placed) < MAX_ERROR * pixel[placed.view]
    return placed, near & (seen_points(extrinsics, placed)[:, 2] > 0)


def _reached(matches: Matches) -> np.ndarray:
    """[N] bool: the largest group of photos that verified matches join."""
    count = len(matches.photos)
    pairs = np.array(list(matches.geometries), np.int64).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    label = connected_components(graph, directed=False)[1]
    group = label == np.bincount(label).argmax()
    return group if group.sum() > 1 else np.zeros(count, bool)


def _shared_start(intrinsics: np.ndarray, matches: Matches) -> np.ndarray:
    """One focal length for x and y and for all photos of a camera: EXIF's, or the median of the given ones."""
    shared = intrinsics.copy()
    for number in set(matches.cameras):
        members = np.flatnonzero(np.array(matches.cameras) == number)
        known = matches.photos[members[0]].known_focal
        focal = float(np.median(intrinsics[members][:, (0, 1), (0, 1)])) if known is None else known
        shared[members, 0, 0] = shared[members, 1, 1] = focal
    return shared


def _adjust(
    extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints, matches: Matches, loss_scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cameras after one bundle adjustment with these points; photos with too few of them stay."""
    enough = np.bincount(sparse.view, minlength=len(matches.photos)) >= LEAST_OBSERVATIONS
    sparse = select(sparse, enough[sparse.view])
    views = np.unique(sparse.view)
    if len(views) < 2:
        return extrinsics, intrinsics
    model = _model(extrinsics, intrinsics, sparse, matches)
    adjust(model, loss_scale)
    poses, lenses = extrinsics.copy(), intrinsics.copy()
    for i in views:
        poses[i, :3] = model.image(int(i) + 1).cam_from_world().matrix()
    for i, number in enumerate(matches.cameras):
        if model.exists_camera(number + 1):
            lenses[i, 0, 0] = lenses[i, 1, 1] = model.camera(number + 1).focal_length * matches.photos[i].pixel
    return poses, lenses


def _model(
    extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints, matches: Matches
) -> pycolmap.Reconstruction:
    """COLMAP's model in working pixels; numbers of images and cameras are ours plus 1."""
    model = pycolmap.Reconstruction()
    place = np.empty(len(sparse.view), np.int64)
    for i in np.unique(sparse.view):
        photo, k, number = matches.photos[i], intrinsics[i] / matches.photos[i].pixel, matches.cameras[i] + 1
        if not model.exists_camera(number):
            size = [round(side / photo.pixel) for side in photo.size]
            camera = pycolmap.Camera(
                model="SIMPLE_PINHOLE",
                camera_id=number,
                width=size[0],
                height=size[1],
                params=[k[0, 0], k[0, 2], k[1, 2]],
            )
            model.add_camera_with_trivial_rig(camera)
        mine = np.flatnonzero(sparse.view == i)
        place[mine] = np.arange(len(mine))
        keypoints = sparse.pixel[mine] / photo.pixel
        image = pycolmap.Image(name=f"{i:06}", keypoints=keypoints, camera_id=number, image_id=int(i) + 1)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(extrinsics[i, :3]))
    order = np.argsort(sparse.point, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(sparse.point[order])) + 1)
    for point, group in zip(sparse.points, groups, strict=True):
        elements = [pycolmap.TrackElement(int(sparse.view[m]) + 1, int(place[m])) for m in group]
        model.add_point3D(point, pycolmap.Track(elements))
    return model


def _in_frame_of(extrinsics: np.ndarray, poses: np.ndarray, adjusted: np.ndarray) -> np.ndarray:
    """The adjusted cameras moved, all as one, to lie on where they were; the others stay."""
    moved = extrinsics.copy()
    now, before = torch.from_numpy(poses[adjusted]), torch.from_numpy(extrinsics[adjusted])
    moved[adjusted] = align_cameras(now, before).extrinsics(now).numpy()
    return moved


def _is_small(
    extrinsics: np.ndarray, intrinsics: np.ndarray, poses: np.ndarray, lenses: np.ndarray, adjusted: np.ndarray
) -> bool:
    focal = lenses[:, 0, 0] / intrinsics[:, 0, 0]
    turn = poses[adjusted, :3, :3] @ extrinsics[adjusted, :3, :3].transpose(0, 2, 1)
    cosine = (np.trace(turn, axis1=1, axis2=2) - 1) / 2
    return bool(
        np.isfinite(poses).all()
        and (np.maximum(focal, 1 / focal) < FOCAL_FACTOR).all()
        and np.median(cosine) > np.cos(np.radians(LARGEST_TURN))
    )
