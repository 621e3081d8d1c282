"""Cameras from features against the exact cameras of a painted room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pycolmap
import pytest
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import Matches, match_photos
from model_runtime.cameras.features.result import FeatureCameras
from model_runtime.contract.progress import SILENT, Span
from model_runtime.photos.feature_photo import WORKING_SIDE, FeaturePhoto, camera_groups, feature_photo

Errors = Callable[[np.ndarray, np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def cameras(matches: Matches) -> FeatureCameras:
    return map_photos(matches, SILENT)


def test_cameras_are_right(room: Any, cameras: FeatureCameras, errors_of: Errors) -> None:
    assert cameras.registered.all()
    turns, directions = errors_of(cameras.extrinsics, room.extrinsics).T
    assert turns.max() < 0.3 and directions.max() < 0.6
    assert cameras.intrinsics[:, 0, 0] == pytest.approx(room.intrinsics[:, 0, 0], rel=0.02)
    assert np.ptp(cameras.intrinsics, axis=0).max() == 0
    assert cameras.intrinsics[0, :2, 2] == pytest.approx(room.intrinsics[0, :2, 2])


def test_world_is_the_first_camera_at_unit_depth(cameras: FeatureCameras) -> None:
    assert np.abs(cameras.extrinsics[0] - np.eye(4)).max() < 1e-9
    sparse = cameras.sparse
    depths = [
        cameras.extrinsics[v, 2, :3] @ sparse.points[p] + cameras.extrinsics[v, 2, 3]
        for v, p in zip(sparse.view, sparse.point, strict=True)
    ]
    assert np.median(depths) == pytest.approx(1)
    assert min(depths) > 0


def test_points_lie_on_the_walls(room: Any, cameras: FeatureCameras) -> None:
    """Depth of the sparse points, at one scale, against the room's exact depth at their pixels."""
    sparse = cameras.sparse
    seen = np.einsum("mij,mj->mi", cameras.extrinsics[sparse.view, :3, :3], sparse.points[sparse.point])
    depth = seen[:, 2] + cameras.extrinsics[sparse.view, 2, 3]
    column, row = sparse.pixel.astype(int).T
    ratio = room.depth[sparse.view, row, column] / depth
    assert np.median(np.abs(ratio / np.median(ratio) - 1)) < 0.005


def test_match_error_is_what_scipy_finds(cameras: FeatureCameras) -> None:
    sparse = cameras.sparse
    errors = []
    for v, p, pixel in zip(sparse.view, sparse.point, sparse.pixel, strict=True):
        pose, k = cameras.extrinsics[v], cameras.intrinsics[v]
        x, y, z = Rotation.from_matrix(pose[:3, :3]).apply(sparse.points[p]) + pose[:3, 3]
        errors.append(np.hypot(k[0, 0] * x / z + k[0, 2] - pixel[0], k[1, 1] * y / z + k[1, 2] - pixel[1]))
    assert cameras.match_error == pytest.approx(np.median(errors), rel=1e-6)
    assert 0 < cameras.match_error < 0.5


def test_the_same_photos_give_the_same_cameras(feature_photos: list[FeaturePhoto], cameras: FeatureCameras) -> None:
    again = map_photos(match_photos(feature_photos, SILENT), SILENT)
    assert (again.extrinsics == cameras.extrinsics).all() and (again.intrinsics == cameras.intrinsics).all()
    assert (again.sparse.points == cameras.sparse.points).all()


def test_two_photos(room: Any, feature_photos: list[FeaturePhoto], errors_of: Errors) -> None:
    found = map_photos(match_photos(feature_photos[:2], SILENT), SILENT)
    assert found.registered.all()
    assert errors_of(found.extrinsics, room.extrinsics[:2]).max() < 2


