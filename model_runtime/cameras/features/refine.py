"""Cameras from elsewhere made to agree with feature matches, and kept only where the matches bear them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.cameras.features.adjust import adjust_cameras
from model_runtime.cameras.features.blas import one_blas_thread
from model_runtime.cameras.features.mapping import FOCAL_RANGE, map_photos, with_left_out
from model_runtime.cameras.features.matching import MAX_ERROR, Matches
from model_runtime.cameras.features.parts import largest_group
from model_runtime.cameras.features.resection import resect
from model_runtime.cameras.features.result import SparsePoints, no_points, reprojection_errors, seen_points
from model_runtime.cameras.features.tracks import build_tracks, explain, has_depth, select, triangulate
from model_runtime.contract.progress import Span
from model_runtime.geometry.similarity import align_cameras

Cameras = tuple[np.ndarray, np.ndarray]
"""Extrinsics [N,4,4] and intrinsics [N,3,3] in pixels of the photos."""

LOSS_SCALES = (16.0, 4.0, 1.0, 0.5)
"""Working pixels from which on an error counts less, one adjustment after the other: cameras that are degrees off miss
by tens of pixels at first. The last is twice the median error where that is less."""

LEAST_OBSERVATIONS = 40
"""Points a photo must see to be adjusted."""

LEAST_EXPLAINED = 0.6
"""Share of the observations, of each photo and of all, that must fit within MAX_ERROR in the end."""

LARGEST_ERROR = 0.9
"""Median error in working pixels that good matches stay below; wrong ones that happen to agree seldom do."""

NEAR_TURN = 10.0
NEAR_FOCAL = 1.25
"""Degrees and factor by which no camera moves in a correction that needs no second opinion."""

LEAST_EXPLAINED_AFAR = 0.7
FEWEST_AFAR = 3
"""Share of the observations and photos that larger corrections must explain: two photos agree too easily."""

BELIEVED_EXIF = 2.0
"""Factor between EXIF's focal length and the given one, beyond which EXIF is taken to be wrong."""

SAME_QUALITY = 0.99
"""Cameras that started from the given ones are taken where they fit this well compared with those of mapping."""


@dataclass(frozen=True, eq=False)
class RefinedCameras:
    """kept: whether the adjusted cameras are better; otherwise they are as given and nothing is adjusted. mapped:
    whether they started from features alone, because the given ones led astray.

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
    mapped: bool = False


@dataclass(frozen=True, eq=False)
class _Adjusted:
    """extrinsics, intrinsics: all photos' cameras, in the frame of the given ones. adjusted: [N] bool, those that
    explain what they see; the others are as given. tracks: the points that the adjusted ones see, placed by them.
    explained: [M] bool, which of these observations fit. near: whether no camera went far from the given one.
    """

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    adjusted: np.ndarray
    tracks: SparsePoints
    explained: np.ndarray
    near: bool

    @property
    def errors(self) -> np.ndarray:
        """[M], pixels of the photos."""
        return reprojection_errors(self.extrinsics, self.intrinsics, self.tracks)

    def quality(self, pixel: np.ndarray) -> float:
        """How many observations fit, each counting the less the worse it does (as in MSAC, Torr and Zisserman 2000).

        pixel: [N], pixels of each photo per working pixel.
        """
        errors = (self.errors / pixel[self.tracks.view])[self.explained]
        return float(np.sum(1 - (errors / MAX_ERROR) ** 2))

    def is_borne_out(self, pixel: np.ndarray) -> bool:
        """Whether the matches tell that these cameras are right, the more clearly the further they went."""
        if not self.explained.any() or np.median(self.errors / pixel[self.tracks.view]) > LARGEST_ERROR:
            return False
        if self.near:
            return self.explained.mean() >= LEAST_EXPLAINED
        return self.explained.mean() >= LEAST_EXPLAINED_AFAR and self.adjusted.sum() >= FEWEST_AFAR


@one_blas_thread
def refine_cameras(extrinsics: np.ndarray, intrinsics: np.ndarray, matches: Matches, progress: Span) -> RefinedCameras:
    """Cameras [N,4,4], [N,3,3] (photo pixels) adjusted to the matches, in the frame and scale they came in.

    Photos of one camera share its focal length, which starts at what EXIF tells, where it does. Where that ends far
    from where it began, mapping by features alone is another start, and what explains more is taken. The result is
    kept only where it lowers the median reprojection error; see the constants for the other limits.
    """
    reached = largest_group(matches)
    tracks = build_tracks(matches, reached)
    if len(tracks.points) == 0:
        return _as_given(extrinsics, intrinsics)
    progress(0.0, "Refining the cameras by their features.")
    given = extrinsics, intrinsics
    best, mapped = _adjusted(given, (extrinsics, _shared_start(intrinsics, matches)), tracks, matches, reached), False
    if not best.near:
        found = map_photos(matches, progress.part(0.3, 0.7))
        if found.registered.any():
            start = with_left_out(found, matches.cameras, *given)
            other = _adjusted(given, start, tracks, matches, reached)
            if best.quality(matches.pixel) < SAME_QUALITY * other.quality(matches.pixel):
                best, mapped = other, True
    if len(best.tracks.points) == 0:
        return _as_given(extrinsics, intrinsics)
    start_error = float(np.median(reprojection_errors(*given, triangulate(*given, best.tracks))))
    match_error = float(np.median(best.errors))
    if match_error >= start_error or not best.is_borne_out(matches.pixel):
        return _as_given(extrinsics, intrinsics, start_error)
    sparse = select(best.tracks, best.explained & has_depth(best.extrinsics, best.tracks))
    return RefinedCameras(
        True, best.extrinsics, best.intrinsics, best.adjusted, sparse, start_error, match_error, mapped
    )


def _as_given(extrinsics: np.ndarray, intrinsics: np.ndarray, error: float | None = None) -> RefinedCameras:
    nobody = np.zeros(len(extrinsics), bool)
    return RefinedCameras(False, extrinsics, intrinsics, nobody, no_points(), error, error)


def _adjusted(given: Cameras, start: Cameras, tracks: SparsePoints, matches: Matches, reached: np.ndarray) -> _Adjusted:
    """From `start` as far as bundle adjustments and finding lost photos again lead, and laid on the given cameras."""
    poses, lenses = _adjust_in_steps(*start, tracks, matches, LOSS_SCALES)
    adjusted = _agreeing(poses, lenses, tracks, matches)
    lost = reached & ~adjusted
    if lost.any() and adjusted.sum() >= 2:
        poses = resect(poses, lenses, tracks, matches, lost, LEAST_OBSERVATIONS)
        poses, lenses = _adjust_in_steps(poses, lenses, tracks, matches, LOSS_SCALES[1:])
        adjusted = _agreeing(poses, lenses, tracks, matches)
    if adjusted.sum() < 2:
        return _Adjusted(*given, np.zeros(len(poses), bool), no_points(), np.zeros(0, bool), False)
    poses = _in_frame_of(given[0], poses, adjusted)
    placed, explained = explain(poses, lenses, select(tracks, adjusted[tracks.view]), matches.pixel)
    near = bool((adjusted == reached).all()) and _is_near(given, (poses, lenses), adjusted)
    return _Adjusted(poses, lenses, adjusted, placed, explained, near)


def _adjust_in_steps(
    poses: np.ndarray, lenses: np.ndarray, tracks: SparsePoints, matches: Matches, scales: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Bundle adjustments, one per loss scale (working pixels), each with points placed and chosen anew."""
    for scale in scales:
        placed = triangulate(poses, lenses, tracks)
        errors = reprojection_errors(poses, lenses, placed) / matches.pixel[placed.view]
        in_front = seen_points(poses, placed)[:, 2] > 0
        close = select(placed, in_front & (errors < 8 * scale))
        enough = np.bincount(close.view, minlength=len(poses)) >= LEAST_OBSERVATIONS
        loss_scale = min(scale, 2 * float(np.median(errors))) if scale == scales[-1] else scale
        poses, lenses = adjust_cameras(poses, lenses, select(close, enough[close.view]), matches, loss_scale)
    return poses, lenses


