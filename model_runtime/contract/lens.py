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

WIDEST = 72.0
"""Degrees from the axis, up or aside, that a straight picture reaches: one of 90 would be infinitely large."""

MOST_ENLARGED = 2.0
"""Longest sides of the photo that the longest side of its straight picture has at most; beyond, all of it is shown
smaller."""

BORDER = 64
"""Points of each side of a photo that are looked at to find out how far its straight picture reaches."""

STEPS = 50
CONVERGED = 1e-12
RADII = np.linspace(0.0, 20.0, 4001)[1:]
"""Where the plane's radius is looked at for the place beyond which a model folds back on itself."""


@dataclass(frozen=True, eq=False)
class Lens:
    """The camera that a photo was really taken with.

    model: BROWN or FISHEYE. size: the upright original photo's (width, height). intrinsics: [3,3] float64 in its pixels,
    without skew. coefficients: float64, as COEFFICIENTS names them; fewer stand for zeros at the end.
    """

    model: str
    size: tuple[int, int]
    intrinsics: np.ndarray
    coefficients: np.ndarray

    @property
    def named(self) -> dict[str, float]:
        """All coefficients of the model by their names."""
        names = COEFFICIENTS[self.model]
        values = [*map(float, self.coefficients), *[0.0] * len(names)]
        return dict(zip(names, values, strict=False))


class Pinhole(NamedTuple):
    """size: (width, height). intrinsics: [3,3] float64, pixels with centres at +0.5."""

    size: tuple[int, int]
    intrinsics: np.ndarray


