"""Straightened photos, against pictures whose straight form is known: waves over the plane."""

from __future__ import annotations

import io

import numpy as np
import OpenEXR
import pytest
import torch
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
from model_runtime.contract.messages import JobError, Photo
from model_runtime.contract.progress import Span
from model_runtime.photos import straighten as straighten_module
from model_runtime.photos.decode import DecodedPhoto
from model_runtime.photos.exr_file import BRIGHTEST, LinearPhoto, read_linear, write_linear
from model_runtime.photos.prepare import prepare_photos
from model_runtime.photos.straighten import _places, _Source, straighten
from tests.photo_files import exr

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
    asked = np.stack(_places(lens, straight, slice(0, straight.size[1])), axis=-1)
    seen = seen_from_straight(lens, straight, pixel_centres(straight.size))
    inside = (seen >= 0).all(-1) & (seen <= SIZE).all(-1)
    assert np.linalg.norm(asked - seen, axis=-1)[inside].max() < 0.005


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_interpolation_is_torchs_bicubic_with_a_repeated_rim(dtype: type) -> None:
    """Also far outside; floats but for rings, which torch has and this has not."""
    random = np.random.default_rng(0)
    picture = random.integers(60, 196, (3, 40, 50)).astype(dtype)
    across, down = random.uniform(-60, 120, 40_000), random.uniform(-60, 120, 40_000)
    grid = torch.tensor(np.stack((across / 50, down / 40), -1) * 2 - 1, dtype=torch.float32)[None, None]
    source = torch.tensor(picture, dtype=torch.float32)[None]
    expected = torch.nn.functional.grid_sample(source, grid, "bicubic", "border", align_corners=False)[0, :, 0].numpy()
    found = _Source.of(picture).at(across, down)
    assert found.dtype == dtype and found.shape == (3, 40_000)
    if dtype == np.uint8:
        assert np.abs(found - expected.clip(0, 255)).max() < 0.501
    else:
        corners = [np.floor(across - 0.5) + i for i in (0, 1)], [np.floor(down - 0.5) + i for i in (0, 1)]
        columns, rows = (np.clip(each, 0, size - 1).astype(int) for each, size in zip(corners, (50, 40), strict=True))
        around = np.stack([picture[:, row, column] for row in rows for column in columns])
        assert np.abs(found - np.clip(expected, around.min(0), around.max(0))).max() < 2e-3


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


def straight_exr(data: bytes, lens: Lens) -> np.ndarray:
    """[h,w,4] of the plate of an OpenEXR photo, as OpenEXR reads it."""
    (photo,), _ = prepare_photos([Photo("a.exr", data)], 56, Span(lambda *_: None), lenses=[lens])
    channels = OpenEXR.File(io.BytesIO(photo.plate), separate_channels=True).channels()
    assert channels.keys() == set("RGBA") and {each.pixels.dtype for each in channels.values()} == {np.dtype("float16")}
    return np.stack([channels[name].pixels for name in "RGBA"], axis=-1).astype(np.float32)


@pytest.mark.parametrize("name", LENSES)
@pytest.mark.parametrize("band", [1, 32])
def test_a_scene_linear_photo_stays_that(name: str, band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brighter than white, and below black, and the alpha that the file has."""
    monkeypatch.setattr(straighten_module, "BAND", band)
    lens, far = lens_of(name), np.array((0.5, 0.05, -0.02))  # times what `waves` tells, at most 228
    seen = waves(undistort(lens, pixel_centres(SIZE)))
    planes = [*np.moveaxis(seen * far, 2, 0), seen[..., 2] / 200]
    plate = straight_exr(exr({n: each.astype(np.float32) for n, each in zip("RGBA", planes, strict=True)}), lens)
    straight = straight_camera(lens)
    plane = (pixel_centres(straight.size) - straight.intrinsics[:2, 2]) / straight.intrinsics[0, 0]
    places = seen_from_straight(lens, straight, pixel_centres(straight.size))
    away = np.maximum(-places, places - SIZE).max(-1)
    inside = away < -0.01
    expected = waves(plane)
    missed = np.abs(plate[..., :3] / far - expected)[inside]
    assert np.median(missed) < 0.2 and np.quantile(missed, 0.995) < 2.5
    assert np.quantile(np.abs(plate[..., 3] - expected[..., 2] / 200)[inside], 0.995) < 0.01
    assert (plate[~(away < 0.01)] == 0).all()


@pytest.mark.parametrize("light", [1000.0, np.inf])
def test_lights_have_no_rings(light: float) -> None:
    lens = lens_of("barrel")
    grey = np.full(SIZE[::-1], 0.5, np.float32)
    grey[60:70, 80:95], grey[140, 200] = light, np.nan
    plate = straight_exr(exr({"Y": grey}), lens)
    assert (plate[..., 0] == plate[..., 1]).all() and (plate[..., 0] == plate[..., 2]).all()
    places = seen_from_straight(lens, straight_camera(lens), pixel_centres(plate.shape[1::-1]))
    inside = np.minimum(places, SIZE - places).min(-1) > 0.01
    assert (plate[inside, 3] == 1).all()
    assert plate[..., 0].max() == min(light, BRIGHTEST)
    dark = inside & (plate[..., 0] < 0.5)
    assert dark.any() and np.abs(places[dark] - (200.5, 140.5)).max() < 1  # of what was no number alone


def test_of_an_open_exr_the_display_window_is_straightened() -> None:
    green = np.full((20, 30), 0.25, np.float32)
    for corners, rows, columns in ((((10, 5), (39, 24)), (5, 25), (10, 40)), (((-9, -4), (20, 15)), (0, 16), (0, 21))):
        windows = {"dataWindow": corners, "displayWindow": ((0, 0), (49, 39))}
        photo = read_linear(exr({"R": 0 * green, "G": green, "B": 2 * green}, **windows))
        expected = np.zeros((4, 40, 50))
        expected[:, slice(*rows), slice(*columns)] = np.array((0, 0.25, 0.5, 1))[:, None, None]
        assert photo.pixels.shape == (4, 40, 50) and (photo.pixels == expected).all()


def test_what_the_numbers_are_of_is_told_on() -> None:
    about = {"chromaticities": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.3125, 0.375), "colorInteropID": "lin_ap1"}
    lens = lens_of("barrel")
    data = write_linear(LinearPhoto(np.ones((4, *SIZE[::-1]), np.float16), about))
    linear = read_linear(data)
    assert (linear.pixels == 1).all()
    photo, _ = straighten(*photo_of(lens), lens, linear)
    header = OpenEXR.File(io.BytesIO(photo.plate)).header()
    assert header["chromaticities"] == pytest.approx(about["chromaticities"]) and header["colorInteropID"] == "lin_ap1"
