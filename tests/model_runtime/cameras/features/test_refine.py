"""Disturbed cameras of a painted room brought back by bundle adjustment."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.refine import refine_cameras
from model_runtime.cameras.features.result import nothing_found
from model_runtime.cameras.features.tracks import build_tracks, explain, has_depth, triangulate
from model_runtime.contract.progress import SILENT

Errors = Callable[[np.ndarray, np.ndarray], np.ndarray]


def disturbed(room: Any, degrees: float, focal: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Every camera turned in place about a random axis, in another world, with another focal length."""
    rng = np.random.default_rng(seed)
    extrinsics, intrinsics = room.extrinsics.copy(), room.intrinsics.copy()
    for pose in extrinsics:
        axis = rng.normal(size=3)
        turn = Rotation.from_rotvec(np.radians(degrees) * axis / np.linalg.norm(axis)).as_matrix()
        pose[:3] = turn @ pose[:3]
    intrinsics[:, (0, 1), (0, 1)] *= focal
    extrinsics[:, :3, 3] *= 7
    return extrinsics, intrinsics


def test_disturbed_cameras_are_brought_back(room: Any, matches: Matches, errors_of: Errors) -> None:
    start, lenses = disturbed(room, 3.0, 1.05)
    refined = refine_cameras(start, lenses, matches, SILENT)
    assert refined.kept and refined.adjusted.all()
    assert np.median(errors_of(start, room.extrinsics)[:, 0]) > 2
    assert np.median(errors_of(refined.extrinsics, room.extrinsics)[:, 0]) < 0.2
    assert refined.intrinsics[:, 0, 0] == pytest.approx(room.intrinsics[:, 0, 0], rel=0.01)
    assert refined.match_error is not None and refined.start_error is not None
    assert refined.match_error < 0.5
    assert refined.start_error > 3


def test_the_world_stays(room: Any, matches: Matches) -> None:
    """Same frame, same scale as the cameras that came in, as far as those agree with themselves."""
    start, lenses = disturbed(room, 1.0, 1.0)
    refined = refine_cameras(start, lenses, matches, SILENT)
    before, after = (np.linalg.inv(cameras)[:, :3, 3] for cameras in (start, refined.extrinsics))
    spread = np.linalg.norm(before - before.mean(0))
    assert np.linalg.norm(after - after.mean(0)) == pytest.approx(spread, rel=1e-6)
    assert np.abs(after.mean(0) - before.mean(0)).max() < 1e-6 * spread
    assert np.abs(after - before).max() < 0.1 * spread


def test_cameras_too_far_off_are_placed_by_features_alone(room: Any, matches: Matches, errors_of: Errors) -> None:
    start, lenses = disturbed(room, 60.0, 1.4)
    refined = refine_cameras(start, lenses, matches, SILENT)
    assert refined.kept and refined.mapped and refined.adjusted.all()
    assert errors_of(refined.extrinsics, room.extrinsics).max() < 0.6
    assert refined.intrinsics[:, 0, 0] == pytest.approx(room.intrinsics[:, 0, 0], rel=0.01)


def test_two_photos_are_not_enough_for_more_than_a_small_correction(room: Any, matches: Matches) -> None:
    both = matches.photos[:2], matches.keypoints[:2], (0, 0)
    pair = Matches(*both, {(0, 1): matches.geometries[0, 1]}, {(0, 1): matches.alike[0, 1]})
    start, lenses = disturbed(room, 40.0, 1.0)
    refined = refine_cameras(start[:2], lenses[:2], pair, SILENT)
    assert not refined.kept and not refined.adjusted.any()
    assert (refined.extrinsics == start[:2]).all() and (refined.intrinsics == lenses[:2]).all()
    assert refined.match_error == refined.start_error


