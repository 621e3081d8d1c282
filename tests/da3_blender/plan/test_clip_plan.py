"""When a clip's frames are seen in a scene, which pictures are a sequence for Blender, and that a track is checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from da3_blender.plan.clip_plan import ClipFiles, scene_frames, shown_at
from da3_blender.plan.prediction_checks import PlanError
from da3_blender.plan.scene_plan import plan_scene
from da3_blender.plan.similarity import Similarity
from da3_blender.plan.size_and_place import placed_beside
from da3_blender.plan.transform import transform_plan
from tests.da3_blender.clips import walk


def test_frames_that_last_alike_are_their_numbers():
    numbers = np.array([3, 5, 8])
    ticks = np.round(numbers * 1001 / 30_000, 3)  # as Matroska keeps time
    assert scene_frames(numbers, ticks, 30_000 / 1001, film=True).tolist() == [4, 6, 9]
    assert scene_frames(numbers + 1000, ticks, 24.0, film=False).tolist() == [1003, 1005, 1008]
    assert scene_frames(numbers + 20_261_201, ticks, 24.0, film=False).tolist() == [1, 3, 6]
    keys, which = shown_at(np.array([4.0, 6, 9]), numbers)
    assert keys.tolist() == [4, 6, 9] and which.tolist() == [0, 1, 2]


def test_what_is_seen_is_what_began_last():
    random = np.random.default_rng(4)
    seconds = np.concatenate([[0], np.cumsum(random.uniform(0.2, 2.2, 40) / 30)])
    numbers = np.arange(41)
    frames = scene_frames(numbers, seconds, 30.0, film=True)
    keys, which = shown_at(frames, numbers)
    assert (np.diff(keys) > 0).all() and len(set(which)) < 41  # some are too short to be seen
    for frame in range(keys[0], keys[-1] + 1):
        began = np.flatnonzero(seconds <= (frame - 1) / 30 + 1e-6)[-1]
        around = np.flatnonzero(keys <= frame)[-1], np.flatnonzero(keys >= frame)[0]
        assert {which[place] for place in around} == {began}  # straight between two of the same


def test_nothing_is_held_between_frames_that_were_left_out():
    keys, which = shown_at(np.array([1.0, 11.3, 21.4]), np.array([0, 10, 20]))
    assert keys.tolist() == [1, 12, 22] and which.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "numbers", "is_one"),
    [
        (("a_0001.png", "a_0002.png", "a_0005.png"), (1, 2, 5), True),
        (("a1.jpg", "a10.jpg"), (1, 10), True),
        (("a_01.png", "a_100.png"), (1, 100), True),
        (("a_01.png", "a_2.png"), (1, 2), False),
        (("a_01.png", "b_02.png"), (1, 2), False),
        (("a_01.png", "a_02.png"), (1, 3), False),
        (("left.png", "right.png"), (1, 2), False),
        (("x/1.png", "y/2.png"), (1, 2), False),
        ((), (), False),
    ],
)
def test_sequences(names, numbers, is_one):
    files = ClipFiles(files=tuple(map(Path, names)), numbers=numbers)
    assert files.is_sequence == is_one
    assert all(files.picture(number) == Path(name) for name, number in zip(names, numbers, strict=True))
    assert files.picture(77) is None


def test_the_camera_moves_with_its_plan(room):
    plan = plan_scene(walk(room), "walk")
    similarity = Similarity(2.0, room.rotation_about((1, 1, 0), 50), np.array([1.0, 2, 3]))
    moved = transform_plan(plan, similarity)
    eyes = plan.track.matrices[:, :3, 3]
    np.testing.assert_allclose(moved.track.matrices[:, :3, 3], similarity.points(eyes))
    turns = moved.track.matrices[:, :3, :3]
    np.testing.assert_allclose(turns, similarity.rotation @ plan.track.matrices[:, :3, :3], atol=1e-12)
    assert moved.track.display_size == 2 * plan.track.display_size


def test_a_clip_stands_clear_with_all_of_its_way(room):
    plan = plan_scene(walk(room), "walk")
    end = plan.track.matrices[12, :3, 3]  # no key frame is there
    box = np.array([[end - 0.1, end + 0.1]])
    moved = placed_beside(plan, box).track.matrices[:, :3, 3]
    assert not ((moved > box[0, 0]) & (moved < box[0, 1])).all(axis=1).any()


def test_all_frames_tell_what_is_up(room):
    tilted = Similarity(1.0, room.rotation_about((1, 0, 0), 25), np.zeros(3)).matrix
    plan = plan_scene(walk(room, world=tilted), "walk")
    assert (plan.motion[:3, :3] @ tilted[:3, :3])[:, 2] == pytest.approx([0, 0, 1], abs=0.02)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"numbers": np.arange(24)[::-1].copy()}, "do not follow"),
        ({"seconds": np.zeros(24)}, "do not follow"),
        ({"seconds": np.full(24, np.nan)}, "not numbers"),
        ({"rate": 0.0}, "not numbers"),
        ({"extrinsics": np.full((24, 4, 4), np.nan)}, "not finite"),
        ({"extrinsics": np.zeros((3, 4, 4))}, "have shape"),
        ({"numbers": np.arange(100, 124)}, "none of the clip's frames"),
    ],
)
def test_a_track_that_cannot_be_is_refused(room, changes, sentence):
    prediction = walk(room)
    with pytest.raises(PlanError, match=sentence):
        plan_scene(replace(prediction, track=replace(prediction.track, **changes)), "walk")
