"""Remembers what was found in photos and between them, so that a job with the same photos does not look again.

An artist makes a scene, changes a setting or adds a photo, and makes it again: only what is new is worked out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.photos.feature_photo import FeaturePhoto

if TYPE_CHECKING:  # COLMAP takes long to load and is not always wanted
    import pycolmap

Verified = tuple[str, float | None]
"""`FeaturePhoto.verified_as`."""

PHOTOS_KEPT = 128
"""Each takes about 0.6 MB."""


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """keypoints: [K,2] float64, working pixels. descriptors: [K,128] uint8."""

    keypoints: np.ndarray
    descriptors: np.ndarray


@dataclass(frozen=True, eq=False)
class PairMatches:
    """alike: [M,2] uint32, keypoints of two photos that look alike. geometry: None where they do not match."""

    alike: np.ndarray
    geometry: pycolmap.TwoViewGeometry | None


class FeatureMemory:
    """Features of the photos used last, and what their pairs have in common."""

    def __init__(self, photos_kept: int = PHOTOS_KEPT) -> None:
        self.photos_kept = photos_kept
        self._features: OrderedDict[str, PhotoFeatures] = OrderedDict()
        self._pairs: dict[tuple[Verified, Verified], PairMatches] = {}

    def features(self, photo: FeaturePhoto) -> PhotoFeatures | None:
        """What was found in this photo before."""
        return self._features.get(photo.digest)

    def keep(self, photo: FeaturePhoto, features: PhotoFeatures) -> None:
        """Remember what was found, as that of the photo used last."""
        self._features[photo.digest] = features
        self._features.move_to_end(photo.digest)
        while len(self._features) > self.photos_kept:
            self._forget(next(iter(self._features)))

    def has_pair(self, a: FeaturePhoto, b: FeaturePhoto) -> bool:
        """Whether these photos, in this order, were matched before."""
        return (a.verified_as, b.verified_as) in self._pairs

    def pair(self, a: FeaturePhoto, b: FeaturePhoto) -> PairMatches:
        """What was found then."""
        return self._pairs[a.verified_as, b.verified_as]

    def keep_pair(self, a: FeaturePhoto, b: FeaturePhoto, found: PairMatches) -> None:
        """Remember what was found between photos that are remembered themselves."""
        if a.digest in self._features and b.digest in self._features:
            self._pairs[a.verified_as, b.verified_as] = found

    def _forget(self, key: str) -> None:
        del self._features[key]
        self._pairs = {pair: found for pair, found in self._pairs.items() if key not in (pair[0][0], pair[1][0])}
