"""Frames of a clip, whatever they come from: a film, or photos in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np


class FrameSource(Protocol):
    """The chosen frames of a clip, F of them; a frame is told by its place among these, from 0.

    name: what sentences call the clip. size: upright (width, height) in pixels. numbers: [F] int64, seconds: [F]
    float64, rate: as in `messages.CameraTrack`. focal_35mm, camera: as in `FeaturePhoto`, of the whole clip.
    """

    name: str
    size: tuple[int, int]
    numbers: np.ndarray
    seconds: np.ndarray
    rate: float
    focal_35mm: float | None
    camera: str

    def __len__(self) -> int: ...

    def pictures(self, places: Sequence[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Place and upright picture [H,W,3] uint8, sRGB-encoded RGB, of these frames, all where None; in rising order,
        each decoded when it is asked for. A frame that cannot be decoded is left out.

        Raises JobError where not one can be.
        """
        ...

    def frame_name(self, place: int) -> str:
        """What sentences, and the view of this frame, are called."""
        ...
