"""Maps between their pixels and at other sizes, against scipy's and against plain sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import map_coordinates, zoom

from model_runtime.geometry.sampling import Between, functions_of, keep_lowest, put_along, resized, with_rim

Kind = Callable[..., Any]


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).random(shape, np.float32)


@pytest.mark.parametrize("size", [(9, 13), (1, 5), (6, 1)])
def test_between_pixels_and_beyond_the_rim(kind: Kind, size: tuple[int, int]) -> None:
    picture, rng = random(*size), np.random.default_rng(1)
    x, y = (rng.uniform(-3, side + 3, 500).astype(np.float32) for side in size[::-1])
    x[0], y[0] = np.inf, -np.inf
    expected = map_coordinates(picture.astype(float), (y.clip(-9, 99), x.clip(-9, 99)), order=1, mode="nearest")
    found = kind(np.zeros(500, np.float32))
    Between(kind(picture)).look_up(kind(x), kind(y), found)
    assert np.asarray(found) == pytest.approx(expected, abs=5e-6)


def test_larger_by_straight_lines(kind: Kind) -> None:
    dense = random(7, 9)
    expected = zoom(dense.astype(float), (3, 2), order=1, mode="nearest", grid_mode=True)
    assert np.asarray(resized(kind(dense), (21, 18), "bilinear")) == pytest.approx(expected, abs=5e-6)


def test_smaller_by_means_over_areas(kind: Kind) -> None:
    dense = random(10, 12)
    expected = dense.reshape(5, 2, 4, 3).mean((1, 3))
    assert np.asarray(resized(kind(dense), (5, 4), "area")) == pytest.approx(expected, abs=1e-6)
    uneven = np.asarray(resized(kind(dense), (4, 12), "area"))  # two and a half rows to one: three that it touches
    expected = np.stack([dense[a:b].mean(0) for a, b in ((0, 3), (2, 5), (5, 8), (7, 10))])
    assert uneven == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(5, 3), (23, 31), (10, 12)])
def test_the_pixel_in_which_the_new_one_lies(kind: Kind, size: tuple[int, int]) -> None:
    dense = random(10, 12)
    row, column = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(size, dense.shape, strict=True))
    found = np.asarray(resized(kind(dense), size, "nearest"))
    assert found.dtype == np.float32 and (found == dense[row][:, column]).all()


def test_a_rim_repeats_the_last_pixels(kind: Kind) -> None:
    maps = random(2, 4, 5)
    row, column = np.arange(-3, 7).clip(0, 3), np.arange(-3, 8).clip(0, 4)
    assert (np.asarray(with_rim(kind(maps), 3)) == maps[:, row][:, :, column]).all()


def test_the_lowest_of_all_that_fall_to_a_place(kind: Kind) -> None:
    numbers, index, values = kind(np.full(5, 0.6, np.float32)), np.array([1, 3, 1, 1, 4]), random(5)
    keep_lowest(numbers, kind(index), kind(values))
    expected = [min(0.6, *values[index == i], 0.6) for i in range(5)]
    assert np.asarray(numbers) == pytest.approx(expected, abs=1e-7)


def test_one_value_along_an_axis(kind: Kind) -> None:
    numbers = kind(np.zeros((2, 3, 2), np.float32))
    put_along(numbers, kind(np.array([[[0, 1]], [[2, 2]]])), 7.0, 1)
    assert np.asarray(numbers).tolist() == [[[7, 0], [0, 7], [0, 0]], [[0, 0], [0, 0], [7, 7]]]


def test_functions_that_fill_what_is_there(kind: Kind) -> None:
    array = kind(np.array([1.0, 4.0]))
    functions_of(array).add(array, array, out=array)
    assert np.asarray(array).tolist() == [2, 8]
