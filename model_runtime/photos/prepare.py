"""The photos of a job, decoded and fitted to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.contract.messages import JobError, LeftOut, Photo
from model_runtime.contract.progress import Span
from model_runtime.photos.canvas import Placement, fit, place
from model_runtime.photos.decode import DecodedPhoto, decode_photo
from model_runtime.photos.feature_photo import COMPARED_SIDE, FeaturePhoto, feature_photo, grey_picture

ERRORS_TOLD = 5

MOST_TRANSPARENT = 0.1
"""Of what a fitted pixel covers, for it to count as opaque: at the rim of a thing that was cut out, the backdrop shows
in the colour, and the network's depth lies between the two."""


@dataclass(frozen=True, eq=False)
class PreparedPhoto:
    """A photo as the network saw it. color: [h,w,3] uint8, fitted. focal_35mm: from its EXIF data, or None.
    feature: the photo as feature matching takes it, where that was asked for. opaque: see `messages.View`.
    grey: [h,w] uint8, the whole photo as it is compared to refine depth, where that was asked for.
    """

    name: str
    placement: Placement
    color: np.ndarray
    plate: bytes
    focal_35mm: float | None
    feature: FeaturePhoto | None = None
    opaque: np.ndarray | None = None
    grey: np.ndarray | None = None


def prepare_photos(
    photos: Sequence[Photo], resolution: int, progress: Span, with_features: bool = False, with_grey: bool = False
) -> tuple[list[PreparedPhoto], list[LeftOut]]:
    """Decode and fit every photo, one at a time, so that only one is in memory at full size; and those that cannot be.

    resolution: longest side in pixels. progress: told before each photo.
    Raises one JobError that names all photos where none can be used.
    """
    fitted: list[tuple[DecodedPhoto, np.ndarray, np.ndarray | None]] = []
    features: list[FeaturePhoto | None] = []
    greys: list[np.ndarray | None] = []
    left_out: list[LeftOut] = []
    for i, photo in enumerate(photos):
        progress(i / len(photos), f"Reading {photo.name} ({i + 1} of {len(photos)}).")
        try:
            decoded, pixels = decode_photo(photo)
            fitted.append((decoded, fit(pixels, resolution), _opaque(decoded, resolution)))
            wanted = feature_photo(decoded.name, pixels, decoded.focal_35mm, decoded.camera) if with_features else None
            features.append(wanted)
            greys.append(grey_picture(pixels, COMPARED_SIDE) if with_grey else None)
        except JobError as error:
            left_out.append(LeftOut(photo.name, error.failure))
    if not fitted:
        raise none_left(left_out)
    placements = place(
        [decoded.size for decoded, _, _ in fitted], [(color.shape[1], color.shape[0]) for _, color, _ in fitted]
    )
    prepared = [
        PreparedPhoto(decoded.name, placement, color, decoded.plate, decoded.focal_35mm, feature, opaque, grey)
        for (decoded, color, opaque), placement, feature, grey in zip(fitted, placements, features, greys, strict=True)
    ]
    return prepared, left_out


def _opaque(photo: DecodedPhoto, resolution: int) -> np.ndarray | None:
    """[h,w] bool of the fitted photo; None where all of it is opaque."""
    if photo.alpha is None:
        return None
    return fit(photo.alpha[..., None], resolution)[..., 0] >= 255 * (1 - MOST_TRANSPARENT)


def none_left(left_out: Sequence[LeftOut]) -> JobError:
    """One error that names every photo, up to a readable number, where not one can be used."""
    sentences = [photo.reason.sentence for photo in left_out[:ERRORS_TOLD]]
    if len(left_out) > ERRORS_TOLD:
        sentences.append(f"{len(left_out) - ERRORS_TOLD} more photos cannot be used either.")
    first = left_out[0].reason
    return JobError(first.code, " ".join(sentences), first.advice)
