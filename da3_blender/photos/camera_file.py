"""Known cameras of photos from JSON: this project's cameras.json, and transforms.json of nerfstudio and instant-ngp.

No bpy. https://docs.nerf.studio/quickstart/data_conventions.html tells the second format.
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_runtime.contract.camera_checks import check_intrinsics, check_lens, check_pose
from model_runtime.contract.json_files import JsonError, read_json, shown
from model_runtime.contract.lens import Lens, bends
from model_runtime.contract.messages import Cameras, JobError
from model_runtime.contract.orientation import QUARTER_TURNS, turn_lens, turn_upright
from model_runtime.contract.photo_names import match_names
from model_runtime.contract.tiff_tags import SIDEWAYS

from .camera_entry import Entry, UnusableError
from .camera_lens import own_lens, told_lens
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
SMALLEST_ANGLE = 1e-6
"""Radians across a photo."""


def read_cameras(path: Path, photos: Sequence[Path], names: Sequence[str]) -> Cameras:
    """The photos' cameras, NaN where the file has none; entries belong to photos by name (`match_names`).

    `{"cameras": [{"photo": "a.jpg", "extrinsics": [4x4], "intrinsics": [3x3]}, ...]}`: extrinsics are world-to-camera
    (OpenCV axes), intrinsics in pixels of the upright photo with pixel centres at +0.5; where a lens bends lines,
    `"lens": {"model": "brown", "coefficients": [...]}` in the entry or for the whole file. `{"frames": [...], ...}`:
    camera-to-world, OpenGL axes. names: what the photos are called. Raises JobError where the file is not like that,
    has none of the photos or several cameras for one, or where a camera or its lens cannot be used.
    """
    extrinsics, intrinsics = np.full((len(photos), 4, 4), np.nan), np.full((len(photos), 3, 3), np.nan)
    lenses: list[Lens | None] = [None] * len(photos)
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
                told = Entry(ChainMap(cameras[entry], content), names[i])
                extrinsics[i], intrinsics[i], lens = (_own if key == "cameras" else _nerfstudio)(told, photo)
                lenses[i] = _checked(lens, names[i])
    except UnusableError as error:
        raise JobError("cameras-unreadable", f"{path} cannot be used as cameras: {error}.", ADVICE) from error
    return Cameras(extrinsics, intrinsics, tuple(lenses) if any(lenses) else ())


def _read_json(path: Path) -> dict[str, Any]:
    """Its one object."""
    try:
        content = read_json(path, LARGEST_FILE)
    except JsonError as error:
        raise UnusableError(str(error)) from error
    if not isinstance(content, dict) or not ("cameras" in content or "frames" in content):
        raise UnusableError("it has neither `cameras` nor `frames`")
    return content


def _named(content: Mapping[str, Any], key: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of the list `key`, each with what it calls `name`."""
    entries = content[key]
    if not isinstance(entries, list):
        raise UnusableError(f"`{key}` is not a list")
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get(name), str):
            raise UnusableError(f"entry {i + 1} of `{key}` has no `{name}` with the name of a photo")
    return [(entry[name], entry) for entry in entries]


def _match(names: Sequence[str], entries: Sequence[str]) -> list[str | None]:
    """As `match_names`, but raises JobError; where an entry has no ending, as of NeRF's synthetic scenes, the photo's
    does not count."""
    without = [str(Path(name).with_suffix("")) for name in names]
    last_parts = {_last_part(name) for name in (*names, *without)}
    entries = [entry for entry in entries if _last_part(entry) in last_parts]
    if len(entries) > MOST_CANDIDATES:
        raise UnusableError(f"{len(entries)} of its cameras are called like the photos")
    try:
        found, bare = match_names(names, entries), match_names(without, entries)
    except ValueError as error:
        advice = "Keep one of them in the file, or give the photos names of their own."
        raise JobError("bad-cameras", shown(str(error), MOST_LETTERS), advice) from error
    return [one or other for one, other in zip(found, bare, strict=True)]


def _last_part(name: str) -> str:
    """What `match_names` compares first."""
    return next((part for part in reversed(re.split(r"[/\\]", name)) if part not in ("", ".")), "")


def _own(entry: Entry, photo: Path) -> tuple[np.ndarray, np.ndarray, Lens | None]:
    """What an entry does not tell by itself, the file may tell for all, and `entry` has both."""
    extrinsics, intrinsics = entry.matrix("extrinsics", 4), entry.matrix("intrinsics", 3)
    check_pose(extrinsics, entry.photo)
    check_intrinsics(intrinsics, entry.photo)
    if entry.values.get("lens") is None:  # a pinhole's photo may be of any kind, of which no size is known
        return extrinsics, intrinsics, None
    return extrinsics, intrinsics, own_lens(entry, _header(photo, entry.photo).size, intrinsics)


def _checked(lens: Lens | None, name: str) -> Lens | None:
    """The lens where it bends lines. Raises JobError for one of no photo."""
    if lens is None:
        return None
    check_lens(lens, name)
    return lens if bends(lens) else None


def _nerfstudio(entry: Entry, photo: Path) -> tuple[np.ndarray, np.ndarray, Lens]:
    """As `_own`, of the pixels that the camera saw."""
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
    pose = entry.matrix("transform_matrix", 4)
    check_pose(pose, entry.photo)
    pose = np.linalg.inv(pose @ OPENGL_TO_OPENCV)
    lens = told_lens(entry, size, np.diag([size[0] / width, size[1] / height, 1.0]) @ k)
    return *turn_upright(pose, lens.intrinsics, size, orientation), turn_lens(lens, orientation)


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
