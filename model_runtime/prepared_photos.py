"""The photos of a job, decoded and fitted to the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.features.photo import FeaturePhoto, feature_photo
from model_runtime.image_batch import Placement, fit, place
from model_runtime.messages import JobError, Photo
from model_runtime.photos import DecodedPhoto, decode_photo

ERRORS_TOLD = 5


@dataclass(frozen=True, eq=False)
class PreparedPhoto:
    """A photo as the network saw it. color: [h,w,3] uint8, fitted. focal_35mm: from its EXIF data, or None.
    feature: the photo as feature matching takes it, where that was asked for.
    """

    name: str
    placement: Placement
    color: np.ndarray
    plate: bytes
    focal_35mm: float | None
    feature: FeaturePhoto | None = None


def prepare_photos(
    photos: Sequence[Photo], resolution: int, report: Callable[[float, str], None], with_features: bool = False
) -> list[PreparedPhoto]:
    """Decode and fit every photo, one at a time, so that only one is in memory at full size.

    resolution: longest side in pixels. report: told the fraction done and a sentence before each photo.
    Raises one JobError that names all photos that cannot be used.
    """
    fitted: list[tuple[DecodedPhoto, np.ndarray]] = []
    features: list[FeaturePhoto | None] = []
    errors: list[JobError] = []
    for i, photo in enumerate(photos):
        report(i / len(photos), f"Reading {photo.name} ({i + 1} of {len(photos)}).")
        try:
            decoded, pixels = decode_photo(photo)
            fitted.append((decoded, fit(pixels, resolution)))
            wanted = feature_photo(decoded.name, pixels, decoded.focal_35mm, decoded.camera) if with_features else None
            features.append(wanted)
        except JobError as error:
            errors.append(error)
    if errors:
        raise _all_of(errors)
    placements = place(
        [decoded.size for decoded, _ in fitted], [(color.shape[1], color.shape[0]) for _, color in fitted]
    )
    return [
        PreparedPhoto(decoded.name, placement, color, decoded.plate, decoded.focal_35mm, feature)
        for (decoded, color), placement, feature in zip(fitted, placements, features, strict=True)
    ]


def _all_of(errors: Sequence[JobError]) -> JobError:
    """One error that names every bad photo, up to a readable number, so that none turns up only on the next try."""
    first = errors[0].failure
    sentences = [error.failure.sentence for error in errors[:ERRORS_TOLD]]
    if len(errors) > ERRORS_TOLD:
        sentences.append(f"{len(errors) - ERRORS_TOLD} more photos cannot be used either.")
    return JobError(first.code, " ".join(sentences), first.advice)
