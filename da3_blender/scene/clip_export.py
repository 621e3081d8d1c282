"""A clip's camera as plain data to be exported: what its key frames saw, and where it is in every frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.export.scene import ExportCamera, ExportTrack

from ..plan.conventions import CAMERA_AXES
from .clip_camera import KeyFrame, clip_frames, clip_rate, key_frames, key_pinhole, pose_in
from .lenses import read_lens
from .marks import MAP_SIZE, MATCH_ERROR, RESOLUTION
from .placement import frame_to_world


def key_cameras(item: bpy.types.Object) -> list[ExportCamera]:
    """A camera for each key frame, with its picture where the file has it."""
    return [_camera(item, key) for key in key_frames(item)]


def moving_camera(item: bpy.types.Object, intrinsics: np.ndarray) -> ExportTrack:
    """The camera in each of the scene's frames that show the clip. intrinsics: [3,3], in pixels of the clip."""
    first, last = clip_frames(item)
    width, height = item.data[RESOLUTION]
    frames = np.arange(first, last + 1)
    return ExportTrack(
        name=item.name,
        frames=frames,
        size=(int(width), int(height)),
        intrinsics=intrinsics,
        extrinsics=np.stack([_extrinsics(item, float(frame)) for frame in frames]),
        rate=clip_rate(item),
    )


def _camera(item: bpy.types.Object, key: KeyFrame) -> ExportCamera:
    data: Any = item.data
    pinhole = key_pinhole(item)
    photo, plate = _picture(key.image)
    return ExportCamera(
        name=key.name,
        size=pinhole.size,
        intrinsics=pinhole.intrinsics,
        extrinsics=_extrinsics(item, key.frame),
        map_size=tuple(data.get(MAP_SIZE, (0, 0))),
        photo=photo,
        plate=plate,
        lens=read_lens(data),
        match_error=data.get(MATCH_ERROR),
    )


def _extrinsics(item: bpy.types.Object, frame: float) -> np.ndarray:
    """[4,4] by its keys, and where its result stands now: what else animates it tells only for the current frame."""
    pose = frame_to_world(item) @ pose_in(item, frame)
    axes = pose[:3, :3] / np.linalg.norm(pose[:3, :3], axis=0)
    rotation = (axes @ CAMERA_AXES).T
    extrinsics = np.eye(4)
    extrinsics[:3, :3], extrinsics[:3, 3] = rotation, -rotation @ pose[:3, 3]
    return extrinsics


def _picture(image: Any) -> tuple[Path | None, bytes]:
    """The file of a key frame, or its bytes where the .blend holds them."""
    if image is None:
        return None, b""
    if image.packed_file is not None:
        return None, bytes(image.packed_file.data)
    return Path(bpy.path.abspath(image.filepath, library=image.library)), b""
