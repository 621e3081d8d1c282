"""Films that the tests write: each picture shows its number, and its corners how it is turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 8
"""Of the frame's number that its picture shows, as black and white fields from left to right in its middle."""

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 180, 30), (30, 30, 200), (235, 235, 235)
"""Top left, top right, bottom left, bottom right."""


def numbered(number: int, size: tuple[int, int] = (128, 96)) -> np.ndarray:
    """[h,w,3] uint8: the picture of a frame."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, WHITE
    for bit in range(BITS):
        left, right = (width * (bit + place) // (BITS + 2) for place in (1, 2))
        picture[height // 3 : 2 * height // 3, left:right] = 255 if number >> bit & 1 else 0
    return picture


def read_number(picture: np.ndarray) -> int:
    """The number that an upright picture of `numbered` shows."""
    height, width = picture.shape[:2]
    middle = picture[height // 2 - 3 : height // 2 + 3].astype(float).mean((0, 2))
    fields = (middle[round(width * (bit + 1.5) / (BITS + 2))] for bit in range(BITS))
    return sum(int(value > 128) << bit for bit, value in enumerate(fields))


def corners(picture: np.ndarray) -> tuple[str, str, str, str]:
    """Top left, top right, bottom left, bottom right, as letters of their colours."""
    height, width = picture.shape[:2]
    rows, columns = (height // 8, height - 1 - height // 8), (width // 16, width - 1 - width // 16)
    names = dict(zip("rgbw", (RED, GREEN, BLUE, WHITE), strict=True))

    def name(pixel: np.ndarray) -> str:
        return min(names, key=lambda letter: float(np.abs(pixel.astype(float) - names[letter]).sum()))

    found = [name(picture[row, column]) for row in rows for column in columns]
    return found[0], found[1], found[2], found[3]


@dataclass(frozen=True)
class Written:
    """How a film is written. times: of the frames, in units of `unit` seconds; rising by one where None. change: of a
    frame, before it is coded."""

    frames: int = 20
    size: tuple[int, int] = (128, 96)
    codec: str = "libx264"
    pixels: str = "yuv420p"
    times: Sequence[int] | None = None
    unit: Fraction = Fraction(1, 25)
    rate: int | Fraction = 25
    rotation: tuple[float, bool, bool] | None = None
    aspect: Fraction | None = None
    key_every: int = 8
    b_frames: int = 2
    options: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    picture: Callable[[int, tuple[int, int]], np.ndarray] = numbered
    change: Callable[[av.VideoFrame, int], av.VideoFrame | None] = lambda frame, number: frame


def write_film(path: Path, how: Written | None = None, format_name: str | None = None) -> Path:
    """Writes a film; its format is the path's ending's where none is given."""
    how = how or Written()
    options = {"movflags": "use_metadata_tags"} if path.suffix in (".mp4", ".mov") and how.metadata else {}
    with av.open(str(path), "w", format=format_name, options=options) as container:
        container.metadata.update(how.metadata)
        stream = container.add_stream(how.codec, rate=how.rate, options=dict(how.options))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = how.size
        stream.pix_fmt = how.pixels
        stream.codec_context.time_base = how.unit
        stream.codec_context.gop_size = how.key_every
        if how.codec in ("libx264", "mpeg4"):
            stream.codec_context.max_b_frames = how.b_frames
        if how.aspect is not None:
            stream.sample_aspect_ratio = how.aspect
        if how.rotation is not None:
            stream.set_display_rotation(*how.rotation)
        for number in range(how.frames):
            frame = av.VideoFrame.from_ndarray(how.picture(number, how.size), "rgb24").reformat(format=how.pixels)
            frame.time_base = how.unit
            frame.pts = number if how.times is None else how.times[number]
            changed = how.change(frame, number)
            if changed is not None:
                container.mux(stream.encode(changed))
        container.mux(stream.encode())
    return path
