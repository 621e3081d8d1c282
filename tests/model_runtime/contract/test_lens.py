"""Lenses, against where pycolmap sees the same things, and the pinhole whose picture holds what they show."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest

from model_runtime.contract.lens import (
    BROWN,
    FISHEYE,
    LEAST_SHIFT,
    MOST_ENLARGED,
    OF_CORNERS,
    WIDEST,
    Lens,
    bend,
    bends,
    distort,
    fold_radius,
    largest_shift,
    pixel_centres,
    scaled,
    seen_by_straight,
    seen_from_straight,
    share_lost,
    straight_camera,
    undistort,
)

SIZE = (1024, 768)
INTRINSICS = np.array([[700.0, 0, 510], [0, 690, 370], [0, 0, 1]])
PIXELS = pixel_centres(SIZE)[::50, ::50].reshape(-1, 2)
LENSES = [
    ("PINHOLE", BROWN, ()),
    ("OPENCV", BROWN, (-0.25, 0.08, 0.001, -0.002)),
    ("FULL_OPENCV", BROWN, (-0.25, 0.08, 0.001, -0.002, -0.01, 0.02, 0.003, 0.001)),
    ("FULL_OPENCV", BROWN, (0.12, -0.05, 0, 0, 0.02, 0, 0, 0)),
    ("OPENCV_FISHEYE", FISHEYE, (-0.02, 0.003, 0.001, -0.0005)),
    ("OPENCV_FISHEYE", FISHEYE, (0, 0, 0, 0)),
]


def lens(model: str, *coefficients: float, focal: float = 700.0, size: tuple[int, int] = SIZE) -> Lens:
    """With its middle in the middle."""
    intrinsics = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    return Lens(model, size, intrinsics, np.array(coefficients))


@pytest.mark.parametrize(("colmap", "model", "coefficients"), LENSES)
def test_a_lens_sees_what_colmaps_does(colmap: str, model: str, coefficients: tuple[float, ...]) -> None:
    camera = pycolmap.Camera(model=colmap, width=1024, height=768, params=[700, 690, 510, 370, *coefficients])
    mine = Lens(model, SIZE, INTRINSICS, np.array(coefficients))
    plane = undistort(mine, PIXELS)
    np.testing.assert_allclose(plane, np.asarray(camera.cam_from_img(PIXELS)), atol=1e-8)
    np.testing.assert_allclose(distort(mine, plane), PIXELS, atol=1e-6)
    seen = np.asarray(camera.img_from_cam(np.column_stack((plane, np.ones(len(plane))))))
    np.testing.assert_allclose(distort(mine, plane), seen, atol=1e-6)


@pytest.mark.parametrize(("_colmap", "model", "coefficients"), LENSES)
def test_the_slope_is_how_what_is_seen_changes(_colmap: str, model: str, coefficients: tuple[float, ...]) -> None:
    plane = np.random.default_rng(0).uniform(-0.7, 0.7, (50, 2))
    plane[0] = 0
    numbers, step = np.array(coefficients), 1e-6
    _, slope = bend(model, numbers, plane)
    for axis in range(2):
        aside = np.eye(2)[axis] * step
        change = (bend(model, numbers, plane + aside)[0] - bend(model, numbers, plane - aside)[0]) / (2 * step)
        np.testing.assert_allclose(slope[:, :, axis], change, atol=1e-8)


def test_each_point_may_have_a_lens_of_its_own() -> None:
    plane = np.random.default_rng(1).uniform(-0.7, 0.7, (3, 2))
    each = np.array([[-0.2, 0.05, 0.001], [0.1, 0, 0], [0, 0, 0]])
    bent, _ = bend(BROWN, each, plane)
    alone = [bend(BROWN, numbers, point)[0] for numbers, point in zip(each, plane, strict=True)]
    np.testing.assert_allclose(bent, alone, atol=1e-15)


def test_beyond_the_fold_nothing_is_seen() -> None:
    """r - 0.3 r^3 rises up to r = 1 / sqrt(0.9)."""
    folding = lens(BROWN, -0.3)
    fold = 1 / np.sqrt(0.9)
    assert fold_radius(folding) == pytest.approx(fold, abs=0.005)  # as finely as it is looked for
    assert np.isinf(fold_radius(lens(BROWN))) and np.isinf(fold_radius(lens(FISHEYE)))
    inside, outside = distort(folding, np.array([[fold - 0.02, 0], [fold + 0.02, 0]]))
    assert np.isfinite(inside).all() and np.isnan(outside).all()
    furthest = 700 * (fold - 0.3 * fold**3)
    pixels = np.array([[512 + furthest - 0.5, 384], [512 + furthest + 0.5, 384]])
    plane = undistort(folding, pixels)
    assert np.isfinite(plane[0]).all() and np.isnan(plane[1]).all()


def test_what_is_beside_the_camera_is_on_no_plane() -> None:
    """An equidistant fisheye shows 89 degrees at 1.5533 focal lengths from its middle."""
    fisheye = lens(FISHEYE, focal=300.0)
    at = [512 + 300 * np.radians(degrees) for degrees in (80, 89, 91)]
    plane = undistort(fisheye, np.column_stack((at, [384.0] * 3)))
    assert plane[0, 0] == pytest.approx(np.tan(np.radians(80)), rel=1e-6)
    assert np.isnan(plane[2]).all()


def test_how_far_a_lens_moves_pixels() -> None:
    """With one coefficient, in the corners: what a pinhole sees at r is seen at r (1 + k1 r^2)."""
    corner = np.hypot(512, 384)
    (seen,) = distort(lens(BROWN, -0.02), np.array([[512, 384]]) / 700)
    moved = corner * 0.02 * (corner / 700) ** 2
    assert np.hypot(*(seen - (1024, 768))) == pytest.approx(moved, rel=1e-9)
    assert moved * 0.9 < largest_shift(lens(BROWN, -0.02)) < moved * 1.1
    assert largest_shift(lens(BROWN)) < 1e-9 and not bends(lens(BROWN))
    just = LEAST_SHIFT / (corner * (corner / 700) ** 2)
    assert bends(lens(BROWN, 1.02 * just)) and not bends(lens(BROWN, 0.98 * just))
    assert largest_shift(lens(FISHEYE, focal=200.0)) == np.inf  # its corners lie beside the camera


def test_a_copy_of_another_size_shows_the_same() -> None:
    mine = Lens(BROWN, SIZE, INTRINSICS, np.array([-0.25, 0.08, 0.001, -0.002]))
    plane = undistort(mine, PIXELS)
    np.testing.assert_allclose(distort(scaled(mine, (512, 192)), plane), PIXELS * (0.5, 0.25), atol=1e-6)


def test_a_pinholes_straight_picture_is_its_photo() -> None:
    mine = Lens(BROWN, SIZE, INTRINSICS, np.zeros(5))
    straight = straight_camera(mine)
    assert share_lost(mine, straight) == 0
    assert np.subtract(straight.size, SIZE).max() <= 2  # a pixel on each side, so that no rounding cuts anything off
    np.testing.assert_allclose(straight.intrinsics, INTRINSICS, atol=1.001)
    np.testing.assert_allclose(seen_from_straight(mine, straight, PIXELS), PIXELS - 1, atol=1e-6)


@pytest.mark.parametrize("coefficients", [(-0.25, 0.08, 0.001, -0.002), (0.12, -0.05)])
def test_the_straight_picture_holds_all_of_the_photo_and_no_more(coefficients: tuple[float, ...]) -> None:
    mine = Lens(BROWN, SIZE, INTRINSICS, np.array(coefficients))
    straight = straight_camera(mine)
    along = np.linspace(0, 1, 500)[:, None] * SIZE
    edges = [along * axis + SIZE * np.array(offset) for axis, offset in EDGES]
    seen = seen_by_straight(mine, straight, np.concatenate(edges))
    assert (seen.min(0) >= 0).all() and (seen.min(0) < 2).all()
    assert (seen.max(0) <= straight.size).all() and (seen.max(0) > np.array(straight.size) - 2).all()
    assert share_lost(mine, straight) == 0
    there = seen_by_straight(mine, straight, PIXELS)
    np.testing.assert_allclose(seen_from_straight(mine, straight, there), PIXELS, atol=1e-6)
    step = seen_by_straight(mine, straight, INTRINSICS[:2, 2] + [[0, 0], [1, 0]])
    assert step[1, 0] - step[0, 0] == pytest.approx(1, abs=1e-3)  # the photo's own scale in its middle


EDGES = [((1, 0), (0, 0)), ((1, 0), (0, 1)), ((0, 1), (0, 0)), ((0, 1), (1, 0))]
"""Of a picture: along which axis, from where."""


def test_a_fisheyes_straight_picture_ends_where_it_would_grow_without_end() -> None:
    """An equidistant fisheye of 160 degrees from side to side, whose corners lie beside the camera."""
    fisheye = lens(FISHEYE, focal=512 / np.radians(80))
    straight = straight_camera(fisheye)
    left, right = (np.array([0.0, straight.size[0]]) - straight.intrinsics[0, 2]) / straight.intrinsics[0, 0]
    assert max(straight.size) <= MOST_ENLARGED * 1024 + 2
    for side in (-left, right):
        assert np.degrees(np.arctan(side)) == pytest.approx(WIDEST, abs=0.2)
    bottom = (straight.size[1] - straight.intrinsics[1, 2]) / straight.intrinsics[1, 1]
    assert np.degrees(np.arctan(bottom)) == pytest.approx(OF_CORNERS, abs=0.2)
    assert straight.intrinsics[0, 0] == straight.intrinsics[1, 1] < fisheye.intrinsics[0, 0]
    pixels = pixel_centres(SIZE)[::4, ::4].reshape(-1, 2)
    angle = np.linalg.norm(pixels - (512, 384), axis=1) / fisheye.intrinsics[0, 0]
    aside = np.abs(pixels - (512, 384)) / np.maximum(angle, 1e-9)[:, None] / fisheye.intrinsics[0, 0]
    with np.errstate(invalid="ignore"):
        plane = aside * np.tan(angle)[:, None]
    shown = (angle < np.pi / 2) & (plane <= (right, bottom)).all(1)
    assert share_lost(fisheye, straight) == pytest.approx(1 - shown.mean(), abs=0.01)
