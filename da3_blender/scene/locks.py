"""Cameras of a result that are right, or whose lens is: an update takes them as known."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from model_runtime.contract.messages import JobError

from . import find
from .clip_camera import is_clip
from .lenses import read_lens
from .marks import LOCK, VIEW

CAMERA, LENS = "camera", "lens"
"""What is locked: where the camera stands and its lens, or its lens alone."""


def lock_of(camera: bpy.types.Object) -> str:
    """What of a camera is locked: CAMERA, LENS or nothing, empty. A bent one is never, as `lock` tells."""
    value = str(camera.get(LOCK, ""))
    return value if value in (CAMERA, LENS) and can_be_locked(camera) else ""


def can_be_locked(camera: bpy.types.Object) -> bool:
    """Whether it is the camera of a photo that no lens bends."""
    return read_lens(camera.data) is None and not is_clip(camera)


def lock(camera: bpy.types.Object, what: str) -> None:
    """Lock CAMERA or LENS of a photo's camera, or with an empty `what` neither.

    Raises JobError for one whose photo is straightened: its lens is not the one that Blender shows; and for that of a
    clip, which no request says.
    """
    if what and is_clip(camera):
        sentence = f"The camera of {camera.get(VIEW, camera.name)} cannot be locked: it moves with its clip."
        raise JobError("bad-cameras", sentence, "Lock cameras of photos.")
    if what and read_lens(camera.data) is not None:
        raise JobError(
            "bad-cameras",
            f"The camera of {camera.get(VIEW, camera.name)} cannot be locked: its photo is straightened.",
            "Lock cameras whose lens bends no lines, or straighten the photos first.",
        )
    if what:
        camera[LOCK] = what
    elif LOCK in camera:
        del camera[LOCK]


def drop_of_bent(cameras: Iterable[bpy.types.Object]) -> list[str]:
    """Take the locks off cameras whose photos have been straightened since, which would come back unasked where they
    are not any more; the names of these photos."""
    bent = [camera for camera in cameras if LOCK in camera and read_lens(camera.data) is not None]
    for camera in bent:
        del camera[LOCK]
    return list(dict.fromkeys(str(camera.get(VIEW, camera.name)) for camera in bent))


def locked(collection: bpy.types.Collection) -> dict[str, bpy.types.Object]:
    """The result's cameras of which something is locked, by their photos' names; of copies of one the first."""
    cameras = reversed(find.objects_of(collection, "camera"))
    return {camera[VIEW]: camera for camera in cameras if lock_of(camera)}
