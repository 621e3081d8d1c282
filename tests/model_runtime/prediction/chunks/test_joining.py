from dataclasses import replace

import numpy as np
import pytest

from model_runtime.geometry.pose_graph import scales
from model_runtime.prediction.chunks.chunk import ChunkOutput, Joined
from model_runtime.prediction.chunks.joining import join_chunks
from tests.model_runtime.prediction.chunks.walk import Score, Walk, chunk, of_cameras, score, walk, windows

WALK = walk(60)
DRIFT = np.array([0.001, 0.0, 0.0005, 0.0006, 0.0012, 0.0, 0.006])
"""Shift, turn and growth of each photo: over a walk of 60, a fifth of the scale and four degrees."""


def joined_depths(chunks: list[ChunkOutput], joined: Joined) -> list[np.ndarray]:
    return [
        chunks[c].depths[chunks[c].places.index(place)] * joined.depth_scale[place]
        for place, c in enumerate(joined.owner)
    ]


def scored(of: Walk, chunks: list[ChunkOutput], joined: Joined) -> Score:
    return score(of, joined.extrinsics, joined_depths(chunks, joined))


def seen(of: Walk, size: int = 16, overlap: int = 8, seed: int = 0, **how) -> list[ChunkOutput]:
    rng = np.random.default_rng(seed)
    return [chunk(of, places, rng, **how) for places in windows(len(of.depths), size, overlap)]


def loop(of: Walk, one: int, other: int, seed: int = 9, half: int = 4, **how) -> ChunkOutput:
    places = (*range(one, one + half), *range(other, other + half))
    return chunk(of, places, np.random.default_rng(seed), **how)


def test_exact_chunks_become_one_exact_world():
    chunks = seen(WALK)
    joined = join_chunks(chunks)
    result = scored(WALK, chunks, joined)
    assert result.trajectory < 1e-8 and result.turn < 1e-6 and result.scale < 1e-8 and result.jump < 1e-7
    assert joined.notes == ()
    assert all(seam.kept and seam.inliers > 0.99 and seam.residual < 1e-8 for seam in joined.seams)
    moved = joined.similarities[3].extrinsics(chunks[3].extrinsics)
    assert np.abs(moved - joined.extrinsics[list(chunks[3].places)]).max() < 1e-7


def test_a_third_of_the_depth_may_be_anything():
    chunks = seen(WALK, outliers=0.3)
    result = scored(WALK, chunks, join_chunks(chunks))
    assert result.trajectory < 1e-6 and result.scale < 1e-6


def test_noise_stays_noise():
    chunks = seen(WALK, noise=0.02, outliers=0.2)
    joined = join_chunks(chunks)
    result = scored(WALK, chunks, joined)
    assert result.trajectory < 0.01 and result.turn < 1.5 and result.scale < 0.03
    assert joined.notes == ()


def test_the_world_is_the_first_chunks_in_the_mean_unit():
    chunks = seen(WALK)
    joined = join_chunks(chunks)
    units = np.log([float(each.scale) for each in joined.similarities])
    assert units.mean() == pytest.approx(0, abs=1e-9) and units.std() > 0.3
    first = joined.similarities[0]
    assert np.abs(first.rotation - np.eye(3)).max() < 1e-9 and np.abs(first.translation).max() < 1e-9


def test_a_photo_takes_the_depth_of_the_chunk_it_is_in_the_middle_of():
    joined = join_chunks(seen(WALK))
    assert joined.owner[:12].tolist() == [0] * 12
    assert joined.owner[12:20].tolist() == [1] * 8
    assert joined.owner[-1] == len(windows(60, 16, 8)) - 1


