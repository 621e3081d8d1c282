"""A camera that walks through the analytic room, as the prediction of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import CameraTrack, Prediction

RATE = 24.0


def walk_eye(number: int) -> tuple[float, float, float]:
    """Where the camera is in a frame."""
    step = number % 1000
    return (-1.0 + 0.05 * step, 0.02 * step, 1.6 + 0.1 * np.sin(step / 3))


def walk(
    room: SimpleNamespace,
    numbers: Sequence[int] = tuple(range(24)),
    keys: Sequence[int] = (0, 8, 16, 23),
    world: np.ndarray | None = None,
    seconds: np.ndarray | None = None,
    still: bool = False,
    lens: Lens | None = None,
    **of_views: Any,
) -> Prediction:
    """The clip's prediction; `keys` are numbers of the frames that are views. Other arguments as of `room.view`."""

    def view(number: int) -> Any:
        eye = walk_eye(0 if still else number)
        return replace(room.view(eye=eye, name=f"frame {number}", world=world, **of_views), frame=number)

    views = tuple(map(view, keys))
    every = [view(number).extrinsics for number in numbers]
    track = CameraTrack(
        numbers=np.array(numbers, np.int64),
        seconds=np.array(numbers) / RATE if seconds is None else seconds,
        rate=RATE,
        extrinsics=np.stack(every),
        photo_size=views[0].photo_size,
        intrinsics=views[0].intrinsics,
        sources=tuple("key" if number in keys else "placed" for number in numbers),
        match_error=np.full(len(numbers), 0.3),
        lens=lens,
        still=still,
    )
    return replace(room.prediction(*views), track=track)
