"""A film's file as FFmpeg opens it, by PyAV: which of its streams is the film, and its packets and frames, as far as
they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model_runtime.contract.memory import available_memory, is_out_of_memory
from model_runtime.contract.messages import JobError
from model_runtime.contract.photo_limits import is_too_large

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

FORMATS = (
    *("3gp", "3g2", "asf", "avi", "dv", "flv", "gif", "gxf", "ivf", "m4a", "matroska", "mj2", "mov", "mp4", "mpeg"),
    *("mpegts", "mxf", "nut", "ogg", "rm", "webm", "wtv", "yuv4mpegpipe"),
)
"""FFmpeg's names. Not all that it knows: playlists and the like make it open other files, or addresses."""

PROTOCOLS = "file"
"""What FFmpeg may open anything by."""

MOST_PIXELS = 100_000_000
"""Of one frame; the largest of cameras, 12K, has 80 million. FFmpeg keeps a few frames at once."""

BYTES_PER_PIXEL = 40
"""Of memory that reading a film takes: frames that others refer to, and one brought to RGB with 16 bits."""

MOST_THREADS = 4
"""Each of them keeps a frame of its own."""

MOST_FAULTS = 1000
"""After so many in the file's structure it is not read on."""

DAMAGED = "Copy it again from the camera, or save it anew as MP4."
NOT_A_FILM = "Choose a video, such as MP4, MOV, MKV or WebM."


@dataclass(frozen=True, eq=False)
class OpenedFilm:
    """name: what sentences call it. stream: the best of its video streams."""

    name: str
    container: InputContainer
    stream: VideoStream

    @property
    def has_times(self) -> bool:
        """Whether its format tells when each frame is shown, and not only their order."""
        return self.container.format.name != "avi"

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """What is stored of each frame, in the order of decoding, from where the film is wound to; damaged parts are
        passed over."""
        from av.error import FFmpegError

        packets = self.container.demux(self.stream)
        faults = 0
        while faults < MOST_FAULTS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as error:
                if is_out_of_memory(error) or isinstance(error, EOFError):
                    return
                faults += 1
                packets = self.container.demux(self.stream)
                continue
            if packet.size:
                yield packet

    def frames(self) -> Iterator[VideoFrame]:
        """In the order in which they are shown, from where the film is wound to; those that are damaged are left
        out."""
        for packet in self.packets():
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def wind(self, time: int) -> None:
        """To the key frame whose packet has this time, in the stream's units, or to one before it. A film that cannot
        be wound stays where it is."""
        from av.error import FFmpegError

        with suppress(FFmpegError):
            self.container.seek(time, stream=self.stream, backward=True)

    def _decoded(self, packet: Packet[VideoStream] | None) -> Sequence[VideoFrame]:
        from av.error import FFmpegError

        try:
            frames = self.stream.decode(packet)
        except (FFmpegError, EOFError):
            return ()
        return [frame for frame in frames if not frame.is_corrupt]


@contextmanager
def open_film(path: Path, name: str) -> Iterator[OpenedFilm]:
    """Wound to its start.

    Raises JobError `clip-unreadable`, `photo-too-large` or `out-of-memory`, for what FFmpeg raises inside, too.
    """
    with _named_failures(name):
        import av

        most = int(min(MOST_PIXELS, available_memory() / BYTES_PER_PIXEL))
        options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": PROTOCOLS}
        with av.open(f"file:{path}", options=options, metadata_errors="replace") as container:
            stream = _best_stream(container, name)
            _check_size((stream.codec_context.width, stream.codec_context.height), most, name)
            stream.codec_context.options = {"max_pixels": str(most)}
            stream.codec_context.thread_type = "AUTO"
            stream.codec_context.thread_count = min(MOST_THREADS, os.cpu_count() or 1)
            yield OpenedFilm(name, container, stream)


@contextmanager
def _named_failures(name: str) -> Iterator[None]:
    try:
        from av.error import FFmpegError
    except ModuleNotFoundError as error:
        raise JobError(
            "clip-unreadable",
            f"Reading {name} needs the package {error.name}, which the worker's Python lacks.",
            "Install the runtime again, or give the frames as an image sequence.",
        ) from error
    try:
        yield
    except (FFmpegError, OSError, MemoryError) as error:
        if is_out_of_memory(error):
            sentence = f"There is not enough memory to read {name}."
            raise JobError("out-of-memory", sentence, "Close other programs, or scale the video down.") from error
        raise JobError("clip-unreadable", f"{name} cannot be read: {_as_part(error)}.", DAMAGED) from error


def _as_part(error: Exception) -> str:
    """What FFmpeg says, as part of a sentence."""
    from av.error import ArgumentError, InvalidDataError

    if isinstance(error, InvalidDataError | EOFError | ArgumentError):  # ArgumentError: none of FORMATS
        return "it is damaged, cut off, or no video of a known format"
    told = getattr(error, "strerror", None) or str(error)
    return " ".join(told.split()).rstrip(". ")


def _best_stream(container: InputContainer, name: str) -> VideoStream:
    """The largest, and of these the one that is shown usually; no picture of a cover. Raises JobError."""
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails
    shown = [each for each in container.streams.video if not each.disposition & still]
    known = [each for each in shown if each.codec_context is not None]
    if not shown:
        sentence = f"{name} holds sound alone." if container.streams.audio else f"{name} holds no video."
        raise JobError("clip-unreadable", sentence, NOT_A_FILM)
    if not known:
        sentence = f"{name} is coded in a way that FFmpeg does not decode."
        raise JobError("clip-unreadable", sentence, "Save it as MP4 with H.264.")

    def rank(stream: VideoStream) -> tuple[int, bool]:
        size = stream.codec_context.width * stream.codec_context.height
        return size, bool(stream.disposition & Disposition.default)

    return max(known, key=rank)


def _check_size(size: tuple[int, int], most: int, name: str) -> None:
    """Raises JobError where a film of this (width, height) is not read."""
    if is_too_large(size) or size[0] * size[1] > most:
        sentence = f"{name} has {size[0]} x {size[1]} pixels; at most {most // 10**6} million can be read now."
        raise JobError("photo-too-large", sentence, "Scale it down; the network sees it at a small part of this size.")
