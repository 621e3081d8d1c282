"""Photos that a pinhole camera with its middle in the middle did not take while somebody walked: their lens is solved,
or it is told what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features import mapping
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import TYPICAL_FOCAL, Matches
from model_runtime.cameras.features.panorama import ALIKE, BENT, NO_PARALLAX
from model_runtime.cameras.sources import HARDLY_MOVED, FoundCameras, OwnScene, find_cameras
from model_runtime.contract.lens import BROWN, Lens, distort, straight_camera, undistort
from model_runtime.contract.messages import Cameras
from model_runtime.contract.progress import SILENT
from model_runtime.photos.canvas import Placement
from model_runtime.photos.feature_photo import feature_photo
from model_runtime.photos.prepare import PreparedPhoto

Shoot = Callable[..., np.ndarray]
Errors = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cameras_of(room: Any, count: int = 5) -> np.ndarray:
    """More of the room's kind: [count,4,4] around its corner."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for i, pose in enumerate(poses):
        turn = Rotation.from_euler("yxz", [30 - 7 * i, 4 * (i % 2), 2 * i], degrees=True).as_matrix()
        pose[:3, :3], pose[:3, 3] = turn, -turn @ (-0.6 + 0.35 * i, 0.2 * (i % 2), -1.2 + 0.15 * i)
    return poses


def found_in(pictures: list[np.ndarray], focal_35mm: float | None = None) -> FoundCameras:
    """What `features` make of these photos, where the network sees nothing."""
    photos = []
    for i, pixels in enumerate(pictures):
        size = (pixels.shape[1], pixels.shape[0])
        feature = feature_photo(f"{i}.png", pixels, focal_35mm, "A camera" if focal_35mm else "")
        photos.append(PreparedPhoto(f"{i}.png", Placement(size, (56, 42), (56, 42)), pixels, b"", focal_35mm, feature))
    own = OwnScene(Cameras(np.tile(np.eye(4), (len(photos), 1, 1)), np.tile(np.eye(3), (len(photos), 1, 1))), [])
    found = find_cameras("features", False, photos, SILENT)
    return found if isinstance(found, FoundCameras) else found.finish(own)


def brown(k1: float) -> Callable[[np.ndarray], np.ndarray]:
    """Brown's distortion undone by fixed-point steps."""

    def bend(seen: np.ndarray) -> np.ndarray:
        straight = seen.copy()
        for _ in range(30):
            straight = seen / (1 + k1 * np.square(straight).sum(-1, keepdims=True))
        return straight

    return bend


def test_plain_photos_are_not_suspected(room: Any, shoot: Shoot, errors_of: Errors) -> None:
    poses = cameras_of(room)
    found = found_in([shoot(pose, room.intrinsics[0]) for pose in poses])
    assert found.notes == [] and found.known is not None
    assert errors_of(found.known.extrinsics, poses).max() < 0.6


@pytest.mark.parametrize("k1", [-0.05, -0.2])
def test_a_lens_that_bends_lines_is_solved(room: Any, shoot: Shoot, errors_of: Errors, k1: float) -> None:
    poses, true = cameras_of(room), Lens(BROWN, (288, 216), room.intrinsics[0], np.array([k1]))
    found = found_in([shoot(pose, true.intrinsics, brown(k1)) for pose in poses])
    assert found.known is not None and found.lens_settings["lens"] == "brown k1"
    assert errors_of(found.known.extrinsics, poses).max() < 0.6  # as of photos that are not bent
    for lens, intrinsics in zip(found.lenses, found.known.intrinsics, strict=True):
        assert lens is not None and lens.coefficients[0] == pytest.approx(k1, abs=0.01)
        assert lens.intrinsics[0, 0] == pytest.approx(true.intrinsics[0, 0], rel=0.01)
        assert rim_miss(lens, true) < 1.5
        np.testing.assert_allclose(intrinsics, straight_camera(lens).intrinsics)
    (note,) = found.notes
    assert "straightened" in note and "brown, k1 -0." in note


def rim_miss(found: Lens, true: Lens) -> float:
    """Pixels of the photo by which the lenses differ at most, on a grid up to its rim; directions may be turned as a
    whole, which is the cameras' rotation."""
    grid = np.stack(np.meshgrid(*(np.linspace(0, side, 13) for side in true.size)), axis=-1).reshape(-1, 2)
    rays = [np.column_stack((undistort(lens, grid), np.ones(len(grid)))) for lens in (true, found)]
    rays = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in rays]
    turned = Rotation.align_vectors(rays[0], rays[1])[0].apply(rays[1])
    return float(np.linalg.norm(distort(true, turned[:, :2] / turned[:, 2:]) - grid, axis=1).max())


