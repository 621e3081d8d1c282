"""A photo as feature matching takes it: grey, upright, of a bounded size, with what its file tells of its camera."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model_runtime.contract.focal_length import DIAGONAL_35MM
from model_runtime.photos.canvas import resize

WORKING_SIDE = 1200
"""Longest side in pixels at which features are looked for; larger finds little more and takes its square in time."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Of R'G'B' in ITU-R BT.601."""


@dataclass(frozen=True, eq=False)
class FeaturePhoto:
    """name, size: the photo's name and its upright (width, height). grey: [h,w] uint8, the whole photo, w and h at
    most WORKING_SIDE. focal_35mm: EXIF focal length in millimetres on 35 mm film, or None. camera: what EXIF tells of
    the camera (make, model, focal length) as one text, empty where it tells nothing.
    """

    name: str
    size: tuple[int, int]
    grey: np.ndarray
    focal_35mm: float | None = None
    camera: str = ""

    @property
    def pixel(self) -> float:
        """Pixels of the photo per working pixel, the same in x and y."""
        return max(1.0, max(self.size) / WORKING_SIDE)

    @property
    def known_focal(self) -> float | None:
        """Focal length in pixels of the photo, from EXIF."""
        return None if self.focal_35mm is None else focal_in_pixels(self.focal_35mm, self.size)

    @cached_property
    def digest(self) -> str:
        """Of all that features and their verification depend on."""
        digest = hashlib.sha256(self.grey.tobytes())
        digest.update(repr((self.grey.shape, self.size, self.known_focal)).encode())
        return digest.hexdigest()


COMPARED_SIDE = 400
"""Longest side in pixels at which photos are compared to refine depth."""


def grey_picture(pixels: np.ndarray, longest: int) -> np.ndarray:
    """[h,w] uint8, sides at most `longest`, from the upright photo [H,W,3] uint8 RGB."""
    height, width = pixels.shape[:2]
    factor = min(1.0, longest / max(width, height))
    small = resize(pixels, max(1, round(width * factor)), max(1, round(height * factor)))
    return np.ascontiguousarray(np.round(small.astype(np.float32) @ LUMA).astype(np.uint8))


def feature_photo(name: str, pixels: np.ndarray, focal_35mm: float | None = None, camera: str = "") -> FeaturePhoto:
    """From the upright photo, [h,w,3] uint8 RGB."""
    height, width = pixels.shape[:2]
    return FeaturePhoto(name, (width, height), grey_picture(pixels, WORKING_SIDE), focal_35mm, camera)


def focal_in_pixels(focal_35mm: float, size: tuple[int, int]) -> float:
    """Of a photo of (width, height), from millimetres on 35 mm film with a picture of the same diagonal."""
    return focal_35mm / DIAGONAL_35MM * float(np.hypot(*size))


def camera_groups(photos: Sequence[FeaturePhoto]) -> list[int]:
    """For each photo the number of its camera: photos of one size whose files tell the same camera share one.

    Files that tell nothing (renders, frames of a film) count as the same camera, too.
    """
    numbers: dict[tuple[object, ...], int] = {}
    return [numbers.setdefault((p.size, p.camera, p.focal_35mm), len(numbers)) for p in photos]
