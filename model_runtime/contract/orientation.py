"""Cameras of photos that are stored turned, as programs see them that do not look at EXIF orientation. Numpy only."""

from __future__ import annotations

import numpy as np

QUARTER_TURNS = {1: 0, 6: 1, 3: 2, 8: 3}
"""EXIF orientation (Exif 2.32, tag 0x0112): quarter turns clockwise that bring the stored picture upright. The other
orientations are mirrored, which no camera sees."""


def turn_upright(
    extrinsics: np.ndarray, intrinsics: np.ndarray, size: tuple[int, int], orientation: int
) -> tuple[np.ndarray, np.ndarray]:
    """The camera [4,4], [3,3] of the stored picture as that of the upright one.

    extrinsics: world-to-camera, OpenCV. intrinsics: pixels, centres at +0.5, no skew. size: stored (width, height).
    """
    width, height = size
    for _ in range(QUARTER_TURNS[orientation]):
        # A quarter turn clockwise takes the pixel (x, y) to (height - y, x).
        turn = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        extrinsics = turn @ extrinsics
        (fx, _, cx), (_, fy, cy) = intrinsics[:2]
        intrinsics = np.array([[fy, 0, height - cy], [0, fx, cx], [0, 0, 1]])
        width, height = height, width
    return extrinsics, intrinsics


def turn_pixels(pixels: np.ndarray, size: tuple[int, int], orientation: int) -> np.ndarray:
    """[M,2] places in the stored picture of the given size as places in the upright one."""
    width, height = size
    for _ in range(QUARTER_TURNS[orientation]):
        pixels = np.stack((height - pixels[:, 1], pixels[:, 0]), axis=1)
        width, height = height, width
    return pixels
