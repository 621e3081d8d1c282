"""How a lens bends what a pinhole would see, and the pinhole whose picture holds all of it. Numpy only.

The plane of a point is (x / z, y / z) in its camera's frame: where a pinhole sees it. Two models, with OpenCV's
coefficients: Brown-Conrady (Brown 1966) with the rational denominator, and the equidistant fisheye with a polynomial
of the angle (Kannala and Brandt 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BROWN, FISHEYE = "brown", "fisheye"
COEFFICIENTS = {BROWN: ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"), FISHEYE: ("k1", "k2", "k3", "k4")}

WIDEST, OF_CORNERS = 75.0, 60.0
"""Degrees from the axis, up or aside, that a straight picture reaches, and that it reaches for what only the photo's
corners show: one of 90 would be infinitely large."""

MOST_ENLARGED = 2.0
"""Longest sides of the photo that the longest side of its straight picture has at most; beyond, all of it is shown
smaller."""

BORDER = 64
"""Points of each side of a photo that are looked at to find out how far its straight picture reaches."""

LEAST_SHIFT = 0.1
"""Pixels of the photo: a lens that moves none by more is as good as a pinhole."""

STEPS = 50
CONVERGED = 1e-12
RADII = np.linspace(0.0, 20.0, 4001)[1:]
"""Where the plane's radius is looked at for the place beyond which a model folds back on itself."""


@dataclass(frozen=True, eq=False)
class Lens:
    """The camera that a photo was really taken with.

    model: BROWN or FISHEYE. size: the upright original photo's (width, height). intrinsics: [3,3] float64 in its
    pixels, without skew. coefficients: [C] float64, as COEFFICIENTS names them; missing ones are zero.
    """

    model: str
    size: tuple[int, int]
    intrinsics: np.ndarray
    coefficients: np.ndarray


class Pinhole(NamedTuple):
    """size: (width, height). intrinsics: [3,3] float64, pixels with centres at +0.5."""

    size: tuple[int, int]
    intrinsics: np.ndarray


def named_coefficients(lens: Lens) -> dict[str, float]:
    """All that the lens's model has, by their names; missing ones are zero."""
    return {name: float(value) for name, value in _named(lens.model, lens.coefficients).items()}


