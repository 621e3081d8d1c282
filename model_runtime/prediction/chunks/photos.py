"""The photos of a job of many, decoded into a file, from which they are mapped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Failure, LeftOut, Photo
from model_runtime.contract.progress import Span
from model_runtime.photos.canvas import place
from model_runtime.photos.feature_photo import FeaturePhoto
from model_runtime.photos.prepare import PreparedPhoto, each_prepared, on_one_canvas, prepare_photos
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
    wanted = how.with_features, how.with_grey
    if not in_chunks:
        return prepare_photos(photos, how.resolution, progress, *wanted, lenses, how.with_large)
    rows = work.rows(name, StoredPhoto)
    lenses = lenses or [None] * len(photos)
    done = len(rows)
    rest = progress.part(done / len(photos), 1.0)
    each = each_prepared(photos[done:], how.resolution, rest, *wanted, lenses[done:], how.with_large)
    with closing(each):
        for result in each:
            rows.append(_left_out(result) if isinstance(result, LeftOut) else _stored(result))
    stored = rows.all()
    left_out = [LeftOut(photo.name, photo.failure) for photo in stored if photo.failure is not None]
    used = [(photo, lens) for photo, lens in zip(stored, lenses, strict=True) if photo.failure is None]
    return on_one_canvas([_prepared(photo, lens) for photo, lens in used], left_out), left_out


def _left_out(photo: LeftOut) -> StoredPhoto:
    return StoredPhoto(photo.name, failure=photo.reason)


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


def _prepared(photo: StoredPhoto, lens: Lens | None) -> PreparedPhoto:
    """On a canvas of its own."""
    assert photo.color is not None and photo.plate is not None
    feature = None
    if photo.feature is not None:
        feature = FeaturePhoto(photo.name, photo.size, photo.feature, photo.focal_35mm, photo.camera)
    return PreparedPhoto(
        name=photo.name,
        placement=place([photo.size], [photo.fitted])[0],
        color=photo.color,
        plate=photo.plate.tobytes(),
        focal_35mm=photo.focal_35mm,
        feature=feature,
        opaque=photo.opaque,
        grey=photo.grey,
        lens=lens,
        large=photo.large,
    )
