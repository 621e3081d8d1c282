"""COLMAP's camera models as the lenses of the contract, which have two.

Most of them are one of the two with fewer coefficients, in the same order. Of the others, the lens is taken that sees
what they do, where there is one.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import pycolmap
from scipy.optimize import least_squares

from model_runtime.contract.colmap_files import CameraModels, ColmapCamera
from model_runtime.contract.lens import BROWN, COEFFICIENTS, FISHEYE, WIDEST, Lens, bend, distort, scaled, to_pixels
from model_runtime.contract.orientation import turn_lens

MODELS = {
    **dict.fromkeys(("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV"), BROWN),
    **dict.fromkeys(
        ("SIMPLE_FISHEYE", "FISHEYE", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "OPENCV_FISHEYE"), FISHEYE
    ),
}
FITTED, COMPARED = 15, 61
"""Rows and columns of pixels that a lens is fitted to, and that it is compared at."""

AGREES = 0.05
"""Pixels of what COLMAP saw: how far a fitted lens may be off anywhere."""

LEAST_SEEN = 0.25
"""Of the pixels that are looked at, how many must be within WIDEST of the axis."""

MOST_STEPS = 60


@cache
def camera_models() -> CameraModels:
    """Those that pycolmap knows."""
    known = {int(model): model for model in pycolmap.CameraModelId.__members__.values() if int(model) >= 0}
    cameras = {number: pycolmap.Camera.create_from_model_id(1, model, 1.0, 1, 1) for number, model in known.items()}
    return {number: (camera.model_name, len(camera.params)) for number, camera in cameras.items()}


@lru_cache(maxsize=256)
def upright_lens(camera: ColmapCamera, size: tuple[int, int], orientation: int) -> Lens | None:
    """The lens of an upright photo that was stored with this size and EXIF orientation; a pinhole's does not bend.

    camera: perspective, of finite numbers. None where no lens of the contract is like it.
    """
    lens = _lens(camera)
    return None if lens is None else turn_lens(scaled(lens, size), orientation)


@lru_cache(maxsize=256)
def _lens(camera: ColmapCamera) -> Lens | None:
    """In pixels of what COLMAP saw."""
    seen = pycolmap_camera(camera)
    if camera.model not in MODELS:
        return _fitted_lens(seen)
    coefficients = np.array(camera.parameters)[list(seen.extra_params_idxs())]
    intrinsics = np.array(seen.calibration_matrix(), np.float64)
    return Lens(MODELS[camera.model], (camera.width, camera.height), intrinsics, coefficients)


def pycolmap_camera(camera: ColmapCamera) -> pycolmap.Camera:
    return pycolmap.Camera(model=camera.model, width=camera.width, height=camera.height, params=list(camera.parameters))


def _fitted_lens(camera: pycolmap.Camera) -> Lens | None:
    """The lens that sees all pixels up to WIDEST from the axis within AGREES of where the camera does."""
    pixels, plane = _seen(camera, FITTED)
    compared_pixels, compared = _seen(camera, COMPARED)
    if len(plane) < LEAST_SEEN * FITTED**2 or len(compared) < LEAST_SEEN * COMPARED**2:
        return None
    for model in COEFFICIENTS:
        lens = _fit(model, camera, pixels, plane)
        miss = np.linalg.norm(distort(lens, compared) - compared_pixels, axis=1)
        if (miss <= AGREES).all():  # NaN is not either
            return lens
    return None


def _seen(camera: pycolmap.Camera, side: int) -> tuple[np.ndarray, np.ndarray]:
    """[M,2] pixels of a grid over the picture, and the plane's points [M,2] that they show."""
    across, down = np.meshgrid(np.linspace(0, camera.width, side), np.linspace(0, camera.height, side))
    pixels = np.stack((across.ravel(), down.ravel()), axis=1)
    plane = np.asarray(camera.cam_from_img(pixels))
    with np.errstate(invalid="ignore"):
        near = np.hypot(*plane.T) <= np.tan(np.radians(WIDEST))
    pixels, plane = pixels[near], plane[near]
    again = np.asarray(camera.img_from_cam(np.column_stack((plane, np.ones(len(plane))))))
    inverse = np.abs(again - pixels).max(1, initial=0) < AGREES / 10  # beyond where a model folds, it is not
    return pixels[inverse], plane[inverse]


def _fit(model: str, camera: pycolmap.Camera, pixels: np.ndarray, plane: np.ndarray) -> Lens:
    """Least squares of the pixels at which the lens sees the plane's points."""
    start = np.array(camera.calibration_matrix(), np.float64)
    focal, middle = start.diagonal()[:2], start[:2, 2]

    def lens(free: np.ndarray) -> Lens:
        fx, fy = focal * (1 + free[:2])
        cx, cy = middle + focal * free[2:4]
        return Lens(model, (camera.width, camera.height), np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), free[4:])

    def miss(free: np.ndarray) -> np.ndarray:
        tried = lens(free)
        bent, _ = bend(model, tried.coefficients, plane)
        return (to_pixels(tried.intrinsics, bent) - pixels).ravel()

    with np.errstate(all="ignore"):
        found = least_squares(miss, np.zeros(4 + len(COEFFICIENTS[model])), max_nfev=MOST_STEPS)
    return lens(found.x)
