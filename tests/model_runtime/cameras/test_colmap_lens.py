"""Lenses of COLMAP models, against where pycolmap sees things with them."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest

from model_runtime.cameras.colmap import colmap_cameras
from model_runtime.contract.lens import BROWN, FISHEYE, Lens, distort, undistort
from model_runtime.contract.messages import Cameras, ColmapModel

from .test_colmap import SIZE, photo, pinhole, refused, text_model, written

IMAGE = "5 1 0 0 0 1 2 3 1 a.jpg\n80.5 60.25 8\n"
RAYS = np.random.default_rng(0).uniform(-0.45, 0.45, (200, 2))
"""Points of the plane that all of these lenses show."""

EXACT = [
    ("SIMPLE_RADIAL", (150, 81, 59, -0.2), BROWN),
    ("RADIAL", (150, 81, 59, -0.2, 0.05), BROWN),
    ("OPENCV", (150, 155, 81, 59, -0.2, 0.05, 0.01, -0.02), BROWN),
    ("FULL_OPENCV", (150, 155, 81, 59, -0.2, 0.05, 0.01, -0.02, 0.01, 0.03, -0.01, 0.002), BROWN),
    ("SIMPLE_FISHEYE", (150, 81, 59), FISHEYE),
    ("FISHEYE", (150, 155, 81, 59), FISHEYE),
    ("SIMPLE_RADIAL_FISHEYE", (150, 81, 59, 0.05), FISHEYE),
    ("RADIAL_FISHEYE", (150, 81, 59, 0.05, -0.02), FISHEYE),
    ("OPENCV_FISHEYE", (150, 155, 81, 59, 0.05, -0.02, 0.01, -0.003), FISHEYE),
]
FITTED = [
    ("FOV", (150, 155, 81, 59, 0.9)),
    ("SIMPLE_DIVISION", (150, 81, 59, -0.2)),
    ("DIVISION", (150, 155, 81, 59, 0.1)),
    ("EUCM", (150, 155, 81, 59, 0.6, 1.1)),
    ("RAD_TAN_THIN_PRISM_FISHEYE", (150, 150, 81, 59, 0.01, -0.004, 0.001, *[0] * 9)),
]


def model_of(name: str, parameters: tuple[float, ...]) -> ColmapModel:
    return text_model(f"1 {name} 160 120 {' '.join(map(str, parameters))}\n", IMAGE, "8 1 2 3 0 0 0 0.5 5 1\n")


def lens_of(cameras: Cameras) -> Lens:
    (lens,) = cameras.lenses
    assert lens is not None and np.array_equal(lens.intrinsics, cameras.intrinsics[0])
    return lens


def seen_by_colmap(name: str, parameters: tuple[float, ...]) -> np.ndarray:
    """[200,2] pixels of what COLMAP saw that show RAYS."""
    camera = pycolmap.Camera(model=name, width=160, height=120, params=list(parameters))
    return np.asarray(camera.img_from_cam(np.column_stack((RAYS, np.ones(len(RAYS))))))


@pytest.mark.parametrize(("name", "parameters", "kind"), EXACT)
def test_a_lens_sees_what_colmap_sees(name, parameters, kind):
    known = colmap_cameras(model_of(name, parameters), [photo("a.jpg")])
    lens = lens_of(known.cameras)
    assert (lens.model, lens.size) == (kind, SIZE)
    pixels = seen_by_colmap(name, parameters)
    np.testing.assert_allclose(distort(lens, RAYS), pixels, atol=1e-6)
    np.testing.assert_allclose(undistort(lens, pixels), RAYS, atol=1e-6 / 150)
    assert known.sparse is not None and known.sparse.pixel.tolist() == [[80.5, 60.25]]  # of the bent photo


@pytest.mark.parametrize(("name", "parameters"), FITTED)
def test_a_lens_of_another_kind_is_taken_where_one_of_ours_sees_the_same(name, parameters):
    lens = lens_of(colmap_cameras(model_of(name, parameters), [photo("a.jpg")]).cameras)
    pixels = seen_by_colmap(name, parameters)
    shown = ((pixels >= 0) & (pixels <= SIZE)).all(1)
    assert shown.sum() > 100
    assert np.linalg.norm(distort(lens, RAYS[shown]) - pixels[shown], axis=1).max() < 0.05


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize(("name", "parameters", "_kind"), EXACT)
def test_lenses_turn_with_their_photos(name, parameters, _kind, orientation):
    """What COLMAP sees in the stored picture, turned as Pillow turns it, is what the turned camera sees; in a copy of
    twice the size."""
    stored = photo("a.jpg", (320, 240), orientation=orientation)
    known = colmap_cameras(model_of(name, parameters), [stored])
    x, y = 2 * seen_by_colmap(name, parameters).T
    upright = {3: (320 - x, 240 - y), 6: (240 - y, x), 8: (y, 320 - x)}[orientation]
    lens = lens_of(known.cameras)
    assert lens.size == ((320, 240) if orientation == 3 else (240, 320))
    unturned = colmap_cameras(model_of(name, parameters), [photo("a.jpg")]).cameras.extrinsics[0]
    turn = known.cameras.extrinsics[0] @ np.linalg.inv(unturned)
    turned = np.column_stack((RAYS, np.ones(len(RAYS)))) @ turn[:3, :3].T
    np.testing.assert_allclose(turned[:, 2], 1)
    np.testing.assert_allclose(distort(lens, turned[:, :2]), np.stack(upright, axis=1), atol=1e-6)


@pytest.mark.parametrize(("coefficient", "bends"), [(0.0, False), (1e-3, False), (5e-3, True)])
def test_a_lens_that_moves_no_pixel_by_a_tenth_is_a_pinhole(tmp_path, coefficient, bends):
    """At the corners, two thirds of a focal length off the axis: 150 * (2 / 3) ** 3 * k pixels."""
    camera = pycolmap.Camera(model="SIMPLE_RADIAL", width=160, height=120, params=[150.0, 80.0, 60.0, coefficient])
    cameras = colmap_cameras(written(tmp_path, ".bin", ("a.jpg",), camera), [photo("a.jpg")]).cameras
    assert len(cameras.lenses) == bends
    np.testing.assert_allclose(cameras.intrinsics[0], [[150, 0, 80], [0, 150, 60], [0, 0, 1]])


def test_photos_of_pinholes_and_of_lenses_in_one_model():
    cameras = "1 PINHOLE 160 120 150 155 83 58\n2 SIMPLE_RADIAL 160 120 150 80 60 -0.1\n"
    images = "5 1 0 0 0 1 2 3 1 a.jpg\n\n6 1 0 0 0 1 2 3 2 b.jpg\n\n"
    known = colmap_cameras(text_model(cameras, images), [photo("b.jpg"), photo("x.jpg"), photo("a.jpg")]).cameras
    assert [lens is not None for lens in known.lenses] == [True, False, False]
    assert known.intrinsics[2].tolist() == pinhole().calibration_matrix().tolist()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("EQUIRECTANGULAR", (160, 120)),
        ("THIN_PRISM_FISHEYE", (86.5, 86.4, 80, 60, -0.013, -0.01, 0.06, -0.03, 0.0096, -0.0024, 0.09, 0.05)),
        ("FOV", (40, 40, 80, 60, 2.5)),
    ],
)
def test_lenses_unlike_any_of_ours_are_refused(name, parameters):
    error = refused(model_of(name, parameters), photo("a.jpg"))
    assert str(error) == f"The lens of a.jpg distorts in the COLMAP model ({name})."
    assert "image_undistorter" in error.failure.advice


@pytest.mark.parametrize("coefficient", [1e8, 1e4, -1e8, -200.0])
@pytest.mark.filterwarnings("error")
def test_lenses_that_no_photo_was_taken_with_are_refused(coefficient):
    error = refused(model_of("SIMPLE_RADIAL", (150, 80, 60, coefficient)), photo("a.jpg"))
    assert str(error) == "The lens of a.jpg bends the photo beyond recognition."
