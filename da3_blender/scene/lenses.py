"""The lens that bends a photo, on its camera's data: plain properties, so that files keep it without the add-on.

Blender's camera is the pinhole of the straightened photo; what the photo was really taken with stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.lens import COEFFICIENTS, Lens, Pinhole, named_coefficients

from .marks import INTRINSICS, RESOLUTION

MODEL, SIZE, PIXELS, COEFFICIENT = (
    "da3_lens_model",
    "da3_lens_size",
    "da3_lens_intrinsics",
    "da3_lens_coefficients",
)
"""Custom properties of the camera data: `Lens`, field by field, the intrinsics row by row."""


def write_lens(data: bpy.types.Camera, lens: Lens | None) -> None:
    """Write on a camera which lens its photo was taken with; None, a pinhole, takes off what stood there."""
    for key in (MODEL, SIZE, PIXELS, COEFFICIENT):
        if key in data:
            del data[key]
    if lens is not None:
        data[MODEL], data[SIZE] = lens.model, list(lens.size)
        data[PIXELS] = numbers(lens.intrinsics)
        data[COEFFICIENT] = list(named_coefficients(lens).values())


def read_lens(data: bpy.types.Camera) -> Lens | None:
    """The lens that `write_lens` wrote; None for a pinhole, and where what stands there is no lens any more."""
    model = data.get(MODEL)
    found = {key: _read(data, key) for key in (SIZE, PIXELS, COEFFICIENT)}
    size, pixels, coefficients = found[SIZE], found[PIXELS], found[COEFFICIENT]
    if model not in COEFFICIENTS or (size.size, pixels.size, coefficients.size) != (2, 9, len(COEFFICIENTS[model])):
        return None
    return Lens(str(model), (int(size[0]), int(size[1])), pixels.reshape(3, 3), coefficients)


def read_pinhole(data: bpy.types.Camera) -> Pinhole | None:
    """What the add-on wrote of the picture behind the camera, which is straight: its size and intrinsics in pixels.
    None where it wrote none, as versions before this one."""
    size, pixels = _read(data, RESOLUTION), _read(data, INTRINSICS)
    if (size.size, pixels.size) != (2, 9):
        return None
    return Pinhole((int(size[0]), int(size[1])), pixels.reshape(3, 3))


def numbers(matrix: np.ndarray) -> list[float]:
    """A matrix as a custom property holds it, in double precision."""
    return [float(value) for value in np.asarray(matrix, dtype=np.float64).ravel()]


def _read(data: bpy.types.Camera, key: str) -> np.ndarray:
    """[N] float64, empty where there are no numbers."""
    value: Any = data.get(key)
    if not isinstance(value, Sequence) and not hasattr(value, "to_list"):
        return np.empty(0)
    try:
        return np.array(list(value), dtype=np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
