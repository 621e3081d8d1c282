"""STMaps: pictures that tell for each of their pixels where to look in another picture, one for each way between an
original photo, as its lens bends it, and the straight picture of the same camera.

As Nuke's STMap node and Blender's Map UV read them: red is the share of the other picture's width from its left edge,
green that of its height from the bottom, and a pixel's middle is half a pixel inside: its first one has 0.5 / width.
Blue and alpha are 1 where that lies in the other picture, else 0; Blender takes blue for the opacity.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from model_runtime.contract.lens import (
    FISHEYE,
    Lens,
    Pinhole,
    named_coefficients,
    pixel_centres,
    seen_by_straight,
    seen_from_straight,
)
from model_runtime.contract.messages import JobError

from .exr import write_exr
from .pictures import identifiers
from .scene import ExportCamera, ExportScene
from .settings import ExportSettings

FOLDER = "stmaps"
NOWHERE = -1.0
"""Where to look for what the other picture cannot show, however large it were."""

Look = Callable[[np.ndarray], np.ndarray]
"""Where the other picture shows what is at these pixels [...,2] of one: in its pixels, NaN for nowhere."""

PIXELS_AT_ONCE = 1 << 20
"""Photos have many more, and the way through a lens needs some hundred bytes for each."""

EVERY, TOGETHER = 8, 6
"""Pixels from one place where the lens is asked to the next, and how many of these tell what lies between."""

SMALL = 1000
"""Pixels of the longest side of a picture for each of whose pixels the lens is asked: it bends too much from one to the
next for polynomials, which in larger ones are right to a hundred-thousandth of a pixel."""

CONVENTION = (
    "A point (x, y, z) of the camera's frame (OpenCV: x right, y down, z forward) is seen in the straight picture at "
    "straight.fx * x / z + straight.cx. The lens of the original photo moves (x / z, y / z) to (x', y') by "
    "OpenCV's {model} model with these coefficients, and the photo shows it at fx * x' + cx; likewise down with fy and "
    "cy. All in pixels from the outer corner of the upper left pixel, whose middle is (0.5, 0.5): "
    "subtract 0.5 from each cx and cy for OpenCV, which counts from its middle."
)


def undistort_map(lens: Lens, straight: Pinhole) -> np.ndarray:
    """[h,w,3] float32, of the straight picture's size, rows from the top: where the photo shows each of its pixels, in
    shares of the photo's sides from the left and from the bottom, and 1 where that is inside, else 0."""
    return _map(partial(seen_from_straight, lens, straight), straight.size, lens.size)


def distort_map(lens: Lens, straight: Pinhole) -> np.ndarray:
    """[h,w,3] float32, of the photo's size: the same the other way, which bends a straight picture as the photo is."""
    return _map(partial(seen_by_straight, lens, straight), lens.size, straight.size)


def write_map(path: Path, stmap: np.ndarray) -> None:
    """stmap: of the functions above."""
    across, up, inside = np.moveaxis(stmap, -1, 0)
    write_exr(path, {"R": across, "G": up, "B": inside, "A": inside})


def write(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    """`stmaps/`: for each lens of the scene both maps, and its coefficients with the photos that it took."""
    lenses: dict[str, list[ExportCamera]] = {}
    for camera in scene.cameras:
        if camera.lens is not None:
            lenses.setdefault(lens_key(camera.lens, camera.pinhole), []).append(camera)
    if not lenses:
        sentence = "No photo that is shown was straightened, so there is no lens to write maps of."
        raise JobError("export-nothing", sentence, "Show a photo whose lens bends lines, or choose other formats.")
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    words = identifiers(cameras[0].name for cameras in lenses.values())
    for word, cameras in zip(words, lenses.values(), strict=True):
        _write_lens(folder / FOLDER, word, cameras)


def lens_key(lens: Lens, straight: Pinhole) -> str:
    """The same for cameras that share their maps: JSON of all that tells them, in pixels and by OpenCV's names."""
    return json.dumps(
        {
            "model": lens.model,
            **_pixels(Pinhole(lens.size, lens.intrinsics)),
            **named_coefficients(lens),
            "straight": _pixels(straight),
        }
    )


def _write_lens(folder: Path, word: str, cameras: list[ExportCamera]) -> None:
    lens, straight = cameras[0].lens, cameras[0].pinhole
    assert lens is not None
    write_map(folder / f"{word}_undistort.exr", undistort_map(lens, straight))
    write_map(folder / f"{word}_distort.exr", distort_map(lens, straight))
    content = {
        **json.loads(lens_key(lens, straight)),
        "photos": [camera.name for camera in cameras],
        "convention": CONVENTION.format(model="fisheye" if lens.model == FISHEYE else "rational"),
    }
    (folder / f"{word}_lens.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _pixels(pinhole: Pinhole) -> dict[str, float]:
    """Rounded to what a Blender camera, in single precision, tells the same in every photo."""
    (fx, _, cx), (_, fy, cy), _ = pinhole.intrinsics.round(4).tolist()
    return {"width": pinhole.size[0], "height": pinhole.size[1], "fx": fx, "fy": fy, "cx": cx, "cy": cy}


def _map(look: Look, size: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
    width, height = size
    result = np.empty((height, width, 3), np.float32)
    step = max(1, PIXELS_AT_ONCE // width)
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        share = _seen(look, size, rows) / other
        share[..., 1] = 1 - share[..., 1]
        result[rows, :, 2] = ((share >= 0) & (share <= 1)).all(-1)
        result[rows, :, :2] = np.where(np.isfinite(share).all(-1, keepdims=True), share, NOWHERE)
    return result


def _seen(look: Look, size: tuple[int, int], rows: slice) -> np.ndarray:
    """[h,w,2] what `look` finds for the pixels of some rows. Between a few of them by polynomials, a few times faster;
    one by one where some are seen nowhere."""
    if max(size) <= SMALL:
        return look(pixel_centres(size, rows))
    (across, across_weights), (down, down_weights) = _knots(0, size[0]), _knots(rows.start, rows.stop)
    seen = look(np.stack(np.meshgrid(across, down), axis=-1))
    if not np.isfinite(seen).all():
        return look(pixel_centres(size, rows))
    return np.stack([down_weights @ seen[..., axis] @ across_weights.T for axis in (0, 1)], axis=-1)


def _knots(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """[K] places from the first to the last edge of pixels in a row, and weights [N,K] of what is there that give what
    is at the middles of the N pixels: Lagrange's polynomial through the nearest TOGETHER."""
    count = max(TOGETHER, 1 + -(-(stop - start) // EVERY))
    places = np.linspace(start, stop, count)
    along = (np.arange(start, stop) + 0.5 - start) * (count - 1) / (stop - start)
    first = np.clip(along.astype(int) - TOGETHER // 2 + 1, 0, count - TOGETHER)
    weights = np.zeros((stop - start, count))
    for one in range(TOGETHER):
        others = [other for other in range(TOGETHER) if other != one]
        factors = [(along - first - other) / (one - other) for other in others]
        weights[np.arange(stop - start), first + one] = np.prod(factors, axis=0)
    return places, weights