def test_pixels_are_those_of_the_original_photo(room: Any, cameras: FeatureCameras, errors_of: Errors) -> None:
    """Photos larger than the working size: the same picture at five times the size gives five times the numbers."""
    large = [feature_photo(str(i), np.kron(photo, np.ones((5, 5, 1), np.uint8))) for i, photo in enumerate(room.photos)]
    assert all(max(photo.grey.shape) == WORKING_SIDE for photo in large)
    found = map_photos(match_photos(large[1:3], SILENT), SILENT)
    assert found.registered.all()
    assert found.intrinsics[0, 0, 2] == pytest.approx(5 * room.intrinsics[0, 0, 2])
    column, row = (found.sparse.pixel / 5).astype(int).T
    assert column.max() > 0.8 * room.depth.shape[2] and row.max() > 0.8 * room.depth.shape[1]
    assert errors_of(found.extrinsics, room.extrinsics[1:3]).max() < 5


def test_photos_without_matches_are_left_out(feature_photos: list[FeaturePhoto]) -> None:
    height, width = feature_photos[0].grey.shape
    plain = feature_photo("plain.png", np.full((height, width, 3), 128, np.uint8))
    found = map_photos(match_photos([plain, *feature_photos[:3]], SILENT), SILENT)
    assert found.registered.tolist() == [False, True, True, True]
    assert np.isnan(found.extrinsics[0]).all() and 0 not in found.sparse.view


@pytest.mark.parametrize("count", [0, 1, 3])
def test_nothing_to_match_is_a_result(count: int) -> None:
    plain = [feature_photo(f"{i}.png", np.full((90, 120, 3), 90 + i, np.uint8)) for i in range(count)]
    found = map_photos(match_photos(plain, SILENT), SILENT)
    assert found.registered.tolist() == [False] * count
    assert found.match_error is None and len(found.sparse.points) == 0


class CancelledError(Exception):
    pass


@pytest.mark.parametrize("word", ["Looking", "Matching", "Placing"])
def test_cancel_in_every_stage(feature_photos: list[FeaturePhoto], word: str) -> None:
    told: list[str] = []

    def cancel(stage: str, fraction: float, sentence: str) -> None:
        told.append(sentence)
        if sentence.startswith(word):
            raise CancelledError

    with pytest.raises(CancelledError):
        map_photos(match_photos(feature_photos[:2], Span(cancel)), Span(cancel))
    assert sum(sentence.startswith(word) for sentence in told) == 1


def test_progress_grows_to_one(feature_photos: list[FeaturePhoto]) -> None:
    matching: list[float] = []
    mapping: list[float] = []
    found = match_photos(feature_photos[:2], Span(lambda _, fraction, sentence: matching.append(fraction)))
    assert matching == sorted(matching) and matching[0] >= 0 and matching[-1] <= 1
    map_photos(found, Span(lambda _, fraction, sentence: mapping.append(fraction)))
    assert mapping == sorted(mapping) and 0 < mapping[-1] <= 1


def test_photos_of_one_camera_share_it() -> None:
    def photo(width: int, camera: str, focal: float | None) -> FeaturePhoto:
        return FeaturePhoto("x", (width, 100), np.zeros((100, width), np.uint8), focal, camera)

    photos = [photo(200, "", None), photo(200, "A", 28.0), photo(200, "", None), photo(100, "", None)]
    photos += [photo(200, "A", 28.0), photo(200, "A", 50.0), photo(200, "B", 28.0)]
    assert camera_groups(photos) == [0, 1, 0, 2, 1, 3, 4]


def test_exif_focal_length_is_where_it_starts(feature_photos: list[FeaturePhoto]) -> None:
    width, height = 3000, 2000
    photo = FeaturePhoto("x", (width, height), np.zeros((800, 1200), np.uint8), 36.0)
    assert photo.known_focal == pytest.approx(3000)
    assert photo.pixel == pytest.approx(2.5)
    assert feature_photos[0].known_focal is None


def test_a_model_without_points_is_none(matches: Matches, monkeypatch: pytest.MonkeyPatch) -> None:
    """As COLMAP leaves them for a film of a camera that stands still."""
    get = pycolmap.ReconstructionManager.get

    def emptied(manager: pycolmap.ReconstructionManager, number: int) -> pycolmap.Reconstruction:
        model = get(manager, number)
        for point in list(model.points3D):
            model.delete_point3D(point)
        return model

    monkeypatch.setattr(pycolmap.ReconstructionManager, "get", emptied)
    assert not map_photos(matches, SILENT).registered.any()
