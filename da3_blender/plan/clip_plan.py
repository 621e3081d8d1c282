"""The one moving camera of a clip, as plain data: where it is at which frame of a Blender scene. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import CameraTrack, View

from .conventions import BlenderCamera, camera_to_world, to_blender_camera

FIRST_FRAME = 1
"""The scene's frame at which a film begins."""

LAST_FRAME = 1_000_000
"""Blender's scenes have about as many; pictures with larger numbers count from FIRST_FRAME."""

SAME_TIME = 0.02
"""In frames: how far off its place a frame may be shown in a film whose frames all last alike."""


@dataclass(frozen=True)
class ClipFiles:
    """Where the clip is on this machine: a film, or one file for each of its pictures, in their order.

    path: the film. files: the pictures. numbers: the frame number of each of them, as in `messages.Clip`; those of the
    track where it is empty and there are as many.
    """

    path: Path | None = None
    files: tuple[Path, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What the clip is called: its file, or that of the first picture; empty where there is neither."""
        file = self.path or next(iter(self.files), None)
        return "" if file is None else file.name


@dataclass(frozen=True, eq=False)
class TrackPlan:
    """The camera of a clip over F frames.

    name: what the clip is called. frames: [F] float64, rising, the scene's frame of each: of a film its number from
    FIRST_FRAME on, of pictures their number; where a film's frames do not last alike, when each is shown. numbers,
    seconds, rate, still, lens: as in `CameraTrack`. matrices: [F,4,4] float64, Blender's matrix_world. camera: the
    lens; its matrix_world is the first. files: where the clip is. clip, display_size, source, match_error: as in
    `CameraPlan`. keys: [V] int64, place among the frames of each of the prediction's views.
    """

    name: str
    frames: np.ndarray
    numbers: np.ndarray
    seconds: np.ndarray
    matrices: np.ndarray
    camera: BlenderCamera
    rate: float
    still: bool
    files: ClipFiles
    clip: tuple[float, float]
    display_size: float
    source: str
    keys: np.ndarray
    lens: Lens | None = None
    match_error: float | None = None
    sources: tuple[str, ...] = field(default=())

    @property
    def varies(self) -> bool:
        """Whether the frames do not last alike."""
        return varies(self.numbers, self.seconds, self.rate)

    def at_rate(self, rate: float) -> TrackPlan:
        """The plan in a scene with so many frames a second; only where frames do not last alike that moves them."""
        if not self.varies:
            return self
        return replace(self, rate=rate, frames=FIRST_FRAME + self.seconds * rate)


def varies(numbers: np.ndarray, seconds: np.ndarray, rate: float) -> bool:
    """Whether the frames [F] do not last alike: any is shown elsewhere than its number at this rate says."""
    return bool(np.abs(seconds * rate - numbers).max() > SAME_TIME)


def scene_frames(track: CameraTrack, film: bool) -> np.ndarray:
    """[F] float64: the scene's frame of each frame of the track, as in `TrackPlan`."""
    if film and varies(track.numbers, track.seconds, track.rate):
        return FIRST_FRAME + track.seconds * track.rate
    if film or track.numbers[0] < 0 or track.numbers[-1] > LAST_FRAME:
        first = 0 if film else track.numbers[0]
        return (FIRST_FRAME + track.numbers - first).astype(np.float64)
    return track.numbers.astype(np.float64)


def plan_track(
    track: CameraTrack,
    views: tuple[View, ...],
    motion: np.ndarray,
    files: ClipFiles,
    clip: tuple[float, float],
    display_size: float,
    source: str,
) -> TrackPlan:
    """The track moved by the rigid `motion` [4,4]; other arguments as in `TrackPlan`."""
    back = np.linalg.inv(motion)
    known = track.match_error[np.isfinite(track.match_error)]
    places = {int(number): place for place, number in enumerate(track.numbers)}
    return TrackPlan(
        name=files.name,
        frames=scene_frames(track, film=not files.files),
        numbers=track.numbers,
        seconds=track.seconds,
        matrices=np.stack([camera_to_world(extrinsics @ back) for extrinsics in track.extrinsics]),
        camera=to_blender_camera(track.extrinsics[0] @ back, track.intrinsics, track.photo_size),
        rate=track.rate,
        still=track.still,
        files=files,
        clip=clip,
        display_size=display_size,
        source=source,
        keys=np.array([places[-1 if view.frame is None else view.frame] for view in views], np.int64),
        lens=track.lens,
        match_error=float(np.median(known)) if len(known) else None,
        sources=track.sources,
    )
