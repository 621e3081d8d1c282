"""The photos of a job, decoded and fitted to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import JobError, LeftOut, Photo
from model_runtime.contract.progress import Span
from model_runtime.photos.canvas import Placement, fit, place
from model_runtime.photos.decode import DecodedPhoto, decode_photo, scene_linear
from model_runtime.photos.feature_photo import COMPARED_SIDE, FeaturePhoto, feature_photo, grey_picture, shrunk
from model_runtime.photos.straighten import straighten

ERRORS_TOLD = 5

SPLAT_SIDE = 480
"""Longest side in pixels at which splats are made to look like photos."""

MOST_TRANSPARENT = 0.1
"""Of what a fitted pixel covers, for it to count as opaque: at the rim of a thing that was cut out, the backdrop shows
in the colour, and the network's depth lies between the two."""


@dataclass(frozen=True, eq=False)
class PreparedPhoto:
    """A photo as the network saw it. color: [h,w,3] uint8, fitted. focal_35mm: from its EXIF data, or None.
    feature: the photo as feature matching takes it, where that was asked for. opaque: see `messages.View`.
    grey: [h,w] uint8, the whole photo as it is compared to refine depth, where that was asked for.
    large: [h,w,3] uint8, the whole photo as splats are made to look like it, where that was asked for.
    lens: which bent the photo; everything here is of the photo as it was straightened. None where it was not.
    """

    name: str
    placement: Placement
    color: np.ndarray
    plate: bytes
    focal_35mm: float | None
    feature: FeaturePhoto | None = None
    opaque: np.ndarray | None = None
    grey: np.ndarray | None = None
    lens: Lens | None = None
    large: np.ndarray | None = None


def prepare_photos(
    photos: Sequence[Photo],
    resolution: int,
    progress: Span,
    with_features: bool = False,
    with_grey: bool = False,
    lenses: Sequence[Lens | None] = (),
    with_large: bool = False,
) -> tuple[list[PreparedPhoto], list[LeftOut]]:
    """Decode and fit every photo, one at a time, so that only one is in memory at full size; and those that cannot be.

    resolution: longest side in pixels. progress: told before each photo. lenses: what photos are straightened from,
    None for those that are as they should be; none at all where all are.
    Raises one JobError that names all photos where none can be used.
    """
    fitted: list[_Fitted] = []
    left_out: list[LeftOut] = []
    for i, (photo, lens) in enumerate(zip(photos, lenses or [None] * len(photos), strict=True)):
        if lens is None:
            progress(i / len(photos), f"Reading {photo.name} ({i + 1} of {len(photos)}).")
        else:
            progress(i / len(photos), f"Straightening {photo.name} ({i + 1} of {len(photos)}).")
        try:
            fitted.append(_fitted(photo, lens, resolution, with_features, with_grey, with_large))
        except JobError as error:
            left_out.append(LeftOut(photo.name, error.failure))
    if not fitted:
        raise none_left(left_out)
    sizes = [(each.color.shape[1], each.color.shape[0]) for each in fitted]
    placements = place([each.photo.size for each in fitted], sizes)
    return [each.placed(placement) for each, placement in zip(fitted, placements, strict=True)], left_out


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A photo before the canvas of all is known; see PreparedPhoto."""

    photo: DecodedPhoto
    lens: Lens | None
    color: np.ndarray
    opaque: np.ndarray | None
    feature: FeaturePhoto | None
    grey: np.ndarray | None
    large: np.ndarray | None

    def placed(self, placement: Placement) -> PreparedPhoto:
        photo = self.photo
        return PreparedPhoto(
            name=photo.name,
            placement=placement,
            color=self.color,
            plate=photo.plate,
            focal_35mm=photo.focal_35mm,
            feature=self.feature,
            opaque=self.opaque,
            grey=self.grey,
            lens=self.lens,
            large=self.large,
        )


def _fitted(
    photo: Photo, lens: Lens | None, resolution: int, with_features: bool, with_grey: bool, with_large: bool
) -> _Fitted:
    decoded, pixels = decode_photo(photo)
    if lens is not None:
        decoded, pixels = straighten(decoded, pixels, lens, scene_linear(photo))
    feature = feature_photo(decoded.name, pixels, decoded.focal_35mm, decoded.camera) if with_features else None
    grey = grey_picture(pixels, COMPARED_SIDE) if with_grey else None
    large = shrunk(pixels, SPLAT_SIDE) if with_large else None
    return _Fitted(decoded, lens, fit(pixels, resolution), _opaque(decoded, resolution), feature, grey, large)


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
