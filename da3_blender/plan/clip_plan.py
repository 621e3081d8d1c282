"""The one moving camera of a clip, as plain data: where it is at which frame of a Blender scene. Numpy only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import CameraTrack, View

from .conventions import BlenderCamera, camera_to_world, to_blender_camera

FIRST_FRAME = 1
"""The scene's frame at which a film begins."""

LAST_FRAME = 1_000_000
"""Blender's scenes have about as many; pictures with larger numbers count from FIRST_FRAME."""

SAME_TIME = 0.1
"""In frames: how far off its place a frame may be shown in a film whose frames all last alike. Files that keep time in
thousandths of a second are off by up to 0.06 at 120 frames a second."""

ROUNDED = 1e-3
"""In frames: times that differ by less are the same."""


@dataclass(frozen=True)
class ClipFiles:
    """Where the clip is on this machine: a film, or one file for each of its pictures, in their order.

    path: the film. files: the pictures. numbers: the frame number of each of them, as in `messages.Clip`, rising.
    """

    path: Path | None = None
    files: tuple[Path, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What the clip is called: its file, or that of the first picture; empty where there is neither."""
        file = self.path or next(iter(self.files), None)
        return "" if file is None else file.name

    @property
    def is_sequence(self) -> bool:
        """Whether Blender finds all of the pictures by the number in the name of the first."""
        parts = [re.fullmatch(r"(.*?)(\d+)(\D*)", file.name) for file in self.files]
        if not parts or not all(parts) or len({file.parent for file in self.files}) != 1:
            return False
        found = [part.groups() for part in parts if part]
        alike = len({(head, tail) for head, _, tail in found}) == 1
        width = len(found[0][1])
        padded = all(digits == f"{int(digits):0{width}}" for _, digits, _ in found)
        steps = np.diff([int(digits) for _, digits, _ in found])
        return alike and padded and bool((steps == np.diff(self.numbers)).all())

    def picture(self, number: int) -> Path | None:
        """The file of the picture with this number, or None."""
        return dict(zip(self.numbers, self.files, strict=True)).get(number)


@dataclass(frozen=True, eq=False)
class TrackPlan:
    """The camera of a clip over F frames.

    name: what the clip is called. frames: [F] float64, rising, when each is shown, in frames of a scene of this rate:
    a film's number from FIRST_FRAME on, of pictures their number; see `scene_frames`. numbers, seconds, rate, still,
    lens: as in `CameraTrack`. matrices: [F,4,4] float64, Blender's matrix_world. camera: the lens; its matrix_world is
    the first. files: where the clip is. clip, display_size, source, match_error: as in `CameraPlan`. keys: [V] int64,
    place among the frames of each of the prediction's views.
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

    def at_rate(self, rate: float) -> TrackPlan:
        """The plan where the clip is shown at so many frames a second, as a film may be whose frames do not last
        alike."""
        return replace(self, rate=rate, frames=scene_frames(self.numbers, self.seconds, rate, not self.files.files))

    @property
    def begins(self) -> int:
        """The frame of the scene that shows the first of the clip's pictures, whether or not the track knows it."""
        before = self.numbers[0] - self.files.numbers[0] if self.files.files else 0
        return int(self.frames[0] - before)


def scene_frames(numbers: np.ndarray, seconds: np.ndarray, rate: float, film: bool) -> np.ndarray:
    """[F] float64: when each of a clip's frames [F] is shown, in a scene with `rate` frames a second.

    Of a film whose frames do not last alike that may lie between two frames of the scene.
    """
    if film and np.abs(seconds * rate - numbers).max() > SAME_TIME:
        return FIRST_FRAME + seconds * rate
    if not film and numbers[0] >= 0 and numbers[-1] <= LAST_FRAME:
        return numbers.astype(np.float64)
    return (FIRST_FRAME + numbers - (0 if film else numbers[0])).astype(np.float64)


def shown_at(frames: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a scene [K] int64, rising, that need a key, and [K] int64 which of `frames` [F] is seen in each.

    Blender shows the last one that has begun, in all of its versions: measured. So one that begins between two frames
    of the scene is first seen in the next, one that lasts longer is seen in several, and others in none. Between frames
    whose `numbers` [F] do not follow one another nothing is known of what is seen.
    """
    begins = np.ceil(frames - ROUNDED).astype(np.int64)
    ends = np.append(begins[1:] - 1, begins[-1])
    follows = np.append(np.diff(numbers) == 1, True)
    ends = np.where(follows, ends, begins)
    places = np.flatnonzero(ends >= begins)
    both = np.stack([begins[places], ends[places]], axis=1)
    held = both[:, 1] > both[:, 0]
    keys = np.concatenate([both[:, 0], both[held, 1]])
    which = np.concatenate([places, places[held]])
    order = np.argsort(keys, kind="stable")
    return keys[order], which[order]


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
        frames=scene_frames(track.numbers, track.seconds, track.rate, film=not files.files),
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
    )