def _agreeing(poses: np.ndarray, lenses: np.ndarray, tracks: SparsePoints, matches: Matches) -> np.ndarray:
    """[N] bool, the photos whose camera is one that can be, and explains enough of what they see."""
    longest = np.array([max(photo.size) for photo in matches.photos])
    _, explained = explain(poses, lenses, tracks, matches.pixel)
    fitting = np.bincount(tracks.view[explained], minlength=len(poses))
    of_all = np.bincount(tracks.view, minlength=len(poses))
    low, high = FOCAL_RANGE
    possible = (lenses[:, 0, 0] >= low * longest) & (lenses[:, 0, 0] <= high * longest) & np.isfinite(poses).all((1, 2))
    return possible & (fitting >= np.maximum(LEAST_OBSERVATIONS, LEAST_EXPLAINED * of_all))


def _shared_start(intrinsics: np.ndarray, matches: Matches) -> np.ndarray:
    """One focal length for x and y and for all photos of a camera: EXIF's where it is near the given ones, else their
    median."""
    shared = intrinsics.copy()
    for number in set(matches.cameras):
        members = np.flatnonzero(np.array(matches.cameras) == number)
        known, focal = matches.photos[members[0]].known_focal, float(np.median(intrinsics[members][:, (0, 1), (0, 1)]))
        if known is not None and 1 / BELIEVED_EXIF < known / focal < BELIEVED_EXIF:
            focal = known
        shared[members, 0, 0] = shared[members, 1, 1] = focal
    return shared


def _in_frame_of(extrinsics: np.ndarray, poses: np.ndarray, adjusted: np.ndarray) -> np.ndarray:
    """The adjusted cameras moved, all as one, to lie on where they were; the others stay."""
    moved = extrinsics.copy()
    moved[adjusted] = align_cameras(poses[adjusted], extrinsics[adjusted]).extrinsics(poses[adjusted])
    return moved


def _is_near(given: Cameras, found: Cameras, adjusted: np.ndarray) -> bool:
    """Whether no adjusted camera turned or changed its focal length by much."""
    focal = found[1][adjusted, 0, 0] / given[1][adjusted, 0, 0]
    turn = found[0][adjusted, :3, :3] @ given[0][adjusted, :3, :3].transpose(0, 2, 1)
    cosine = (np.trace(turn, axis1=1, axis2=2) - 1) / 2
    return bool((np.maximum(focal, 1 / focal) < NEAR_FOCAL).all() and (cosine > np.cos(np.radians(NEAR_TURN))).all())
