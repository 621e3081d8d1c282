"""Cameras of photos that are stored turned, as programs see them that do not look at EXIF orientation. Numpy only."""

from __future__ import annotations

import numpy as np

from model_runtime.contract.lens import BROWN, COEFFICIENTS, Lens

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


def turn_lens(lens: Lens, orientation: int) -> Lens:
    """The lens of the stored picture as that of the upright one; tangential distortion turns with the axes."""
    coefficients, (width, height) = np.array(lens.coefficients, np.float64), lens.size
    turns = QUARTER_TURNS[orientation]
    p1, p2 = (COEFFICIENTS[BROWN].index(name) for name in ("p1", "p2"))
    for _ in range(turns if lens.model == BROWN and len(coefficients) > p2 else 0):
        coefficients[[p1, p2]] = coefficients[p2], -coefficients[p1]
    _, intrinsics = turn_upright(np.eye(4), lens.intrinsics, lens.size, orientation)
    return Lens(lens.model, (height, width) if turns % 2 else lens.size, intrinsics, coefficients)


def turn_pixels(pixels: np.ndarray, size: tuple[int, int], orientation: int) -> np.ndarray:
    """[M,2] places in the stored picture of the given size as places in the upright one."""
    width, height = size
    for _ in range(QUARTER_TURNS[orientation]):
        pixels = np.stack((height - pixels[:, 1], pixels[:, 0]), axis=1)
        width, height = height, width
    return pixels
