"""Where a job's cameras come from: given, features of the photos, the network, or the network refined by features.

The rule of `auto`: given cameras win. A bundled checkpoint takes `features` where they place at least half of the
photos and no fewer than two, else `network`; any other checkpoint takes `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.cameras.depth_scales import depth_scales
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.given import KnownCameras
from model_runtime.checkpoints.locate import BUNDLED_FOLDER, CheckpointFile
from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Cameras, Request
from model_runtime.contract.photo_names import listed
from model_runtime.contract.progress import Span
from model_runtime.photos.prepare import PreparedPhoto

if TYPE_CHECKING:  # COLMAP takes long to load and is not always wanted
    from model_runtime.cameras.features.lenses import LensCameras
    from model_runtime.cameras.features.matching import Matches
    from model_runtime.cameras.features.result import FeatureCameras, SparsePoints

FEATURES_OR_NETWORK = "features-or-network"

FEWEST_PLACED = 2
LEAST_PLACED = 0.5
"""Share of the photos that features must place before `auto` takes them."""

LEAST_PLACED_IN_TIME = 0.2
"""Likewise of a film's key frames: those between are nearer to the truth between their neighbours than by a guess."""

LARGEST_TURN = 70.0
"""Degrees between the directions from which features of one thing are still found to be alike."""

MOST_ALONE = 0.5
"""Share of the photos whose cameras are given up to which the others are solved together with them, and not from the
points that the given ones place alone."""

LEAST_AGREEING = 0.5
"""Share of the matches that given cameras must explain for depths to be scaled by them."""

HARDLY_MOVED = (
    "The camera hardly moved between these photos, so where it stood and how far things are is unsure. "
    "Walk further between photos."
)


@dataclass(frozen=True, eq=False)
class OwnScene:
    """What the network sees when it is told no cameras: cameras in float64, and depth maps [h,w] over whole photos."""

    cameras: Cameras
    depths: Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class FoundCameras:
    """known: the cameras to tell the network, or None where its own are taken as they are. view_sources: for each
    photo where its camera comes from. sparse: points that features found, to scale depths by. match_error: median
    reprojection error of the features, pixels of the photos, after and, where cameras were refined, before.
    unplaced: photos, by their places, that have no camera at all; theirs in `known` is NaN.
    lenses: what photos are to be straightened from; `known` and `sparse` are then of the straightened photos. None for
    the others, none at all where no photo is to be. view_errors: like match_error, of each photo; none where not known.
    lens_settings: what Prediction.settings tells of the lenses.
    """

    source: str
    known: Cameras | None
    view_sources: tuple[str, ...]
    sparse: SparsePoints | None = None
    match_error: float | None = None
    error_before: float | None = None
    notes: list[str] = field(default_factory=list[str])
    unplaced: tuple[int, ...] = ()
    lenses: tuple[Lens | None, ...] = ()
    view_errors: tuple[float | None, ...] = ()
    lens_settings: dict[str, object] = field(default_factory=dict[str, object])

    def of(self, photos: Sequence[int]) -> FoundCameras:
        """What is known of some of the photos, by their places, all of them placed."""
        assert self.known is not None
        known = KnownCameras(self.known, self.sparse).of(photos)
        return replace(
            self,
            known=known.cameras,
            sparse=known.sparse,
            view_sources=tuple(self.view_sources[i] for i in photos),
            view_errors=tuple(self.view_errors[i] for i in photos if self.view_errors),
            unplaced=(),
            lenses=tuple(self.lenses[i] for i in photos if self.lenses),
        )

    @property
    def settings(self) -> dict[str, object]:
        """What Prediction.settings tells of it."""
        before = {} if self.error_before is None else {"match_error_before": self.error_before}
        return before | self.lens_settings


@dataclass(frozen=True, eq=False)
class Unfinished:
    """Cameras that need what the network sees by itself, which costs a pass: `finish` is given that."""

    finish: Callable[[OwnScene], FoundCameras]


def resolve_source(request: Request, checkpoint: CheckpointFile) -> str:
    """The request's camera source with `auto` made a choice: one of CAMERA_SOURCES or FEATURES_OR_NETWORK."""
    if request.camera_source != "auto":
        return request.camera_source
    if request.has_poses:
        return "given"
    return FEATURES_OR_NETWORK if is_bundled(checkpoint) and len(request.photos) >= FEWEST_PLACED else "network"


