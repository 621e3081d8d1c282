"""STMaps against COLMAP's cameras, against each other, and as OpenEXR reads their files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pycolmap
import pytest
from scipy.ndimage import map_coordinates

from model_runtime.contract.export import stmap
from model_runtime.contract.export.formats import export
from model_runtime.contract.export.scene import ExportScene
from model_runtime.contract.lens import BROWN, FISHEYE, Lens, straight_camera
from model_runtime.contract.messages import JobError

LENSES = {
    "brown, landscape": (BROWN, (240, 160), (-0.26, 0.07, 0.001, -0.002)),
    "brown, portrait": (BROWN, (160, 240), (-0.26, 0.07, 0.0, 0.0)),
    "fisheye, landscape": (FISHEYE, (240, 160), (0.02, -0.01, 0.001, 0.0)),
    "fisheye, portrait": (FISHEYE, (160, 240), (-0.03, 0.01, 0.0, 0.0)),
}
MODELS = {BROWN: "OPENCV", FISHEYE: "OPENCV_FISHEYE"}


@pytest.fixture(params=LENSES)
def lens(request: pytest.FixtureRequest) -> Lens:
    model, (width, height), coefficients = LENSES[request.param]
    intrinsics = np.array([[180.0, 0, width * 0.48], [0, 181.0, height * 0.53], [0, 0, 1]])
    return Lens(model, (width, height), intrinsics, np.array(coefficients))


def pixels_of(found: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[h,w,2] pixels, from the upper left corner, of a picture of (width, height) where a map says to look."""
    return np.stack((found[..., 0] * size[0], (1 - found[..., 1].astype(float)) * size[1]), axis=-1)


def centres(size: tuple[int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), axis=-1)


def colmaps_camera(lens: Lens) -> pycolmap.Camera:
    (fx, _, cx), (_, fy, cy), _ = lens.intrinsics
    params = [fx, fy, cx, cy, *lens.coefficients]
    return pycolmap.Camera(model=MODELS[lens.model], width=lens.size[0], height=lens.size[1], params=params)


def test_both_maps_say_what_colmap_says(lens: Lens) -> None:
    straight, colmap = straight_camera(lens), colmaps_camera(lens)
    focal, middle = straight.intrinsics.diagonal()[:2], straight.intrinsics[:2, 2]
    rays = np.dstack(((centres(straight.size) - middle) / focal, np.ones(straight.size[::-1])))
    wanted = np.array(colmap.img_from_cam(rays.reshape(-1, 3))).reshape(*straight.size[::-1], 2)
    found = stmap.undistort_map(lens, straight)
    assert found.dtype == np.float32 and found.shape == (*straight.size[::-1], 3)
    inside = ((wanted >= 0) & (wanted <= lens.size)).all(-1)
    np.testing.assert_array_equal(found[..., 2] == 1, inside)
    assert 0.7 < inside.mean() < 1
    assert np.abs(pixels_of(found, lens.size) - wanted)[inside].max() < 1e-4

    plane = np.array(colmap.cam_from_img(centres(lens.size).reshape(-1, 2))).reshape(*lens.size[::-1], 2)
    found = stmap.distort_map(lens, straight)
    assert found.shape == (*lens.size[::-1], 3) and found[..., 2].all()
    assert np.abs(pixels_of(found, straight.size) - (plane * focal + middle)).max() < 1e-4


def test_there_and_back_is_where_one_was(lens: Lens) -> None:
    straight = straight_camera(lens)
    there = pixels_of(stmap.distort_map(lens, straight), straight.size)
    back = pixels_of(stmap.undistort_map(lens, straight), lens.size)
    place = there[..., 1] - 0.5, there[..., 0] - 0.5
    found = np.stack([map_coordinates(back[..., axis], place, order=5, mode="nearest") for axis in (0, 1)], axis=-1)
    inner = (slice(8, -8), slice(8, -8))  # beside its edge a spline knows too little
    assert np.abs(found - centres(lens.size))[inner].max() < 1e-4