def distort(lens: Lens, plane: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the photo at which points of the plane [...,2] are seen; NaN beyond where the model folds."""
    bent, _ = _bent(lens, plane)
    inside = np.square(plane).sum(-1) <= fold_radius(lens) ** 2
    pixels = bent * lens.intrinsics.diagonal()[:2] + lens.intrinsics[:2, 2]
    return np.where(inside[..., None], pixels, np.nan)


def undistort(lens: Lens, pixels: np.ndarray) -> np.ndarray:
    """[...,2] the plane's points that the photo shows at these pixels [...,2], by Newton's method; NaN where none is:
    90 degrees and more off the axis, and beyond where the model folds."""
    seen = (pixels - lens.intrinsics[:2, 2]) / lens.intrinsics.diagonal()[:2]
    plane = _radial_start(lens, seen)
    limit = fold_radius(lens)
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            bent, slope = _bent(lens, plane)
            miss = bent - seen
            step = np.stack(
                (
                    slope[..., 1, 1] * miss[..., 0] - slope[..., 0, 1] * miss[..., 1],
                    slope[..., 0, 0] * miss[..., 1] - slope[..., 1, 0] * miss[..., 0],
                ),
                axis=-1,
            ) / (slope[..., 0, 0] * slope[..., 1, 1] - slope[..., 0, 1] * slope[..., 1, 0])[..., None]
            plane = plane - step
            if not (np.abs(step) > CONVERGED * (1 + np.abs(plane))).any():
                break
        found = np.abs(_bent(lens, plane)[0] - seen).max(-1) < 1e-8
        found &= np.square(plane).sum(-1) <= limit**2
    return np.where(found[..., None], plane, np.nan)


def fold_radius(lens: Lens) -> float:
    """The plane's radius from which on points further out are seen further in, which no lens does; inf for none."""
    along = _radial(lens, RADII) * RADII
    falls = np.flatnonzero(np.diff(along, prepend=0.0) <= 0)
    return float(RADII[falls[0] - 1]) if len(falls) and falls[0] else float("inf") if not len(falls) else 0.0


def largest_shift(lens: Lens) -> float:
    """How far the lens moves a pixel at most from where a pinhole of the same focal length sees it, in pixels."""
    border = _border(lens.size)
    plane = undistort(lens, border)
    straight = plane * lens.intrinsics.diagonal()[:2] + lens.intrinsics[:2, 2]
    shift = np.linalg.norm(straight - border, axis=-1)
    return float(np.inf if np.isnan(shift).any() else shift.max())


def straight_camera(lens: Lens) -> Pinhole:
    """The pinhole whose picture shows everything that the photo does, at the photo's own scale in its middle.

    What is more than WIDEST aside is cut off, and a picture that would be larger than MOST_ENLARGED is scaled down.
    """
    focal, middle = lens.intrinsics.diagonal()[:2], lens.intrinsics[:2, 2]
    reach = np.tan(np.radians(WIDEST))
    plane = np.nan_to_num(undistort(lens, _border(lens.size)), nan=np.inf)
    outside = ~np.isfinite(plane).all(-1)
    aside = np.sign(_border(lens.size) - middle)
    plane[outside] = aside[outside] * reach
    plane = np.clip(plane, -reach, reach)
    low, high = plane.min(0) * focal, plane.max(0) * focal
    scale = min(1.0, MOST_ENLARGED * max(lens.size) / (high - low).max())
    low, high = np.floor(low * scale - 1e-6), np.ceil(high * scale + 1e-6)
    width, height = (high - low).astype(int).tolist()
    intrinsics = np.array(
        [[focal[0] * scale, 0, -low[0]], [0, focal[1] * scale, -low[1]], [0, 0, 1.0]],
    )
    return Pinhole((width, height), intrinsics)


def seen_from_straight(lens: Lens, straight: Pinhole, pixels: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the photo that show what the straight picture shows at its pixels [...,2]; NaN for nothing."""
    plane = (pixels - straight.intrinsics[:2, 2]) / straight.intrinsics.diagonal()[:2]
    return distort(lens, plane)


def seen_by_straight(lens: Lens, straight: Pinhole, pixels: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the straight picture that show what the photo shows at its pixels [...,2]; NaN for nothing."""
    return undistort(lens, pixels) * straight.intrinsics.diagonal()[:2] + straight.intrinsics[:2, 2]


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


def _radial(lens: Lens, radius: np.ndarray) -> np.ndarray:
    """By how much a point of the plane at this radius moves out, as a factor."""
    k = lens.named
    if lens.model == FISHEYE:
        angle = np.arctan(radius)
        square = angle**2
        polynomial = 1 + square * (k["k1"] + square * (k["k2"] + square * (k["k3"] + square * k["k4"])))
        return np.where(radius > 1e-8, angle / np.maximum(radius, 1e-8), 1.0) * polynomial
    square = radius**2
    above = 1 + square * (k["k1"] + square * (k["k2"] + square * k["k3"]))
    below = 1 + square * (k["k4"] + square * (k["k5"] + square * k["k6"]))
    return above / below


def _bent(lens: Lens, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[...,2] where points of the plane are seen, in focal lengths, and the slope of that, [...,2,2]."""
    x, y = plane[..., 0], plane[..., 1]
    square = x * x + y * y
    radius = np.sqrt(square)
    factor, growth = _radial_and_slope(lens, radius)
    outer = plane[..., :, None] * plane[..., None, :]
    slope = factor[..., None, None] * np.eye(2) + growth[..., None, None] * outer
    bent = factor[..., None] * plane
    if lens.model == BROWN and (lens.named["p1"] or lens.named["p2"]):
        p1, p2 = lens.named["p1"], lens.named["p2"]
        aside = (2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y)
        bent = bent + np.stack(aside, axis=-1)
        across = np.stack((2 * p1 * y + 6 * p2 * x, 2 * p1 * x + 2 * p2 * y), axis=-1)
        down = np.stack((2 * p1 * x + 2 * p2 * y, 6 * p1 * y + 2 * p2 * x), axis=-1)
        slope = slope + np.stack((across, down), axis=-2)
    return bent, slope


def _radial_and_slope(lens: Lens, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The factor of `_radial`, and its derivative by the radius divided by the radius."""
    k, square = lens.named, radius**2
    if lens.model == FISHEYE:
        angle, turned = np.arctan(radius), np.arctan(radius) ** 2
        safe = np.maximum(radius, 1e-4)
        factor = _radial(lens, radius)
        steep = 1 + turned * (3 * k["k1"] + turned * (5 * k["k2"] + turned * (7 * k["k3"] + turned * 9 * k["k4"])))
        growth = (steep / (1 + square) - factor) / safe**2
        near = 2 * (k["k1"] - 1 / 3)  # its limit at the middle
        return factor, np.where((radius > 1e-4) & (angle > 0), growth, near)
    above = 1 + square * (k["k1"] + square * (k["k2"] + square * k["k3"]))
    below = 1 + square * (k["k4"] + square * (k["k5"] + square * k["k6"]))
    above_slope = 2 * (k["k1"] + square * (2 * k["k2"] + square * 3 * k["k3"]))
    below_slope = 2 * (k["k4"] + square * (2 * k["k5"] + square * 3 * k["k6"]))
    return above / below, (above_slope * below - above * below_slope) / below**2


def _radial_start(lens: Lens, seen: np.ndarray) -> np.ndarray:
    """[...,2] points of the plane near those that are seen at `seen`, by looking up what the radius becomes."""
    limit = min(fold_radius(lens), RADII[-1])
    radii = np.concatenate(([0.0], RADII[limit >= RADII]))
    along = radii * _radial(lens, radii)
    radius = np.linalg.norm(seen, axis=-1)
    factor = np.interp(radius, along, radii) / np.maximum(radius, 1e-12)
    return seen * np.where(radius > 1e-12, factor, 1.0)[..., None]
