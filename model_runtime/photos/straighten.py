"""A photo whose lens bends lines, as a pinhole would have taken it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy.sparse import csr_matrix

from model_runtime.contract.lens import Lens, Pinhole, seen_from_straight, straight_camera
from model_runtime.contract.messages import JobError
from model_runtime.photos.decode import DecodedPhoto, jpeg_plate
from model_runtime.photos.exr_file import LinearPhoto, write_linear
from model_runtime.photos.feature_photo import DIAGONAL_35MM

STEP = 8
"""Pixels between the places at which the lens is asked; between them it is so smooth that cubic interpolation misses
by less than a hundredth of a pixel."""

MARGIN = 2
"""Such places beyond the picture's edge, as many as the cubic needs on either side."""

BAND = 32
"""Rows of such places that a thread works on at once."""

MOST_THREADS = 4
"""Each takes some tens of megabytes."""

AT_ONCE = 1 << 14
"""Pixels that are interpolated at once: few, so that they stay in a processor's cache."""

SHARP, SMOOTH = -0.75, -0.5
"""Keys' cubic for pictures, as OpenCV and torch have it; and that of Catmull and Rom, which keeps straight lines
straight, for the lens."""

BEFORE, AFTER = 2, 3
"""How often a picture's rim is repeated for the cubic: before the first pixel, and after the last one."""

NOWHERE = -1.5
"""In pictures: far outside of the photo."""


def straighten(
    photo: DecodedPhoto, pixels: np.ndarray, lens: Lens, linear: LinearPhoto | None = None
) -> tuple[DecodedPhoto, np.ndarray]:
    """The photo and its pixels [h,w,3] uint8 as the pinhole `straight_camera(lens)` sees it.

    Outside of what the photo shows the plate is black, the pixels repeat the photo's rim, and `alpha` is 0. The focal
    length is that of the straight picture. linear: what a scene-linear photo holds; the plate then holds it, too, and
    is transparent outside. Raises JobError where the lens is that of a photo of another size.
    """
    if lens.size != photo.size:
        sentence = (
            f"{photo.name} has {photo.size[0]} x {photo.size[1]} pixels, its lens {lens.size[0]} x {lens.size[1]}."
        )
        raise JobError("bad-cameras", sentence, "Give the lens for the photo's size.")
    straight = straight_camera(lens)
    layers = [pixels] if photo.alpha is None else [pixels, photo.alpha[..., None]]
    source = _Source.of(np.concatenate(layers, axis=2).transpose(2, 0, 1))
    width, height = straight.size
    picture = np.empty((height, width, len(source.planes)), np.uint8)
    inside = np.empty((height, width), bool)

    def straighten_rows(rows: slice) -> None:
        across, down = _places(lens, straight, rows)
        inside[rows] = _inside(lens, across, down)
        picture[rows] = source.at(across.ravel(), down.ravel()).T.reshape(*across.shape, -1)

    _by_bands(height, straighten_rows)
    alpha = np.where(inside, 255 if photo.alpha is None else picture[..., 3], 0).astype(np.uint8)
    color = np.ascontiguousarray(picture[..., :3])
    if linear is None:
        plate = jpeg_plate(Image.fromarray(color * inside[..., None]))
    else:
        plate = write_linear(_straight_linear(linear, lens, straight))
    focal_35mm = straight.intrinsics[0, 0] / np.hypot(*straight.size) * DIAGONAL_35MM
    return replace(photo, size=straight.size, plate=plate, alpha=alpha, focal_35mm=float(focal_35mm)), color


def _straight_linear(photo: LinearPhoto, lens: Lens, straight: Pinhole) -> LinearPhoto:
    """As `straight` sees it, 0 outside of the photo.

    Cubic interpolation makes dark rings around lights, and the brighter these, the darker: so no value leaves what the
    four pixels around it have.
    """
    width, height = straight.size
    straightened = np.zeros((4, height, width), np.float16)

    def straighten_rows(rows: slice) -> None:
        across, down = _places(lens, straight, rows)
        inside = _inside(lens, across, down)
        if inside.any():
            straightened[:, rows][:, inside] = _bounded_at(photo.pixels, across[inside], down[inside])

    _by_bands(height, straighten_rows)
    return replace(photo, pixels=straightened)


def _bounded_at(pixels: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """[C,P] float32, of pixels [C,h,w] in the photo. Only the rows that are needed become float32."""
    first = max(0, int(down.min()) - 2)
    some = pixels[:, first : int(down.max()) + 3].astype(np.float32)
    return _Source.of(some).at(across, down - first)


def _by_bands(height: int, work: Callable[[slice], None]) -> None:
    """Does the work for all rows, few at once, in threads."""
    bands = [slice(top, min(top + BAND * STEP, height)) for top in range(0, height, BAND * STEP)]
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "straighten") as pool:
        list(pool.map(work, bands))


