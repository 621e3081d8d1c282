"""Straightened photos, against pictures whose straight form is known: waves over the plane."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.lens import (
    BROWN,
    FISHEYE,
    Lens,
    pixel_centres,
    seen_by_straight,
    seen_from_straight,
    straight_camera,
    undistort,
)
from model_runtime.contract.messages import JobError
from model_runtime.photos.decode import DecodedPhoto
from model_runtime.photos.straighten import _grid, straighten

SIZE = (300, 225)
LENSES = {
    "barrel": (BROWN, (-0.26, 0.07, 0.001, -0.002), 165.0),
    "cushion": (BROWN, (0.1, 0.02), 240.0),
    "fisheye": (FISHEYE, (0.02, -0.01), 135.0),
}


def lens_of(name: str, size: tuple[int, int] = SIZE) -> Lens:
    """With its middle aside."""
    model, coefficients, focal = LENSES[name]
    x, y = size[0] / 2 + 2.5, size[1] / 2 - 2.5
    return Lens(model, size, np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]]), np.array(coefficients))


def waves(plane: np.ndarray) -> np.ndarray:
    """[...,3] colours at the plane's points [...,2]."""
    x, y = np.nan_to_num(plane)[..., 0], np.nan_to_num(plane)[..., 1]
    return np.stack((128 + 100 * np.sin(3 * x), 128 + 100 * np.sin(3 * y), 128 + 60 * np.sin(2 * (x + y))), axis=-1)


def photo_of(lens: Lens, alpha: np.ndarray | None = None) -> tuple[DecodedPhoto, np.ndarray]:
    pixels = waves(undistort(lens, pixel_centres(lens.size))).round().astype(np.uint8)
    return DecodedPhoto("a.jpg", lens.size, b"", None, alpha=alpha), pixels


@pytest.mark.parametrize("name", LENSES)
def test_it_shows_what_a_pinhole_sees(name: str) -> None:
    lens = lens_of(name)
    straight = straight_camera(lens)
    photo, pixels = straighten(*photo_of(lens), lens)
    assert photo.size == straight.size == pixels.shape[1::-1]
    plane = (pixel_centres(straight.size) - straight.intrinsics[:2, 2]) / straight.intrinsics[0, 0]
    assert photo.alpha is not None
    missed = np.abs(pixels - waves(plane))[photo.alpha > 0]
    assert np.median(missed) < 0.5 and np.quantile(missed, 0.995) < 2.5  # of 255


@pytest.mark.parametrize("name", LENSES)
def test_between_the_places_at_which_the_lens_is_asked_hardly_anything_is_missed(name: str) -> None:
    """Pixels of the photo, of every pixel that it shows, rims and corners too."""
    lens = lens_of(name)
    straight = straight_camera(lens)
    asked = (_grid(lens, straight, slice(0, straight.size[1]))[0].numpy() + 1) / 2 * SIZE
    seen = seen_from_straight(lens, straight, pixel_centres(straight.size))
    inside = (seen >= 0).all(-1) & (seen <= SIZE).all(-1)
    assert np.linalg.norm(asked - seen, axis=-1)[inside].max() < 0.005


@pytest.mark.parametrize("name", LENSES)
def test_nothing_is_outside_of_the_photo(name: str) -> None:
    """Transparent, black in the plate, and the photo's rim in the pixels."""
    lens = lens_of(name)
    photo, pixels = straighten(*photo_of(lens), lens)
    seen = seen_from_straight(lens, straight_camera(lens), pixel_centres(photo.size))
    away = np.maximum(-seen, seen - SIZE).max(-1)
    assert photo.alpha is not None
    assert (photo.alpha[away < -0.01] == 255).all()
    outside = ~(away < 0.01)
    assert outside.any() and (photo.alpha[outside] == 0).all()
    plate = np.asarray(Image.open(io.BytesIO(photo.plate)).convert("RGB")).astype(int)
    assert plate.shape == pixels.shape
    far = ~(away < 4)  # JPEG rings near the rim
    assert far.any() and plate[far].max() < 12
    assert np.abs(plate - pixels)[away < -10].mean() < 3
    assert pixels[far].min() > 10


def test_each_thing_lands_where_the_straight_camera_sees_it() -> None:
    """The middle of a spot, to a tenth of a pixel, in a photo of many bands of rows."""
    lens = lens_of("barrel", (400, 620))
    spots = np.array([[40.0, 60], [350, 90], [200, 310], [60, 560], [340, 580]])
    away = np.linalg.norm(pixel_centres(lens.size)[:, :, None] - spots, axis=-1)
    grey = (200 * np.exp(-((away / 2.5) ** 2))).max(-1).round().astype(np.uint8)
    photo, pixels = straighten(DecodedPhoto("a", lens.size, b"", None), np.repeat(grey[..., None], 3, 2), lens)
    centres = pixel_centres(photo.size)
    for spot in seen_by_straight(lens, straight_camera(lens), spots):
        near = np.linalg.norm(centres - spot, axis=-1) < 12
        weight = pixels[..., 0][near].astype(float)
        assert np.abs(weight @ centres[near] / weight.sum() - spot).max() < 0.1


def test_a_cut_out_stays_one() -> None:
    lens = lens_of("barrel")
    width, height = SIZE
    alpha = np.zeros((height, width), np.uint8)
    alpha[60:160, 80:200] = 255
    photo, _ = straighten(*photo_of(lens, alpha), lens)
    seen = seen_from_straight(lens, straight_camera(lens), pixel_centres(photo.size))
    inside = np.minimum(seen - (80, 60), (200, 160) - seen).min(-1)
    assert photo.alpha is not None
    assert (photo.alpha[inside > 2] == 255).all() and (photo.alpha[~(inside > -2)] == 0).all()


def test_its_focal_length_is_the_straight_pictures() -> None:
    lens = lens_of("cushion")
    photo, _ = straighten(*photo_of(lens), lens)
    straight = straight_camera(lens)
    diagonal = np.hypot(*straight.size)
    assert photo.focal_35mm == pytest.approx(straight.intrinsics[0, 0] / diagonal * np.hypot(36, 24), rel=1e-3)


def test_a_lens_of_another_size_is_refused() -> None:
    lens = lens_of("barrel")
    photo, pixels = photo_of(lens)
    with pytest.raises(JobError) as caught:
        straighten(photo, pixels, lens_of("barrel", (600, 450)))
    assert caught.value.failure.code == "bad-cameras"
    assert "300 x 225" in str(caught.value) and "600 x 450" in str(caught.value)
