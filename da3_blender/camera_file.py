"""Known cameras of photos from JSON: this project's cameras.json, and transforms.json of nerfstudio and instant-ngp.

No bpy. https://docs.nerf.studio/quickstart/data_conventions.html tells the second format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_runtime.geometry.orientation import QUARTER_TURNS, turn_upright
from model_runtime.messages import GivenCameras, JobError
from model_runtime.photo_names import match_names

from .photo_header import SIDEWAYS, PhotoHeader, read_header

ADVICE = (
    "It needs a list `cameras` of entries with photo, extrinsics (4x4) and intrinsics (3x3), "
    "or `frames` as in nerfstudio's transforms.json."
)
OPENGL_TO_OPENCV = np.diag([1.0, -1, -1, 1])
PINHOLES = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
"""Camera models of transforms.json that see no distortion where their coefficients are 0."""

DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
DISTORTION_TOLERANCE = 1e-3
"""Of the longest side: how far distortion may move a pixel that is taken to be where a pinhole sees it."""


def read_cameras(path: Path, photos: Sequence[Path], names: Sequence[str]) -> GivenCameras:
    """The photos' cameras, NaN where the file has none; entries belong to photos by name (`match_names`).

    `{"cameras": [{"photo": "a.jpg", "extrinsics": [4x4], "intrinsics": [3x3]}, ...]}`: extrinsics are world-to-camera
    (OpenCV axes), intrinsics in pixels of the upright photo with pixel centres at +0.5. `{"frames": [...], ...}`:
    camera-to-world, OpenGL axes. names: what the photos are called. Raises JobError where the file is not like that,
    has none of the photos, or a lens distorts.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not ("cameras" in content or "frames" in content):
            raise ValueError("it has neither `cameras` nor `frames`")
        key, name = ("frames", "file_path") if "frames" in content else ("cameras", "photo")
        entries = {str(entry[name]): entry for entry in content[key]}
        found = _match(names, entries)
        if not any(found):
            told = f"{path} has no camera for {', '.join(names)}."
            raise JobError("cameras-missing", told, "Choose the file that these photos belong to.")
        extrinsics, intrinsics = np.full((len(photos), 4, 4), np.nan), np.full((len(photos), 3, 3), np.nan)
        for i, (photo, entry) in enumerate(zip(photos, found, strict=True)):
            if entry is not None:
                camera = _own(entries[entry]) if key == "cameras" else _nerfstudio(content, entries[entry], photo)
                extrinsics[i], intrinsics[i] = camera
    except (OSError, ValueError, KeyError, TypeError, np.linalg.LinAlgError) as error:
        why = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error).removesuffix(".")
        raise JobError("cameras-unreadable", f"{path} cannot be used as cameras: {why}.", ADVICE) from error
    return GivenCameras(extrinsics, intrinsics)


def _match(names: Sequence[str], entries: Mapping[str, Any]) -> list[str | None]:
    """As `match_names`; where an entry has no ending, as of NeRF's synthetic scenes, the photo's does not count."""
    found = match_names(names, list(entries))
    without = [str(Path(name).with_suffix("")) for name in names]
    return [one or other for one, other in zip(found, match_names(without, list(entries)), strict=True)]


def _own(entry: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(entry["extrinsics"], float).reshape(4, 4), np.array(entry["intrinsics"], float).reshape(3, 3)


def _nerfstudio(shared: Mapping[str, Any], frame: Mapping[str, Any], photo: Path) -> tuple[np.ndarray, np.ndarray]:
    """What a frame does not tell by itself, the file tells for all."""
    told = {**shared, **frame}
    header = read_header(photo)
    size, orientation = _seen_pixels(header, (int(told.get("w", 0)), int(told.get("h", 0))))
    width, height = float(told.get("w", size[0])), float(told.get("h", size[1]))
    if abs(width * size[1] - height * size[0]) > max(width, height, *size):
        raise JobError(
            "bad-cameras",
            f"{photo.name} has {size[0]} x {size[1]} pixels, but its camera saw it with {width:.0f} x {height:.0f}.",
            "Use the photos that the cameras were made for, not cropped.",
        )
    fx = float(told["fl_x"]) if "fl_x" in told else width / 2 / np.tan(float(told["camera_angle_x"]) / 2)
    fy = float(told.get("fl_y", fx))
    k = np.array([[fx, 0, float(told.get("cx", width / 2))], [0, fy, float(told.get("cy", height / 2))], [0, 0, 1]])
    _refuse_distortion(told, k, (width, height), photo.name)
    pose = np.linalg.inv(np.array(told["transform_matrix"], float).reshape(4, 4) @ OPENGL_TO_OPENCV)
    return turn_upright(pose, np.diag([size[0] / width, size[1] / height, 1.0]) @ k, size, orientation)


def _seen_pixels(header: PhotoHeader, wanted: tuple[int, int]) -> tuple[tuple[int, int], int]:
    """Size and EXIF orientation of the pixels that the camera saw: as they are stored, as COLMAP sees them, unless
    only the upright photo has the shape that is told."""
    upright = header.size
    stored = (upright[1], upright[0]) if header.orientation in SIDEWAYS else upright
    is_landscape = wanted[0] > wanted[1]
    if header.orientation not in QUARTER_TURNS or (
        min(wanted) > 0 and upright != stored and (upright[0] > upright[1]) == is_landscape
    ):
        return upright, 1
    return stored, header.orientation


def _refuse_distortion(told: Mapping[str, Any], k: np.ndarray, size: tuple[float, float], name: str) -> None:
    """Raises JobError for a lens that moves pixels (Brown 1966, as in OpenCV) by more than DISTORTION_TOLERANCE."""
    k1, k2, k3, k4, p1, p2 = (float(told.get(coefficient, 0)) for coefficient in DISTORTION)
    across, down = (np.array([0, 0.5, 1]) * side for side in size)
    x, y = np.meshgrid((across - k[0, 2]) / k[0, 0], (down - k[1, 2]) / k[1, 1])
    r2 = x**2 + y**2
    radial = k1 * r2 + k2 * r2**2 + k3 * r2**3 + k4 * r2**4
    moved = np.hypot(
        k[0, 0] * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)),
        k[1, 1] * (y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y),
    )
    model = str(told.get("camera_model", PINHOLES[0]))
    if model not in PINHOLES or moved.max() > DISTORTION_TOLERANCE * max(size):
        raise JobError(
            "bad-cameras",
            f"The lens of {name} distorts in the camera file ({model}).",
            "Undistort the photos and their cameras first; 'colmap image_undistorter' does both.",
        )
