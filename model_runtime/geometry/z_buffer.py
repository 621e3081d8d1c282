"""Which depth a camera sees of a mesh at every pixel: triangles drawn into a buffer, the nearest one staying."""

from __future__ import annotations

import numpy as np

CANDIDATES = 1 << 22
"""Pairs of triangle and pixel looked at together, which bounds the memory."""


def z_buffer(pixels: np.ndarray, depth: np.ndarray, triangles: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[h,w] float64: depth of the nearest triangle at each pixel's centre, inf where there is none.

    pixels: [V,2] where the vertices are seen, x then y, pixel centres at +0.5. depth: [V] along the camera's axis.
    Triangles that reach behind the camera are left out.
    """
    height, width = shape
    buffer = np.full(height * width, np.inf)
    first, size = _boxes(pixels, triangles, shape)
    # Most triangles of a fine mesh lie between the centres of pixels.
    some = np.flatnonzero((size[:, 0] > 0) & (size[:, 1] > 0))
    some = some[(depth[triangles[some]] > 0).all(1)]
    groups = np.cumsum(size[some].prod(1)) // CANDIDATES
    for group in np.split(some, np.flatnonzero(np.diff(groups)) + 1):
        corners = triangles[group]
        _draw(buffer, width, pixels[corners], depth[corners], first[group], size[group])
    return buffer.reshape(shape)


def _boxes(pixels: np.ndarray, triangles: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The first column and row, [T,2], whose centre lies in each triangle's box, and how many of each do, [T,2], less
    than 1 where none does."""
    firsts, sizes = [], []
    for places, side in zip(pixels.T, shape[::-1], strict=True):
        low = np.clip(np.ceil(places - 0.5), 0, side).astype(np.int64)
        high = np.clip(np.floor(places - 0.5), -1, side - 1).astype(np.int64)
        a, b, c = triangles.T
        first = np.minimum(np.minimum(low[a], low[b]), low[c])
        firsts.append(first)
        sizes.append(np.maximum(np.maximum(high[a], high[b]), high[c]) - first + 1)
    return np.stack(firsts, -1), np.stack(sizes, -1)


def _draw(
    buffer: np.ndarray, width: int, corners: np.ndarray, depth: np.ndarray, first: np.ndarray, size: np.ndarray
) -> None:
    """Draw triangles, corners [T,3,2], with every pixel of their boxes tried; 1 / depth is linear in the picture."""
    count = size.prod(1)
    owner = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    column = first[owner, 0] + step % size[owner, 0]
    row = first[owner, 1] + step // size[owner, 0]
    a, b, c = (corners[:, i] for i in range(3))
    twice_area = _cross(b - a, c - a)
    scale = np.divide(1.0, twice_area, out=np.zeros_like(twice_area), where=twice_area != 0)
    place = np.stack((column + 0.5, row + 0.5), -1) - a[owner]
    second = _cross(place, (c - a)[owner]) * scale[owner]
    third = _cross((b - a)[owner], place) * scale[owner]
    inside = (second >= 0) & (third >= 0) & (second + third <= 1) & (scale[owner] != 0)
    owner, second, third = owner[inside], second[inside], third[inside]
    inverse = 1 / depth
    seen = inverse[owner, 0] * (1 - second - third) + inverse[owner, 1] * second + inverse[owner, 2] * third
    np.minimum.at(buffer, row[inside] * width + column[inside], 1 / seen)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
