"""Known cameras of a request: checked, with what came along with them, and as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model_runtime.cameras.features.result import SparsePoints
from model_runtime.contract.camera_checks import check_intrinsics, check_lens, check_pose
from model_runtime.contract.lens import Lens, seen_by_straight, straight_camera
from model_runtime.contract.messages import Cameras, JobError
from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.photos.canvas import Placement


@dataclass(frozen=True, eq=False)
class KnownCameras:
    """cameras: one per photo, NaN where a photo's is not known. sparse: points that came along, with where the photos
    see them, or None. notes: what the artist should know."""

    cameras: Cameras
    sparse: SparsePoints | None = None
    notes: list[str] = field(default_factory=list[str])

    @property
    def known(self) -> np.ndarray:
        """[N] bool."""
        return np.isfinite(self.cameras.extrinsics).all((1, 2))

    def of(self, photos: Sequence[int]) -> KnownCameras:
        """Those of some of the photos, by their places."""
        chosen = Cameras(
            self.cameras.extrinsics[list(photos)],
            self.cameras.intrinsics[list(photos)],
            tuple(self.cameras.lenses[i] for i in photos if self.cameras.lenses),
        )
        return KnownCameras(chosen, None if self.sparse is None else self.sparse.of(photos), self.notes)


def given_cameras(cameras: Cameras | None, names: Sequence[str]) -> Cameras:
    """The given cameras of the photos with these names, in float64.

    Raises JobError `no-cameras` where there are none, and `bad-cameras` for anything but as many pinhole cameras in
    the contract's conventions, or rows of NaN for those that are not known; lenses may be known without a place.
    """
    count = len(names)
    if cameras is None:
        raise JobError("no-cameras", "The request says its cameras are given, but gives none.", "Give them, or auto.")
    extrinsics, intrinsics = cameras.extrinsics.astype(np.float64), cameras.intrinsics.astype(np.float64)
    if extrinsics.shape != (count, 4, 4) or intrinsics.shape != (count, 3, 3):
        shapes = f"{list(extrinsics.shape)} and {list(intrinsics.shape)}"
        sentence = f"{count} photos need extrinsics [{count}, 4, 4] and intrinsics [{count}, 3, 3], not {shapes}."
        raise JobError("bad-cameras", sentence, "Choose cameras of these photos.")
    if len(cameras.lenses) not in (0, count):
        sentence = f"{count} photos have {len(cameras.lenses)} lenses."
        raise JobError("bad-cameras", sentence, "Give one for each photo, or none.")
    without_pose, without_lens = np.isnan(extrinsics).all((1, 2)), np.isnan(intrinsics).all((1, 2))
    if without_lens.all():
        raise JobError("cameras-missing", "None of the photos has a known camera.", "Choose cameras of these photos.")
    for i, name in enumerate(names):
        if not without_pose[i]:
            check_pose(extrinsics[i], name)
        if not (without_pose[i] and without_lens[i]):
            check_intrinsics(intrinsics[i], name)
        if cameras.lenses and (lens := cameras.lenses[i]) is not None:
            check_lens(lens, name)
    return Cameras(extrinsics, intrinsics, cameras.lenses)


def with_lenses_of_others(known: KnownCameras, sizes: Sequence[tuple[int, int] | None]) -> KnownCameras:
    """With the lens of the others for photos that lack a camera: where every known camera bends lines, and those of
    photos of this size have one lens, it is taken to be that.

    sizes: (width, height) of the upright photos, None where it is not known.
    """
    cameras = known.cameras
    unknown = np.isnan(cameras.intrinsics).all((1, 2))
    lenses = [lens for lens, lacks in zip(cameras.lenses, unknown, strict=False) if not lacks]
    if not lenses or None in lenses:
        return known
    by_size: dict[tuple[int, int], list[Lens]] = {}
    for lens in filter(None, lenses):
        by_size.setdefault(lens.size, []).append(lens)
    intrinsics, filled = cameras.intrinsics.copy(), list(cameras.lenses)
    for i in np.flatnonzero(unknown):
        same = by_size.get(sizes[i] or (0, 0), [])
        if same and all(is_same_lens(lens, same[0]) for lens in same):
            intrinsics[i], filled[i] = same[0].intrinsics, same[0]
    return replace(known, cameras=Cameras(cameras.extrinsics, intrinsics, tuple(filled)))


def is_same_lens(one: Lens, other: Lens) -> bool:
    numbers = ((one.intrinsics, other.intrinsics), (one.coefficients, other.coefficients))
    return one.model == other.model and all(np.array_equal(mine, theirs) for mine, theirs in numbers)


def straightened(known: KnownCameras) -> KnownCameras:
    """The cameras, and where points are seen, of the photos as `photos.straighten` makes them."""
    cameras, sparse = known.cameras, known.sparse
    intrinsics, pixel = cameras.intrinsics.copy(), None if sparse is None else sparse.pixel.copy()
    for i, lens in enumerate(cameras.lenses):
        if lens is None:
            continue
        straight = straight_camera(lens)
        intrinsics[i] = straight.intrinsics
        if sparse is not None and pixel is not None:
            mine = sparse.view == i
            pixel[mine] = seen_by_straight(lens, straight, pixel[mine])
    if sparse is not None and pixel is not None:
        seen = np.isfinite(pixel).all(1)
        sparse = SparsePoints(sparse.points, sparse.view[seen], sparse.point[seen], pixel[seen])
    return replace(known, cameras=replace(cameras, intrinsics=intrinsics), sparse=sparse)


def network_cameras(cameras: Cameras, placements: Sequence[Placement]) -> tuple[np.ndarray, np.ndarray, float]:
    """What the camera encoder takes: normalised extrinsics [N,4,4] and intrinsics [N,3,3] on the canvas, float64.

    Last, the distance that translations were divided by.
    """
    extrinsics, distance = normalise_given_cameras(cameras.extrinsics)
    canvas = [p.intrinsics_to_canvas(k) for p, k in zip(placements, cameras.intrinsics, strict=True)]
    return extrinsics, np.stack(canvas), float(distance)
