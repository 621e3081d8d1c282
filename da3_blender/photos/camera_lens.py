"""The lens that a file of cameras tells of, as one of the contract's. No bpy."""

from __future__ import annotations

import numpy as np

from model_runtime.contract.camera_checks import LARGEST_NUMBER
from model_runtime.contract.json_files import shown
from model_runtime.contract.lens import BROWN, COEFFICIENTS, FISHEYE, Lens
from model_runtime.contract.messages import JobError

from .camera_entry import Entry, UnusableError

BROWNS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
FISHEYES = ("OPENCV_FISHEYE", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")
"""Camera models of transforms.json, by the contract's model that sees the same with the same coefficients."""

OTHER_LENSES = ("ftheta_p1", "latlong", "equirectangular", "orthographic")
"""What instant-ngp's transforms.json says, neither false nor 0, of a lens that is none of these."""

AGREES = 0.05
"""Pixels: how far a lens that is put in other coefficients may be off anywhere."""

RINGS = 200
"""Radii at which that is looked at."""

WIDEST = 20.0
"""The plane's largest radius, 87 degrees off the axis."""


def told_lens(entry: Entry, size: tuple[int, int], k: np.ndarray) -> Lens:
    """Of a frame of transforms.json; one without distortion where it tells of none.

    k: [3,3] pixels of the stored photo, which has this size. Raises JobError for a lens like none of the contract's,
    UnusableError for what is no number.
    """
    other = next((lens for lens in OTHER_LENSES if entry.values.get(lens)), None)
    model = other or str(entry.values.get("camera_model", BROWNS[0]))
    radial, (p1, p2) = (
        [entry.number(f"k{i}", 0) for i in (1, 2, 3, 4)],
        [entry.number(name, 0) for name in ("p1", "p2")],
    )
    if model in FISHEYES or (model in BROWNS and entry.values.get("is_fisheye")):
        if p1 == p2 == 0:
            return Lens(FISHEYE, size, k, np.array(radial))
    elif model in BROWNS:
        rational = _rational(np.array(radial), size, k)
        if rational is not None:
            return Lens(BROWN, size, k, np.array([*rational[:2], p1, p2, *rational[2:]]))
    raise JobError(
        "bad-cameras",
        f"The lens of {entry.photo} distorts in the camera file ({shown(model)}).",
        "Undistort the photos and their cameras first; 'colmap image_undistorter' does both.",
    )


def own_lens(entry: Entry, size: tuple[int, int], k: np.ndarray) -> Lens:
    """Of an entry of cameras.json that has a `lens`. size, k: of the upright photo. Raises UnusableError."""
    told = entry.value("lens")
    told = told if isinstance(told, dict) else {}
    model, coefficients = str(told.get("model")), told.get("coefficients")
    known = len(COEFFICIENTS.get(model, ()))
    if isinstance(coefficients, list) and known >= len(coefficients) > 0 and all(map(_is_number, coefficients)):
        return Lens(model, size, k, np.array(coefficients, np.float64))
    models = ", ".join(f"{model} ({', '.join(names)})" for model, names in COEFFICIENTS.items())
    raise UnusableError(f"'lens' of {entry.photo} is no `model` with a list `coefficients`: {models}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def _rational(radial: np.ndarray, size: tuple[int, int], k: np.ndarray) -> np.ndarray | None:
    """[3] or [6] OpenCV's k1 to k6 that move pixels as `radial` [4] does, whose last is of the radius to the eighth;
    None where there are none.

    In OpenCV k4 to k6 are below a fraction line; what is the same up to the corners is found by linear least squares.
    """
    if radial[3] == 0:
        return radial[:3]
    focal, middle = k.diagonal()[:2], k[:2, 2]
    corner = float(np.linalg.norm(np.maximum(middle, size - middle) / focal))
    reach = _reach(radial, corner)
    if reach == 0:
        return None
    radii, scale = np.linspace(0, reach, RINGS), reach ** np.arange(2, 9, 2)
    powers = ((radii / reach) ** 2)[:, None] ** np.arange(1, 5)  # 0 to 1
    wanted = 1 + powers @ (radial * scale)
    powers, scale = powers[:, :3], scale[:3]
    found, *_ = np.linalg.lstsq(np.hstack((powers, -wanted[:, None] * powers)), wanted - 1, rcond=None)
    off = (1 + powers @ found[:3]) / (1 + powers @ found[3:]) - wanted
    if np.abs(off * radii * focal.max()).max() > AGREES:
        return None
    return found / np.tile(scale, 2)


def _reach(radial: np.ndarray, corner: float) -> float:
    """The plane's radius that is seen `corner` focal lengths off the middle, or beyond which the lens folds."""
    radii = np.linspace(0, WIDEST, 20 * RINGS)
    along = radii * (1 + (radii**2)[:, None] ** np.arange(1, 5) @ radial)
    falls = np.flatnonzero(np.diff(along) <= 0)
    end = falls[0] + 1 if len(falls) else len(radii)
    return float(np.interp(corner, along[:end], radii[:end]))