@pytest.mark.parametrize("name", ["brown, landscape", "fisheye, portrait"])
def test_large_maps_are_as_true(name: str) -> None:
    """Where the lens is not asked for each pixel."""
    model, size, coefficients = LENSES[name]
    width, height = (6 * side + 1 for side in size)
    intrinsics = np.array([[1100.0, 0, width * 0.48], [0, 1090.0, height * 0.53], [0, 0, 1]])
    lens = Lens(model, (width, height), intrinsics, np.array(coefficients))
    straight = straight_camera(lens)
    assert max(lens.size) > stmap.SMALL
    some = slice(5, None, 97), slice(3, None, 89)
    plane = (centres(straight.size)[some] - straight.intrinsics[:2, 2]) / straight.intrinsics.diagonal()[:2]
    rays = np.dstack((plane, np.ones(plane.shape[:2])))
    wanted = np.array(colmaps_camera(lens).img_from_cam(rays.reshape(-1, 3))).reshape(plane.shape)
    found = stmap.undistort_map(lens, straight)[some]
    assert np.abs(pixels_of(found, lens.size) - wanted)[found[..., 2] == 1].max() < 3e-4  # of single precision
    found = stmap.distort_map(lens, straight)[some]
    wanted = np.array(colmaps_camera(lens).cam_from_img(centres(lens.size)[some].reshape(-1, 2)))
    wanted = wanted.reshape(*found.shape[:2], 2) * straight.intrinsics.diagonal()[:2] + straight.intrinsics[:2, 2]
    assert np.abs(pixels_of(found, straight.size) - wanted).max() < 3e-4


def test_bands_make_no_difference(lens: Lens, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = straight_camera(lens)
    whole = stmap.undistort_map(lens, straight)
    monkeypatch.setattr(stmap, "PIXELS_AT_ONCE", 7 * straight.size[0])
    np.testing.assert_array_equal(stmap.undistort_map(lens, straight), whole)


def test_what_no_photo_can_show_is_nowhere() -> None:
    """A lens that folds back at a radius of 0.78 sees nothing beyond."""
    lens = Lens(BROWN, (100, 100), np.array([[50.0, 0, 50], [0, 50, 50], [0, 0, 1]]), np.array([-0.55]))
    straight = straight_camera(lens)
    found = stmap.undistort_map(lens, straight)
    assert (found[0, 0] == (stmap.NOWHERE, stmap.NOWHERE, 0)).all() and np.isfinite(found).all()
    assert found[straight.size[1] // 2, straight.size[0] // 2, 2] == 1


def test_cameras_of_one_lens_share_their_files(bent, tmp_path: Path) -> None:
    wide, tall = bent.scene.cameras[0], bent.scene.cameras[2]
    scene = ExportScene((wide, tall, replace(wide, name="other.png")))
    files = export(scene, [stmap.write], tmp_path)
    names = [f"{word}_{kind}" for word in ("flat", "wide") for kind in ("distort.exr", "lens.json", "undistort.exr")]
    assert [path.name for path in files] == names
    with OpenEXR.File(str(tmp_path / "stmaps" / "wide_undistort.exr"), separate_channels=True) as file:
        found = {name: channel.pixels for name, channel in file.channels().items()}
    wanted = stmap.undistort_map(wide.lens, wide.pinhole)
    for name, axis in {"R": 0, "G": 1, "B": 2, "A": 2}.items():
        np.testing.assert_array_equal(found[name], wanted[..., axis])
    told = json.loads((tmp_path / "stmaps" / "wide_lens.json").read_text())
    assert told["photos"] == ["wide.png", "other.png"] and (told["model"], told["k1"], told["k6"]) == (BROWN, -0.1, 0)
    assert (told["width"], told["height"], told["fx"], told["cy"]) == (120, 80, 100, 40)
    assert [told["straight"]["width"], told["straight"]["height"]] == list(wide.size)


def test_photos_that_were_never_bent_have_no_maps(seen, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no lens to write maps of") as caught:
        export(seen.scene, [stmap.write], tmp_path)
    assert caught.value.failure.code == "export-nothing" and not list(tmp_path.glob("stmaps*"))
