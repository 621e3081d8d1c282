"""The lenses that took the photos, solved with their cameras: how they bend lines, where their middle is, their zoom.

Matches that were verified as a pinhole's are missing at the rim of a bent photo, and wrong where they are not. So once
a lens is known, all matches are verified anew where a pinhole would have seen them, and the lens is solved again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.cameras.features.blas import one_blas_thread
from model_runtime.cameras.features.bundle import COEFFICIENT, FOCAL, MIDDLE, Bundle, Seen, adjust_bundle
from model_runtime.cameras.features.lens_choice import MOST_COMPARED, can_tell, choose_kind, fewer, rough_kind
from model_runtime.cameras.features.lens_kinds import PINHOLE, Kind, as_bundle, groups_of, with_kind
from model_runtime.cameras.features.mapping import MANY_PHOTOS, PART, best_connected, map_photos, part_of
from model_runtime.cameras.features.matching import MAX_ERROR, Matches, matched_again
from model_runtime.cameras.features.result import FeatureCameras, SparsePoints, in_first_frame, reprojection_errors
from model_runtime.cameras.features.tracks import build_tracks, has_depth, select, triangulate
from model_runtime.contract.lens import (
    BROWN,
    FISHEYE,
    Lens,
    largest_shift,
    seen_by_straight,
    straight_camera,
    undistort,
)
from model_runtime.contract.progress import Span
from model_runtime.photos.feature_photo import WORKING_SIDE

MOST_FITTED = 2000
"""Tracks to which the lens is fitted: more take longer and tell the same."""

MUCH_BENT = 0.01
"""Longest sides by which a lens moves pixels, from which on its kind is chosen again, by the matches verified anew."""

LEAST_BENT = 0.25 / WORKING_SIDE
"""Longest sides by which a lens must move a pixel somewhere; what moves none by more is a pinhole."""


KINDS = {
    "auto": None,
    "pinhole": PINHOLE,
    "k1": Kind(BROWN, 1),
    "k1k2": Kind(BROWN, 2),
    "brown": Kind(BROWN, 5),
    "fisheye": Kind(FISHEYE, 4),
}
"""`Request.lens` -> the kind it asks for; None for what the matches bear out."""


@dataclass(frozen=True, eq=False)
class LensCameras:
    """kind: of the lenses. lenses: [N], None where a photo is as a pinhole sees it. cameras: with the pinholes that
    straightened photos show, and the points where these see them. view_errors: like `cameras.match_error` median
    distances in pixels of the original photos, of each photo.
    pinholes, matches: cameras with their middle in the middle, and where they would have seen the matches.
    """

    kind: Kind
    lenses: tuple[Lens | None, ...]
    cameras: FeatureCameras
    view_errors: tuple[float | None, ...]
    pinholes: FeatureCameras
    matches: Matches


@one_blas_thread
def solve_lenses(
    mapped: FeatureCameras,
    matches: Matches,
    progress: Span,
    kind: Kind | None = None,
    still: np.ndarray | None = None,
) -> LensCameras:
    """The lenses and cameras that the matches bear out, starting from pinholes that features placed.

    kind: of the lenses where it is known; else as much freedom as matches that are kept back bear out, and none where
    of many photos those that match each other best bear out none. Lenses of photos that come with them stay. still: [N]
    bool, cameras that stay where they are.
    """
    groups, placed, straight = groups_of(matches), mapped.registered, matches
    seen = _seen(mapped.sparse, matches)
    bundle = as_bundle(PINHOLE, _poses(mapped.extrinsics), mapped.sparse.points, _focals(mapped, matches), groups)
    bundle = bundle if still is None else replace(bundle, still=still)
    plain, first = still is None and not np.isfinite(groups.known).any(), PINHOLE

    def go_on() -> None:
        progress(0.0, "Working out the lens.")

    if kind is not None and kind.model not in groups.models:
        kind = None
    many = kind is None and still is None and placed.sum() > MANY_PHOTOS
    if many and _kind_of_part(mapped, matches, progress.part(0.0, 0.3)) == PINHOLE:
        kind = PINHOLE
    if kind is None and can_tell(bundle, seen):
        first, bundle = rough_kind(bundle, seen, groups, go_on)
    elif kind is not None and kind.bends:
        bundle = fitted(with_kind(bundle, kind, groups), seen, MOST_COMPARED, go_on)
    if max(map(_shift, _lenses(bundle, matches))) > MUCH_BENT:
        straight = _straightened(matches, bundle)
        if not placed.all() and still is None:
            again = map_photos(straight, progress.part(0.3, 0.6))
            if again.registered.sum() > placed.sum():
                placed, bundle = again.registered, replace(bundle, poses=_poses(again.extrinsics))
        tracks = _tracks(matches, straight, bundle, placed)
        bundle, seen = replace(bundle, points=tracks.points), _seen(tracks, matches)
    if kind is None:
        kind = choose_kind(bundle, seen, groups, go_on, first)
    if kind == PINHOLE and plain and groups.lens == groups.sensor:
        return as_pinholes(mapped, matches)
    bundle = fitted(with_kind(bundle, kind, groups), seen, MOST_COMPARED, go_on)
    if kind != PINHOLE or not plain:
        straight = _straightened(matches, bundle)
        tracks = _tracks(matches, straight, bundle, placed)
        seen = _seen(tracks, matches)
        bundle = replace(bundle, points=tracks.points)
    bundle = fitted(bundle, seen, MOST_FITTED, go_on)
    return _as_cameras(kind, bundle, seen, placed, matches, straight)


def _kind_of_part(mapped: FeatureCameras, matches: Matches, progress: Span) -> Kind:
    """What some of many photos bear out: time grows with the square of their number."""
    placed = np.flatnonzero(mapped.registered).tolist()
    places = [placed[i] for i in best_connected(part_of(matches, placed), PART)]
    sparse = mapped.sparse.of(places)
    sparse = select(sparse, np.ones(len(sparse.view), bool))
    cameras = (mapped.registered[places], mapped.extrinsics[places], mapped.intrinsics[places])
    return solve_lenses(FeatureCameras(*cameras, sparse, None), part_of(matches, places), progress).kind


def as_pinholes(mapped: FeatureCameras, matches: Matches) -> LensCameras:
    """Cameras that are taken as they are."""
    count = len(matches.photos)
    errors = reprojection_errors(mapped.extrinsics, mapped.intrinsics, mapped.sparse)
    by_view = _medians(errors, mapped.sparse.view, count)
    return LensCameras(PINHOLE, (None,) * count, mapped, by_view, mapped, matches)


def fitted(start: Bundle, seen: Seen, most: int, go_on: Callable[[], None]) -> Bundle:
    """Everything adjusted to what is seen: cameras to the `most` points that most photos see, then all points."""
    bundle, kept = fewer(start, seen, most)
    for _ in range(2):
        go_on()
        bundle = adjust_bundle(bundle, kept, 2 * float(np.median(bundle.errors(kept))))
    loss = 2 * float(np.median(bundle.errors(kept)))
    return adjust_bundle(replace(bundle, points=start.points), seen, loss, points_only=True)


def _straightened(matches: Matches, bundle: Bundle) -> Matches:
    """The matches verified anew where pinholes with their middle in the middle would have seen the keypoints."""
    keypoints, focals = [], []
    for photo, found, numbers in zip(matches.photos, matches.keypoints, bundle.lenses, strict=True):
        lens = _lens(bundle.model, numbers, photo.size)
        focals.append(lens.intrinsics[0, 0] / photo.pixel)
        middle = np.array(photo.size) / (2 * photo.pixel)
        keypoints.append(undistort(lens, found * photo.pixel) * focals[-1] + middle)
    return matched_again(matches, keypoints, focals)


def _tracks(matches: Matches, straight: Matches, bundle: Bundle, placed: np.ndarray) -> SparsePoints:
    """Points that the cameras place, with the pixels of the photos as they are."""
    original = build_tracks(replace(straight, keypoints=matches.keypoints), placed)
    pinhole = build_tracks(straight, placed)
    lenses = _lenses(bundle, matches)
    intrinsics = np.stack([_middled(lens) for lens in lenses])
    points = triangulate(bundle.poses, intrinsics, pinhole).points
    there = np.isfinite(points).all(1)[original.point]
    tracks = select(replace(original, points=points), there)
    bundle = replace(bundle, points=tracks.points)
    errors = bundle.errors(_seen(tracks, matches)) * _sides(matches)[tracks.view] / matches.pixel[tracks.view]
    return select(tracks, (errors < MAX_ERROR) & has_depth(bundle.poses, tracks))


def _as_cameras(
    kind: Kind, bundle: Bundle, seen: Seen, placed: np.ndarray, matches: Matches, straight: Matches
) -> LensCameras:
    every, sides, middles = _lenses(bundle, matches), _sides(matches), _middles(matches)
    lens_numbers = np.array(groups_of(matches).lens)
    solved = np.isin(lens_numbers, lens_numbers[placed])
    lenses = tuple(
        lens if solved[i] and matches.photos[i].lens is None and kind.bends and _shift(lens) > LEAST_BENT else None
        for i, lens in enumerate(every)
    )
    intrinsics = np.full((len(placed), 3, 3), np.nan)
    pixel = seen.pixel * sides[seen.view, None] + middles[seen.view]
    for i in np.flatnonzero(solved):
        mine = seen.view == i
        known = matches.photos[i].lens
        intrinsics[i] = every[i].intrinsics if known is None else known
        if lenses[i] is not None:
            straight_picture = straight_camera(every[i])
            intrinsics[i] = straight_picture.intrinsics
            pixel[mine] = seen_by_straight(every[i], straight_picture, pixel[mine])
    errors = bundle.errors(seen) * sides[seen.view]
    sparse = SparsePoints(bundle.points, seen.view, seen.point, pixel)
    sparse = select(sparse, np.isfinite(pixel).all(1) & np.isfinite(errors))
    extrinsics = np.where(placed[:, None, None], bundle.poses, np.nan)
    error = float(np.median(errors)) if len(errors) else None
    extrinsics, sparse = in_first_frame(extrinsics, sparse, placed)
    cameras = FeatureCameras(placed, extrinsics, intrinsics, sparse, error)
    pinholes = replace(cameras, intrinsics=np.stack([_middled(lens) for lens in every]))
    return LensCameras(kind, lenses, cameras, _medians(errors, seen.view, len(placed)), pinholes, straight)


def _medians(errors: np.ndarray, view: np.ndarray, count: int) -> tuple[float | None, ...]:
    """Of each view, None where it has none."""
    mine = [errors[view == i] for i in range(count)]
    return tuple(float(np.median(each)) if len(each) else None for each in mine)


def _lenses(bundle: Bundle, matches: Matches) -> list[Lens]:
    return [
        _lens(bundle.model, numbers, photo.size) for numbers, photo in zip(bundle.lenses, matches.photos, strict=True)
    ]


def _shift(lens: Lens) -> float:
    """How far it moves pixels at most, in longest sides."""
    return largest_shift(lens) / max(lens.size)


def _lens(model: str, numbers: np.ndarray, size: tuple[int, int]) -> Lens:
    """From numbers of a bundle's lens, to pixels of a photo of this size."""
    focal, (x, y) = numbers[FOCAL] * max(size), numbers[MIDDLE] * max(size) + np.array(size) / 2
    return Lens(model, size, np.array([[focal, 0, x], [0, focal, y], [0, 0, 1.0]]), numbers[COEFFICIENT:].copy())


def _middled(lens: Lens) -> np.ndarray:
    """[3,3], of the pinhole with its middle in the middle."""
    focal, (width, height) = lens.intrinsics[0, 0], lens.size
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])


def _sides(matches: Matches) -> np.ndarray:
    return np.array([max(photo.size) for photo in matches.photos], np.float64)


def _middles(matches: Matches) -> np.ndarray:
    return np.array([photo.size for photo in matches.photos]) / 2


def _seen(tracks: SparsePoints, matches: Matches) -> Seen:
    sides, middles = _sides(matches)[tracks.view], _middles(matches)[tracks.view]
    return Seen(tracks.view, tracks.point, (tracks.pixel - middles) / sides[:, None])


def _poses(extrinsics: np.ndarray) -> np.ndarray:
    """With some pose for photos that have none, which see nothing."""
    return np.where(np.isfinite(extrinsics).all((1, 2))[:, None, None], extrinsics, np.eye(4))


def _focals(mapped: FeatureCameras, matches: Matches) -> np.ndarray:
    """[N,1], in longest sides; of photos that are not placed the others' median."""
    focals = mapped.intrinsics[:, 0, 0] / _sides(matches)
    return np.where(np.isfinite(focals), focals, np.nanmedian(focals))[:, None]
