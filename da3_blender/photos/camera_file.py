"""Known cameras of photos from JSON: this project's cameras.json, and transforms.json of nerfstudio and instant-ngp.

No bpy. https://docs.nerf.studio/quickstart/data_conventions.html tells the second format.
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model_runtime.contract.camera_checks import LARGEST_NUMBER, check_intrinsics, check_pose
from model_runtime.contract.json_files import JsonError, read_json, shown
from model_runtime.contract.messages import Cameras, JobError
from model_runtime.contract.orientation import QUARTER_TURNS, turn_upright
from model_runtime.contract.photo_names import match_names
from model_runtime.contract.tiff_tags import SIDEWAYS

from .contents import known_size
from .header import HeaderError, PhotoHeader, read_header

ADVICE = (
    "It needs a list `cameras` of entries with photo, extrinsics (4x4) and intrinsics (3x3), "
    "or `frames` as in nerfstudio's transforms.json."
)
LARGEST_FILE = 64_000_000
"""Bytes. A frame takes about one thousand."""

MOST_CANDIDATES = 20_000
"""Entries that are called like one of the photos, by the last part of their names."""

MOST_LETTERS = 300
"""Of a sentence that names several entries."""

OPENGL_TO_OPENCV = np.diag([1.0, -1, -1, 1])
PINHOLES = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
"""Camera models of transforms.json that see no distortion where their coefficients are 0."""

OTHER_LENSES = ("is_fisheye", "ftheta_p1", "latlong", "equirectangular", "orthographic")
"""What instant-ngp's transforms.json says, neither false nor 0, of a lens that is no pinhole."""

SMALLEST_ANGLE = 1e-6
"""Radians across a photo."""

DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
DISTORTION_TOLERANCE = 1e-3
"""Of the longest side: how far distortion may move a pixel that is taken to be where a pinhole sees it."""


class _UnusableError(Exception):
    """A file that is not like that; says why as a sentence's end."""


@dataclass(frozen=True)
class _Entry:
    """What a file tells of a camera. values: by its key. photo: what the photo is called."""

    values: Mapping[str, Any]
    photo: str

    def number(
        self, key: str, default: float | None = None, low: float = -LARGEST_NUMBER, high: float = LARGEST_NUMBER
    ) -> float:
        """Raises _UnusableError for one that is not from `low` to `high`, or missing without default."""
        try:
            number = float(self._value(key, default))
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high:
            raise _UnusableError(f"'{key}' of {self.photo} is not a number from {low:g} to {high:g}")
        return number

    def matrix(self, key: str, side: int) -> np.ndarray:
        """[side,side]. Raises _UnusableError for anything else."""
        try:
            return np.array(self._value(key), float).reshape(side, side)
        except (TypeError, ValueError) as error:
            raise _UnusableError(f"'{key}' of {self.photo} is not {side} x {side} numbers") from error

    def _value(self, key: str, default: Any = None) -> Any:
        if key not in self.values and default is None:
            raise _UnusableError(f"'{key}' of {self.photo} is missing")
        return self.values.get(key, default)


def read_cameras(path: Path, photos: Sequence[Path], names: Sequence[str]) -> Cameras:
    """The photos' cameras, NaN where the file has none; entries belong to photos by name (`match_names`).

    `{"cameras": [{"photo": "a.jpg", "extrinsics": [4x4], "intrinsics": [3x3]}, ...]}`: extrinsics are world-to-camera
    (OpenCV axes), intrinsics in pixels of the upright photo with pixel centres at +0.5. `{"frames": [...], ...}`:
    camera-to-world, OpenGL axes. names: what the photos are called. Raises JobError where the file is not like that,
    has none of the photos or several cameras for one, or where a camera is not a pinhole's or its lens distorts.
    """
    extrinsics, intrinsics = np.full((len(photos), 4, 4), np.nan), np.full((len(photos), 3, 3), np.nan)
    try:
        content = _read_json(path)
        key, name = ("frames", "file_path") if "frames" in content else ("cameras", "photo")
        entries = _named(content, key, name)
        found = _match(names, [named for named, _ in entries])
        if not any(found):
            sentence = f"{path} has no camera for {', '.join(names)}."
            raise JobError("cameras-missing", sentence, "Choose the file that these photos belong to.")
        cameras = dict(entries)
        for i, (photo, entry) in enumerate(zip(photos, found, strict=True)):
            if entry is not None:
                if key == "cameras":
                    camera = _own(_Entry(cameras[entry], names[i]))
                else:
                    camera = _nerfstudio(_Entry(ChainMap(cameras[entry], content), names[i]), photo)
                extrinsics[i], intrinsics[i] = camera
    except _UnusableError as error:
        raise JobError("cameras-unreadable", f"{path} cannot be used as cameras: {error}.", ADVICE) from error
    return Cameras(extrinsics, intrinsics)


def _read_json(path: Path) -> dict[str, Any]:
    """Its one object."""
    try:
        content = read_json(path, LARGEST_FILE)
    except JsonError as error:
        raise _UnusableError(str(error)) from error
    if not isinstance(content, dict) or not ("cameras" in content or "frames" in content):
        raise _UnusableError("it has neither `cameras` nor `frames`")
    return content


