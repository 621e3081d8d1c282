"""The cameras of photos from a COLMAP model (Schönberger and Frahm 2016), read by pycolmap.

COLMAP's cameras look as ours do (x right, y down, z forward), its poses are world-to-camera, and the middle of its
first pixel is (0.5, 0.5) as well, so nothing is converted but sizes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pycolmap

from model_runtime.messages import ColmapModel, GivenCameras, JobError, Photo
from model_runtime.photos import upright_size

NO_POINTS = {".bin": bytes(8), ".txt": b""}
"""The list of points that COLMAP wants to read, too: none. By the ending of the other lists."""

DISTORTION_TOLERANCE = 1e-3
"""Of the longest side: how far distortion may move a pixel that is taken to be where a pinhole sees it. Half a pixel of
the 504 that the network sees."""

GRID = 9
"""Rows and columns of pixels at which distortion is measured."""


def colmap_cameras(model: ColmapModel, photos: Sequence[Photo]) -> GivenCameras:
    """The photos' cameras, in COLMAP's world and in pixels of the upright photos.

    Images belong to photos by name: by the whole name, else by as many of its last parts as agree (`left/1.jpg`).
    Raises JobError where the model is damaged, photos are not in it or have another shape there, or a lens distorts.
    """
    reconstruction = _read(model)
    images = {image.name: image for image in reconstruction.images.values()}
    extrinsics, intrinsics = [], []
    for photo, name in zip(photos, _match([photo.name for photo in photos], sorted(images)), strict=True):
        image = images[name]
        camera = image.camera
        assert camera is not None  # every image of a model that was read has one
        extrinsics.append(np.vstack((image.cam_from_world().matrix(), (0, 0, 0, 1))))
        intrinsics.append(_intrinsics(camera, photo))
    return GivenCameras(np.array(extrinsics), np.array(intrinsics))


def _read(model: ColmapModel) -> pycolmap.Reconstruction:
    """The model without its points, which need not be sent."""
    files = {file.name: file.data for file in model.files}
    ending = next((e for e in NO_POINTS if {f"cameras{e}", f"images{e}"} <= files.keys()), None)
    if ending is None:
        raise _damaged("its lists of cameras and images are not both there")
    reconstruction = pycolmap.Reconstruction()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("cameras", "images"):
            (folder / f"{part}{ending}").write_bytes(files[f"{part}{ending}"])
        (folder / f"points3D{ending}").write_bytes(NO_POINTS[ending])
        try:
            reconstruction.read(folder)
        except Exception as error:  # COLMAP's checks raise many kinds
            raise _damaged(str(error).strip().rpartition("\n")[2]) from error
        if ending == ".bin":
            # COLMAP reads on past the end of a file. What it made up there it writes out again.
            reconstruction.write_binary(folder)
            for part in ("cameras", "images"):
                if (folder / f"{part}.bin").stat().st_size > len(files[f"{part}.bin"]):
                    raise _damaged(f"{part}.bin ends too early")
    if not reconstruction.num_images():
        raise _damaged("it has no images")
    return reconstruction


def _damaged(why: str) -> JobError:
    return JobError(
        "cameras-unreadable", f"The COLMAP model cannot be read: {why}.", "Write it again with COLMAP, or copy it anew."
    )


def _match(photos: Sequence[str], images: Sequence[str]) -> list[str]:
    """The image of each photo. An image that belongs to one photo for sure is not in question for the others."""
    found: dict[str, str] = {}
    fitting: dict[str, list[str]] = {}
    for photo in sorted(photos, key=lambda name: -len(_parts(name))):
        free = [image for image in images if image not in found.values()]
        agreeing = {image: _agreeing(photo, image) for image in free}
        most = max(agreeing.values(), default=(0, False))
        fitting[photo] = [image for image, parts in agreeing.items() if parts == most and most[0]]
        if len(fitting[photo]) == 1:
            found[photo] = fitting[photo][0]
    missing = [photo for photo in photos if not fitting[photo]]
    if missing:
        sentence = f"The COLMAP model has no camera for {', '.join(missing)}."
        raise JobError("cameras-missing", sentence, "Leave these photos out, or choose the model they belong to.")
    for photo in photos:
        if photo not in found:
            sentence = f"The COLMAP model has several images for {photo}: {', '.join(fitting[photo])}."
            raise JobError("bad-cameras", sentence, "Give the photos names of their own.")
    return [found[photo] for photo in photos]


def _agreeing(photo: str, image: str) -> tuple[int, bool]:
    """How many of the last parts of two paths agree, and whether all do."""
    one, other = _parts(photo), _parts(image)
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count, one == other


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part]


def _intrinsics(camera: pycolmap.Camera, photo: Photo) -> np.ndarray:
    """[3,3] in pixels of the photo, which may be a larger or smaller copy of what COLMAP saw."""
    width, height = upright_size(photo)
    if not _same_shape((width, height), (camera.width, camera.height)):
        raise JobError(
            "bad-cameras",
            f"{photo.name} has {width} x {height} pixels, but COLMAP saw it with {camera.width} x {camera.height}.",
            "Use the photos that COLMAP saw, not turned and not cropped.",
        )
    if _distortion(camera) > DISTORTION_TOLERANCE:
        raise JobError(
            "bad-cameras",
            f"The lens of {photo.name} distorts in the COLMAP model ({camera.model_name}).",
            "Run 'colmap image_undistorter', and use the photos and the model that it writes.",
        )
    scale = np.diag((width / camera.width, height / camera.height, 1.0))
    return scale @ np.asarray(camera.calibration_matrix(), np.float64)


def _same_shape(photo: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether one is the other scaled; the shorter side of the smaller one may be rounded."""
    (small, large) = (photo, image) if photo[0] <= image[0] else (image, photo)
    if min(small) < 1:
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
