"""What a job has to work with: its photos, decoded, and their known cameras, without what cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from model_runtime.cameras.given import KnownCameras, given_cameras
from model_runtime.cameras.sources import needs_features
from model_runtime.contract.messages import Cameras, Failure, LeftOut, Photo, Request
from model_runtime.photos.decode import check_photos
from model_runtime.photos.prepare import PreparedPhoto, none_left, prepare_photos


@dataclass(frozen=True, eq=False)
class JobInput:
    """photos: those that can be used. with_features: whether theirs are to be matched. given: their known cameras,
    where the request says so. left_out: the other photos."""

    photos: list[PreparedPhoto]
    with_features: bool
    given: KnownCameras | None
    left_out: list[LeftOut]

    def without(self, unplaced: Sequence[int]) -> tuple[JobInput, list[int]]:
        """The job without photos that got no camera, by their places, and the places of those that stay."""
        stay = [i for i in range(len(self.photos)) if i not in unplaced]
        left_out = [LeftOut(name, _no_camera(name)) for name in (self.photos[i].name for i in unplaced)]
        return replace(self, photos=[self.photos[i] for i in stay], left_out=self.left_out + left_out), stay


def _no_camera(name: str) -> Failure:
    return Failure(
        "cameras-missing",
        f"No camera is known for {name}, and features of the others do not place it.",
        "Give its camera too, or add photos between it and the others.",
    )


def read_input(
    request: Request, source: str, resolution: int, scale_depths: bool, report: Callable[[float, str], None]
) -> JobInput:
    """The photos of a request and the cameras that come with it.

    source: of the cameras, from `resolve_source`. resolution: longest side that the network sees, pixels.
    scale_depths: whether depths are to be scaled by the points of given cameras. report: told the fraction done and a
    sentence. Raises JobError where no photo can be used, or the cameras cannot.
    """
    left_out = list(check_photos(request.photos))
    bad = {photo.name for photo in left_out}
    used = [i for i, photo in enumerate(request.photos) if photo.name not in bad]
    if not used:
        raise none_left(left_out)
    photos = [request.photos[i] for i in used]
    given = _known_cameras(request, used, photos) if source == "given" else None
    if given is not None and not scale_depths:
        given = replace(given, sparse=None)
    with_features = needs_features(source, len(photos), request.refine, scale_depths, given)
    prepared, unreadable = prepare_photos(photos, resolution, report, with_features)
    if given is not None:
        readable = {photo.name for photo in prepared}
        given = given.of([i for i, photo in enumerate(photos) if photo.name in readable])
    return JobInput(prepared, with_features, given, left_out + unreadable)


def _known_cameras(request: Request, used: Sequence[int], photos: Sequence[Photo]) -> KnownCameras:
    """Those of the photos at the places `used` of the request."""
    if request.colmap is not None:
        from model_runtime.cameras.colmap import colmap_cameras  # COLMAP takes long to load and is not always wanted

        known = colmap_cameras(request.colmap, photos)
        return replace(known, cameras=given_cameras(known.cameras, [photo.name for photo in photos]))
    cameras = given_cameras(request.cameras, [photo.name for photo in request.photos])
    chosen = Cameras(cameras.extrinsics[list(used)], cameras.intrinsics[list(used)])
    return KnownCameras(chosen)
