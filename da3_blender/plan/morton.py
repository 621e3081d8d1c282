"""Morton codes: places in space numbered so that those of a cell, at every level, follow one another. Numpy only."""

from __future__ import annotations

import numpy as np

LEVELS = 20
"""Codes are good for cells from 1 to 2**LEVELS units wide."""

SPREADING = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)
"""By steps, how bits move apart so that two others fit between them, and the mask of where they are then."""


def morton_codes(position: np.ndarray, shift: float = 0.0) -> tuple[np.ndarray, float]:
    """Codes [P] uint64 of `position` [P,3] in the grid of the finest cells, and how wide these are.

    The cell of level l, 2**l units wide, that holds a place is its code without the last 3*l bits. shift: 0..1, by how
    much of the whole the grid is moved: what one grid's border parts is together in another's cell.
    """
    low = position.min(0)
    span = float((position.max(0) - low).max()) * (1 + shift) or 1.0
    unit = span / (2**LEVELS - 1)
    place = ((position - low) / unit + shift * (2**LEVELS - 1) / (1 + shift)).astype(np.uint64)
    x, y, z = (spread_bits(place[:, axis]) for axis in range(3))
    return x | y << np.uint64(1) | z << np.uint64(2), unit


def spread_bits(numbers: np.ndarray) -> np.ndarray:
    """[P] uint64, the lowest 21 bits of `numbers` [P] uint64 with room for two others after each."""
    for step, mask in SPREADING:
        numbers = (numbers | numbers << np.uint64(step)) & np.uint64(mask)
    return numbers
