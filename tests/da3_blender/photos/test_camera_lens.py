"""Lenses from JSON files, against where pycolmap sees things with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from model_runtime.contract.lens import BROWN, FISHEYE, Lens, distort
from model_runtime.contract.messages import Cameras

from .test_camera_file import LENS, SIZE, frame, own, photos, pose, read

RAYS = np.random.default_rng(0).uniform(-0.4, 0.4, (200, 2))
"""Points of the plane that all of these lenses show."""

BROWN_NUMBERS = {"k1": -0.2, "k2": 0.05, "p1": 0.01, "p2": -0.02}
FISHEYE_NUMBERS = {"k1": 0.05, "k2": -0.02, "k3": 0.01, "k4": -0.003}
TOLD = [
    ({**BROWN_NUMBERS}, "OPENCV"),
    ({**BROWN_NUMBERS, "camera_model": "OPENCV"}, "OPENCV"),
    ({**FISHEYE_NUMBERS, "camera_model": "OPENCV_FISHEYE"}, "OPENCV_FISHEYE"),
    ({**FISHEYE_NUMBERS, "is_fisheye": True}, "OPENCV_FISHEYE"),
]


def seen_by_colmap(model: str, numbers: dict[str, float]) -> np.ndarray:
    """[200,2] pixels of the stored photo that show RAYS."""
    parameters = [70.0, 72.0, 41.0, 29.0, *numbers.values()]
    camera = pycolmap.Camera(model=model, width=80, height=60, params=parameters)
    return np.asarray(camera.img_from_cam(np.column_stack((RAYS, np.ones(len(RAYS))))))


def lens_of(cameras: Cameras, index: int = 0) -> Lens:
    lens = cameras.lenses[index]
    assert lens is not None and np.array_equal(lens.intrinsics, cameras.intrinsics[index])
    return lens


def numbers_of(told: dict[str, object]) -> dict[str, float]:
    return {key: value for key, value in told.items() if isinstance(value, float)}


@pytest.mark.parametrize(("told", "model"), TOLD)
def test_a_lens_of_transforms_json_sees_what_colmap_sees(tmp_path: Path, told: dict[str, object], model: str) -> None:
    cameras = read(tmp_path, photos(tmp_path, 1), {**LENS, **told, "frames": [frame(0)]})
    lens = lens_of(cameras)
    assert lens.size == SIZE
    np.testing.assert_allclose(distort(lens, RAYS), seen_by_colmap(model, numbers_of(told)), atol=1e-6)


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize(("told", "model"), TOLD)
def test_lenses_of_stored_pixels_turn_with_their_photos(
    tmp_path: Path, told: dict[str, object], model: str, orientation: int
) -> None:
    """In a copy of twice the size; turned as Pillow turns pictures."""
    paths = photos(tmp_path, 1, (160, 120), orientation)
    cameras = read(tmp_path, paths, {**LENS, **told, "frames": [frame(0)]})
    x, y = 2 * seen_by_colmap(model, numbers_of(told)).T
    upright = {3: (160 - x, 120 - y), 6: (120 - y, x), 8: (y, 160 - x)}[orientation]
    turn = cameras.extrinsics[0] @ np.linalg.inv(pose(0))
    turned = np.column_stack((RAYS, np.ones(len(RAYS)))) @ turn[:3, :3].T
    np.testing.assert_allclose(distort(lens_of(cameras), turned[:, :2]), np.stack(upright, axis=1), atol=1e-6)


def test_frames_of_several_lenses_and_of_none(tmp_path: Path) -> None:
    frames = [frame(0, k1=-0.2), frame(1, k1=0.0), frame(2, is_fisheye=True)]
    cameras = read(tmp_path, photos(tmp_path, 4), {**LENS, "k1": -0.1, "frames": frames})
    assert [lens and lens.model for lens in cameras.lenses] == [BROWN, None, FISHEYE, None]
    assert lens_of(cameras).coefficients[0] == -0.2 and lens_of(cameras, 2).coefficients[0] == -0.1
    assert read(tmp_path, photos(tmp_path, 1), {**LENS, "frames": [frame(0)]}).lenses == ()


@pytest.mark.parametrize("k4", [-0.05, 0.08, 0.4])
def test_the_eighth_power_of_nerfstudio_is_not_the_fraction_of_opencv(tmp_path: Path, k4: float) -> None:
    """Metashape and RealityCapture write it: in nerfstudio k4 is one more power of the radius."""
    radial = (-0.2, 0.05, 0.02, k4)
    told = {**{f"k{i + 1}": k for i, k in enumerate(radial)}, "p1": 0.003}
    lens = lens_of(read(tmp_path, photos(tmp_path, 1), {**LENS, **told, "frames": [frame(0)]}))
    plane = np.stack(np.meshgrid(np.linspace(-0.6, 0.6, 13), np.linspace(-0.4, 0.4, 9)), axis=-1).reshape(-1, 2)
    x, y = plane.T
    square = x**2 + y**2
    factor = 1 + sum(k * square ** (i + 1) for i, k in enumerate(radial))
    bent = np.stack((x * factor + 2 * 0.003 * x * y, y * factor + 0.003 * (square + 2 * y**2)), axis=1)
    np.testing.assert_allclose(distort(lens, plane), bent * (70, 72) + (41, 29), atol=0.05)


@pytest.mark.parametrize("whole_file", [False, True])
@pytest.mark.parametrize("model", [BROWN, FISHEYE])
def test_own_cameras_may_have_a_lens_each_or_one_for_all(tmp_path: Path, model: str, whole_file: bool) -> None:
    numbers = BROWN_NUMBERS if model == BROWN else FISHEYE_NUMBERS
    lens = {"model": model, "coefficients": list(numbers.values())}
    camera = own() | {"intrinsics": [[70, 0, 41], [0, 72, 29], [0, 0, 1]]}
    content = {"cameras": [camera], "lens": lens} if whole_file else {"cameras": [camera | {"lens": lens}]}
    cameras = read(tmp_path, photos(tmp_path, 1, (60, 80), orientation=6), content)
    found = lens_of(cameras)
    assert found.size == SIZE  # the upright photo's
    expected = seen_by_colmap("OPENCV" if model == BROWN else "OPENCV_FISHEYE", numbers)
    np.testing.assert_allclose(distort(found, RAYS), expected, atol=1e-6)
    content["cameras"] = [camera | {"lens": None}]
    assert read(tmp_path, photos(tmp_path, 1), content).lenses == ()
