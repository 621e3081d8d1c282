"""What a job has to work with: its photos, decoded, and their known cameras, without what cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model_runtime.cameras.given import KnownCameras, given_cameras, straightened, with_lenses_of_others
from model_runtime.cameras.sources import is_bundled, needs_features
from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Failure, JobError, LeftOut, Photo, Request
from model_runtime.contract.progress import Span
from model_runtime.network.config import PRESETS, MonocularConfig
from model_runtime.photos.decode import check_photos, stored_shape, upright_size
from model_runtime.photos.feature_photo import with_known_lenses
from model_runtime.photos.prepare import PreparedPhoto, none_left
from model_runtime.prediction.chunks.photos import Decoding, decode_photos
from model_runtime.prediction.job_folder import MemoryWorkplace, Workplace
from model_runtime.prediction.network_run import Network
from model_runtime.prediction.plan import Plan
from model_runtime.prediction.sizes import Sizes

FEWEST_COMPARED = 2
"""Photos, for depth to be refined by comparing them."""


@dataclass(frozen=True, eq=False)
class JobInput:
    """photos: those that can be used, and files: what they are made of. with_features: whether their features are to be
    matched. given: their known cameras, where the request says so. left_out: the other photos."""

    photos: list[PreparedPhoto]
    files: list[Photo]
    with_features: bool
    given: KnownCameras | None
    left_out: list[LeftOut]


@dataclass(frozen=True, eq=False)
class Job:
    """All that the answer depends on. sizes: how many photos the network looks at together; all where None.
    work: where results wait that take too much memory for a job of many photos."""

    plan: Plan
    input: JobInput
    network: Network
    sizes: Sizes | None = None
    work: Workplace = field(default_factory=MemoryWorkplace)

    @property
    def photos(self) -> list[PreparedPhoto]:
        return self.input.photos

    @property
    def at_once(self) -> int:
        """Photos that the network looks at together at most."""
        return len(self.photos) if self.sizes is None else self.sizes.at_once

    @property
    def in_chunks(self) -> bool:
        """Whether there are more photos than that."""
        return len(self.photos) > self.at_once

    @property
    def relates_photos(self) -> bool:
        """Whether the network sees where photos were taken, and does not look at each for itself."""
        return not isinstance(PRESETS[self.plan.checkpoint.info.preset], MonocularConfig)

    def of(self, places: Sequence[int]) -> Job:
        """The job with some of the photos."""
        photos, files = ([values[i] for i in places] for values in (self.photos, self.input.files))
        return replace(self, input=replace(self.input, photos=photos, files=files))

    def without(self, unplaced: Sequence[int]) -> Job:
        """The job without photos that got no camera, by their places."""
        placed = [i for i in range(len(self.photos)) if i not in unplaced]
        left_out = [LeftOut(name, _no_camera(name)) for name in (self.photos[i].name for i in unplaced)]
        rest = self.of(placed)
        return replace(rest, input=replace(rest.input, left_out=self.input.left_out + left_out))

    def straightened(self, lenses: Sequence[Lens | None], progress: Span) -> Job:
        """The job with the photos as pinholes see them, where they have one of these lenses."""
        with_grey, with_large = (
            any(each is not None for each in pictures)
            for pictures in ((photo.grey for photo in self.photos), (photo.large for photo in self.photos))
        )
        how = Decoding(self.plan.resolution, False, with_grey, with_large)
        photos, damaged = decode_photos(self.input.files, how, lenses, self.work, "straight", self.in_chunks, progress)
        if damaged:  # though they could be read before
            raise none_left(damaged)
        return replace(self, input=replace(self.input, photos=photos))


def _no_camera(name: str) -> Failure:
    return Failure(
        "cameras-missing",
        f"No camera is known for {name}, and features of the others do not place it.",
        "Give its camera too, or add photos between it and the others.",
    )


def usable_photos(request: Request) -> tuple[list[int], list[LeftOut]]:
    """The places in the request of photos that can be used as far as is known without decoding them, and the others.

    Raises JobError where no photo can be used.
    """
    left_out = list(check_photos(request.photos))
    bad = {photo.name for photo in left_out}
    used = [i for i, photo in enumerate(request.photos) if photo.name not in bad]
    if not used:
        raise none_left(left_out)
    return used, left_out


def read_input(plan: Plan, progress: Span, work: Workplace | None = None, in_chunks: bool = False) -> JobInput:
    """The photos of a request and the cameras that come with it. in_chunks: whether the photos are kept in `work`.

    Raises JobError where no photo can be used, or the cameras cannot.
    """
    request = plan.request
    used, left_out = usable_photos(request)
    photos = [request.photos[i] for i in used]
    given = _known_cameras(request, used, photos) if plan.source == "given" else None
    scale_depths = plan.switches.fit_depths and is_bundled(plan.checkpoint)
    if given is not None and not scale_depths:
        given = replace(given, sparse=None)
    with_features = needs_features(plan.source, len(photos), request.refine, scale_depths, given)
    with_grey = request.refine_depth != "off" and len(photos) >= FEWEST_COMPARED
    lenses = () if given is None else given.cameras.lenses
    with_large = request.gaussians and request.improve_splats
    how = Decoding(plan.resolution, with_features, with_grey, with_large)
    prepared, unreadable = decode_photos(photos, how, lenses, work or MemoryWorkplace(), "photos", in_chunks, progress)
    readable = {photo.name for photo in prepared}
    left = [i for i, photo in enumerate(photos) if photo.name in readable]
    given = None if given is None else given.of(left)
    locked = given
    if given is None and request.cameras is not None and not request.cameras.has_poses:
        locked = _known_cameras(request, used, photos).of(left)
    if locked is not None and not locked.known.all():
        prepared = _with_lenses(prepared, locked.cameras.intrinsics)
    return JobInput(prepared, [photos[i] for i in left], with_features, given, left_out + unreadable)


def _with_lenses(photos: Sequence[PreparedPhoto], intrinsics: np.ndarray) -> list[PreparedPhoto]:
    """The photos whose features are to be matched, told that their lenses are these, [N,3,3], where they are known."""
    features = [photo.feature for photo in photos if photo.feature is not None]
    if len(features) < len(photos):
        return list(photos)
    known = with_known_lenses(features, intrinsics)
    return [replace(photo, feature=feature) for photo, feature in zip(photos, known, strict=True)]


def _known_cameras(request: Request, used: Sequence[int], photos: Sequence[Photo]) -> KnownCameras:
    """Those of the photos at the places `used` of the request."""
    if request.colmap is not None:
        from model_runtime.cameras.colmap import colmap_cameras  # COLMAP takes long to load and is not always wanted

        known = colmap_cameras(request.colmap, photos)
        known = replace(known, cameras=given_cameras(known.cameras, [photo.name for photo in photos]))
    else:
        known = KnownCameras(given_cameras(request.cameras, [photo.name for photo in request.photos])).of(used)
    if known.cameras.lenses:
        known = with_lenses_of_others(known, [_size(photo) for photo in photos])
    return straightened(known)


def _size(photo: Photo) -> tuple[int, int] | None:
    """(width, height) when it is upright; None of one that cannot be read, which is told elsewhere."""
    try:
        return upright_size(*stored_shape(photo))
    except JobError:
        return None