def test_a_bare_wall_is_joined_by_cameras_and_distance():
    """Every pixel sees the one wall straight ahead, while the camera turns, goes sideways, or does nothing."""
    n = 24
    for centres, ahead in (
        (np.linspace([-0.5, 0, 0], [0.5, 0, 0], n), np.tile([0, 1.0, 0], (n, 1))),
        (np.zeros((n, 3)), np.tile([0, 1.0, 0], (n, 1))),
    ):
        wall = of_cameras(np.add(centres, [0, 2.0, 0]), np.add(ahead, [0, 0, 1e-3]))
        chunks = seen(wall, 12, 6)
        joined = join_chunks(chunks)
        depths = np.stack(joined_depths(chunks, joined))
        ratio = depths / wall.depths
        assert ratio.std() < 1e-7 * ratio.mean()
        turns = joined.extrinsics[:, :3, :3] @ joined.extrinsics[0, :3, :3].T
        assert np.abs(turns - wall.extrinsics[:, :3, :3] @ wall.extrinsics[0, :3, :3].T).max() < 1e-7


def test_one_common_photo_is_enough():
    chunks = seen(WALK, 13, 1)
    result = scored(WALK, chunks, join_chunks(chunks))
    assert result.trajectory < 1e-7 and result.scale < 1e-7


def test_photos_without_depth_are_joined_by_their_cameras():
    chunks = seen(WALK)
    nothing = [np.zeros_like(depth) for depth in chunks[2].depths]
    nothing[0][:] = np.nan
    chunks[2] = replace(chunks[2], depths=nothing)
    joined = join_chunks(chunks)
    assert np.isfinite(joined.extrinsics).all() and np.isfinite(joined.depth_scale).all()
    poses = np.linalg.inv(joined.extrinsics)
    off = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1) / np.linalg.norm(
        np.diff(WALK.poses[:, :3, 3], axis=0), axis=1
    )
    assert off.max() < 1.001 * off.min()


def test_a_loop_takes_drift_away():
    around = walk(63, 1.05)
    chunks = seen(around, noise=0.01, drift=DRIFT)
    open_ended = scored(around, chunks, join_chunks(chunks))
    joined = join_chunks(chunks, [loop(around, 0, 58, noise=0.01), loop(around, 3, 59, noise=0.01)])
    closed = scored(around, chunks, joined)
    assert open_ended.trajectory > 0.01
    assert closed.trajectory < 0.5 * open_ended.trajectory
    assert closed.scale < 0.6 * open_ended.scale
    assert joined.notes == ("2 loops were closed.",)


def test_of_ten_loops_three_wrong_ones_are_overruled():
    around = walk(120, 2.0)
    chunks = seen(around, noise=0.01, drift=DRIFT / 2)
    right = [loop(around, i, i + 60, seed=i, noise=0.01) for i in range(0, 56, 8)]
    wrong = []
    for one, other in ((2, 90), (20, 70), (40, 110)):
        # The far end looks as if it were where the near end is.
        wrong.append(_alias(around, one, other))
    with_wrong = join_chunks(chunks, [*right, *wrong])
    without = join_chunks(chunks, right)
    good, better = scored(around, chunks, with_wrong), scored(around, chunks, without)
    assert scored(around, chunks, join_chunks(chunks)).trajectory > 2 * better.trajectory
    assert good.trajectory < 1.3 * better.trajectory + 1e-4
    overruled = {seam.second - len(chunks) for seam in with_wrong.seams if not seam.kept}
    assert overruled == {7, 8, 9}
    assert "3 loops were not closed: other photos say that those places only look alike." in with_wrong.notes


def _alias(of: Walk, one: int, other: int) -> ChunkOutput:
    """Photos of two places, with cameras as if those of the second stood beside those of the first."""
    places, stood = (*range(one, one + 4), *range(other, other + 4)), list(range(one, one + 8))
    mixed = Walk(of.extrinsics.copy(), of.depths)
    mixed.extrinsics[list(places)] = of.extrinsics[stood]
    return chunk(mixed, places, np.random.default_rng(one), noise=0.01)


