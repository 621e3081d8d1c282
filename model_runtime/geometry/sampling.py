"""Maps looked up between their pixels and brought to other sizes: what the array API standard lacks, for both kinds of
array, by torch's own functions and by numpy's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import array_api_compat
import numpy as np
from scipy.sparse import csr_array

from model_runtime.geometry.arrays import Array

Way = Literal["bilinear", "area", "nearest"]


def functions_of(array: Array) -> Any:
    """The module itself that an array is of, numpy or torch. What it calls as the standard does takes `out`, too, and
    `clip` is many times as fast as by `namespace`: for loops that are hot."""
    if array_api_compat.is_numpy_array(array):
        return np
    import torch

    return torch


class Between:
    """A picture [h,w], of fewer than 2**31 pixels, looked up between them: the bilinear mean of the four around a
    place; beyond the rim, the rim's."""

    def __init__(self, picture: Array) -> None:
        self._picture = picture
        self._numpy = array_api_compat.is_numpy_array(picture)
        if self._numpy:
            across, down = np.zeros_like(picture), np.zeros_like(picture)
            np.subtract(picture[:, 1:], picture[:, :-1], out=across[:, :-1])
            np.subtract(picture[1:], picture[:-1], out=down[:-1])
            both = np.zeros_like(picture)
            np.subtract(down[:, 1:], down[:, :-1], out=both[:, :-1])
            self._parts = [part.reshape(-1) for part in (picture, across, down, both)]

    def look_up(self, x: Array, y: Array, out: Array) -> None:
        """Into `out` [...] what is at columns x and rows y [...], contiguous, counted from the first pixel's centre; of
        the picture's type. x and y are used up."""
        if self._numpy:
            self._gathered(x, y, out)
        else:
            out[...] = self._sampled(x, y)

    def _gathered(self, x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
        height, width = self._picture.shape
        for place, last in ((x, width - 1), (y, height - 1)):
            np.maximum(place, 0, out=place)
            np.minimum(place, last, out=place)
        column, row = np.floor(x), np.floor(y)
        x -= column
        y -= row
        pixel = row.astype(np.int32)
        pixel *= width
        pixel += column.astype(np.int32)
        index = pixel.astype(np.intp)
        here, across, down, both = self._parts
        # Every index is one of the picture's; to wrap is what numpy does fastest.
        taken = column
        np.take(both, index, out=out, mode="wrap")
        out *= x
        out += np.take(down, index, out=taken, mode="wrap")
        out *= y
        np.take(across, index, out=taken, mode="wrap")
        taken *= x
        out += taken
        out += np.take(here, index, out=taken, mode="wrap")

    def _sampled(self, x: Any, y: Any) -> Any:
        import torch

        height, width = self._picture.shape
        x.add_(0.5).mul_(2 / width).sub_(1)
        y.add_(0.5).mul_(2 / height).sub_(1)
        places = torch.stack((x, y), -1).reshape(1, 1, -1, 2)
        found = torch.nn.functional.grid_sample(self._picture[None, None], places, "bilinear", "border", False)
        return found.reshape(x.shape)


def resized(dense: Array, size: tuple[int, ...], way: Way) -> Array:
    """A map [h,w] of finite numbers at another size, over the same field of view.

    bilinear: between the pixels, those beyond the rim like it. area: means over what the new pixels cover, pixels of
    which a part is covered counting whole. nearest: of the pixel in which the new one's centre lies.
    """
    if tuple(dense.shape) == tuple(size):
        return dense
    if array_api_compat.is_numpy_array(dense):
        if way == "nearest":
            row, column = (
                ((np.arange(b) + 0.5) * a / b).astype(np.intp) for a, b in zip(dense.shape, size, strict=True)
            )
            return dense[row][:, column]
        down, across = (_taking(a, b, way).astype(dense.dtype) for a, b in zip(dense.shape, size, strict=True))
        return (across @ (down @ dense).T).T
    from torch.nn.functional import interpolate

    if way == "bilinear":
        return interpolate(dense[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    return interpolate(dense[None, None], size, mode="area" if way == "area" else "nearest-exact")[0, 0]


@lru_cache(64)
def _taking(count: int, wanted: int, way: Way) -> csr_array:
    """[wanted,count], the shares that each of `wanted` pixels of a row takes of `count`."""
    edges, pixel = np.arange(wanted + 1) * count / wanted, np.arange(count)
    if way == "area":
        first, last = np.floor(edges[:-1, None]), np.ceil(edges[1:, None])
        return csr_array(((pixel >= first) & (pixel < last)) / (last - first))
    centre = np.clip((edges[:-1] + edges[1:]) / 2 - 0.5, 0, count - 1)
    return csr_array(np.maximum(1 - np.abs(centre[:, None] - pixel), 0))


def with_rim(maps: Array, width: int) -> Array:
    """Maps [n,h,w] with so many more pixels on every side, which repeat the rim: [n,h+2*width,w+2*width]."""
    if array_api_compat.is_numpy_array(maps):
        return np.pad(maps, ((0, 0), (width, width), (width, width)), mode="edge")
    from torch.nn.functional import pad

    return pad(maps, (width,) * 4, mode="replicate")


def keep_lowest(numbers: Array, index: Array, values: Array) -> None:
    """Replace numbers [n] by the lowest of themselves and the values [m] that fall to their `index` [m]."""
    if array_api_compat.is_numpy_array(numbers):
        np.minimum.at(numbers, index, values)
    else:
        numbers.scatter_reduce_(0, index, values, "amin")


def put_along(numbers: Array, index: Array, value: float, axis: int) -> None:
    """Set numbers [..] to a value where `index`, of as many axes, says along one of them."""
    if array_api_compat.is_numpy_array(numbers):
        np.put_along_axis(numbers, index, value, axis)
    else:
        numbers.scatter_(axis, index, value)
