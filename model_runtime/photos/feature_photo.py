"""A photo as feature matching takes it: grey, upright, of a bounded size, with what its file tells of its camera."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from model_runtime.contract.focal_length import DIAGONAL_35MM
from model_runtime.photos.canvas import resize, size_of, with_longest

WORKING_SIDE = 1200
"""Longest side in pixels at which features are looked for; larger finds little more and takes its square in time."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Of R'G'B' in ITU-R BT.601."""

SAME_LENS = 1e-4
"""Longest sides, up to which two known lenses are one: so much is lost on the way through Blender."""


@dataclass(frozen=True, eq=False)
class FeaturePhoto:
    """name, size: the photo's name and its upright (width, height). grey: [h,w] uint8, the whole photo, w and h at
    most WORKING_SIDE. focal_35mm: EXIF focal length in millimetres on 35 mm film, or None. camera: what EXIF tells of
    the camera (make, model, focal length) as one text, empty where it tells nothing. lens: [3,3] intrinsics, in pixels
    of the photo, where they are known for sure and stay. let_go: the digest of a picture that is no longer in memory;
    `grey` is then empty.
    """

    name: str
    size: tuple[int, int]
    grey: np.ndarray
    focal_35mm: float | None = None
    camera: str = ""
    lens: np.ndarray | None = None
    let_go: str = ""

    def without_picture(self) -> FeaturePhoto:
        """The same photo without its picture, which takes a megabyte: features are told by its digest."""
        return replace(self, grey=np.zeros((0, 0), np.uint8), let_go=self.digest)

    @property
    def pixel(self) -> float:
        """Pixels of the photo per working pixel, the same in x and y."""
        return max(1.0, max(self.size) / WORKING_SIDE)

    @property
    def known_focal(self) -> float | None:
        """Focal length in pixels of the photo: its lens's, else from EXIF."""
        if self.lens is not None:
            return float(self.lens[0, 0] + self.lens[1, 1]) / 2
        return None if self.focal_35mm is None else focal_in_pixels(self.focal_35mm, self.size)

    @property
    def told(self) -> tuple[object, ...]:
        """What tells one camera from another, but for the photo's size."""
        return self.camera, self.focal_35mm, None if self.lens is None else self.lens.tobytes()

    @cached_property
    def digest(self) -> str:
        """Of all that features depend on."""
        if self.let_go:
            return self.let_go
        digest = hashlib.sha256(self.grey.tobytes())
        digest.update(repr((self.grey.shape, self.size)).encode())
        return digest.hexdigest()

    @property
    def verified_as(self) -> tuple[str, float | None]:
        """Of all that the verification of matches depends on."""
        return self.digest, self.known_focal


COMPARED_SIDE = 400
"""Longest side in pixels at which photos are compared to refine depth."""


def grey_picture(pixels: np.ndarray, longest: int) -> np.ndarray:
    """[h,w] uint8, sides at most `longest`, from the upright photo [H,W,3] uint8 RGB."""
    return grey(shrunk(pixels, longest))


def grey(pixels: np.ndarray) -> np.ndarray:
    """[h,w] uint8 of [h,w,3] uint8 RGB."""
    return np.ascontiguousarray(np.round(pixels.astype(np.float32) @ LUMA).astype(np.uint8))


def shrunk(pixels: np.ndarray, longest: int) -> np.ndarray:
    """[h,w,3] uint8, sides at most `longest`, from the upright photo [H,W,3] uint8."""
    return resize(pixels, *at_most(size_of(pixels), longest))


def at_most(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) of the same shape whose sides are at most `longest`, and no longer than they were."""
    return with_longest(size, min(longest, max(size)))


def feature_photo(name: str, pixels: np.ndarray, focal_35mm: float | None = None, camera: str = "") -> FeaturePhoto:
    """From the upright photo, [h,w,3] uint8 RGB."""
    return FeaturePhoto(name, size_of(pixels), grey_picture(pixels, WORKING_SIDE), focal_35mm, camera)


def focal_in_pixels(focal_35mm: float, size: tuple[int, int]) -> float:
    """Of a photo of (width, height), from millimetres on 35 mm film with a picture of the same diagonal."""
    return focal_35mm / DIAGONAL_35MM * float(np.hypot(*size))


def camera_groups(photos: Sequence[FeaturePhoto]) -> list[int]:
    """For each photo the number of its camera: photos of one size whose files tell the same camera share one.

    Files that tell nothing (renders, frames of a film) count as the same camera, too.
    """
    numbers: dict[tuple[object, ...], int] = {}
    return [numbers.setdefault((photo.size, *photo.told), len(numbers)) for photo in photos]


def with_known_lenses(photos: Sequence[FeaturePhoto], intrinsics: np.ndarray) -> list[FeaturePhoto]:
    """The photos with their lenses [N,3,3], NaN where one is not known: it is then that of the same camera's photos,
    where these have one and the same."""
    numbers = np.array(camera_groups(photos))
    known = np.isfinite(intrinsics).all((1, 2))
    told = []
    for i, photo in enumerate(photos):
        lenses = intrinsics[known & (numbers == numbers[i])]
        if len(lenses) and np.allclose(lenses, lenses[0], rtol=0, atol=SAME_LENS * max(photo.size)):
            told.append(replace(photo, lens=lenses[0]))
        else:
            told.append(replace(photo, lens=intrinsics[i]) if known[i] else photo)
    return told
