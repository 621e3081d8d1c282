"""Photos seen before are not looked at again, and what is remembered is what would be found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_runtime.cameras.features import matching
from model_runtime.cameras.features.matching import Matches, match_photos
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.contract.progress import SILENT


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been worked out so far: a word for every photo and for every pair."""
    done: list[str] = []
    extract_each, verify = matching.extract_each, matching._verify
    monkeypatch.setattr(
        matching, "extract_each", lambda p, count, *a: (done.extend(["photo"] * count), extract_each(p, count, *a))[1]
    )
    monkeypatch.setattr(matching, "_verify", lambda *a: (done.append("pair"), verify(*a))[1])
    return done


def test_only_what_is_new_is_worked_out(matches: Matches, work: list[str]) -> None:
    photos, memory = matches.photos[:3], FeatureMemory()
    match_photos(photos[:2], SILENT, memory)
    assert work == ["photo", "photo", "pair"]
    work.clear()
    both = match_photos(photos, SILENT, memory)
    assert work == ["photo", "pair", "pair"]
    work.clear()
    again = match_photos(photos, SILENT, memory)
    assert work == []
    fresh = match_photos(photos, SILENT)
    for found in (both, again):
        assert found.geometries.keys() == fresh.geometries.keys()
        for pair, geometry in fresh.geometries.items():
            assert np.array_equal(found.geometries[pair].inlier_matches, geometry.inlier_matches)
        for one, other in zip(found.keypoints, fresh.keypoints, strict=True):
            assert np.array_equal(one, other)


def test_another_focal_length_is_another_pair_of_the_same_features(matches: Matches, work: list[str]) -> None:
    photos, memory = matches.photos[:2], FeatureMemory()
    match_photos(photos, SILENT, memory)
    work.clear()
    match_photos([replace(photos[0], focal_35mm=50.0), photos[1]], SILENT, memory)
    assert work == ["pair"]


def test_the_photos_used_last_are_kept(matches: Matches, work: list[str]) -> None:
    photos, memory = matches.photos[:3], FeatureMemory(photos_kept=2)
    whole = match_photos(photos, SILENT, memory)
    assert len(whole.keypoints) == 3 and len(whole.geometries) == len(match_photos(photos, SILENT).geometries)
    work.clear()
    match_photos(photos[1:], SILENT, memory)
    assert work == []
    match_photos(photos[:1], SILENT, memory)
    match_photos(photos[2:], SILENT, memory)
    assert work == ["photo"]


def test_a_job_of_more_photos_keeps_all_of_its_own(matches: Matches, work: list[str]) -> None:
    memory = FeatureMemory(photos_kept=1)
    for _ in range(2):
        match_photos(matches.photos[:3], SILENT, memory)
    assert work.count("photo") == 3


def test_what_a_folder_has_is_not_looked_for_again(matches: Matches, work: list[str], tmp_path: Path) -> None:
    """As where a job was killed after its features were found; a file that is not whole is as none."""
    photos = matches.photos[:3]
    first = match_photos(photos, SILENT, FeatureMemory(folder=tmp_path / "features"))
    files = sorted((tmp_path / "features").iterdir())
    assert len(files) == 3
    files[0].write_bytes(files[0].read_bytes()[:1000])
    work.clear()
    again = match_photos(photos, SILENT, FeatureMemory(folder=tmp_path / "features"))
    assert work.count("photo") == 1
    for one, other in zip(first.keypoints, again.keypoints, strict=True):
        assert np.array_equal(one, other)
    work.clear()
    bare = [photo.without_picture() for photo in photos]
    match_photos(bare[1:], SILENT, FeatureMemory(folder=tmp_path / "features"))
    assert work == ["pair"]


def test_plain_features_are_others(matches: Matches, work: list[str]) -> None:
    photos, memory = matches.photos[:2], FeatureMemory()
    match_photos(photos, SILENT, memory)
    plain = match_photos(photos, SILENT, memory, in_time=True)
    assert work == ["photo", "photo", "pair"] * 2
    assert len(plain.keypoints[0]) < len(match_photos(photos, SILENT, memory).keypoints[0])


def test_a_photo_without_its_picture_is_the_same_photo(matches: Matches) -> None:
    photo = matches.photos[0]
    bare = photo.without_picture()
    assert bare.grey.size == 0 and bare.digest == photo.digest and bare.verified_as == photo.verified_as
    assert replace(bare, focal_35mm=30.0).without_picture().digest == photo.digest
    with pytest.raises(ValueError, match="has no picture any more"):
        match_photos([bare, matches.photos[1]], SILENT, FeatureMemory())
