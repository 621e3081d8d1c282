"""A photo whose header is read and whose pixels are not: what every kind of file has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PIL import Image

from model_runtime.photos.exif import Exif

DAMAGED = "The file seems damaged or cut short; copy it again or leave it out."


class ShownByBlender(Enum):
    """Whether Blender shows such a file as the network sees it."""

    ALWAYS = "always"
    UNCHANGED = "where nothing has to be done to its pixels"
    NEVER = "never"


@dataclass(frozen=True, eq=False)
class OpenedPhoto:
    """size: (width, height) as it is stored, before its Exif orientation brings it upright. memory: bytes that decoding
    takes at most. read_exif: what the file tells of itself, for which a PNG is decoded. decode: the upright pixels, in
    any of Pillow's modes."""

    size: tuple[int, int]
    memory: int
    shown: ShownByBlender
    read_exif: Callable[[], Exif]
    decode: Callable[[], Image.Image]


class UnreadableError(Exception):
    """Why a photo cannot be read, as a sentence's end, and what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
