"""The files of a COLMAP model, binary or text. Nothing is believed that the bytes cannot hold. Numpy only.

The format: https://colmap.github.io/format.html. pycolmap reads it as well, but believes what files claim: a damaged
number of points keeps it busy for ever.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from model_runtime.contract.photo_names import shortened

POINT_2D = np.dtype([("xy", "<f8", 2), ("point", "<i8")])
LEAST_CAMERA, LEAST_IMAGE, LEAST_POINT = 24, 73, 51
"""Bytes of an entry in a binary file: a camera without parameters, an image without name and points, a point that no
image sees."""

Entry = TypeVar("Entry")
CameraModels = Mapping[int, tuple[str, int]]
"""Number of a camera model -> COLMAP's name of it and how many parameters it has."""

FAULTS = (struct.error, ValueError, IndexError, OverflowError)


class ColmapFileError(ValueError):
    """What is wrong with a file, as the end of a sentence."""


@dataclass(frozen=True)
class ColmapCamera:
    """model: COLMAP's name of it. width, height: pixels. parameters: focal lengths, principal point, distortion."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ColmapImage:
    """quaternion: [4] wxyz as written, not normalised; with translation [3] from the world to the camera. camera: its
    number. name: bytes that are not UTF-8 are replaced by U+FFFD. observed: what `points_2d` reads."""

    name: str
    camera: int
    quaternion: np.ndarray
    translation: np.ndarray
    observed: bytes | np.ndarray

    def points_2d(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the image shows points, [M,2] pixels, and their numbers, [M] int64; -1 for points of no number.

        Raises ColmapFileError.
        """
        if isinstance(self.observed, np.ndarray):
            return self.observed["xy"], self.observed["point"]
        words = self.observed.split()
        try:
            points = [
                (float(x), float(y), int(n)) for x, y, n in zip(words[::3], words[1::3], words[2::3], strict=True)
            ]
            xy = np.array([point[:2] for point in points], np.float64).reshape(-1, 2)
            return xy, np.array([point[2] for point in points], np.int64)
        except FAULTS as error:
            raise ColmapFileError(f"images.txt is damaged at the points of {shortened(self.name)}") from error


def read_cameras(data: bytes, ending: str, models: CameraModels) -> dict[int, ColmapCamera]:
    """Cameras by number. ending: .bin or .txt. Raises ColmapFileError."""
    entries = _binary_cameras(data, models) if ending == ".bin" else _text_cameras(data, models)
    return _numbered(entries, f"cameras{ending}")


def read_images(data: bytes, ending: str) -> list[ColmapImage]:
    """Raises ColmapFileError."""
    entries = _binary_images(data) if ending == ".bin" else _text_images(data)
    return list(_numbered(entries, f"images{ending}").values())


def read_points(data: bytes, ending: str) -> tuple[np.ndarray, np.ndarray]:
    """The points' numbers, [P] int64 in rising order, and places, [P,3]. Raises ColmapFileError."""
    entries = _binary_points(data) if ending == ".bin" else _text_points(data)
    points = _numbered(entries, f"points3D{ending}")
    try:
        numbers = np.fromiter(points, np.int64, len(points))
    except OverflowError as error:
        raise ColmapFileError(f"points3D{ending} has a number that is too large") from error
    order = np.argsort(numbers)
    return numbers[order], np.array(list(points.values()), np.float64).reshape(-1, 3)[order]


def _numbered(entries: Iterator[tuple[int, Entry]], file: str) -> dict[int, Entry]:
    """The entries of a file by number. Raises ColmapFileError."""
    found: dict[int, Entry] = {}
    try:
        for number, entry in entries:
            if number in found:
                raise ColmapFileError(f"{file} lists number {number} twice")
            found[number] = entry
    except ColmapFileError:
        raise
    except struct.error as error:
        raise ColmapFileError(f"{file} ends too early") from error
    except FAULTS as error:
        raise ColmapFileError(f"{file} is damaged, or not COLMAP's, after {len(found)} entries") from error
    return found