def _named(content: Mapping[str, Any], key: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of the list `key`, each with what it calls `name`."""
    entries = content[key]
    if not isinstance(entries, list):
        raise _UnusableError(f"`{key}` is not a list")
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get(name), str):
            raise _UnusableError(f"entry {i + 1} of `{key}` has no `{name}` with the name of a photo")
    return [(entry[name], entry) for entry in entries]


def _match(names: Sequence[str], entries: Sequence[str]) -> list[str | None]:
    """As `match_names`, but raises JobError; where an entry has no ending, as of NeRF's synthetic scenes, the photo's
    does not count."""
    without = [str(Path(name).with_suffix("")) for name in names]
    last_parts = {_last_part(name) for name in (*names, *without)}
    entries = [entry for entry in entries if _last_part(entry) in last_parts]
    if len(entries) > MOST_CANDIDATES:
        raise _UnusableError(f"{len(entries)} of its cameras are called like the photos")
    try:
        found, bare = match_names(names, entries), match_names(without, entries)
    except ValueError as error:
        advice = "Keep one of them in the file, or give the photos names of their own."
        raise JobError("bad-cameras", shown(str(error), MOST_LETTERS), advice) from error
    return [one or other for one, other in zip(found, bare, strict=True)]


def _last_part(name: str) -> str:
    """What `match_names` compares first."""
    return next((part for part in reversed(re.split(r"[/\\]", name)) if part not in ("", ".")), "")


def _own(entry: _Entry) -> tuple[np.ndarray, np.ndarray]:
    extrinsics, intrinsics = entry.matrix("extrinsics", 4), entry.matrix("intrinsics", 3)
    check_pose(extrinsics, entry.photo)
    check_intrinsics(intrinsics, entry.photo)
    return extrinsics, intrinsics


def _nerfstudio(entry: _Entry, photo: Path) -> tuple[np.ndarray, np.ndarray]:
    """What a frame does not tell by itself, the file tells for all, and `entry` has both."""
    seen = tuple(entry.number(side, low=1) if side in entry.values else 0 for side in ("w", "h"))
    size, orientation = _seen_pixels(_header(photo, entry.photo), seen)
    width, height = seen[0] or size[0], seen[1] or size[1]
    if abs(width * size[1] - height * size[0]) > max(width, height, *size):
        raise JobError(
            "bad-cameras",
            f"{entry.photo} has {size[0]} x {size[1]} pixels, but its camera saw it with {width:.0f} x {height:.0f}.",
            "Use the photos that the cameras were made for, not cropped.",
        )
    if "fl_x" in entry.values:
        fx = entry.number("fl_x")
    else:
        fx = width / 2 / math.tan(entry.number("camera_angle_x", low=SMALLEST_ANGLE, high=math.pi) / 2)
    fy, cx, cy = entry.number("fl_y", fx), entry.number("cx", width / 2), entry.number("cy", height / 2)
    k = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    check_intrinsics(k, entry.photo)
    _refuse_distortion(entry, k, (width, height))
    pose = entry.matrix("transform_matrix", 4)
    check_pose(pose, entry.photo)
    pose = np.linalg.inv(pose @ OPENGL_TO_OPENCV)
    return turn_upright(pose, np.diag([size[0] / width, size[1] / height, 1.0]) @ k, size, orientation)


def _header(photo: Path, name: str) -> PhotoHeader:
    try:
        header = read_header(photo)
    except OSError as error:
        raise JobError("photo-unreadable", f"{name} cannot be read: {error.strerror}.", "Check the file.") from error
    except HeaderError as error:
        raise JobError("photo-unreadable", f"{name} {error}.", "Check the file, or leave the photo out.") from error
    known_size(header.size, name)
    return header


def _seen_pixels(header: PhotoHeader, seen: tuple[float, ...]) -> tuple[tuple[int, int], int]:
    """Size and EXIF orientation of the pixels that the camera saw: as they are stored, as COLMAP sees them, unless
    only the upright photo has the shape that is told."""
    upright = header.size
    stored = (upright[1], upright[0]) if header.orientation in SIDEWAYS else upright
    is_landscape = seen[0] > seen[1]
    if header.orientation not in QUARTER_TURNS or (
        min(seen) > 0 and upright != stored and (upright[0] > upright[1]) == is_landscape
    ):
        return upright, 1
    return stored, header.orientation


def _refuse_distortion(entry: _Entry, k: np.ndarray, size: tuple[float, float]) -> None:
    """Raises JobError for a lens that moves pixels (Brown 1966, as in OpenCV) by more than DISTORTION_TOLERANCE."""
    k1, k2, k3, k4, p1, p2 = (entry.number(coefficient, 0) for coefficient in DISTORTION)
    across, down = (np.array([0, 0.5, 1]) * side for side in size)
    x, y = np.meshgrid((across - k[0, 2]) / k[0, 0], (down - k[1, 2]) / k[1, 1])
    r2 = x**2 + y**2
    radial = k1 * r2 + k2 * r2**2 + k3 * r2**3 + k4 * r2**4
    moved = np.hypot(
        k[0, 0] * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)),
        k[1, 1] * (y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y),
    )
    other = next((lens for lens in OTHER_LENSES if entry.values.get(lens)), None)
    model = other or str(entry.values.get("camera_model", PINHOLES[0]))
    if model not in PINHOLES or moved.max() > DISTORTION_TOLERANCE * max(size):
        raise JobError(
            "bad-cameras",
            f"The lens of {entry.photo} distorts in the camera file ({shown(model)}).",
            "Undistort the photos and their cameras first; 'colmap image_undistorter' does both.",
        )
