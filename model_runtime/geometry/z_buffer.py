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
    triangles = triangles[(depth[triangles] > 0).all(1)]
    corners = pixels[triangles]
    # First and last column and row whose centre lies in a triangle's box.
    first = np.clip(np.ceil(corners.min(1) - 0.5), 0, (width, height)).astype(np.int64)
    last = np.clip(np.floor(corners.max(1) - 0.5), -1, (width - 1, height - 1)).astype(np.int64)
    size = np.maximum(last - first + 1, 0)
    count = size.prod(1)
    some = np.flatnonzero(count)
    groups = np.cumsum(count[some]) // CANDIDATES
    for group in np.split(some, np.flatnonzero(np.diff(groups)) + 1):
        _draw(buffer, width, corners[group], depth[triangles[group]], first[group], size[group])
    return buffer.reshape(shape)


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
