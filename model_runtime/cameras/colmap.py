"""The cameras of photos from a COLMAP model (Schönberger and Frahm 2016).

COLMAP's cameras look as ours do (x right, y down, z forward), its poses are world-to-camera, and the middle of its
first pixel is (0.5, 0.5) as well, so nothing is converted but sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycolmap

from model_runtime.cameras.colmap_files import (
    ColmapCamera,
    ColmapFileError,
    ColmapImage,
    read_cameras,
    read_images,
    read_points,
)
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.given import KnownCameras
from model_runtime.contract.camera_checks import check_intrinsics, check_numbers, check_pose
from model_runtime.contract.messages import Cameras, ColmapModel, JobError, Photo
from model_runtime.contract.orientation import QUARTER_TURNS, turn_pixels, turn_upright
from model_runtime.contract.photo_names import listed, match_names, shortened
from model_runtime.photos.decode import stored_shape, upright_size

ENDINGS = (".bin", ".txt")
"""Where there are lists of both kinds, COLMAP itself takes the first."""

DISTORTION_TOLERANCE = 1e-3
"""Of the longest side: how far distortion may move a pixel that is taken to be where a pinhole sees it. Half a pixel of
the 504 that the network sees."""

GRID = 9
"""Rows and columns of pixels at which distortion is measured."""


def colmap_cameras(model: ColmapModel, photos: Sequence[Photo]) -> KnownCameras:
    """The photos' cameras and the model's points, in COLMAP's world and in pixels of the upright photos.

    Images belong to photos by name: by the whole name, else by as many of its last parts as agree (`left/1.jpg`).
    COLMAP does not look at EXIF orientation, so cameras are turned upright with their photos. A photo that the model
    lacks has no known camera. Raises JobError where the model is damaged, has none of the photos or several images for
    one, has another shape of a photo, or where a camera is not a pinhole's or its lens distorts.
    """
    read, notes = _read(model)
    images = {image.name: image for image in read.images}
    try:
        names = match_names([photo.name for photo in photos], sorted(image.name for image in read.images))
    except ValueError as error:
        raise JobError("bad-cameras", str(error), "Give the photos names of their own.") from error
    if not any(names):
        sentence = f"The COLMAP model has no camera for {listed([photo.name for photo in photos])}."
        raise JobError("cameras-missing", sentence, "Choose the model that these photos belong to.")
    extrinsics, intrinsics = np.full((len(photos), 4, 4), np.nan), np.full((len(photos), 3, 3), np.nan)
    seen = [_Seen(np.zeros(0, np.int64), np.zeros((0, 2)))] * len(photos)
    for i, (photo, name) in enumerate(zip(photos, names, strict=True)):
        if name is None:
            continue
        camera = read.cameras.get(images[name].camera)
        if camera is None:
            raise _damaged(f"it has no camera for its image {shortened(name)}")
        stored = _stored(photo, camera)
        if stored is not None:
            extrinsics[i], intrinsics[i], seen[i] = _upright_view(images[name], camera, photo.name, *stored)
    return KnownCameras(Cameras(extrinsics, intrinsics), _sparse_points(read, seen), notes)


@dataclass(frozen=True, eq=False)
class _Model:
    """numbers, places: of the points, [P] int64 in rising order and [P,3]."""

    cameras: dict[int, ColmapCamera]
    images: list[ColmapImage]
    numbers: np.ndarray
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a photo sees: numbers [M] of the model's points, and where, [M,2] pixels of the upright photo."""

    points: np.ndarray
    pixel: np.ndarray


def _stored(photo: Photo, camera: ColmapCamera) -> tuple[tuple[int, int], int] | None:
    """Size and EXIF orientation of the pixels that COLMAP saw.

    None of a photo that cannot be read, which is told elsewhere, or that is stored as a mirror image.
    """
    try:
        size, orientation = stored_shape(photo)
    except JobError:
        return None
    seen, upright = (camera.width, camera.height), upright_size(size, orientation)
    if _same_shape(upright, seen) and not _same_shape(size, seen):
        return upright, 1  # somebody turned the pixels for COLMAP
    return (size, orientation) if orientation in QUARTER_TURNS else None


def _upright_view(
    image: ColmapImage, camera: ColmapCamera, name: str, size: tuple[int, int], orientation: int
) -> tuple[np.ndarray, np.ndarray, _Seen]:
    """Extrinsics [4,4], intrinsics [3,3] and observations of a photo whose stored pixels have this size."""
    pose = _pose(image)
    check_pose(pose, name)
    extrinsics, intrinsics = turn_upright(pose, _intrinsics(camera, name, size), size, orientation)
    try:
        pixels, numbers = image.points_2d()
    except ColmapFileError as error:
        raise _damaged(str(error)) from error
    finite = np.isfinite(pixels).all(1)
    stored = pixels[finite] * size / (camera.width, camera.height)
    return extrinsics, intrinsics, _Seen(numbers[finite], turn_pixels(stored, size, orientation))