def _start(data: bytes, file: str, least: int) -> int:
    """How many entries of at least so many bytes a binary file says to have."""
    if len(data) < 8:
        raise ColmapFileError(f"{file} ends too early")
    (count,) = struct.unpack_from("<Q", data)
    if count * least > len(data) - 8:
        raise ColmapFileError(f"{file} ends too early")
    return count


def _binary_cameras(data: bytes, models: CameraModels) -> Iterator[tuple[int, ColmapCamera]]:
    at = 8
    for _ in range(_start(data, "cameras.bin", LEAST_CAMERA)):
        number, model, width, height = struct.unpack_from("<IiQQ", data, at)
        if model not in models:
            raise ColmapFileError(f"cameras.bin has a camera of an unknown model ({model})")
        name, parameters = models[model]
        yield number, ColmapCamera(name, width, height, struct.unpack_from(f"<{parameters}d", data, at + 24))
        at += 24 + 8 * parameters


def _binary_images(data: bytes) -> Iterator[tuple[int, ColmapImage]]:
    at = 8
    for _ in range(_start(data, "images.bin", LEAST_IMAGE)):
        number, *pose, camera = struct.unpack_from("<I7dI", data, at)
        end = data.index(b"\0", at + 64)
        (points,) = struct.unpack_from("<Q", data, end + 1)
        if points * POINT_2D.itemsize > len(data) - end - 9:
            raise ColmapFileError("images.bin ends too early")
        observed = np.frombuffer(data, POINT_2D, points, end + 9)
        yield number, _image(data[at + 64 : end], camera, pose, observed)
        at = end + 9 + observed.nbytes


def _binary_points(data: bytes) -> Iterator[tuple[int, tuple[float, ...]]]:
    entry, at = struct.Struct("<q3d11xQ"), 8
    for _ in range(_start(data, "points3D.bin", LEAST_POINT)):
        number, *place, track = entry.unpack_from(data, at)
        at += LEAST_POINT + 8 * track
        if at > len(data):
            raise ColmapFileError("points3D.bin ends too early")
        yield number, tuple(place)


def _image(name: bytes, camera: int, pose: list[float], observed: bytes | np.ndarray) -> ColmapImage:
    return ColmapImage(name.decode(errors="replace"), camera, np.array(pose[:4]), np.array(pose[4:]), observed)


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines without what surrounds them; also the empty ones, which in a list of images count."""
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield data[start:end].strip()
        start = end + 1


def _is_entry(line: bytes) -> bool:
    return bool(line) and not line.startswith(b"#")


def _text_cameras(data: bytes, models: CameraModels) -> Iterator[tuple[int, ColmapCamera]]:
    known = dict(models.values())
    for line in filter(_is_entry, _lines(data)):
        number, model, width, height, *rest = line.split()
        parameters = tuple(float(word) for word in rest)
        if len(parameters) != known.get(model.decode(errors="replace")):
            raise ColmapFileError("cameras.txt has a camera of an unknown model, or with too few or many parameters")
        yield int(number), ColmapCamera(model.decode(), int(width), int(height), parameters)


def _text_images(data: bytes) -> Iterator[tuple[int, ColmapImage]]:
    """Two lines for each image; the second, its points, may be empty."""
    lines = _lines(data)
    for line in filter(_is_entry, lines):
        number, *pose, camera, name = line.split(maxsplit=9)
        if len(pose) != 7:
            raise ColmapFileError(
                f"images.txt has too few numbers for the image {shortened(name.decode(errors='replace'))}"
            )
        yield int(number), _image(name, int(camera), [float(word) for word in pose], next(lines, b""))


def _text_points(data: bytes) -> Iterator[tuple[int, tuple[float, ...]]]:
    for line in filter(_is_entry, _lines(data)):
        number, x, y, z, *_ = line.split(maxsplit=4)
        yield int(number), (float(x), float(y), float(z))