@dataclass(frozen=True, eq=False)
class _Source:
    """A picture between whose pixels one may look.

    planes: [C,n] uint8 or float32, its channels, row after row, the rim repeated BEFORE the first and AFTER the last of
    them. size: (width, height) without that.
    """

    planes: np.ndarray
    size: tuple[int, int]

    @classmethod
    def of(cls, channels: np.ndarray) -> _Source:
        """channels: [C,h,w]."""
        count, height, width = channels.shape
        padded = np.pad(channels, ((0, 0), (BEFORE, AFTER), (BEFORE, AFTER)), mode="edge")
        return cls(padded.reshape(count, -1), (width, height))

    def at(self, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """[C,P] of the picture's type: what is at these places [P]. Beyond the rim all is as it is there. Floats stay
        within what the four pixels around have."""
        values = np.empty((len(self.planes), len(across)), self.planes.dtype)
        length = self.size[0] + BEFORE + AFTER
        for start in range(0, len(across), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            column, columns = _taps(across[some], self.size[0])
            row, rows = _taps(down[some], self.size[1])
            for plane, value in zip(self.planes, values[:, some], strict=True):
                value[:] = _interpolated(plane, length, row * length + column, rows, columns)
        return values


def _interpolated(
    plane: np.ndarray, length: int, first: np.ndarray, rows: Sequence[np.ndarray], columns: Sequence[np.ndarray]
) -> np.ndarray:
    """[P] float32, by Keys' cubic (1981), of a plane with rows of this length. first: the first [P] of the four times
    four pixels that make what is at each place, and the weights of their rows and columns."""
    tap, pixel = np.empty(len(first), plane.dtype), np.empty(len(first), np.float32)
    total, of_row = np.zeros_like(pixel), np.empty_like(pixel)
    around = []
    for i, row_weight in enumerate(rows):
        for j, column_weight in enumerate(columns):
            plane[i * length + j :].take(first, out=tap, mode="clip")
            pixel[:] = tap
            if plane.dtype != np.uint8 and i in (1, 2) and j in (1, 2):
                around.append(tap.copy())
            np.multiply(pixel, column_weight, out=pixel if j else of_row)
            if j:
                of_row += pixel
        of_row *= row_weight
        total += of_row
    if around:
        least, most = np.minimum.reduce(around), np.maximum.reduce(around)
    else:
        np.rint(total, out=total)
        least, most = 0, 255
    return np.minimum(np.maximum(total, least, out=total), most, out=total)


def _taps(places: np.ndarray, size: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The first [P] of the four pixels, of `size` ones with their rim repeated, that make what is at each place [P],
    and the weights of the four, float32."""
    # From here on all is rim.
    centred = np.minimum(np.maximum(places - 0.5, -1.0), size)
    whole = np.floor(centred)
    return whole.astype(np.intp) + (BEFORE - 1), _cubic((centred - whole).astype(np.float32), SHARP)


def _cubic(after: np.ndarray, sharpness: float) -> tuple[np.ndarray, ...]:
    """Weights of the four pixels around a place that is `after` (0 to 1) the second one of them."""
    before = 1 - after
    both = sharpness * after * before
    second = ((sharpness + 2) * after - (sharpness + 3)) * after * after + 1
    first, last = both * before, both * after
    return first, second, 1 - first - second - last, last


def _inside(lens: Lens, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """bool: what lies in the photo."""
    width, height = lens.size
    return (across >= 0) & (across <= width) & (down >= 0) & (down <= height)


def _places(lens: Lens, straight: Pinhole, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows [h,w] of the photo at which the pixels of these rows of the straight picture lie."""
    height, width = rows.stop - rows.start, straight.size[0]
    known = np.stack(np.meshgrid(_asked(0, width), _asked(rows.start, rows.stop)), axis=-1)
    seen = seen_from_straight(lens, straight, known)
    seen = np.where(np.isnan(seen), np.multiply(NOWHERE, lens.size), seen)
    # Of [down, across, 2]: columns first, then rows with all their columns.
    wide = _between(width) @ seen.transpose(1, 0, 2).reshape(seen.shape[1], -1)
    across, down = wide.reshape(width, -1, 2).transpose(2, 1, 0)
    return _between(height) @ across, _between(height) @ down


def _asked(start: int, stop: int) -> np.ndarray:
    """Middles of squares of STEP pixels, from MARGIN before `start` to as many after `stop`."""
    return start + (np.arange(-MARGIN, -(-(stop - start) // STEP) + MARGIN) + 0.5) * STEP


def _between(count: int) -> csr_matrix:
    """[count,P] what pixels have of each of the P places of `_asked`."""
    at = (np.arange(count) + 0.5) / STEP - 0.5 + MARGIN
    second = np.floor(at).astype(int)
    weights = np.stack(_cubic(at - second, SMOOTH), axis=1)
    places = second[:, None] + np.arange(-1, 3)
    return csr_matrix(
        (weights.ravel(), places.ravel(), np.arange(0, weights.size + 1, 4)), (count, len(_asked(0, count)))
    )