def turned(count: int, step: float, aside: float = 0.0) -> np.ndarray:
    """[count,4,4] of a camera that turns by `step` degrees, `aside` metres around a tripod's axis."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for i, pose in enumerate(poses):
        turn = Rotation.from_euler("yx", [step * (i - (count - 1) / 2), 3 * (i % 2)], degrees=True).as_matrix()
        pose[:3, :3], pose[:3, 3] = turn, -turn @ (turn.T @ (0, 0, aside) + (0.2, 0.1, -1.3))
    return poses


@pytest.mark.parametrize(("count", "step", "aside"), [(4, 12.0, 0.0), (2, 14.0, 0.0), (5, 9.0, 0.0), (4, 12.0, 0.02)])
def test_turning_on_the_spot_gives_rotations_and_no_depth(
    room: Any, shoot: Shoot, count: int, step: float, aside: float
) -> None:
    poses = turned(count, step, aside)
    found = found_in([shoot(pose, room.intrinsics[0]) for pose in poses])
    assert found.source == "features" and found.sparse is None and NO_PARALLAX in found.notes
    assert found.known is not None
    assert max(rotation_errors(found.known, poses)) < (0.1 if aside == 0 else 0.5)
    centres = -np.einsum("nji,nj->ni", found.known.extrinsics[:, :3, :3], found.known.extrinsics[:, :3, 3])
    assert np.abs(centres - centres[0]).max() < 1e-9
    assert found.known.intrinsics[:, 0, 0] == pytest.approx(room.intrinsics[0, 0, 0], rel=0.005 if aside == 0 else 0.02)


def rotation_errors(found: Cameras, poses: np.ndarray) -> list[float]:
    """Degrees, of all pairs of photos."""
    pairs = [(i, j) for i in range(len(poses)) for j in range(i)]
    apart = [
        np.stack([extrinsics[i, :3, :3] @ extrinsics[j, :3, :3].T for i, j in pairs])
        for extrinsics in (found.extrinsics, poses)
    ]
    return np.degrees((Rotation.from_matrix(apart[0]) * Rotation.from_matrix(apart[1]).inv()).magnitude()).tolist()


@pytest.mark.parametrize("k1", [-0.05, -0.12])
def test_a_lens_that_bends_lines_is_found_where_somebody_turns(room: Any, shoot: Shoot, k1: float) -> None:
    poses = turned(5, 10.0)
    found = found_in([shoot(pose, room.intrinsics[0], brown(k1)) for pose in poses])
    assert found.notes == [NO_PARALLAX, BENT] and found.known is not None
    assert max(rotation_errors(found.known, poses)) < 0.4
    assert found.known.intrinsics[:, 0, 0] == pytest.approx(room.intrinsics[0, 0, 0], rel=0.03)


@pytest.mark.parametrize("exif", [None, 40.0])
def test_photos_that_are_all_alike_get_a_usual_focal_length(room: Any, shoot: Shoot, exif: float | None) -> None:
    picture = shoot(turned(1, 0.0)[0], room.intrinsics[0])
    noise = np.random.default_rng(3)
    pictures = [np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8) for _ in range(3)]
    found = found_in(pictures, exif)
    assert found.notes == [ALIKE] and found.known is not None
    assert max(rotation_errors(found.known, np.tile(np.eye(4), (3, 1, 1)))) < 0.1
    expected = TYPICAL_FOCAL * 288 if exif is None else exif / np.hypot(36, 24) * np.hypot(288, 216)
    assert found.known.intrinsics[:, 0, 0] == pytest.approx(expected, rel=1e-6)


def test_a_camera_that_hardly_moved_is_told(room: Any, shoot: Shoot) -> None:
    poses = cameras_of(room)
    poses[:, :3, 3] = poses[:, :3, :3] @ (0, 0, 1.2) + 0.04 * (poses[:, :3, 3] - poses[:, :3, :3] @ (0, 0, 1.2))
    notes = found_in([shoot(pose, room.intrinsics[0]) for pose in poses]).notes
    assert HARDLY_MOVED in notes or NO_PARALLAX in notes


def retold(matches: Matches, focal_35mm: float) -> Matches:
    """The same matches, of photos whose EXIF data tell this."""
    return replace(matches, photos=tuple(replace(p, focal_35mm=focal_35mm) for p in matches.photos))


@pytest.mark.parametrize("focal_35mm", [10, 20, 50, 135, 300])
def test_a_wrong_focal_length_in_exif_is_doubted(
    room: Any, matches: Matches, errors_of: Errors, focal_35mm: float
) -> None:
    """The true one is 30.6 mm."""
    found = map_photos(retold(matches, focal_35mm), SILENT)
    assert found.registered.all() and errors_of(found.extrinsics, room.extrinsics).max() < 0.6
    assert found.intrinsics[:, 0, 0] == pytest.approx(room.intrinsics[:, 0, 0], rel=0.03)


def test_a_right_one_is_not(matches: Matches, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = []
    map_from = mapping._map_from
    monkeypatch.setattr(mapping, "_map_from", lambda m, *start: (starts.append(start[:2]), map_from(m, *start))[1])
    assert map_photos(retold(matches, 30), SILENT).registered.all()
    assert [trusted for _, trusted in starts] == [True]


def test_what_fits_instead_is_told(room: Any) -> None:
    (note,) = found_in(list(room.photos), 50.0).notes
    assert "does not fit" in note and "50 mm" in note and any(f"{mm} mm does" in note for mm in (29, 30, 31))
