"""What was found in the frames of a clip, on disk: thousands of them are never in memory together."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_runtime.cameras.features.memory import PhotoFeatures
from model_runtime.contract.frame_files import map_value, write_value
from model_runtime.contract.plain_values import FrameError

FRAMES_KEPT = 24
"""In memory at a time; each takes about 0.5 MB."""


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """digest: of the picture, as `FeaturePhoto.digest`. keypoints, descriptors: as `PhotoFeatures`. sharpness: larger
    is sharper; it compares frames that show the same."""

    digest: str
    keypoints: np.ndarray
    descriptors: np.ndarray
    sharpness: float


class FrameFiles:
    """The frames of one clip, by their places, each in a file of its own that is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: OrderedDict[int, PhotoFeatures] = OrderedDict()
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, place: int) -> SeenFrame | None:
        """None where nothing is there, or nothing whole."""
        try:
            return map_value(self._file(place), SeenFrame)
        except (FileNotFoundError, FrameError):
            return None

    def write(self, place: int, frame: SeenFrame) -> None:
        """Raises OSError where the disk cannot take it."""
        write_value(self._file(place), frame)

    def features(self, place: int) -> PhotoFeatures:
        """Raises FileNotFoundError of a frame that was not written."""
        if place not in self._kept:
            frame = self.read(place)
            if frame is None:
                raise FileNotFoundError(f"There are no features of frame {place} in {self.folder}.")
            self._kept[place] = PhotoFeatures(np.array(frame.keypoints), np.array(frame.descriptors), plain=True)
        self._kept.move_to_end(place)
        while len(self._kept) > FRAMES_KEPT:
            self._kept.popitem(last=False)
        return self._kept[place]

    def _file(self, place: int) -> Path:
        return self.folder / f"{place:06}.features"
