"""Features of photos that come one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.spatial import KDTree

from model_runtime.cameras.features import extraction
from model_runtime.cameras.features.extraction import extract, extract_each
from model_runtime.cameras.features.matching import match_photos
from model_runtime.contract.progress import SILENT
from model_runtime.photos.feature_photo import FeaturePhoto, feature_photo
from tests.model_runtime.cameras.features.made_walk import walk_round


def test_few_pictures_are_in_memory_at_a_time() -> None:
    shot: list[int] = []
    walk = walk_round(300, (96, 72))

    def photos() -> Iterator[FeaturePhoto]:
        for i in range(40):
            shot.append(i)
            yield feature_photo(f"{i}.png", walk.photo(i))

    most = extraction.PLAIN_PER_CORE * extraction.cores()
    for done, (photo, features) in enumerate(extract_each(photos(), 40, SILENT, plain=True), start=1):
        assert len(shot) - done < most
        assert photo.grey.size == 0 and photo.digest and features.plain
    assert shot == list(range(40))


def test_plain_features_lie_where_pooled_ones_do() -> None:
    walk = walk_round(300, (240, 180))
    photo = feature_photo("0.png", walk.photo(0))
    (plain,), (pooled,) = extract([photo], SILENT, plain=True), extract([photo], SILENT)
    assert not pooled.plain and 200 < len(plain.keypoints) <= 2 * extraction.MAX_PLAIN
    away = KDTree(pooled.keypoints).query(plain.keypoints)[0]
    assert np.mean(away < 0.5) > 0.9


def test_few_sizes_pooled_match_as_well_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Across a large change of view: as COLMAP's ten sizes do."""
    walk = walk_round(300, (240, 180))
    photos = [feature_photo(f"{i}.png", walk.photo(i)) for i in (0, 20)]

    def matched() -> int:
        (geometry,) = match_photos(photos, SILENT).geometries.values()
        return len(geometry.inlier_matches)

    few = matched()
    monkeypatch.setattr(extraction, "POOLED_SIZES", (1 / 6, 3.0))
    monkeypatch.setattr(extraction, "POOLED", 10)
    assert few > 0.9 * matched() > 100


def test_large_and_small_frames_together_stay_in_order() -> None:
    """Those of 800 pixels and more are looked at in another way, and so apart."""
    sizes = [(96, 72), (800, 80), (96, 72)]
    photos = [feature_photo(f"{i}.png", walk_round(300, size).photo(i)) for i, size in enumerate(sizes)]
    together = extract(photos, SILENT, plain=True)
    for photo, found in zip(photos, together, strict=True):
        (alone,) = extract([photo], SILENT, plain=True)
        assert len(alone.keypoints) and np.array_equal(alone.keypoints, found.keypoints)
