"""The photos of a job, decoded and fitted to the network."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import JobError, LeftOut, Photo
from model_runtime.contract.progress import Span
from model_runtime.contract.threads import cores, in_order
from model_runtime.photos.canvas import Placement, fit, in_patches, place, resize_all, size_of, with_longest
from model_runtime.photos.decode import DecodedPhoto, decoded, in_bands, scene_linear, without_warnings
from model_runtime.photos.feature_photo import COMPARED_SIDE, WORKING_SIDE, FeaturePhoto, at_most, grey
from model_runtime.photos.room import Room
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
    """Every photo decoded and fitted, on the canvas of all; and those that cannot be.

    Raises one JobError that names all photos where none can be used.
    """
    each = each_prepared(photos, resolution, progress, with_features, with_grey, lenses, with_large)
    with closing(each):
        results = list(each)
    left_out = [result for result in results if isinstance(result, LeftOut)]
    return on_one_canvas([result for result in results if not isinstance(result, LeftOut)], left_out), left_out


def each_prepared(
    photos: Sequence[Photo],
    resolution: int,
    progress: Span,
    with_features: bool = False,
    with_grey: bool = False,
    lenses: Sequence[Lens | None] = (),
    with_large: bool = False,
) -> Generator[PreparedPhoto | LeftOut]:
    """Every photo decoded and fitted, on a canvas of its own, in order; as many at once as there are cores and memory
    at full size for. To be closed where it is not gone through to the end.

    resolution: longest side in pixels. progress: told before each photo. lenses: what photos are straightened from,
    None for those that are as they should be; none at all where all are.
    """
    room, lenses = Room(), lenses or [None] * len(photos)

    def prepared(pair: tuple[Photo, Lens | None]) -> PreparedPhoto | LeftOut:
        photo, lens = pair
        try:
            return _prepared(photo, lens, room, resolution, with_features, with_grey, with_large)
        except JobError as error:
            return LeftOut(photo.name, error.failure)

    # Straightening takes more memory than decoding, and several threads of its own.
    threads = 1 if any(lens is not None for lens in lenses) else min(cores(), len(photos))
    pairs = list(zip(photos, lenses, strict=True))
    with without_warnings(), closing(in_order(prepared, pairs, max(1, threads))) as results:
        for i, (photo, lens) in enumerate(pairs):
            reading = f"Reading {photo.name} ({i + 1} of {len(photos)})."
            straightening = f"Straightening {photo.name} ({i + 1} of {len(photos)})."
            progress(i / len(photos), reading if lens is None else straightening)
            yield next(results)


def on_one_canvas(photos: Sequence[PreparedPhoto], left_out: Sequence[LeftOut]) -> list[PreparedPhoto]:
    """The photos, at least one, on the smallest canvas that holds each of them. Raises one JobError that names those
    left out where there are none."""
    if not photos:
        raise none_left(left_out)
    placements = place([photo.placement.photo for photo in photos], [photo.placement.size for photo in photos])
    return [replace(photo, placement=placement) for photo, placement in zip(photos, placements, strict=True)]


def _prepared(
    photo: Photo,
    lens: Lens | None,
    room: Room,
    resolution: int,
    with_features: bool,
    with_grey: bool,
    with_large: bool,
) -> PreparedPhoto:
    with decoded(photo, room) as found:
        known, picture = found
        if lens is not None:
            known, picture = straighten(known, in_bands(picture), lens, scene_linear(photo))
        sizes = {"color": with_longest(known.size, resolution)}
        sizes |= {"feature": at_most(known.size, WORKING_SIDE)} if with_features else {}
        sizes |= {"grey": at_most(known.size, COMPARED_SIDE)} if with_grey else {}
        sizes |= {"large": at_most(known.size, SPLAT_SIDE)} if with_large else {}
        made = dict(zip(sizes, resize_all(picture, list(sizes.values())), strict=True))
    color = in_patches(made["color"])
    feature = None
    if with_features:
        feature = FeaturePhoto(known.name, known.size, grey(made["feature"]), known.focal_35mm, known.camera)
    return PreparedPhoto(
        name=known.name,
        placement=place([known.size], [size_of(color)])[0],
        color=color,
        plate=known.plate,
        focal_35mm=known.focal_35mm,
        feature=feature,
        opaque=_opaque(known, resolution),
        grey=grey(made["grey"]) if with_grey else None,
        lens=lens,
        large=made.get("large"),
    )


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
