"""The one camera of a clip: a key in every frame, the clip behind it, and what its key frames saw.

It is the child of an empty, its rig. The camera's keys are in the result's own frame, as points and splats are; what
the artist does to the rig, as to these, moves all alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import bpy
import numpy as np

from model_runtime.contract.lens import Pinhole

from ..plan.clip_plan import TrackPlan, shown_at
from ..plan.conventions import from_blender_camera
from ..plan.plain_names import free_name
from ..plan.scene_plan import CameraPlan, ScenePlan
from .camera_keys import is_keyed, own_action, pose_at, read_keys, stand_at, write_keys
from .cameras import photo_image, write_camera
from .lenses import numbers
from .marks import (
    CLIP_FRAMES,
    CLIP_RATE,
    KEY_FRAMES,
    KEY_INTRINSICS,
    KEY_NAMES,
    KEY_PICTURES,
    KEY_SIZE,
)
from .movie_clips import can_straighten, movie_clip, put_clip_behind, shown_rate
from .placement import remember

RIG_SIZE = 1.0
"""Of the empty, in the camera's own drawing size."""


class KeyFrame(NamedTuple):
    """frame: the scene's, in which the clip shows it. name: the photo's. image: what it is, where the file has it."""

    frame: float
    name: str
    image: bpy.types.Image | None


def is_clip(item: bpy.types.Object | None) -> bool:
    """Whether it is the camera of a clip."""
    return item is not None and item.type == "CAMERA" and CLIP_FRAMES in item.data


def write_clip_camera(
    plan: ScenePlan, track: TrackPlan, collection: bpy.types.Collection, frame: float
) -> tuple[bpy.types.Object, bpy.types.Object]:
    """The rig and the camera of a clip, linked into `collection`; not yet marked. frame: as of `write_camera`."""
    name = free_name(f"DA3 {plan.name} camera", bpy.data.objects, bpy.data.cameras)
    rig = bpy.data.objects.new(free_name(f"{name} rig", bpy.data.objects), None)
    rig.empty_display_size = RIG_SIZE * track.display_size
    collection.objects.link(rig)
    remember(rig, np.eye(4))
    camera = write_camera(_as_photo(track, plan.cameras[0]), collection, frame)
    camera.name = camera.data.name = name
    camera.parent = rig
    shown = not track.files.files or track.files.is_sequence
    clip = movie_clip(track.files, track.begins, track.camera.resolution, track.lens) if shown else None
    track = track.at_rate(shown_rate(clip, track.rate))
    _remember_clip(camera.data, track, plan.cameras)
    if clip is not None:
        put_clip_behind(camera.data, clip, track.camera.resolution, track.lens is not None)
    if not track.still:
        frames, places = shown_at(track.frames, track.numbers)
        write_keys(camera, frames, track.matrices[places])
    return rig, camera


def lens_note(track: TrackPlan) -> str:
    """What is not seen as it should be, as a sentence; empty where nothing is."""
    if track.lens is None or can_straighten(track.lens):
        return ""
    return "Blender's movie clips do not know this lens: behind the camera the clip stays bent; its key frames are not."


def clip_frames(camera: bpy.types.Object) -> tuple[int, int]:
    """First and last of the scene's frames that show the clip of this camera."""
    first, last = camera.data[CLIP_FRAMES]
    return int(first), int(last)


def clip_rate(camera: bpy.types.Object) -> float:
    """Frames a second of a clip's camera."""
    return float(camera.data[CLIP_RATE])


def key_frames(camera: bpy.types.Object) -> list[KeyFrame]:
    """The clip's key frames, in the order of the prediction's views."""
    data: Any = camera.data
    pictures = data.get(KEY_PICTURES, {})
    names = str(data.get(KEY_NAMES, "")).split("\n")
    return [
        KeyFrame(float(frame), name, pictures.get(str(place)))
        for place, (frame, name) in enumerate(zip(data.get(KEY_FRAMES, ()), names, strict=False))
    ]


def key_pinhole(camera: bpy.types.Object) -> Pinhole:
    """What the pictures of the clip's key frames show."""
    data: Any = camera.data
    width, height = data[KEY_SIZE]
    return Pinhole((int(width), int(height)), np.array(list(data[KEY_INTRINSICS]), np.float64).reshape(3, 3))


def poses(camera: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Frames [K] of the scene and where a clip's camera is in them, [K,4,4] in its parent's space; a still one is in
    its first frame where it always is."""
    if is_keyed(camera):
        return read_keys(camera)
    return np.array([float(clip_frames(camera)[0])]), np.array(camera.matrix_basis, np.float64)[None]


def pose_in(camera: bpy.types.Object, frame: float) -> np.ndarray:
    """[4,4] where a clip's camera is at a frame, in its parent's space."""
    return pose_at(camera, frame) if is_keyed(camera) else np.array(camera.matrix_basis, np.float64)


def move_keys(cameras: Sequence[bpy.types.Object], matrices: Sequence[Any], frame: float) -> None:
    """Let each of the keyed cameras go where its similarity takes it, in every frame; of those that share an action the
    first says how. frame: the scene's current one."""
    moved: set[Any] = set()
    for camera, similarity in zip(cameras, matrices, strict=True):
        data: Any = camera.animation_data
        shared = [each for each in cameras if each.animation_data.action == data.action]
        if len(shared) == 1:
            own_action(camera)
        if data.action not in moved:
            frames, before = read_keys(camera)
            write_keys(camera, frames, np.stack([similarity.pose(matrix) for matrix in before]))
            moved.add(data.action)
        stand_at(camera, frame)


def take_over_camera(kept: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Let a clip's camera move as one does that was made anew. The artist's constraints and other animation stay."""
    own_action(kept)
    write_keys(kept, *read_keys(fresh))


def _as_photo(track: TrackPlan, first: CameraPlan) -> CameraPlan:
    """A photo's camera with the clip's lens, where the clip begins."""
    return CameraPlan(
        name=track.name or "clip",
        camera=track.camera,
        photo_path=None,
        plate=b"",
        clip=track.clip,
        display_size=track.display_size,
        source=track.source,
        lens=track.lens,
        match_error=track.match_error,
        map_size=first.map_size,
    )


def _remember_clip(data: bpy.types.Camera, track: TrackPlan, keys: Sequence[CameraPlan]) -> None:
    frames, _ = shown_at(track.frames, track.numbers)
    data[CLIP_FRAMES], data[CLIP_RATE] = [int(frames[0]), int(frames[-1])], track.rate
    data[KEY_FRAMES] = [float(track.frames[place]) for place in track.keys]
    data[KEY_NAMES] = "\n".join(key.name for key in keys)
    data[KEY_SIZE] = keys[0].camera.resolution
    data[KEY_INTRINSICS] = numbers(from_blender_camera(keys[0].camera)[1])
    images = {str(place): photo_image(key) for place, key in enumerate(keys)}
    data[KEY_PICTURES] = {place: image for place, image in images.items() if image is not None}