@pytest.mark.parametrize("seed", range(3))
def test_wrong_matches_leave_right_cameras_alone(
    room: Any, matches: Matches, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each feature is matched to one that the pair's other photo has elsewhere; mapping would only search for long."""
    monkeypatch.setattr("model_runtime.cameras.features.refine.map_photos", lambda *_: nothing_found(len(room.photos)))
    rng = np.random.default_rng(seed)
    wrong = {}
    for pair, geometry in matches.geometries.items():
        first, second = geometry.inlier_matches.T
        wrong[pair] = copy.deepcopy(geometry)
        wrong[pair].inlier_matches = np.stack((first, rng.permutation(second)), axis=1)
    mixed_up = replace(matches, geometries=wrong)
    refined = refine_cameras(room.extrinsics, room.intrinsics, mixed_up, SILENT)
    assert not refined.kept
    assert (refined.extrinsics == room.extrinsics).all() and (refined.intrinsics == room.intrinsics).all()


def test_one_camera_that_looks_the_other_way_is_found_again(room: Any, matches: Matches, errors_of: Errors) -> None:
    start, lenses = disturbed(room, 1.0, 1.02)
    start[0, :3] = Rotation.from_euler("y", 180, degrees=True).as_matrix() @ start[0, :3]
    refined = refine_cameras(start, lenses, matches, SILENT)
    assert refined.kept and refined.adjusted.all()
    assert errors_of(refined.extrinsics, room.extrinsics).max() < 0.6


def test_photos_without_matches_stay(room: Any, matches: Matches) -> None:
    """One photo that matches no other: it keeps its camera, the others are adjusted."""
    fewer = {pair: geometry for pair, geometry in matches.geometries.items() if 0 not in pair}
    start, lenses = disturbed(room, 1.0, 1.02)
    lonely = replace(matches, geometries=fewer)
    refined = refine_cameras(start, lenses, lonely, SILENT)
    assert refined.kept and refined.adjusted.tolist() == [False, True, True, True]
    assert (refined.extrinsics[0] == start[0]).all()
    nothing = replace(matches, geometries={})
    assert not refine_cameras(start, lenses, nothing, SILENT).kept


def test_same_result_every_time(room: Any, matches: Matches) -> None:
    start, lenses = disturbed(room, 2.0, 0.97)
    a, b = (refine_cameras(start, lenses, matches, SILENT) for _ in range(2))
    assert (a.extrinsics == b.extrinsics).all() and (a.intrinsics == b.intrinsics).all()


def test_triangulation_is_scipys(room: Any, matches: Matches) -> None:
    """With wrong cameras, where the best point is a compromise: the least squares solution of every track."""
    poses, lenses = disturbed(room, 0.5, 1.0)
    tracks = triangulate(poses, lenses, build_tracks(matches, np.ones(len(poses), bool)))
    for point in np.random.default_rng(0).choice(len(tracks.points), 20, replace=False):
        mine = np.flatnonzero(tracks.point == point)

        def residual(x: np.ndarray, mine: np.ndarray = mine) -> np.ndarray:
            seen = poses[tracks.view[mine], :3, :3] @ x + poses[tracks.view[mine], :3, 3]
            image = np.einsum("mij,mj->mi", lenses[tracks.view[mine]], seen)
            return (image[:, :2] / image[:, 2:] - tracks.pixel[mine]).ravel()

        best = least_squares(residual, tracks.points[point], xtol=1e-14, ftol=1e-14)
        assert np.linalg.norm(residual(tracks.points[point])) <= np.linalg.norm(best.fun) * 1.001 + 1e-9


def test_points_seen_from_one_place_tell_no_depth(room: Any, matches: Matches) -> None:
    tracks = build_tracks(matches, np.ones(len(room.photos), bool))
    placed, _ = explain(room.extrinsics, room.intrinsics, tracks, matches.pixel)
    centres = np.linalg.inv(room.extrinsics)[placed.view, :3, 3]
    rays = placed.points[placed.point] - centres
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    enough = has_depth(room.extrinsics, placed)
    for point in np.flatnonzero(np.bincount(placed.point) == 2)[:200]:
        a, b = np.flatnonzero(placed.point == point)
        assert enough[a] == enough[b] == (np.degrees(np.arccos(rays[a] @ rays[b])) > 1.5)
    turned = room.extrinsics.copy()
    turned[:, :3, 3] = 1e-4 * turned[:, :3, 3]
    assert enough.mean() > 0.9 and not has_depth(turned, placed).any()


def test_tracks_meet_a_photo_once(matches: Matches) -> None:
    tracks = build_tracks(matches, np.ones(len(matches.photos), bool))
    pairs = np.stack((tracks.point, tracks.view), axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert np.bincount(tracks.point).min() >= 2
    assert np.bincount(tracks.point).max() == len(matches.photos)