def _pose(image: ColmapImage) -> np.ndarray:
    """[4,4] world-to-camera; no rotation where the quaternion is not one."""
    with np.errstate(all="ignore"):
        w, x, y, z = image.quaternion / np.linalg.norm(image.quaternion)
    rotation = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.vstack((np.column_stack((rotation, image.translation)), (0, 0, 0, 1)))


def _sparse_points(model: _Model, seen: Sequence[_Seen]) -> SparsePoints | None:
    """The points that any photo sees; None where the model has none."""
    numbers = np.concatenate([each.points for each in seen])
    view = np.repeat(np.arange(len(seen)), [len(each.points) for each in seen])
    pixel = np.concatenate([each.pixel for each in seen])
    finite = np.isfinite(model.places).all(1)
    listed, places = model.numbers[finite], model.places[finite]
    there = np.isin(numbers, listed)
    if not there.any():
        return None
    unique, point = np.unique(numbers[there], return_inverse=True)
    return SparsePoints(places[np.searchsorted(listed, unique)], view[there], point.astype(np.int64), pixel[there])


def _read(model: ColmapModel) -> tuple[_Model, list[str]]:
    """The model, and a note where it had to do without its points."""
    files = {file.name: file.data for file in model.files}
    ending = next((e for e in ENDINGS if {f"cameras{e}", f"images{e}"} <= files.keys()), None)
    if ending is None:
        raise _damaged("its lists of cameras and images are not both there")
    try:
        cameras = read_cameras(files[f"cameras{ending}"], ending)
        images = read_images(files[f"images{ending}"], ending)
    except ColmapFileError as error:
        raise _damaged(str(error)) from error
    if not images:
        raise _damaged("it has no images")
    points, notes = (np.zeros(0, np.int64), np.zeros((0, 3))), []
    if f"points3D{ending}" in files:
        try:
            points = read_points(files[f"points3D{ending}"], ending)
        except ColmapFileError:
            notes = ["The points of the COLMAP model cannot be read; features of the photos tell the depth instead."]
    return _Model(cameras, images, *points), notes


def _damaged(why: str) -> JobError:
    sentence = f"The COLMAP model cannot be read: {why}."
    return JobError("cameras-unreadable", sentence, "Write it again with COLMAP, or copy it anew.")


def _intrinsics(camera: ColmapCamera, name: str, size: tuple[int, int]) -> np.ndarray:
    """[3,3] in pixels of the stored photo, which may be a larger or smaller copy of what COLMAP saw."""
    width, height = size
    if not _same_shape(size, (camera.width, camera.height)):
        raise JobError(
            "bad-cameras",
            f"{name} has {width} x {height} pixels, but COLMAP saw it with {camera.width} x {camera.height}.",
            "Use the photos that COLMAP saw, not cropped.",
        )
    check_numbers(np.array(camera.parameters), name)
    lens = pycolmap.Camera(model=camera.model, width=camera.width, height=camera.height, params=list(camera.parameters))
    if lens.is_perspective():
        check_intrinsics(np.asarray(lens.calibration_matrix(), np.float64), name)
    if _distortion(lens) > DISTORTION_TOLERANCE:
        raise JobError(
            "bad-cameras",
            f"The lens of {name} distorts in the COLMAP model ({camera.model}).",
            "Run 'colmap image_undistorter', and use the photos and the model that it writes.",
        )
    scale = np.diag((width / camera.width, height / camera.height, 1.0))
    return scale @ np.asarray(lens.calibration_matrix(), np.float64)


def _same_shape(photo: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether one is the other scaled; the shorter side of the smaller one may be rounded."""
    (small, large) = (photo, image) if photo[0] <= image[0] else (image, photo)
    if min(*small, *large) < 1:
        return False
    return abs(large[1] * small[0] / large[0] - small[1]) <= 1 or abs(large[0] * small[1] / large[1] - small[0]) <= 1


def _distortion(camera: pycolmap.Camera) -> float:
    """How far the lens moves a pixel at most, as a share of the longest side; infinite where it sees no plane."""
    if not camera.is_perspective():
        return np.inf
    across, down = np.meshgrid(np.linspace(0, camera.width, GRID), np.linspace(0, camera.height, GRID))
    seen = np.stack([across.ravel(), down.ravel()], axis=1)
    plane = np.array([point if (point := camera.cam_from_img(pixel)) is not None else (np.inf,) * 2 for pixel in seen])
    pinhole = np.asarray(camera.calibration_matrix(), np.float64)
    straight = plane * pinhole.diagonal()[:2] + pinhole[:2, 2]
    return float(np.abs(straight - seen).max() / max(camera.width, camera.height))
