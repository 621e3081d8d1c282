"""Remembers what was found in photos and between them, so that a job with the same photos does not look again.

An artist makes a scene, changes a setting or adds a photo, and makes it again: only what is new is worked out.
Features may be kept in a folder as well, for a job that is interrupted.
"""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model_runtime.contract.disk import write_file
from model_runtime.photos.feature_photo import FeaturePhoto

if TYPE_CHECKING:  # COLMAP takes long to load and is not always wanted
    import pycolmap

Verified = tuple[str, float | None]
"""`FeaturePhoto.verified_as`."""

Key = tuple[str, bool]
"""`FeaturePhoto.digest`, and whether features are plain."""

PHOTOS_KEPT = 128
"""Each takes about 0.6 MB. A job of more keeps all of its own."""


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """keypoints: [K,2] float64, working pixels. descriptors: [K,128] uint8. plain: see `extraction.extract`."""

    keypoints: np.ndarray
    descriptors: np.ndarray
    plain: bool = False


@dataclass(frozen=True, eq=False)
class PairMatches:
    """alike: [M,2] uint32, keypoints of two photos that look alike. geometry: None where they do not match."""

    alike: np.ndarray
    geometry: pycolmap.TwoViewGeometry | None


class FeatureMemory:
    """Features of the photos used last, and what their pairs have in common.

    folder: where features are kept, too, each photo's in a file of its own; what is there is not looked for again. It
    belongs to one version of this program.
    """

    def __init__(self, photos_kept: int = PHOTOS_KEPT, folder: Path | None = None) -> None:
        self.photos_kept = photos_kept
        self.folder = folder
        self._features: OrderedDict[Key, PhotoFeatures] = OrderedDict()
        self._pairs: dict[tuple[Verified, Verified, bool], PairMatches] = {}

    def features(self, photo: FeaturePhoto, plain: bool = False) -> PhotoFeatures | None:
        """What was found in this photo before."""
        key = photo.digest, plain
        found = self._features.get(key)
        if found is None and self.folder is not None:
            found = read_features(self._file(key))
        return found

    def keep(self, photo: FeaturePhoto, features: PhotoFeatures) -> None:
        """Remember what was found, as that of the photo used last. Raises OSError where the folder cannot take it."""
        key = photo.digest, features.plain
        if self.folder is not None and not (file := self._file(key)).exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_features(file, features)
        self._features[key] = features
        self._features.move_to_end(key)

    def forget_others(self, count: int) -> None:
        """Forget photos that were used before the last `count`, as far as there are more than are kept; not those in
        the folder."""
        gone = set[Key]()
        while len(self._features) > max(self.photos_kept, count):
            gone.add(self._features.popitem(last=False)[0])
        if gone:
            self._pairs = {
                pair: found
                for pair, found in self._pairs.items()
                if (pair[0][0], pair[2]) not in gone and (pair[1][0], pair[2]) not in gone
            }

    def pair(self, a: FeaturePhoto, b: FeaturePhoto, plain: bool = False) -> PairMatches | None:
        """What these photos, in this order, have in common; None where they were not matched before."""
        return self._pairs.get((a.verified_as, b.verified_as, plain))

    def keep_pair(self, a: FeaturePhoto, b: FeaturePhoto, found: PairMatches, plain: bool = False) -> None:
        """Remember what was found between photos that are remembered themselves."""
        if (a.digest, plain) in self._features and (b.digest, plain) in self._features:
            self._pairs[a.verified_as, b.verified_as, plain] = found

    def _file(self, key: Key) -> Path:
        assert self.folder is not None
        return self.folder / f"{key[0]}-{'plain' if key[1] else 'pooled'}.npz"


def write_features(path: Path, features: PhotoFeatures) -> None:
    """Into a file, whole or not at all. Raises OSError."""
    data = io.BytesIO()
    np.savez(data, keypoints=features.keypoints, descriptors=features.descriptors, plain=features.plain)
    write_file(path, data.getvalue())


def read_features(path: Path) -> PhotoFeatures | None:
    """From a file that `write_features` wrote; None where there is none, or one that is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = PhotoFeatures(arrays["keypoints"], arrays["descriptors"], bool(arrays["plain"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    count = len(found.keypoints)
    return found if found.keypoints.shape == (count, 2) and found.descriptors.shape == (count, 128) else None