def is_bundled(checkpoint: CheckpointFile) -> bool:
    return checkpoint.path.is_relative_to(BUNDLED_FOLDER)


def needs_features(source: str, count: int, refine: bool, scale_depths: bool, given: KnownCameras | None) -> bool:
    """Whether features of the `count` photos are to be matched.

    source: from `resolve_source`. scale_depths: whether depths are to be scaled by what given cameras place.
    """
    if given is not None:
        to_scale = scale_depths and given.sparse is None
        return count >= FEWEST_PLACED and (to_scale or not given.known.all())
    return source in ("features", FEATURES_OR_NETWORK) or refine


def find_cameras(
    source: str,
    refine: bool,
    photos: Sequence[PreparedPhoto],
    progress: Span,
    given: KnownCameras | None = None,
    memory: FeatureMemory | None = None,
    lens: str = "auto",
    in_time: bool = False,
) -> FoundCameras | Unfinished:
    """What is known of the cameras before the network's last pass.

    source: from `resolve_source`. photos: with their features where `needs_features` says so. given: the cameras,
    where they are given. memory: of earlier jobs. lens: as in `Request`. in_time: whether the photos are
    key frames of a film in their order.
    """
    features = [photo.feature for photo in photos if photo.feature is not None]
    if source == FEATURES_OR_NETWORK and len(features) < FEWEST_PLACED:
        source, features = "network", []
    if not features:
        return FoundCameras(source, None, (source,) * len(photos)) if given is None else _as_given(given)
    from model_runtime.cameras.features.matching import match_photos

    apart = None if given is None else look_apart(given.cameras, [photo.size for photo in features])
    matches = match_photos(features, progress.part(0.0, 0.7), memory, apart, in_time)
    if given is not None:
        return _given(given, matches, lens, progress.part(0.7, 1.0))
    notes: list[str] = []
    if source in ("features", FEATURES_OR_NETWORK):
        found = _from_features(source, matches, lens, progress, in_time)
        if not isinstance(found, str):
            return found
        notes.append(found)
        source = "network"
    if refine:
        return Unfinished(lambda own: _refined(source, matches, own, lens, progress.part(0.7, 1.0), notes))
    return FoundCameras(source, None, (source,) * len(photos), notes=notes)


def look_apart(cameras: Cameras, sizes: Sequence[tuple[int, int]]) -> Callable[[int, int], bool]:
    """Whether two photos of these sizes look so far apart that no point is seen by both from less than LARGEST_TURN.

    Never where one of their cameras is not known.
    """
    corners = np.array([np.hypot(*size) / 2 for size in sizes])
    reach = np.degrees(np.arctan(corners / cameras.intrinsics[:, (0, 1), (0, 1)].min(1)))
    axes = cameras.extrinsics[:, 2, :3]
    between = np.degrees(np.arccos(np.clip(axes @ axes.T, -1, 1)))
    apart = between - reach[:, None] - reach > LARGEST_TURN
    return lambda one, other: bool(apart[one, other])


def _as_given(given: KnownCameras) -> FoundCameras:
    """The given cameras and the points that came with them."""
    from model_runtime.cameras.features.result import reprojection_errors

    cameras, sparse = given.cameras, given.sparse
    error = None
    if sparse is not None and len(sparse.view):
        error = float(np.median(reprojection_errors(cameras.extrinsics, cameras.intrinsics, sparse)))
    unplaced = tuple(np.flatnonzero(~given.known).tolist())
    sources = ("given",) * len(given.known)
    return FoundCameras("given", cameras, sources, sparse, error, notes=list(given.notes), unplaced=unplaced)


