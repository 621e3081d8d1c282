"""The cameras of photos from a COLMAP model (Schönberger and Frahm 2016).

COLMAP's cameras look as ours do (x right, y down, z forward), its poses are world-to-camera, and the middle of its
first pixel is (0.5, 0.5) as well, so nothing is converted but sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.cameras.colmap_lens import camera_models, pycolmap_camera, upright_lens
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.given import KnownCameras
from model_runtime.contract.camera_checks import check_intrinsics, check_lens, check_numbers, check_pose
from model_runtime.contract.colmap_files import (
    ColmapCamera,
    ColmapFileError,
    ColmapImage,
    read_cameras,
    read_images,
    read_points,
)
from model_runtime.contract.lens import Lens, bends
from model_runtime.contract.messages import Cameras, ColmapModel, JobError, Photo
from model_runtime.contract.orientation import QUARTER_TURNS, turn_pixels, turn_upright
from model_runtime.contract.photo_names import listed, match_names, shortened
from model_runtime.photos.decode import stored_shape, upright_size

ENDINGS = (".bin", ".txt")
"""Where there are lists of both kinds, COLMAP itself takes the first."""


def colmap_cameras(model: ColmapModel, photos: Sequence[Photo]) -> KnownCameras:
    """The photos' cameras and the model's points, in COLMAP's world and in pixels of the upright photos.

    Images belong to photos by name: by the whole name, else by as many of its last parts as agree (`left/1.jpg`).
    COLMAP does not look at EXIF orientation, so cameras are turned upright with their photos. A photo that the model
    lacks has no known camera. Lenses that bend lines come along; points stay where the bent photos show them. Raises
    JobError where the model is damaged, has none of the photos or several images for one, has another shape of a
    photo, or where a lens is like none of the contract's.
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
    if model.chosen:
        found, place = sum(name is not None for name in names), shortened(model.chosen)
        taken = f"Of several COLMAP models the one in {place} was taken; it has {found} of {len(photos)} photos."
        notes = [taken, *notes]
    extrinsics, intrinsics = np.full((len(photos), 4, 4), np.nan), np.full((len(photos), 3, 3), np.nan)
    lenses: list[Lens | None] = [None] * len(photos)
    seen = [_Seen(np.zeros(0, np.int64), np.zeros((0, 2)))] * len(photos)
    for i, (photo, name) in enumerate(zip(photos, names, strict=True)):
        if name is None:
            continue
        camera = read.cameras.get(images[name].camera)
        if camera is None:
            raise _damaged(f"it has no camera for its image {shortened(name)}")
        stored = _stored(photo, camera)
        if stored is not None:
            extrinsics[i], lens, seen[i] = _upright_view(images[name], camera, photo.name, *stored)
            intrinsics[i], lenses[i] = lens.intrinsics, lens if bends(lens) else None
    cameras = Cameras(extrinsics, intrinsics, tuple(lenses) if any(lenses) else ())
    return KnownCameras(cameras, _sparse_points(read, seen), notes)


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
) -> tuple[np.ndarray, Lens, _Seen]:
    """Extrinsics [4,4], lens and observations of a photo whose stored pixels have this size."""
    pose = _pose(image)
    check_pose(pose, name)
    lens = _lens(camera, name, size, orientation)
    extrinsics, _ = turn_upright(pose, np.eye(3), size, orientation)
    try:
        pixels, numbers = image.points_2d()
    except ColmapFileError as error:
        raise _damaged(str(error)) from error
    finite = np.isfinite(pixels).all(1)
    stored = pixels[finite] * size / (camera.width, camera.height)
    return extrinsics, lens, _Seen(numbers[finite], turn_pixels(stored, size, orientation))


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
        cameras = read_cameras(files[f"cameras{ending}"], ending, camera_models())
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


def _lens(camera: ColmapCamera, name: str, size: tuple[int, int], orientation: int) -> Lens:
    """Of the upright photo, whose stored pixels may be a larger or smaller copy of what COLMAP saw."""
    width, height = size
    if not _same_shape(size, (camera.width, camera.height)):
        raise JobError(
            "bad-cameras",
            f"{name} has {width} x {height} pixels, but COLMAP saw it with {camera.width} x {camera.height}.",
            "Use the photos that COLMAP saw, not cropped.",
        )
    check_numbers(np.array(camera.parameters), name)
    seen = pycolmap_camera(camera)
    lens = None
    if seen.is_perspective():
        check_intrinsics(np.asarray(seen.calibration_matrix(), np.float64), name)
        lens = upright_lens(camera, size, orientation)
    if lens is None:
        raise JobError(
            "bad-cameras",
            f"The lens of {name} distorts in the COLMAP model ({camera.model}).",
            "Run 'colmap image_undistorter', and use the photos and the model that it writes.",
        )
    check_lens(lens, name)
    return lens


def _same_shape(photo: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether one is the other scaled; the shorter side of the smaller one may be rounded."""
    (small, large) = (photo, image) if photo[0] <= image[0] else (image, photo)
    if min(*small, *large) < 1:
        return False
    return abs(large[1] * small[0] / large[0] - small[1]) <= 1 or abs(large[0] * small[1] / large[1] - small[0]) <= 1
