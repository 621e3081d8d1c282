"""Frames of clips placed against the map of their key frames; the truth is the cameras that the clips are made with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_runtime.clips.adjusting import adjust_frames
from model_runtime.clips.observing import Sight
from model_runtime.clips.placing import place_clip
from model_runtime.contract.lens import BROWN, Lens
from model_runtime.contract.progress import SILENT

from .clip_scores import centres, scores
from .made_clips import dolly, handheld, poses_along, tripod
from .made_features import INTRINSICS, SIZE, planes, watched, world

FRAMES, KEYS = 24, (0, 6, 12, 18, 23)
BENT = Lens(BROWN, SIZE, INTRINSICS, np.array([-0.2, 0.05]))


@pytest.mark.parametrize("lens", [None, BENT], ids=["pinhole", "bent"])
def test_every_frame_has_the_camera_that_took_it(lens: Lens | None, tmp_path: Path) -> None:
    truth = poses_along(handheld(FRAMES), FRAMES)
    clip, cameras, source = watched(truth, KEYS, tmp_path, lens)
    track = place_clip(clip, source, cameras, lens, False, SILENT).track
    found = scores(track.extrinsics, truth)
    assert found.without == 0
    assert found.ate < 0.005
    assert found.most_turned < 0.05
    assert track.sources == tuple("key" if place in KEYS else "placed" for place in range(FRAMES))
    assert track.lens is lens
    np.testing.assert_allclose(track.intrinsics, INTRINSICS, atol=1e-9)
    assert np.nanmedian(track.match_error) == pytest.approx(0.35, abs=0.1)  # median length of noise of 0.3 in x and y


def test_shake_is_kept(tmp_path: Path) -> None:
    """Second differences of the way are the hand's own, not smoothed and not made larger."""
    truth = poses_along(handheld(FRAMES), FRAMES)
    clip, cameras, source = watched(truth, KEYS, tmp_path, noise=0.05)
    track = place_clip(clip, source, cameras, None, False, SILENT).track
    mine, true = (np.diff(centres(each), n=2, axis=0) for each in (track.extrinsics, truth))
    assert np.linalg.norm(mine) == pytest.approx(np.linalg.norm(true), rel=0.05)
    assert np.linalg.norm(mine - true) < 0.2 * np.linalg.norm(true)


def test_the_world_is_that_of_the_key_cameras(tmp_path: Path) -> None:
    truth = poses_along(dolly(FRAMES), FRAMES)
    clip, cameras, source = watched(truth, KEYS, tmp_path)
    placed = place_clip(clip, source, cameras, None, False, SILENT)
    away = np.linalg.norm(centres(placed.track.extrinsics) - centres(truth), axis=1)
    assert away.max() < 0.01
    assert np.array_equal(placed.track.extrinsics[list(KEYS)], placed.cameras.extrinsics)
    assert np.median(np.linalg.norm(placed.cameras.sparse.points - cameras.sparse.points, axis=1)) < 0.1


def test_frames_that_show_nothing_are_between_their_neighbours(tmp_path: Path) -> None:
    truth = poses_along(dolly(FRAMES), FRAMES)
    clip, cameras, source = watched(truth, KEYS, tmp_path, blind=(8, 9))
    track = place_clip(clip, source, cameras, None, False, SILENT).track
    assert [place for place, each in enumerate(track.sources) if each == "between"] == [8, 9]
    assert np.isnan(track.match_error[[8, 9]]).all()
    away = np.linalg.norm(centres(track.extrinsics) - centres(truth), axis=1)
    assert away[[8, 9]].max() < 0.01


def test_key_frames_that_were_left_out_are_placed_like_others(tmp_path: Path) -> None:
    truth = poses_along(dolly(FRAMES), FRAMES)
    clip, cameras, source = watched(truth, KEYS, tmp_path)
    out = np.arange(len(KEYS)) == 2
    extrinsics = np.where(out[:, None, None], np.nan, cameras.extrinsics)
    sparse = cameras.sparse
    kept = sparse.view != 2
    sparse = replace(sparse, view=sparse.view[kept], point=sparse.point[kept], pixel=sparse.pixel[kept])
    cameras = replace(cameras, registered=~out, extrinsics=extrinsics, sparse=sparse)
    placed = place_clip(clip, source, cameras, None, False, SILENT)
    assert placed.track.sources[KEYS[2]] == "placed"
    assert scores(placed.track.extrinsics, truth).ate < 0.01
    assert np.isnan(placed.cameras.extrinsics[2]).all()


def test_a_turn_on_the_spot_stays_on_the_spot(tmp_path: Path) -> None:
    truth = poses_along(tripod(FRAMES, 30.0), FRAMES)
    clip, cameras, source = watched(truth, KEYS, tmp_path)
    track = place_clip(clip, source, cameras, None, True, SILENT).track
    assert set(track.sources) == {"key", "turned"}
    assert np.ptp(centres(track.extrinsics), axis=0).max() < 1e-9
    found = scores(track.extrinsics, truth)
    assert found.without == 0
    assert found.most_turned < 0.02
    assert found.turn_jitter < 0.02


def test_a_still_clip_has_one_camera(tmp_path: Path) -> None:
    truth = np.tile(poses_along(dolly(FRAMES), FRAMES)[:1], (FRAMES, 1, 1))
    clip, cameras, source = watched(truth, (5,), tmp_path)
    track = place_clip(replace(clip, still=True), source, cameras, None, False, SILENT).track
    assert track.still
    assert set(track.sources) == {"still"}
    assert (track.extrinsics == truth[0]).all()


def test_points_that_one_frame_alone_sees_do_not_count() -> None:
    truth = poses_along(dolly(FRAMES), FRAMES)
    points = world(truth)
    seen = planes(truth, points)
    frame, point = (each.ravel() for each in np.indices(seen.shape[:2]))
    sight = Sight(frame, point, seen.reshape(-1, 2)).chosen((point % 5 > 0) | (frame == point % FRAMES))
    rest = sight.chosen(np.zeros(len(sight.frame), bool))
    moved = truth.copy()
    moved[5, 0, 3] += 0.02
    poses, _ = adjust_frames(moved, points, sight, rest, INTRINSICS[0, 0])
    assert scores(poses, truth).ate < 1e-4
