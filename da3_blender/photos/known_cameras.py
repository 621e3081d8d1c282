"""Blender's own cameras as the known cameras of photos: which belongs to which, and what they are in OpenCV's terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Cameras, JobError

from ..plan.plain_names import plain_name
from ..scene import locks
from ..scene.cameras import seen_by
from ..scene.lenses import read_lens, read_pinhole
from ..scene.marks import RESOLUTION, VIEW
from ..settings import ListedPhoto
from .contents import known_size
from .files import natural_key

SAME_LENS = 1e-4
"""Of its value: by how much Blender's single precision may change focal lengths and middles."""


@dataclass
class CameraPhoto:
    """What rows of the photo list have, for photos that are not in it: the file, or else an image of the .blend, and
    the upright size in pixels."""

    name: str
    path: str = ""
    image: bpy.types.Image | None = None
    width: int = 0
    height: int = 0


PhotoRow = ListedPhoto | CameraPhoto


def scene_cameras(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's cameras in the natural order of their names."""
    return sorted((item for item in scene.objects if item.type == "CAMERA"), key=lambda item: natural_key(item.name))


def match_cameras(photos: Sequence[PhotoRow], cameras: Sequence[bpy.types.Object]) -> list[bpy.types.Object | None]:
    """The camera of each photo, or None.

    One that has the photo behind it comes first, then one that the add-on made for a photo of that name, then one
    that is called like the photo, with or without its ending, or as the add-on calls cameras (`plain_name`). Where
    several would do, none is taken. Where that finds none at all and there are as many cameras as photos, they belong
    together in their order.
    """
    found: list[bpy.types.Object | None] = [None] * len(photos)
    for belongs in (_shows, _made_for, _called_like):
        free = [camera for camera in cameras if camera not in found]
        for index, photo in enumerate(photos):
            fitting = [camera for camera in free if belongs(camera, photo)] if found[index] is None else []
            if len(fitting) == 1 and fitting[0] not in found:
                found[index] = fitting[0]
    if not any(found) and len(cameras) == len(photos):
        return list(cameras)
    return found


def match_list(scene: bpy.types.Scene) -> list[str]:
    """Give the photos of the list that have no camera of `scene` yet the one they match; returns the names of those
    that still have none."""
    cameras = scene_cameras(scene)
    missing = [photo for photo in scene.da3.photos if photo.camera not in cameras]
    taken = {photo.camera for photo in scene.da3.photos}
    for photo, camera in zip(missing, match_cameras(missing, [c for c in cameras if c not in taken]), strict=True):
        photo.camera = camera
    return [photo.name for photo in missing if photo.camera is None]


def given_cameras(
    photos: Sequence[PhotoRow], cameras: Sequence[bpy.types.Object | None], scene: bpy.types.Scene
) -> Cameras:
    """The photos' cameras where they stand in `scene` at its current frame, in Blender's world.

    A photo is taken to be what Blender renders with the camera at the photo's size, or, where the camera tells of a
    lens that bent it, what that lens took. Raises JobError where photos have no camera or share one, and where a camera
    is not a perspective one, Blender does not tell where it is, or its lens is not that of the photo.
    """
    _check_all_different(photos, cameras)
    view_layer = scene.view_layers[0]
    view_layer.update()
    extrinsics, intrinsics, lenses = [], [], []
    for photo, camera in zip(photos, cameras, strict=True):
        assert camera is not None  # _check_all_different
        size = known_size((photo.width, photo.height), photo.name)
        lens = read_lens(camera.data)
        shown = size if lens is None else tuple(camera.data[RESOLUTION])
        pose, pixels = _given_camera(camera, shown, scene, view_layer.depsgraph)
        if lens is not None:
            _check_lens(camera, lens, size, pixels, photo.name)
            pixels = lens.intrinsics
        extrinsics.append(pose)
        intrinsics.append(pixels)
        lenses.append(lens)
    return Cameras(np.array(extrinsics), np.array(intrinsics), tuple(lenses) if any(lenses) else ())


def locked_cameras(names: Sequence[str], collection: bpy.types.Collection, scene: bpy.types.Scene) -> Cameras | None:
    """What is locked of a result's cameras (`scene.locks`) for the photos called `names`, as it stands in `scene` now:
    NaN for what is not. None where nothing is.

    Raises JobError where Blender does not tell where one is.
    """
    there = locks.locked(collection)
    extrinsics, intrinsics = np.full((len(names), 4, 4), np.nan), np.full((len(names), 3, 3), np.nan)
    view_layer = scene.view_layers[0]
    view_layer.update()
    for index, name in enumerate(names):
        if name not in there:
            continue
        camera: Any = there[name]
        size = tuple(camera.data[RESOLUTION])
        pose, intrinsics[index] = _given_camera(camera, size, scene, view_layer.depsgraph)
        if locks.lock_of(camera) == locks.CAMERA:
            extrinsics[index] = pose
    return None if np.isnan(intrinsics).all() else Cameras(extrinsics, intrinsics)


def laid_over(cameras: Cameras, others: Cameras) -> Cameras:
    """`cameras`, but where `others` of the same photos, which bend no lines, are known those."""
    pairs = ((cameras.extrinsics, others.extrinsics), (cameras.intrinsics, others.intrinsics))
    known = ~np.isnan(others.intrinsics).all((1, 2))
    lenses = tuple(None if over else lens for lens, over in zip(cameras.lenses, known, strict=False))
    extrinsics, intrinsics = (np.where(np.isnan(over), under, over) for under, over in pairs)
    return Cameras(extrinsics, intrinsics, lenses)


def _check_all_different(photos: Sequence[PhotoRow], cameras: Sequence[bpy.types.Object | None]) -> None:
    missing = ", ".join(photo.name for photo, camera in zip(photos, cameras, strict=True) if camera is None)
    if missing:
        raise JobError(
            "cameras-missing", f"No camera is known for {missing}.", "Choose one for each, or take the photo out."
        )
    owners: dict[bpy.types.Object, str] = {}
    for photo, camera in zip(photos, cameras, strict=True):
        assert camera is not None
        if camera in owners:
            sentence = f"{owners[camera]} and {photo.name} have the same camera, '{camera.name}'."
            raise JobError("bad-cameras", sentence, "Choose a camera of its own for each photo.")
        owners[camera] = photo.name


def _given_camera(
    camera: bpy.types.Object, size: tuple[int, int], scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> tuple[np.ndarray, np.ndarray]:
    """Extrinsics [4,4] and intrinsics [3,3], with everything that moves the camera, and its lens, applied."""
    evaluated: Any = camera.evaluated_get(depsgraph)
    if not evaluated.is_evaluated:
        raise JobError(
            "bad-cameras",
            f"The camera '{camera.name}' is hidden or not in this scene, so Blender does not tell where it is.",
            "Show it, and its collection, in the viewport.",
        )
    return seen_by(camera, np.array(evaluated.matrix_world), evaluated.data, size, scene)


def _check_lens(camera: bpy.types.Object, lens: Lens, size: tuple[int, int], pixels: np.ndarray, photo: str) -> None:
    """Raise JobError where a camera that tells of a lens is not any more the one that was made for it, or the photo of
    `size` is not one that the lens took. pixels: the camera's intrinsics [3,3]."""
    straight = read_pinhole(camera.data)
    if straight is None or not np.allclose(pixels, straight.intrinsics, rtol=SAME_LENS, atol=SAME_LENS):
        sentence = f"The camera '{camera.name}' was changed since its photo was straightened, so its lens is not known."
        raise JobError("bad-cameras", sentence, "Set its focal length and shift back, or choose another.")
    if size != lens.size:
        sentence = f"{photo} has another size than the photo whose lens the camera '{camera.name}' tells."
        raise JobError("bad-cameras", sentence, "Choose the photo as it was taken, or another camera.")


def _shows(camera: bpy.types.Object, photo: PhotoRow) -> bool:
    data: Any = camera.data
    images = [background.image for background in data.background_images if background.image]
    if not photo.path:
        return photo.image is not None and photo.image in images
    wanted = _absolute(photo.path)
    return any(image.filepath and _absolute(image.filepath, image.library) == wanted for image in images)


def _made_for(camera: bpy.types.Object, photo: PhotoRow) -> bool:
    return camera.get(VIEW) == photo.name


def _called_like(camera: bpy.types.Object, photo: PhotoRow) -> bool:
    file = Path(photo.name)
    names = {name.casefold() for name in (photo.name, file.name, file.stem, plain_name(photo.name))}
    return camera.name.casefold() in names or camera.data.name.casefold() in names


def _absolute(path: str, library: bpy.types.Library | None = None) -> Path:
    return Path(bpy.path.abspath(path, library=library)).resolve()
