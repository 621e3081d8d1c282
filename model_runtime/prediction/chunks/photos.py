"""The photos of a job of many, decoded one after the other into a file, from which they are mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Failure, JobError, LeftOut, Photo
from model_runtime.contract.progress import SILENT, Span
from model_runtime.photos.canvas import Placement, place
from model_runtime.photos.feature_photo import FeaturePhoto
from model_runtime.photos.prepare import PreparedPhoto, none_left, prepare_photos
from model_runtime.prediction.job_folder import Workplace


@dataclass(frozen=True, eq=False)
class StoredPhoto:
    """A `PreparedPhoto`, but for its canvas; its name alone where it cannot be used, and why.

    size, fitted: (width, height) of the upright photo and of `color`. plate: [P] uint8, bytes. feature: [h,w] uint8,
    camera: as in `FeaturePhoto`.
    """

    name: str
    size: tuple[int, int] = (0, 0)
    fitted: tuple[int, int] = (0, 0)
    color: np.ndarray | None = None
    plate: np.ndarray | None = None
    focal_35mm: float | None = None
    opaque: np.ndarray | None = None
    grey: np.ndarray | None = None
    large: np.ndarray | None = None
    feature: np.ndarray | None = None
    camera: str = ""
    failure: Failure | None = None


@dataclass(frozen=True)
class Decoding:
    """What photos are decoded to. resolution: longest side in pixels; the others as for `prepare_photos`."""

    resolution: int
    with_features: bool
    with_grey: bool
    with_large: bool


def decode_photos(
    photos: Sequence[Photo],
    how: Decoding,
    lenses: Sequence[Lens | None],
    work: Workplace,
    name: str,
    in_chunks: bool,
    progress: Span,
) -> tuple[list[PreparedPhoto], list[LeftOut]]:
    """As `prepare_photos`. in_chunks: keep them in the workplace, from where those decoded before under this name are
    taken."""
    if not in_chunks:
        wanted = how.with_features, how.with_grey, lenses, how.with_large
        return prepare_photos(photos, how.resolution, progress, *wanted)
    rows = work.rows(name, StoredPhoto)
    lenses = lenses or [None] * len(photos)
    for i in range(len(rows), len(photos)):
        if lenses[i] is None:
            progress(i / len(photos), f"Reading {photos[i].name} ({i + 1} of {len(photos)}).")
        else:
            progress(i / len(photos), f"Straightening {photos[i].name} ({i + 1} of {len(photos)}).")
        try:
            wanted = how.with_features, how.with_grey, [lenses[i]], how.with_large
            [prepared], _ = prepare_photos([photos[i]], how.resolution, SILENT, *wanted)
            rows.append(_stored(prepared))
        except JobError as error:
            rows.append(StoredPhoto(photos[i].name, failure=error.failure))
    stored = rows.all()
    left_out = [LeftOut(photo.name, photo.failure) for photo in stored if photo.failure is not None]
    used = [(photo, lens) for photo, lens in zip(stored, lenses, strict=True) if photo.failure is None]
    if not used:
        raise none_left(left_out)
    placements = place([photo.size for photo, _ in used], [photo.fitted for photo, _ in used])
    return [_prepared(*each, where) for each, where in zip(used, placements, strict=True)], left_out


def _stored(photo: PreparedPhoto) -> StoredPhoto:
    feature = photo.feature
    return StoredPhoto(
        name=photo.name,
        size=photo.placement.photo,
        fitted=photo.placement.size,
        color=photo.color,
        plate=np.frombuffer(photo.plate, np.uint8),
        focal_35mm=photo.focal_35mm,
        opaque=photo.opaque,
        grey=photo.grey,
        large=photo.large,
        feature=None if feature is None else feature.grey,
        camera="" if feature is None else feature.camera,
    )


def _prepared(photo: StoredPhoto, lens: Lens | None, placement: Placement) -> PreparedPhoto:
    assert photo.color is not None and photo.plate is not None
    feature = None
    if photo.feature is not None:
        feature = FeaturePhoto(photo.name, photo.size, photo.feature, photo.focal_35mm, photo.camera)
    return PreparedPhoto(
        name=photo.name,
        placement=placement,
        color=photo.color,
        plate=photo.plate.tobytes(),
        focal_35mm=photo.focal_35mm,
        feature=feature,
        opaque=photo.opaque,
        grey=photo.grey,
        lens=lens,
        large=photo.large,
    )
