"""How large a photo may be, as its header tells it: known before anything is decoded. Standard library only."""

from __future__ import annotations

LONGEST_SIDE = 65_500
"""Pixels. What libjpeg writes at most, as which Blender gets photos that it would show differently."""

MOST_PIXELS = 1_000_000_000

PIXELS_PER_BYTE = 2_000
"""No photo has as many in a byte of its file: a JPEG at most 512, where all of it is one colour, and an 8-bit PNG
1032. More are a header that lies, or a file that was made to fill the memory."""

ALWAYS_TAKEN = 4_000_000
"""Pixels of which a file may be as small as it likes."""


def is_too_large(size: tuple[int, int]) -> bool:
    """size: (width, height) in pixels."""
    return max(size) > LONGEST_SIDE or size[0] * size[1] > MOST_PIXELS


def is_hollow(size: tuple[int, int], file_bytes: int) -> bool:
    """Whether a file is too small for the (width, height) that its header claims."""
    return size[0] * size[1] > max(ALWAYS_TAKEN, PIXELS_PER_BYTE * file_bytes)
