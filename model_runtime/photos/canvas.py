"""From photos of any size to one batch the network takes, and from the network's pixels back to the photos'.

Every photo is resized as the released models expect (longest side to a given length, then both sides to multiples
of the patch size) and, where sizes differ within a job, centred on a common canvas. Nothing is ever cut off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from PIL import Image

from model_runtime.contract.catalogue import PATCH

RAY_CELLS_PER_PATCH = 8
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet, in RGB, as for the backbone's DINOv2 weights (Oquab et al. 2023)."""

ROWS_AT_ONCE = 128
"""Of a picture that is resized."""

NONE = 2**31
"""A row below every picture."""

CUBIC = -0.75
"""Keys' cubic with the coefficient OpenCV and torch use."""


@dataclass(frozen=True)
class Placement:
    """Where a photo lies on the canvas the network sees.

    photo: upright (width, height) in its own pixels. size, canvas: (width, height) in the network's pixels.
    The photo lies in the middle of the canvas; sizes are multiples of 14, so its borders are multiples of 7.
    """

    photo: tuple[int, int]
    size: tuple[int, int]
    canvas: tuple[int, int]

    @property
    def left(self) -> int:
        return (self.canvas[0] - self.size[0]) // 2

    @property
    def top(self) -> int:
        return (self.canvas[1] - self.size[1]) // 2

    def crop(self, dense: np.ndarray) -> np.ndarray:
        """The photo's part of a map over the canvas, [H,W,...] pixels or [8H/14,8W/14,...] ray cells."""
        cells, patches = dense.shape[0], self.canvas[1] // PATCH
        per_patch = cells // patches
        left, top, width, height = (n * per_patch // PATCH for n in (self.left, self.top, *self.size))
        return dense[top : top + height, left : left + width]

    def intrinsics_to_photo(self, intrinsics: np.ndarray) -> np.ndarray:
        """[3,3] in pixels of the canvas to [3,3] in pixels of the photo; both have pixel centres at +0.5."""
        scale_x, scale_y = self.photo[0] / self.size[0], self.photo[1] / self.size[1]
        to_photo = np.array([[scale_x, 0, -scale_x * self.left], [0, scale_y, -scale_y * self.top], [0, 0, 1]])
        return to_photo @ intrinsics

    def intrinsics_to_canvas(self, intrinsics: np.ndarray) -> np.ndarray:
        """The inverse of `intrinsics_to_photo`."""
        scale_x, scale_y = self.size[0] / self.photo[0], self.size[1] / self.photo[1]
        to_canvas = np.array([[scale_x, 0, self.left], [0, scale_y, self.top], [0, 0, 1]])
        return to_canvas @ intrinsics


def fit(image: np.ndarray, resolution: int) -> np.ndarray:
    """[h,w,3] uint8 at the network's size: longest side to `resolution`, then each side to a multiple of 14."""
    return in_patches(resize(image, *with_longest(size_of(image), resolution)))


def size_of(image: np.ndarray) -> tuple[int, int]:
    """(width, height) of [h,w,...]."""
    return image.shape[1], image.shape[0]


def with_longest(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) of the same shape whose longest side is that."""
    scale = longest / max(size)
    # Python rounds halves to even, as the released preprocessing does here.
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def in_patches(image: np.ndarray) -> np.ndarray:
    """[h,w,C] uint8 with sides that are multiples of the patch size."""
    return resize(image, *(nearest_multiple(side) for side in size_of(image)))


def nearest_multiple(side: int) -> int:
    """The nearest multiple of the patch size, the upper one where two are as near; at least one patch."""
    return max(PATCH, (side + PATCH // 2) // PATCH * PATCH)


def place(photos: Sequence[tuple[int, int]], sizes: Sequence[tuple[int, int]]) -> list[Placement]:
    """Photos of the given fitted sizes on the smallest canvas that holds each of them; all (width, height)."""
    canvas = (max(width for width, _ in sizes), max(height for _, height in sizes))
    return [Placement(photo, size, canvas) for photo, size in zip(photos, sizes, strict=True)]


def normalised_batch(images: Sequence[np.ndarray], placements: Sequence[Placement]) -> np.ndarray:
    """[N,3,H,W] float32 from fitted [h,w,3] uint8 images; around them the mean colour, which is 0 to the network."""
    width, height = placements[0].canvas
    batch = np.zeros((len(images), 3, height, width), np.float32)
    for canvas, image, placement in zip(batch, images, placements, strict=True):
        normalised = (image.astype(np.float32) / 255.0 - MEAN) / DEVIATION
        placement.crop(canvas.transpose(1, 2, 0))[...] = normalised
    return batch


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """[h,w,C] uint8 to [height,width,C]: cubic when a side grows, else the mean over each new pixel's area."""
    if image.shape[:2] == (height, width):
        return image
    [resized] = resize_all(image, [(width, height)])
    return resized


def resize_all(image: Image.Image | np.ndarray, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """A picture, [h,w,C] uint8 or Pillow's in RGB, in each of the sizes (width, height), as by `resize`.

    It is gone through once, a few rows after the other: as a whole it never becomes float32.
    """
    channels = len(image.getbands()) if isinstance(image, Image.Image) else image.shape[2]
    width, height = image.size if isinstance(image, Image.Image) else size_of(image)
    targets = [_Target((width, height), size, channels) for size in sizes]
    window = np.empty((max(target.reach for target in targets) + ROWS_AT_ONCE, width * channels), np.float32)
    first = 0  # row of the picture in the window
    for top in range(0, height, ROWS_AT_ONCE):
        rows = _rows(image, top, min(top + ROWS_AT_ONCE, height))
        passed = min(top, *(target.needed_from for target in targets)) - first
        first += passed
        kept = top - first
        window[:kept] = window[passed : passed + kept]
        window[kept : kept + len(rows)] = rows.reshape(len(rows), -1)
        for target in targets:
            target.take(window[: kept + len(rows)], first)
    return [target.picture for target in targets]


def _rows(image: Image.Image | np.ndarray, top: int, bottom: int) -> np.ndarray:
    if isinstance(image, Image.Image):
        return np.asarray(image.crop((0, top, image.width, bottom)))
    return image[top:bottom]


class _Target:
    """A picture that is made row by row of the larger or smaller one whose rows it is given. Sizes: (width, height)."""

    def __init__(self, old: tuple[int, int], new: tuple[int, int], channels: int) -> None:
        weights = _cubic_weights if new[0] > old[0] or new[1] > old[1] else _area_weights
        self._size, self._rows = new, weights(old[1], new[1])
        # [w*C, old w*C]: each channel by itself.
        self._columns = scipy.sparse.kron(weights(old[0], new[0]), scipy.sparse.identity(channels, "float32"), "csr")
        starts = self._rows.indptr[:-1]
        self._first = np.minimum.reduceat(self._rows.indices, starts)
        self._last = np.maximum.reduceat(self._rows.indices, starts)
        self._done: list[np.ndarray] = []
        self._height = 0

    @property
    def reach(self) -> int:
        """How many rows go into one at most."""
        return int((self._last - self._first).max()) + 1

    @property
    def needed_from(self) -> int:
        """The first row that is needed still."""
        return int(self._first[self._height]) if self._height < len(self._first) else NONE

    def take(self, rows: np.ndarray, first: int) -> None:
        """rows: [r,w*C] float32, those from `first` on that are needed still and there."""
        begin, end = self._height, int(np.searchsorted(self._last, first + len(rows)))
        if begin == end:
            return
        tall = self._rows[begin:end, first : first + len(rows)] @ rows
        wide = (self._columns @ tall.T).T
        self._done.append(np.clip(np.round(wide), 0, 255).astype(np.uint8))
        self._height = end

    @property
    def picture(self) -> np.ndarray:
        """[h,w,C] uint8, when all rows were there."""
        return np.concatenate(self._done).reshape(self._size[1], self._size[0], -1)


def _area_weights(old: int, new: int) -> scipy.sparse.csr_matrix:
    """[new,old]: how much of each old pixel lies in each new one, rows summing to 1; pixels at the ends in part."""
    edges = np.linspace(0.0, old, new + 1)
    first = np.floor(edges[:-1]).astype(int)
    reach = math.ceil(old / new) + 1
    taps = first[:, None] + np.arange(reach)
    overlap = np.minimum(taps + 1, edges[1:, None]) - np.maximum(taps, edges[:-1, None])
    return _weights(taps, np.clip(overlap, 0.0, None) * new / old, old)


def _cubic_weights(old: int, new: int) -> scipy.sparse.csr_matrix:
    """[new,old]: Keys' cubic interpolation (1981) without low-pass, the border repeated."""
    position = (np.arange(new) + 0.5) * old / new - 0.5
    first = np.floor(position).astype(int) - 1
    taps = first[:, None] + np.arange(4)
    x = np.abs(position[:, None] - taps)
    near = (CUBIC + 2) * x**3 - (CUBIC + 3) * x**2 + 1
    far = CUBIC * (x**3 - 5 * x**2 + 8 * x - 4)
    return _weights(taps, np.where(x <= 1, near, far), old)


def _weights(taps: np.ndarray, values: np.ndarray, old: int) -> scipy.sparse.csr_matrix:
    new, reach = taps.shape
    rows = np.repeat(np.arange(new), reach)
    columns = np.clip(taps, 0, old - 1).ravel()
    weights = scipy.sparse.csr_matrix((values.ravel().astype(np.float32), (rows, columns)), shape=(new, old))
    weights.eliminate_zeros()
    return weights