def to_pixels(intrinsics: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """[...,2] pixels at which a pinhole of intrinsics [3,3], without skew, sees points of the plane [...,2]."""
    return plane * intrinsics.diagonal()[:2] + intrinsics[:2, 2]


def to_plane(intrinsics: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """[...,2] the plane's points that it sees at these pixels [...,2]."""
    return (pixels - intrinsics[:2, 2]) / intrinsics.diagonal()[:2]


def distort(lens: Lens, plane: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the photo at which points of the plane [...,2] are seen; NaN beyond where the model folds."""
    bent, _ = bend(lens.model, lens.coefficients, plane)
    inside = np.square(plane).sum(-1) <= fold_radius(lens) ** 2
    return np.where(inside[..., None], to_pixels(lens.intrinsics, bent), np.nan)


def undistort(lens: Lens, pixels: np.ndarray) -> np.ndarray:
    """[...,2] the plane's points that the photo shows at these pixels [...,2], by Newton's method; NaN where none is:
    90 degrees and more off the axis, and beyond where the model folds."""
    seen = to_plane(lens.intrinsics, pixels)
    plane = _near(lens, seen)
    limit = fold_radius(lens)
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            bent, slope = bend(lens.model, lens.coefficients, plane)
            miss = bent - seen
            step = (
                np.stack(
                    (
                        slope[..., 1, 1] * miss[..., 0] - slope[..., 0, 1] * miss[..., 1],
                        slope[..., 0, 0] * miss[..., 1] - slope[..., 1, 0] * miss[..., 0],
                    ),
                    axis=-1,
                )
                / (slope[..., 0, 0] * slope[..., 1, 1] - slope[..., 0, 1] * slope[..., 1, 0])[..., None]
            )
            plane = plane - step
            if not (np.abs(step) > CONVERGED * (1 + np.abs(plane))).any():
                break
        found = np.abs(bend(lens.model, lens.coefficients, plane)[0] - seen).max(-1) < 1e-8
        found &= np.square(plane).sum(-1) <= limit**2
    return np.where(found[..., None], plane, np.nan)


def fold_radius(lens: Lens) -> float:
    """The plane's radius from which on points further out are seen further in, which no lens does; inf for none."""
    along = _factor(lens.model, _named(lens.model, lens.coefficients), RADII) * RADII
    falls = np.flatnonzero(np.diff(along, prepend=0.0) <= 0)
    return float(RADII[max(falls[0] - 1, 0)]) if len(falls) else float("inf")


def largest_shift(lens: Lens) -> float:
    """How far the lens moves a pixel at most from where a pinhole of the same focal length sees it, in pixels."""
    border = _border(lens.size)
    shift = np.linalg.norm(to_pixels(lens.intrinsics, undistort(lens, border)) - border, axis=-1)
    return float(np.inf if np.isnan(shift).any() else shift.max())


def bends(lens: Lens) -> bool:
    """Whether the lens moves pixels so far that its photo is to be straightened."""
    return largest_shift(lens) > LEAST_SHIFT


def scaled(lens: Lens, size: tuple[int, int]) -> Lens:
    """The lens of a copy of the photo that has this size."""
    ratio = np.diag((size[0] / lens.size[0], size[1] / lens.size[1], 1.0))
    return Lens(lens.model, size, ratio @ lens.intrinsics, lens.coefficients)


def straight_camera(lens: Lens) -> Pinhole:
    """The pinhole whose picture shows everything that the photo does, at the photo's own scale in its middle.

    What is further aside than WIDEST, in corners than OF_CORNERS, is cut off, and a picture that would be larger than
    MOST_ENLARGED is scaled down.
    """
    focal, middle = lens.intrinsics.diagonal()[:2], lens.intrinsics[:2, 2]
    width, height = lens.size
    cross = np.array([[0, middle[1]], [width, middle[1]], [middle[0], 0], [middle[0], height]])
    (low, high), (least, most) = _reach(lens, cross, WIDEST), _reach(lens, _border(lens.size), OF_CORNERS)
    low, high = np.minimum(low, least) * focal, np.maximum(high, most) * focal
    scale = min(1.0, MOST_ENLARGED * max(lens.size) / (high - low).max())
    low, high = np.floor(low * scale - 1e-6), np.ceil(high * scale + 1e-6)
    intrinsics = np.array([[focal[0] * scale, 0, -low[0]], [0, focal[1] * scale, -low[1]], [0, 0, 1.0]])
    size = (high - low).astype(int).tolist()
    return Pinhole((size[0], size[1]), intrinsics)


def _reach(lens: Lens, pixels: np.ndarray, widest: float) -> tuple[np.ndarray, np.ndarray]:
    """[2], [2]: how far on the plane these pixels of the photo reach to both sides, at most `widest` degrees."""
    limit = np.tan(np.radians(widest))
    plane = undistort(lens, pixels)
    away = np.sign(pixels - lens.intrinsics[:2, 2]) * limit
    plane = np.clip(np.where(np.isfinite(plane), plane, away), -limit, limit)
    return plane.min(0), plane.max(0)


def share_lost(lens: Lens, straight: Pinhole) -> float:
    """Of the photo's area, how much the straight picture does not show."""
    width, height = lens.size
    grid = pixel_centres((BORDER, BORDER)) / BORDER * (width, height)
    seen = seen_by_straight(lens, straight, grid)
    inside = np.isfinite(seen).all(-1) & (seen >= 0).all(-1) & (seen <= straight.size).all(-1)
    return 1 - float(inside.mean())


def seen_from_straight(lens: Lens, straight: Pinhole, pixels: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the photo that show what the straight picture shows at its pixels [...,2]; NaN for nothing."""
    return distort(lens, to_plane(straight.intrinsics, pixels))


def seen_by_straight(lens: Lens, straight: Pinhole, pixels: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the straight picture that show what the photo shows at its pixels [...,2]; NaN for nothing."""
    return to_pixels(straight.intrinsics, undistort(lens, pixels))


def pixel_centres(size: tuple[int, int], rows: slice = slice(None)) -> np.ndarray:
    """[h,w,2] float64, of a picture of (width, height); only some of its rows."""
    width, height = size
    across, down = np.meshgrid(np.arange(width) + 0.5, np.arange(height)[rows] + 0.5)
    return np.stack((across, down), axis=-1)


def _border(size: tuple[int, int]) -> np.ndarray:
    """[4*BORDER,2] points along the edge of a picture."""
    width, height = size
    along = np.linspace(0.0, 1.0, BORDER)
    nought, one = np.zeros(BORDER), np.ones(BORDER)
    across, down = np.concatenate((along, along, nought, one)), np.concatenate((nought, one, along, along))
    return np.stack((across * width, down * height), axis=-1)


def bend(model: str, coefficients: np.ndarray, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[...,2] where points of the plane are seen, in focal lengths from the middle, and how that changes, [...,2,2].

    coefficients: [C] of all points, or [...,C] of each.
    """
    k = _named(model, coefficients)
    x, y = plane[..., 0], plane[..., 1]
    square = x * x + y * y
    factor, growth = _factor_and_growth(model, k, np.sqrt(square))
    bent = factor[..., None] * plane
    outer = plane[..., :, None] * plane[..., None, :]
    slope = factor[..., None, None] * np.eye(2) + growth[..., None, None] * outer
    if model == BROWN:
        p1, p2 = k["p1"], k["p2"]
        aside = (2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y)
        bent = bent + np.stack(aside, axis=-1)
        across = np.stack((2 * p1 * y + 6 * p2 * x, 2 * p1 * x + 2 * p2 * y), axis=-1)
        down = np.stack((2 * p1 * x + 2 * p2 * y, 6 * p1 * y + 2 * p2 * x), axis=-1)
        slope = slope + np.stack((across, down), axis=-2)
    return bent, slope


def _named(model: str, coefficients: np.ndarray) -> dict[str, np.ndarray]:
    """The coefficients [...,C] by name, all that the model has."""
    count = coefficients.shape[-1]
    zero = np.zeros(coefficients.shape[:-1])
    return {name: coefficients[..., i] if i < count else zero for i, name in enumerate(COEFFICIENTS[model])}


def _factor(model: str, k: dict[str, np.ndarray], radius: np.ndarray) -> np.ndarray:
    """By how much a point of the plane at this radius moves out."""
    if model == FISHEYE:
        angle = np.arctan(radius)
        square = angle**2
        polynomial = 1 + square * (k["k1"] + square * (k["k2"] + square * (k["k3"] + square * k["k4"])))
        return np.where(radius > 1e-8, angle / np.maximum(radius, 1e-8), 1.0) * polynomial
    square = radius**2
    above = 1 + square * (k["k1"] + square * (k["k2"] + square * k["k3"]))
    return above / (1 + square * (k["k4"] + square * (k["k5"] + square * k["k6"])))


def _factor_and_growth(model: str, k: dict[str, np.ndarray], radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_factor`, and its derivative by the radius divided by the radius."""
    square, factor = radius**2, _factor(model, k, radius)
    if model == FISHEYE:
        turned = np.arctan(radius) ** 2
        steep = 1 + turned * (3 * k["k1"] + turned * (5 * k["k2"] + turned * (7 * k["k3"] + turned * 9 * k["k4"])))
        growth = (steep / (1 + square) - factor) / np.maximum(square, 1e-8)
        return factor, np.where(square > 1e-8, growth, 2 * (k["k1"] - 1 / 3))  # the limit in the middle
    below = 1 + square * (k["k4"] + square * (k["k5"] + square * k["k6"]))
    above_slope = 2 * (k["k1"] + square * (2 * k["k2"] + square * 3 * k["k3"]))
    below_slope = 2 * (k["k4"] + square * (2 * k["k5"] + square * 3 * k["k6"]))
    return factor, (above_slope - factor * below_slope) / below


def _near(lens: Lens, seen: np.ndarray) -> np.ndarray:
    """[...,2] points of the plane near those that are seen at `seen`, by looking up what the radius becomes."""
    radii = np.concatenate(([0.0], RADII[fold_radius(lens) >= RADII]))
    along = radii * _factor(lens.model, _named(lens.model, lens.coefficients), radii)
    radius = np.linalg.norm(seen, axis=-1)
    factor = np.interp(radius, along, radii) / np.maximum(radius, 1e-12)
    return seen * np.where(radius > 1e-12, factor, 1.0)[..., None]
