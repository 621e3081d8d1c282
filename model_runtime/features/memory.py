"""Remembers what was found in photos and between them, so that a job with the same photos does not look again.

An artist makes a scene, changes a setting or adds a photo, and makes it again: only what is new is worked out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.features.photo import FeaturePhoto

if TYPE_CHECKING:  # COLMAP takes long to load and is not always wanted
    import pycolmap

PHOTOS_KEPT = 128
"""Each takes about 0.6 MB."""


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """keypoints: [K,2] float64, working pixels. descriptors: [K,128] uint8."""

    keypoints: np.ndarray
    descriptors: np.ndarray


class FeatureMemory:
    """Features of the photos used last, and the verified geometry of their pairs (None where they do not match)."""

    def __init__(self, photos_kept: int = PHOTOS_KEPT) -> None:
        self.photos_kept = photos_kept
        self._features: OrderedDict[str, PhotoFeatures] = OrderedDict()
        self._pairs: dict[tuple[str, str], pycolmap.TwoViewGeometry | None] = {}

    def features(self, photo: FeaturePhoto, find: Callable[[], PhotoFeatures]) -> PhotoFeatures:
        """What `find` found in this photo, now or before."""
        key = photo.digest
        if key not in self._features:
            self._features[key] = find()
        self._features.move_to_end(key)
        while len(self._features) > self.photos_kept:
            self._forget(next(iter(self._features)))
        return self._features[key]

    def pair(
        self, a: FeaturePhoto, b: FeaturePhoto, match: Callable[[], pycolmap.TwoViewGeometry | None]
    ) -> pycolmap.TwoViewGeometry | None:
        """What `match` found between these photos, in this order, now or before."""
        keys = (a.digest, b.digest)
        if keys not in self._pairs:
            geometry = match()
            if not all(key in self._features for key in keys):  # more photos than are kept
                return geometry
            self._pairs[keys] = geometry
        return self._pairs[keys]

    def _forget(self, key: str) -> None:
        del self._features[key]
        self._pairs = {pair: geometry for pair, geometry in self._pairs.items() if key not in pair}
