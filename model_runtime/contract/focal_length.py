"""A photo's focal length on 35 mm film, from what Exif tells of lens and sensor. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from model_runtime.contract.tiff_tags import (
    FOCAL,
    FOCAL_35MM,
    PIXELS_ACROSS,
    PIXELS_DOWN,
    PLANE_UNIT,
    PLANE_X,
    PLANE_Y,
)

PLAUSIBLE_35MM = (9, 2000)
"""Millimetres. No lens that keeps straight lines straight is wider; action cameras that do not know write 1."""

DIAGONAL_35MM = math.hypot(36.0, 24.0)
"""Millimetres across a picture on 35 mm film."""

UNITS: dict[float, float] = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""Exif's ResolutionUnit, as cameras write it for the focal plane, too -> millimetres."""

INCH = 2
PLAUSIBLE_SENSOR = (2.5, 90.0)
"""Millimetres across: the smallest of phones and webcams, the largest of medium format."""

SQUARE = 0.05
"""How much a pixel's sides may differ, and the shape of the photo from that which its tags are of; more are tags that
were kept when the photo was cropped, or made up."""


def focal_on_35mm(tags: Mapping[int, float], size: tuple[int, int]) -> float | None:
    """Millimetres on 36 x 24 mm film with the same angle across the picture's diagonal; None where nothing tells.

    size: (width, height) of the photo, upright or not. Where FocalLengthIn35mmFilm is missing it follows from the
    lens's own focal length and the sensor's size, which is the photo's pixels times their size on the focal plane.
    """
    told = tags.get(FOCAL_35MM, 0.0)
    if not told:
        across = _sensor(tags, size)
        told = tags.get(FOCAL, 0.0) * DIAGONAL_35MM / across if across else 0.0
    return told if PLAUSIBLE_35MM[0] <= told <= PLAUSIBLE_35MM[1] else None


def _sensor(tags: Mapping[int, float], size: tuple[int, int]) -> float | None:
    """Millimetres across the part of the sensor that the photo shows; None where that is not told, or implausible."""
    unit, per_x = UNITS.get(tags.get(PLANE_UNIT, INCH)), tags.get(PLANE_X, 0.0)
    per_y = tags.get(PLANE_Y, per_x)
    seen = (tags.get(PIXELS_ACROSS) or size[0], tags.get(PIXELS_DOWN) or size[1])
    if unit is None or min(per_x, per_y, *size) <= 0 or not _alike(per_x, per_y):
        return None
    if not _alike(max(seen) / min(seen), max(size) / min(size)):
        return None
    across = math.hypot(seen[0] / per_x, seen[1] / per_y) * unit
    return across if PLAUSIBLE_SENSOR[0] <= across <= PLAUSIBLE_SENSOR[1] else None


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= SQUARE * max(one, other)