def test_seams_do_not_jump():
    rng = np.random.default_rng(0)
    bent = [DRIFT * sign for sign in (1, -1, 1, -1, 1, -1, 1)]
    chunks = [chunk(WALK, places, rng, drift=b) for places, b in zip(windows(60, 16, 8), bent, strict=True)]
    joined = join_chunks(chunks)
    blended = scored(WALK, chunks, joined)
    # Each photo where its owner has it: what comes of similarities alone.
    extrinsics, depth_scale = joined.extrinsics.copy(), joined.depth_scale.copy()
    for place, c in enumerate(joined.owner):
        own = chunks[c].extrinsics[chunks[c].places.index(place)][None]
        extrinsics[place] = joined.similarities[c].extrinsics(own)[0]
        depth_scale[place] = float(joined.similarities[c].scale)
    cut = scored(WALK, chunks, replace(joined, extrinsics=extrinsics, depth_scale=depth_scale))
    assert blended.jump < 0.5 * cut.jump
    assert blended.trajectory < 1.1 * cut.trajectory


def test_known_cameras_stay_and_the_rest_is_bridged():
    chunks = seen(WALK, noise=0.01, drift=2 * DRIFT)
    known = [*range(10), *range(26, 30), *range(52, 60)]
    anchors = {place: WALK.extrinsics[place] for place in known}
    joined = join_chunks(chunks, anchors=anchors)
    for place in known:
        assert np.array_equal(joined.extrinsics[place], WALK.extrinsics[place])
    poses = np.linalg.inv(joined.extrinsics)
    off = np.linalg.norm(poses[:, :3, 3] - WALK.poses[:, :3, 3], axis=1)
    free = scored(WALK, chunks, join_chunks(chunks))
    assert np.sqrt(np.square(off).mean()) < 0.4 * free.trajectory * WALK.length
    assert np.abs(np.diff(off)).max() < 0.1
    ratio = [np.median(d / t) for d, t in zip(joined_depths(chunks, joined), WALK.depths, strict=True)]
    assert np.sqrt(np.square(np.log(ratio)).mean()) < 0.6 * free.scale


def test_one_known_camera_gives_the_place_and_the_turn():
    chunks = seen(WALK)
    joined = join_chunks(chunks, anchors={20: WALK.extrinsics[20]})
    assert np.array_equal(joined.extrinsics[20], WALK.extrinsics[20])
    result = scored(WALK, chunks, joined)
    assert result.trajectory < 1e-6 and result.scale < 1e-6


def test_what_cannot_be_joined_is_refused():
    chunks = seen(WALK)
    with pytest.raises(ValueError, match="some are in none"):
        join_chunks(chunks[1:])
    with pytest.raises(ValueError, match="Known cameras must be"):
        join_chunks(chunks, anchors={60: np.eye(4)})
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="Chunk 1 has no photo in common"):
        join_chunks([chunk(WALK, tuple(range(30)), rng), chunk(WALK, tuple(range(30, 60)), rng)])
    with pytest.raises(ValueError, match="must have a depth"):
        replace(chunks[0], places=(1, 1))


def test_a_chunk_that_fits_nobody_is_told():
    chunks = seen(WALK)
    rng = np.random.default_rng(1)
    junk = [depth * np.exp(rng.normal(size=depth.shape)) for depth in chunks[3].depths]
    turned = chunks[3].extrinsics[rng.permutation(16)]
    chunks[3] = replace(chunks[3], depths=junk, extrinsics=turned)
    joined = join_chunks(chunks)
    assert any(note.startswith("The network looked at photos ") and "hardly agrees" in note for note in joined.notes)
    assert np.isfinite(joined.extrinsics).all()


def test_one_chunk_is_as_it_was():
    only = chunk(WALK, tuple(range(60)), np.random.default_rng(0), noise=0.02)
    joined = join_chunks([only])
    assert np.abs(joined.extrinsics - only.extrinsics).max() < 1e-9
    assert np.array_equal(joined.depth_scale, np.ones(60)) and scales(np.eye(4)) == 1
    assert joined.seams == ()
