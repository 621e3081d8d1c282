"""A clip is looked through once: features of every frame, kept on disk; then which frames are key frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import laplace, uniform_filter

from model_runtime.cameras.features.extraction import extract_each
from model_runtime.cameras.features.memory import FeatureMemory, PhotoFeatures
from model_runtime.clips.frame_files import FrameFiles, SeenFrame
from model_runtime.clips.key_frames import choose_keys
from model_runtime.clips.motion import Motion, motion_between
from model_runtime.clips.source import FrameSource
from model_runtime.clips.still import is_still
from model_runtime.contract.messages import JobError
from model_runtime.contract.progress import Span
from model_runtime.photos.feature_photo import FeaturePhoto, grey_picture

LOOKED_AT = 1000
"""Longest side in pixels at which features of frames are looked for."""

MOST_KEYS = 300

FEWEST_FEATURES = 30
"""That a frame must show to be a key frame."""

SMOOTHED = 3
"""Pixels over which a picture is averaged before its sharpness is told, so that grain does not count."""


@dataclass(frozen=True, eq=False)
class WatchedClip:
    """What was seen in a clip's frames.

    usable: places of frames that were decoded, rising. keys: places of the key frames, rising. still: whether the
    camera did not move; there is one key frame then. key_photos: these as photos, without pictures. files: features of
    the usable frames.
    """

    usable: tuple[int, ...]
    keys: tuple[int, ...]
    still: bool
    key_photos: list[FeaturePhoto]
    files: FrameFiles

    def features(self, place: int) -> PhotoFeatures:
        """Of a usable frame."""
        return self.files.features(place)

    def remember(self, memory: FeatureMemory) -> None:
        """Put what was found in the key frames where matching looks for it."""
        for place, photo in zip(self.keys, self.key_photos, strict=True):
            memory.keep(photo, self.features(place))

    @property
    def pixel(self) -> float:
        """Pixels of the clip per working pixel."""
        return self.key_photos[0].pixel


def watch_clip(source: FrameSource, progress: Span, folder: Path, most: int = MOST_KEYS) -> WatchedClip:
    """Features, key frames, and whether the camera stands still.

    folder: of this clip alone; frames whose features are there already are not looked at again. most: key frames.
    Raises JobError where no frame can be decoded, OSError where the folder cannot take the features.
    """
    files = FrameFiles(folder)
    seen = _seen(source, progress.part(0.0, 0.8), files)
    usable = tuple(sorted(seen))
    pixel = _photo(source, usable[0], seen[usable[0]]).pixel
    size = source.size[0] / pixel, source.size[1] / pixel

    def motion(one: int, other: int) -> Motion:
        progress(0.8 + 0.2 * other / len(source), f"Finding how the camera of {source.name} moves.")
        return motion_between(files.features(one), files.features(other), size)

    sharpness = {place: frame.sharpness for place, frame in seen.items()}
    good = [place for place in usable if seen[place].count >= FEWEST_FEATURES] or list(usable)
    choice = choose_keys(good, sharpness, motion, most)
    still = is_still(choice, motion)
    keys = (max(good, key=lambda place: sharpness[place]),) if still else choice.keys
    return WatchedClip(usable, keys, still, [_photo(source, place, seen[place]) for place in keys], files)


@dataclass(frozen=True)
class _Told:
    """What stays in memory of a frame: its digest, its sharpness and how many features it shows."""

    digest: str
    sharpness: float
    count: int


def _seen(source: FrameSource, progress: Span, files: FrameFiles) -> dict[int, _Told]:
    """Of every frame that can be decoded."""
    seen: dict[int, _Told] = {}
    for place in range(len(source)):
        frame = files.read(place)
        if frame is not None:
            seen[place] = _Told(frame.digest, frame.sharpness, len(frame.keypoints))
    missing = [place for place in range(len(source)) if place not in seen]
    decoded: list[tuple[int, float]] = []

    def photos() -> Iterator[FeaturePhoto]:
        try:
            for place, pixels in source.pictures(missing):
                grey = grey_picture(pixels, LOOKED_AT)
                decoded.append((place, _sharpness(grey)))
                yield FeaturePhoto(source.frame_name(place), source.size, grey)
        except JobError:
            # Of an earlier run all frames may be there but those that cannot be decoded.
            if not seen:
                raise

    found = extract_each(photos(), len(missing), progress, plain=True) if missing else ()
    for number, (photo, features) in enumerate(found):
        place, sharpness = decoded[number]
        files.write(place, SeenFrame(photo.digest, features.keypoints, features.descriptors, sharpness))
        seen[place] = _Told(photo.digest, sharpness, len(features.keypoints))
    return seen


def _photo(source: FrameSource, place: int, frame: _Told) -> FeaturePhoto:
    """As matching takes it, without its picture."""
    nothing, name = np.zeros((0, 0), np.uint8), source.frame_name(place)
    return FeaturePhoto(name, source.size, nothing, source.focal_35mm, source.camera, let_go=frame.digest)


def _sharpness(grey: np.ndarray) -> float:
    """How much a picture changes from pixel to pixel (variance of the Laplacian, Pech-Pacheco et al. 2000)."""
    return float(np.var(laplace(uniform_filter(grey.astype(np.float32), SMOOTHED))))
