"""What can be chosen about an export."""

from __future__ import annotations

from dataclasses import dataclass

STRAIGHT, ORIGINAL = "straight", "original"
PICTURES = (STRAIGHT, ORIGINAL)


@dataclass(frozen=True)
class ExportSettings:
    """pictures: which photos COLMAP and transforms.json describe where a lens bends lines: STRAIGHT ones with pinholes,
    or the ORIGINAL ones with their lenses. copy_pictures: whether the pictures are written along."""

    pictures: str = STRAIGHT
    copy_pictures: bool = True
