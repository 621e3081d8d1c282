"""Where a job's cameras come from: given, features of the photos, the network, or the network refined by features.

The rule of `auto`: given cameras win. A bundled checkpoint takes `features` where they place at least half of the
photos and no fewer than two, else `network`; any other checkpoint takes `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.checkpoints import BUNDLED_FOLDER, CheckpointFile
from model_runtime.depth_fit import depth_scales
from model_runtime.messages import GivenCameras, Request
from model_runtime.network_look import OwnScene
from model_runtime.prepared_photos import PreparedPhoto

if TYPE_CHECKING:  # COLMAP takes long to load and is not always wanted
    from model_runtime.features.matching import Matches
    from model_runtime.features.result import SparsePoints

FEATURES_OR_NETWORK = "features-or-network"

FEWEST_PLACED = 2
LEAST_PLACED = 0.5
"""Share of the photos that features must place before `auto` takes them."""

Report = Callable[[float, str], None]
"""Told the fraction done and a sentence; raises to stop."""


@dataclass(frozen=True, eq=False)
class FoundCameras:
    """known: the cameras to tell the network, or None where its own are taken as they are. view_sources: for each
    photo where its camera comes from. sparse: points that features found, to scale depths by. match_error: median
    reprojection error of the features, pixels of the photos, after and, where cameras were refined, before.
    """

    source: str
    known: GivenCameras | None
    view_sources: tuple[str, ...]
    sparse: SparsePoints | None = None
    match_error: float | None = None
    error_before: float | None = None
    notes: list[str] = field(default_factory=list[str])

    @property
    def settings(self) -> dict[str, object]:
        """What Prediction.settings tells of it."""
        return {} if self.error_before is None else {"match_error_before": self.error_before}


def resolve_source(request: Request, checkpoint: CheckpointFile) -> str:
    """The request's camera source with `auto` made a choice: one of CAMERA_SOURCES or FEATURES_OR_NETWORK."""
    if request.camera_source != "auto":
        return request.camera_source
    if request.cameras is not None:
        return "given"
    bundled = checkpoint.path.is_relative_to(BUNDLED_FOLDER)
    return FEATURES_OR_NETWORK if bundled and len(request.photos) >= FEWEST_PLACED else "network"


def needs_features(source: str, refine: bool) -> bool:
    return source in ("features", FEATURES_OR_NETWORK) or (refine and source != "given")


def find_cameras(
    source: str,
    refine: bool,
    photos: Sequence[PreparedPhoto],
    network_look: Callable[[], OwnScene],
    report: Report,
) -> FoundCameras:
    """What is known of the cameras before the network looks for good.

    source: from `resolve_source`, but not `given`. network_look: what the network sees by itself, which costs a pass.
    """
    if not needs_features(source, refine):
        return FoundCameras(source, None, (source,) * len(photos))
    from model_runtime.features.matching import match_photos

    features = [photo.feature for photo in photos if photo.feature is not None]
    matches = match_photos(features, lambda done, told: report(0.7 * done, told))
    notes: list[str] = []
    if source in ("features", FEATURES_OR_NETWORK):
        found = _from_features(source, matches, network_look, report)
        if isinstance(found, FoundCameras):
            return found
        notes.append(found)
        source = "network"
    if refine:
        return _refined(source, matches, network_look(), report, notes)
    return FoundCameras(source, None, (source,) * len(photos), notes=notes)


def _from_features(
    source: str, matches: Matches, network_look: Callable[[], OwnScene], report: Report
) -> FoundCameras | str:
    """Cameras from features with the network's for photos they leave out, or why there are none."""
    from model_runtime.features.mapping import map_photos, with_left_out

    mapped = map_photos(matches, lambda done, told: report(0.7 + 0.3 * done, told))
    placed, count = int(mapped.registered.sum()), len(matches.photos)
    if placed < FEWEST_PLACED or (source != "features" and placed < LEAST_PLACED * count):
        return (
            f"Features place {placed or 'none'} of the {count} photos, so the cameras are the network's. "
            "Photos that overlap more and show more texture help."
        )
    known, notes = GivenCameras(mapped.extrinsics, mapped.intrinsics), []
    if placed < count:
        network = network_look().cameras
        known = GivenCameras(*with_left_out(mapped, matches.cameras, network.extrinsics, network.intrinsics))
        names = [p.name for p, registered in zip(matches.photos, mapped.registered, strict=True) if not registered]
        notes = [f"Features do not place {', '.join(names)}; the network's guess is less exact."]
    view_sources = tuple("features" if registered else "network" for registered in mapped.registered)
    return FoundCameras("features", known, view_sources, mapped.sparse, mapped.match_error, notes=notes)


def _refined(source: str, matches: Matches, own: OwnScene, report: Report, notes: list[str]) -> FoundCameras:
    """The network's cameras adjusted to features, at the scale of the network's depths."""
    from model_runtime.features.refine import refine_cameras

    network = own.cameras
    refined = refine_cameras(
        network.extrinsics, network.intrinsics, matches, lambda done, told: report(0.7 + 0.3 * done, told)
    )
    if not refined.kept:
        view_sources = (source,) * len(matches.photos)
        told = "The photos' features did not make the cameras better; they are as the network found them."
        return FoundCameras(source, None, view_sources, match_error=refined.match_error, notes=[*notes, told])
    scales = depth_scales(own.depths, [p.size for p in matches.photos], refined.extrinsics, refined.sparse)
    unit = 1.0 if scales is None else float(np.median(scales))
    extrinsics = refined.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    sparse = replace(refined.sparse, points=refined.sparse.points / unit)
    view_sources = tuple("refined" if adjusted else source for adjusted in refined.adjusted)
    if refined.mapped:
        notes = [*notes, "The network's cameras were too far off to start from; features alone placed the photos."]
    known = GivenCameras(extrinsics, refined.intrinsics)
    return FoundCameras("refined", known, view_sources, sparse, refined.match_error, refined.start_error, notes)
