"""A photo whose lens bends lines, as a pinhole would have taken it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

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
"""Rows of such places that are worked on at once."""

CUBIC = 2
"""Pixels on either side of a place that cubic interpolation takes into account."""

NOWHERE = -4.0
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
    source = torch.from_numpy(np.concatenate(layers, axis=2)).permute(2, 0, 1)[None].float()
    width, height = straight.size
    picture = np.empty((height, width, source.shape[1]), np.uint8)
    inside = np.empty((height, width), bool)
    for rows, grid in _bands(lens, straight):
        sampled = torch.nn.functional.grid_sample(source, grid, "bicubic", "border", align_corners=False)
        picture[rows] = sampled[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()
        inside[rows] = _inside(grid).numpy()
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
    for rows, grid in _bands(lens, straight):
        inside = _inside(grid)
        if not inside.any():
            continue
        source, place = _needed(photo.pixels, grid, inside)
        sampled = torch.nn.functional.grid_sample(source, place, "bicubic", "border", align_corners=False)
        sampled = sampled.clamp(-_brightest(-source, place), _brightest(source, place))
        straightened[:, rows] = torch.where(inside, sampled[0], 0).numpy()
    return replace(photo, pixels=straightened)


def _needed(pixels: np.ndarray, grid: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """[1,C,r,w] float32: the rows of the photo's pixels [C,h,w] that the places `inside` [h,w] of the grid take into
    account; and the grid, -1..1 in these rows."""
    height = pixels.shape[1]
    down = (grid[..., 1] + 1) / 2 * height
    seen = down[0][inside]
    first = max(0, int(seen.min().floor()) - CUBIC)
    source = torch.from_numpy(pixels[:, first : int(seen.max().ceil()) + CUBIC]).float()[None]
    return source, torch.stack((grid[..., 0], (down - first) / source.shape[2] * 2 - 1), dim=-1)


def _brightest(source: Tensor, place: Tensor) -> Tensor:
    """[1,C,h,w]: the largest of the four pixels of `source` [1,C,r,w] around each place [1,h,w,2], -1..1."""
    most = torch.nn.functional.pad(source, (1, 1, 1, 1), "replicate")
    most = torch.maximum(most[:, :, 1:], most[:, :, :-1])
    most = torch.maximum(most[..., 1:], most[..., :-1])
    size = torch.tensor((source.shape[3], source.shape[2]))
    return torch.nn.functional.grid_sample(most, place * (size / (size + 1)), "nearest", "border", align_corners=False)


def _bands(lens: Lens, straight: Pinhole) -> Iterator[tuple[slice, Tensor]]:
    """Rows of the straight picture, and their `_grid`, few at once."""
    height = straight.size[1]
    for top in range(0, height, BAND * STEP):
        rows = slice(top, min(top + BAND * STEP, height))
        yield rows, _grid(lens, straight, rows)


def _inside(grid: Tensor) -> Tensor:
    """[h,w] bool: what lies in the photo."""
    return (grid[0].abs() <= 1).all(-1)


def _grid(lens: Lens, straight: Pinhole, rows: slice) -> Tensor:
    """[1,h,w,2] float32: where these rows of the straight picture lie in the photo, in -1..1 from rim to rim."""
    width = straight.size[0]
    across, down = _places(0, width), _places(rows.start, rows.stop)
    coarse = np.stack(np.meshgrid(across, down), axis=-1)
    seen = seen_from_straight(lens, straight, coarse) / lens.size * 2 - 1
    known = torch.from_numpy(np.nan_to_num(seen, nan=NOWHERE)).permute(2, 0, 1)[None].float()
    size = (len(down) * STEP, len(across) * STEP)
    # torch's plain cubic makes waves of straight lines; with `antialias` it is that of Catmull and Rom, which does not.
    fine = torch.nn.functional.interpolate(known, size, mode="bicubic", antialias=True)
    # The places are the middles of squares of STEP pixels, of which some are left over on every side.
    begin = MARGIN * STEP
    return fine[:, :, begin : begin + rows.stop - rows.start, begin : begin + width].permute(0, 2, 3, 1)


def _places(start: int, stop: int) -> np.ndarray:
    """Middles of squares of STEP pixels, from MARGIN before `start` to as many after `stop`."""
    return start + (np.arange(-MARGIN, -(-(stop - start) // STEP) + MARGIN) + 0.5) * STEP
