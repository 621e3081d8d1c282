"""Key frames and still cameras: of made motions, of made features, and of rendered clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from model_runtime.cameras.features.memory import FeatureMemory, PhotoFeatures
from model_runtime.clips.between import fill_between
from model_runtime.clips.key_frames import STEP, Choice, choose_keys
from model_runtime.clips.motion import UNKNOWN, Motion, motion_between
from model_runtime.clips.still import is_still
from model_runtime.clips.watching import watch_clip
from model_runtime.contract.progress import SILENT

from .made_clips import ArraySource, Room, compressed, dolly, filmed, locked, poses_along, with_passer_by, zoomed

SMALL = (320, 180)


class Counted(ArraySource):
    """Counts pictures that are asked for; some cannot be decoded."""

    def __init__(self, frames: np.ndarray, damaged: tuple[int, ...] = ()) -> None:
        super().__init__(frames)
        self.damaged, self.decoded = damaged, list[int]()

    def pictures(self, places: Sequence[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        for place, pixels in super().pictures(places):
            if place not in self.damaged:
                self.decoded.append(place)
                yield place, pixels


@pytest.fixture(scope="module")
def room() -> Room:
    return Room(0, things=2, side=512)


@pytest.fixture(scope="module")
def at_rest(room: Room) -> np.ndarray:
    return filmed(room, locked(12), 12, SMALL).frames


def moved(by: np.ndarray, noise: float = 0.1, others: float = 0.3, count: int = 400) -> Motion:
    """Of features that a similarity (shift x, y, turn, zoom) moves, but for a share of `others`, which go their way."""
    rng = np.random.default_rng(0)
    at = rng.uniform((0, 0), (640, 360), (count, 2))
    middle = at - (320, 180)
    turn, zoom = by[2:]
    way = by[:2] + np.stack((zoom * middle[:, 0] - turn * middle[:, 1], turn * middle[:, 0] + zoom * middle[:, 1]), 1)
    way = way + rng.normal(0, noise, way.shape)
    way[: int(others * count)] += (25.0, 5.0)
    descriptors = rng.integers(0, 120, (count, 128)).astype(np.uint8)
    one, other = PhotoFeatures(at, descriptors, True), PhotoFeatures(at + way, descriptors, True)
    return motion_between(one, other, (640, 360))


@pytest.mark.parametrize("by", [(0, 0, 0, 0), (0.6, -0.3, 0, 0), (0, 0, 0.004, 0), (0, 0, 0, 0.01)])
def test_the_common_motion_is_what_most_of_the_picture_does(by: tuple[float, ...]) -> None:
    found = moved(np.array(by))
    corner = np.hypot(*by[:2]) + np.hypot(*by[2:]) * np.hypot(320, 180)
    assert found.common * 640 == pytest.approx(corner, abs=0.06)
    assert found.together == pytest.approx(0.7, abs=0.05)


def test_nothing_is_told_of_frames_that_show_other_things() -> None:
    rng = np.random.default_rng(0)
    one, other = (
        PhotoFeatures(rng.uniform(0, 300, (50, 2)), rng.integers(0, 255, (50, 128)).astype(np.uint8)) for _ in range(2)
    )
    assert motion_between(one, other, (640, 360)) == UNKNOWN


def along(way: np.ndarray, shared_within: float = 1.0):
    """Motion along a way [F], in longest sides; beyond `shared_within` nothing is shared."""

    def motion(one: int, other: int) -> Motion:
        far = abs(float(way[other] - way[one]))
        return Motion(far, 0.8 if far < shared_within else 0.1, far, 1.0)

    return motion


def test_key_frames_follow_motion_not_time() -> None:
    way = np.concatenate((np.linspace(0, 0.1, 100), np.linspace(0.1, 2.1, 100)))
    keys = choose_keys(range(200), dict.fromkeys(range(200), 1.0), along(way), 300).keys
    assert (keys[0], keys[-1]) == (0, 199)
    assert sum(key < 100 for key in keys) <= 3
    steps = np.diff(way[list(keys)])
    assert steps.max() <= 1.4 * STEP
    assert len(keys) == pytest.approx(2.1 / STEP, rel=0.5)


def test_the_sharpest_of_a_few_frames_is_the_key_frame() -> None:
    way = np.linspace(0, 1.5, 151)
    sharpness = {place: 2.0 if place % 9 == 0 else 1.0 for place in range(151)}
    keys = choose_keys(range(151), sharpness, along(way), 300).keys
    assert all(key % 9 == 0 for key in keys[1:-1])


def test_frames_too_far_apart_are_all_key_frames() -> None:
    keys = choose_keys(range(20), dict.fromkeys(range(20), 1.0), along(np.arange(20.0), 0.5), 300).keys
    assert keys == tuple(range(20))


def test_a_small_move_has_key_frames_too() -> None:
    keys = choose_keys(range(100), dict.fromkeys(range(100), 1.0), along(np.linspace(0, 0.06, 100)), 300).keys
    assert 7 <= len(keys) <= 15


def test_there_are_no_more_key_frames_than_asked_for() -> None:
    keys = choose_keys(range(400), dict.fromkeys(range(400), 1.0), along(np.linspace(0, 40, 400)), 50).keys
    assert len(keys) <= 50
    assert (keys[0], keys[-1]) == (0, 399)
    assert np.diff(keys).max() <= 20


def test_a_camera_that_moves_at_the_very_end_is_not_still() -> None:
    rest = Motion(0.0, 0.9, 0.0001, 0.9)
    motions = dict.fromkeys(range(1, 50), rest)
    assert is_still(Choice((0, 49), motions), lambda one, other: rest)
    assert not is_still(Choice((0, 49), motions | {49: Motion(0.004, 0.9, 0.004, 0.9)}), lambda one, other: rest)


def test_a_thing_that_goes_by_does_not_move_the_camera(at_rest: np.ndarray, tmp_path: Path) -> None:
    watched = watch_clip(ArraySource(compressed(with_passer_by(at_rest))), SILENT, tmp_path)
    assert watched.still
    assert len(watched.keys) == len(watched.key_photos) == 1


def test_a_very_slow_move_and_a_zoom_are_not_still(room: Room, at_rest: np.ndarray, tmp_path: Path) -> None:
    slow = filmed(room, dolly(12, 0.04), 12, SMALL).frames
    for name, frames in (("slow", slow), ("zoom", zoomed(at_rest, 1.02))):
        watched = watch_clip(ArraySource(compressed(frames)), SILENT, tmp_path / name)
        assert not watched.still, name
        assert len(watched.keys) > 1


def test_what_was_seen_before_is_not_looked_for_again(at_rest: np.ndarray, tmp_path: Path) -> None:
    first = Counted(at_rest, damaged=(4,))
    watched = watch_clip(first, SILENT, tmp_path)
    assert 4 not in watched.usable
    (tmp_path / "000007.features").write_bytes(b"half")
    again = Counted(at_rest, damaged=(4,))
    same = watch_clip(again, SILENT, tmp_path)
    assert again.decoded == [7]
    assert (same.usable, same.keys, same.still) == (watched.usable, watched.keys, watched.still)
    memory = FeatureMemory()
    same.remember(memory)
    found = memory.features(same.key_photos[0], plain=True)
    assert found is not None
    assert np.array_equal(found.keypoints, watched.features(watched.keys[0]).keypoints)


def test_frames_between_known_ones_go_on_as_they_do() -> None:
    truth = poses_along(dolly(30), 30)
    gaps = truth.copy()
    gaps[[3, 4, 17, 18, 19, 29]] = np.nan
    filled = fill_between(gaps, np.arange(30) / 24)
    np.testing.assert_allclose(filled[29], truth[28], atol=1e-12)
    assert np.abs(filled[:29] - truth[:29]).max() < 0.01
    known = np.isfinite(gaps[:, 0, 0])
    assert np.array_equal(filled[known], truth[known])
