"""Sizes, resampling against torch and block means, and cameras that survive fitting and padding."""

import numpy as np
import pytest
import torch
from PIL import Image

import model_runtime.photos.canvas
from model_runtime.photos.canvas import (
    DEVIATION,
    MEAN,
    Placement,
    fit,
    nearest_multiple,
    normalised_batch,
    place,
    resize,
    resize_all,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("photo", "resolution", "fitted"),
    [
        ((1920, 1080), 504, (504, 280)),  # 283.5 rounds to 284, and 284 is nearer to 280
        ((1080, 1920), 504, (280, 504)),
        ((400, 300), 504, (504, 378)),
        ((504, 301), 504, (504, 308)),  # 301 lies between 294 and 308: up
        ((600, 600), 500, (504, 504)),
        ((4000, 20), 504, (504, 14)),
    ],
)
def test_fitted_size(photo: tuple[int, int], resolution: int, fitted: tuple[int, int]) -> None:
    image = np.zeros((photo[1], photo[0], 3), np.uint8)
    assert fit(image, resolution).shape == (fitted[1], fitted[0], 3)


def test_nearest_multiple() -> None:
    assert [nearest_multiple(n) for n in (1, 7, 20, 21, 22, 34, 35, 504)] == [14, 14, 14, 28, 28, 28, 42, 504]


def test_shrinking_takes_the_mean_of_each_area() -> None:
    image = RNG.integers(0, 256, (60, 90, 3), np.uint8)
    blocks = image.reshape(20, 3, 30, 3, 3).mean((1, 3))
    assert np.abs(resize(image, 30, 20) - blocks).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_several_sizes_are_made_of_a_few_rows_after_the_other(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_runtime.photos.canvas, "ROWS_AT_ONCE", rows)
    image = RNG.integers(0, 256, (60, 90, 3), np.uint8)
    thirds, halves, same, flat = resize_all(Image.fromarray(image), [(30, 20), (45, 30), (90, 60), (90, 1)])
    assert np.abs(thirds - image.reshape(20, 3, 30, 3, 3).mean((1, 3))).max() <= 0.5 + 1e-4
    assert np.abs(halves - image.reshape(30, 2, 45, 2, 3).mean((1, 3))).max() <= 0.5 + 1e-4
    assert np.array_equal(same, image)
    assert np.abs(flat - image.mean(0)).max() <= 0.5 + 1e-4
    shrunk, mixed = resize_all(image, [(30, 20), (33, 64)])
    assert np.array_equal(shrunk, thirds) and np.array_equal(mixed, resize(image, 33, 64))


def test_shrinking_by_a_fraction_weighs_the_pixels_at_the_ends() -> None:
    # 5 pixels to 2: each new pixel covers two and a half old ones.
    row = np.array([10, 20, 40, 80, 160], np.uint8)
    image = np.repeat(np.tile(row, (4, 1))[..., None], 3, axis=2)
    expected = [(10 + 20 + 40 / 2) / 2.5, (40 / 2 + 80 + 160) / 2.5]
    assert np.abs(resize(image, 2, 4)[0, :, 0] - expected).max() <= 0.5


@pytest.mark.parametrize(("width", "height"), [(96, 70), (33, 64), (40, 20)])
def test_growing_is_cubic_as_in_torch(width: int, height: int) -> None:
    image = RNG.integers(0, 256, (30, 40, 3), np.uint8)
    if width == 40:
        image = image[:, :30]
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    expected = torch.nn.functional.interpolate(batch, size=(height, width), mode="bicubic", align_corners=False)
    expected = expected[0].permute(1, 2, 0).clamp(0, 255).numpy()
    assert np.abs(resize(image, width, height) - expected).max() <= 0.5 + 1e-3


def test_photos_of_mixed_sizes_lie_whole_in_the_middle() -> None:
    images = [RNG.integers(0, 256, (h, w, 3), np.uint8) for w, h in ((504, 378), (378, 504), (504, 280))]
    sizes = [(i.shape[1], i.shape[0]) for i in images]
    placements = place(sizes, sizes)
    batch = normalised_batch(images, placements)
    assert batch.shape == (3, 3, 504, 504)
    for canvas, image, placement in zip(batch, images, placements, strict=True):
        assert placement.left % 7 == 0 and placement.top % 7 == 0
        inside = placement.crop(canvas.transpose(1, 2, 0))
        assert np.abs((inside * DEVIATION + MEAN) * 255 - image).max() < 1e-3
        assert (canvas == 0).sum() >= 3 * (504 * 504 - image.shape[0] * image.shape[1])


@pytest.mark.parametrize("size", [(504, 280), (280, 504), (490, 378), (504, 504)])
def test_the_ray_map_is_cut_where_the_photo_is(size: tuple[int, int]) -> None:
    """A map that holds each cell's own position in canvas pixels tells where the cut cells lie."""
    placement = Placement((1000, 1000), size, (504, 504))
    cells = 504 // 14 * 8
    centre = (np.arange(cells) + 0.5) * 504 / cells
    x, y = np.meshgrid(centre, centre)
    ray = placement.crop(np.stack((x, y), axis=-1))
    assert ray.shape == (size[1] * 8 // 14, size[0] * 8 // 14, 2)
    step = 14 / 8
    assert ray[0, 0] == pytest.approx([(504 - size[0]) / 2 + step / 2, (504 - size[1]) / 2 + step / 2])
    assert ray[-1, -1] == pytest.approx([(504 + size[0]) / 2 - step / 2, (504 + size[1]) / 2 - step / 2])


def test_a_point_lands_on_the_same_spot_of_canvas_and_photo() -> None:
    placement = Placement(photo=(4000, 3001), size=(504, 378), canvas=(504, 504))
    photo_k = np.array([[3111.0, 2.0, 2100.0], [0, 2999.0, 1400.0], [0, 0, 1]])
    point = np.array([0.3, -0.2, 1.0])
    x, y, _ = photo_k @ point

    canvas_x, canvas_y, _ = placement.intrinsics_to_canvas(photo_k) @ point
    assert canvas_x == pytest.approx(x * 504 / 4000)
    assert canvas_y == pytest.approx(y * 378 / 3001 + 63)

    back = placement.intrinsics_to_photo(placement.intrinsics_to_canvas(photo_k))
    assert np.abs(back - photo_k).max() < 1e-9
