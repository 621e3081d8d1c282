"""A COLMAP model, as splat trainers take it: sparse/0/{cameras,images,points3D}.bin and images/.

https://colmap.github.io/format.html. Pixel centres are at +0.5 and cameras OpenCV's, as here; the world stays
Blender's, so that what is made of the model fits into the scene again. Each point has one observation, in the photo
that it came from.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model_runtime.contract.lens import BROWN, Lens, named_coefficients
from model_runtime.contract.quaternions import quaternion_from_matrix

from .pictures import is_original, picture_names, write_pictures
from .scene import ExportCamera, ExportScene, project, project_original
from .settings import ExportSettings

FOLDER = Path("sparse", "0")
PINHOLE, OPENCV, OPENCV_FISHEYE, FULL_OPENCV = 1, 4, 5, 6
"""COLMAP's numbers of its camera models."""

RATIONAL = ("k3", "k4", "k5", "k6")
"""Coefficients that OPENCV lacks."""

NOT_COMPUTED = -1.0
"""COLMAP's error of a point that it has none of: here no point was triangulated."""

OBSERVATION = np.dtype([("pixel", "<f8", 2), ("point", "<i8")])
POINT = np.dtype([("id", "<u8"), ("position", "<f8", 3), ("color", "u1", 3), ("error", "<f8"), ("seen", "<u8")])
SEEN_POINT = np.dtype([*POINT.descr, ("image", "<u4"), ("place", "<u4")])


class _Camera(NamedTuple):
    model: int
    size: tuple[int, int]
    parameters: tuple[float, ...]


def write(scene: ExportScene, folder: Path, settings: ExportSettings) -> None:
    write_pictures(scene, folder, settings)
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    cameras = [_camera(camera, settings) for camera in scene.cameras]
    numbers = {camera: number for number, camera in enumerate(dict.fromkeys(cameras), start=1)}
    observed = _observed(scene, settings)
    (target / "cameras.bin").write_bytes(_cameras(numbers))
    (target / "images.bin").write_bytes(_images(scene, settings, [numbers[camera] for camera in cameras], observed))
    (target / "points3D.bin").write_bytes(_points(scene, observed))


def _camera(camera: ExportCamera, settings: ExportSettings) -> _Camera:
    if camera.lens is None or not is_original(camera, settings):
        return _Camera(PINHOLE, camera.size, _focal_and_middle(camera.intrinsics))
    return _lens_camera(camera.lens)


def _lens_camera(lens: Lens) -> _Camera:
    k = named_coefficients(lens)
    if lens.model != BROWN:
        model, names = OPENCV_FISHEYE, ("k1", "k2", "k3", "k4")
    elif any(k[name] for name in RATIONAL):
        model, names = FULL_OPENCV, ("k1", "k2", "p1", "p2", *RATIONAL)
    else:
        model, names = OPENCV, ("k1", "k2", "p1", "p2")
    return _Camera(model, lens.size, (*_focal_and_middle(lens.intrinsics), *(k[name] for name in names)))


def _focal_and_middle(intrinsics: np.ndarray) -> tuple[float, ...]:
    return tuple(float(intrinsics[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))


def _observed(scene: ExportScene, settings: ExportSettings) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each photo the indices of the points [M] that came from it and lie in it, and their pixels [M,2]."""
    result = []
    for index, camera in enumerate(scene.cameras):
        mine = np.flatnonzero(scene.points.view == index)
        original = is_original(camera, settings)
        size = camera.lens.size if original and camera.lens else camera.size
        position = scene.points.position[mine]
        pixels = project_original(camera, position) if original else project(camera, position)[0]
        inside = ((pixels >= 0) & (pixels <= size)).all(-1)
        result.append((mine[inside], pixels[inside]))
    return result


def _cameras(numbers: dict[_Camera, int]) -> bytes:
    data = struct.pack("<Q", len(numbers))
    for camera, number in numbers.items():
        data += struct.pack("<IiQQ", number, camera.model, *camera.size)
        data += struct.pack(f"<{len(camera.parameters)}d", *camera.parameters)
    return data


def _images(
    scene: ExportScene,
    settings: ExportSettings,
    numbers: list[int],
    observed: list[tuple[np.ndarray, np.ndarray]],
) -> bytes:
    parts = [struct.pack("<Q", len(scene.cameras))]
    rows = zip(scene.cameras, picture_names(scene, settings), numbers, observed, strict=True)
    for image, (camera, name, number, (points, pixels)) in enumerate(rows, start=1):
        observations = np.empty(len(points), OBSERVATION)
        observations["pixel"], observations["point"] = pixels, points + 1
        pose = (*quaternion_from_matrix(camera.extrinsics[:3, :3]), *camera.extrinsics[:3, 3])
        head = struct.pack("<I7dI", image, *pose, number)
        parts += [head, name.encode() + b"\0", struct.pack("<Q", len(points)), observations.tobytes()]
    return b"".join(parts)


def _points(scene: ExportScene, observed: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    count = len(scene.points.position)
    unseen = np.ones(count, bool)
    parts = [struct.pack("<Q", count)]
    for image, (points, _) in enumerate(observed, start=1):
        unseen[points] = False
        rows = _filled(scene, points, SEEN_POINT, seen=1)
        rows["image"], rows["place"] = image, np.arange(len(points))
        parts.append(rows.tobytes())
    parts.append(_filled(scene, np.flatnonzero(unseen), POINT, seen=0).tobytes())
    return b"".join(parts)


def _filled(scene: ExportScene, points: np.ndarray, kind: np.dtype, seen: int) -> np.ndarray:
    rows = np.zeros(len(points), kind)
    rows["id"], rows["error"], rows["seen"] = points + 1, NOT_COMPUTED, seen
    rows["position"], rows["color"] = scene.points.position[points], scene.points.color[points]
    return rows