def _given(given: KnownCameras, matches: Matches, lens: str, progress: Span) -> FoundCameras:
    """The given cameras as they are, those of the photos that lack one, and the points that all of them place."""
    if given.known.sum() <= MOST_ALONE * len(given.known):
        around = _around(given, matches, lens, progress)
        if around is not None:
            return around
    from model_runtime.cameras.features.resection import place_missing
    from model_runtime.cameras.features.result import reprojection_errors
    from model_runtime.cameras.features.tracks import build_tracks, explain, has_depth, select

    extrinsics, intrinsics = place_missing(given.cameras.extrinsics, given.cameras.intrinsics, matches)
    placed_photos = np.isfinite(extrinsics).all((1, 2))
    found = replace(
        _as_given(KnownCameras(Cameras(extrinsics, intrinsics), None, given.notes)),
        view_sources=tuple("given" if known else "features" for known in given.known),
    )
    if added := [photo.name for photo, new in zip(matches.photos, placed_photos & ~given.known, strict=True) if new]:
        note = f"No camera was given for {listed(added)}; features of the other photos place it."
        found = replace(found, notes=[*found.notes, note])
    tracks = build_tracks(matches, placed_photos)
    if len(tracks.points) == 0:
        return found
    placed, explained = explain(extrinsics, intrinsics, tracks, matches.pixel)
    error = float(np.median(reprojection_errors(extrinsics, intrinsics, placed)))
    if explained.mean() < LEAST_AGREEING:
        note = (
            f"The given cameras miss the features that the photos share by {error:.0f} pixels. "
            "Check that they are those of these photos, in this order."
        )
        return replace(found, match_error=error, notes=[*found.notes, note])
    sparse = select(placed, explained & has_depth(extrinsics, placed))
    return replace(found, match_error=error, sparse=sparse)


def _around(given: KnownCameras, matches: Matches, lens: str, progress: Span) -> FoundCameras | None:
    """The given cameras as they are, and the others solved by features together with them, where that places all."""
    from model_runtime.cameras.features.around_known import solve_around
    from model_runtime.cameras.features.lens_notes import lens_notes
    from model_runtime.cameras.features.lenses import KINDS

    solved = solve_around(given.cameras, matches, progress, KINDS[lens])
    if solved is None or not solved.cameras.registered.all():
        return None
    cameras = solved.cameras
    added = [photo.name for photo, known in zip(matches.photos, given.known, strict=True) if not known]
    note = f"No camera was given for {listed(added)}; features of the other photos place it."
    view_sources = tuple("given" if known else "features" for known in given.known)
    notes = [*given.notes, note, *lens_notes(solved)]
    known = Cameras(cameras.extrinsics, cameras.intrinsics)
    return _with_lenses(FoundCameras("given", known, view_sources, cameras.sparse, notes=notes), solved)


def _from_features(
    source: str, matches: Matches, lens: str, progress: Span, in_time: bool
) -> FoundCameras | Unfinished | str:
    """Cameras from features, those of photos that they leave out still to come from the network, or of a film from what
    lies around them; or why none are."""
    from model_runtime.cameras.features.lens_notes import lens_notes
    from model_runtime.cameras.features.lenses import KINDS, as_pinholes, solve_lenses
    from model_runtime.cameras.features.mapping import exif_notes, map_photos
    from model_runtime.cameras.features.panorama import LITTLE_PARALLAX, instead_of, nearly_turned, placed_share
    from model_runtime.cameras.features.parts import part_notes
    from model_runtime.cameras.features.repeats import check_repeats

    mapped = map_photos(matches, progress.part(0.7, 0.9))
    turned = instead_of(mapped, matches)
    if (
        turned is None
        and in_time
        and (_too_few(source, mapped, in_time) or placed_share(mapped, matches) < LITTLE_PARALLAX)
    ):
        turned = nearly_turned(matches)
    mapped = mapped if turned is None else turned.cameras
    few = _too_few(source, mapped, in_time)
    if few:
        return few
    if turned is None:
        solved = solve_lenses(mapped, matches, progress.part(0.9, 1.0), KINDS[lens])
        notes = [*lens_notes(solved), *exif_notes(solved.pinholes, solved.matches)]
        notes += check_repeats(solved.pinholes.extrinsics, solved.pinholes.intrinsics, solved.matches)
        if placed_share(solved.pinholes, solved.matches) < LITTLE_PARALLAX:
            notes.append(HARDLY_MOVED)
    else:
        solved = as_pinholes(mapped, matches)
        notes = [*turned.notes, *exif_notes(mapped, matches)]
    cameras = solved.cameras
    known, view_sources = Cameras(cameras.extrinsics, cameras.intrinsics), ("features",) * len(matches.photos)
    sparse = cameras.sparse if turned is None else None
    found = _with_lenses(FoundCameras("features", known, view_sources, sparse, notes=notes), solved)
    if cameras.registered.all() or in_time:
        unplaced = tuple(np.flatnonzero(~cameras.registered).tolist())
        return replace(found, unplaced=unplaced, notes=[*notes, *part_notes(cameras.registered, matches)])
    return Unfinished(lambda own: _completed(found, cameras, matches, own.cameras))


def _too_few(source: str, mapped: FeatureCameras, in_time: bool) -> str:
    """Why cameras that features found are not taken; empty where they are."""
    placed, count = int(mapped.registered.sum()), len(mapped.registered)
    least = LEAST_PLACED_IN_TIME if in_time else LEAST_PLACED
    if placed < FEWEST_PLACED or (source != "features" and placed < least * count):
        return (
            f"Features place {placed or 'none'} of the {count} photos, so the cameras are the network's. "
            "Photos that overlap more, show more texture and are taken from different places help."
        )
    return ""


def _completed(found: FoundCameras, mapped: FeatureCameras, matches: Matches, network: Cameras) -> FoundCameras:
    """With the network's cameras for photos that features leave out."""
    from model_runtime.cameras.features.mapping import with_left_out
    from model_runtime.cameras.features.parts import part_notes

    extrinsics, intrinsics = with_left_out(mapped, matches.cameras, network.extrinsics, network.intrinsics)
    known = Cameras(extrinsics, np.where(np.isfinite(mapped.intrinsics), mapped.intrinsics, intrinsics))
    names = [p.name for p, registered in zip(matches.photos, mapped.registered, strict=True) if not registered]
    note = (
        f"Features do not place {listed(names)}, as where a photo shows nothing that the others do: "
        "where its camera stands is the network's guess and may be far off."
    )
    view_sources = tuple("features" if registered else "network" for registered in mapped.registered)
    notes = [*found.notes, note, *part_notes(mapped.registered, matches)]
    return replace(found, known=known, view_sources=view_sources, notes=notes)


def _refined(source: str, matches: Matches, own: OwnScene, lens: str, progress: Span, notes: list[str]) -> FoundCameras:
    """The network's cameras adjusted to features, at the scale of the network's depths."""
    from model_runtime.cameras.features.lens_notes import lens_notes
    from model_runtime.cameras.features.lenses import KINDS, solve_lenses
    from model_runtime.cameras.features.refine import refine_cameras
    from model_runtime.cameras.features.result import FeatureCameras

    network = own.cameras
    refined = refine_cameras(network.extrinsics, network.intrinsics, matches, progress.part(0.0, 0.7))
    if not refined.kept:
        view_sources = (source,) * len(matches.photos)
        note = "The photos' features did not make the cameras better; they are as the network found them."
        return FoundCameras(source, None, view_sources, match_error=refined.match_error, notes=[*notes, note])
    scales = depth_scales(own.depths, [p.size for p in matches.photos], refined.extrinsics, refined.sparse)
    unit = 1.0 if scales is None else float(np.median(scales))
    extrinsics = refined.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    sparse = replace(refined.sparse, points=refined.sparse.points / unit)
    poses = np.where(refined.adjusted[:, None, None], extrinsics, np.nan)
    placed = FeatureCameras(refined.adjusted, poses, refined.intrinsics, sparse, refined.match_error)
    solved = solve_lenses(placed, matches, progress.part(0.7, 1.0), KINDS[lens])
    known, sparse = solved.cameras.laid_on(Cameras(extrinsics, refined.intrinsics), refined.adjusted)
    if refined.mapped:
        notes = [*notes, "The network's cameras were too far off to start from; features alone placed the photos."]
    view_sources = tuple("refined" if adjusted else source for adjusted in refined.adjusted)
    notes = [*notes, *lens_notes(solved)]
    found = FoundCameras("refined", known, view_sources, sparse, error_before=refined.start_error, notes=notes)
    return _with_lenses(found, solved)


def _with_lenses(found: FoundCameras, solved: LensCameras) -> FoundCameras:
    """With what solving the lenses told besides cameras and points."""
    from model_runtime.cameras.features.lens_notes import lens_settings

    return replace(
        found,
        match_error=solved.cameras.match_error,
        lenses=solved.lenses,
        view_errors=solved.view_errors,
        lens_settings=lens_settings(solved),
    )
