"""Messages as frames on a byte stream, for a local worker and for one behind SSH alike.

A frame is a fixed prefix (magic, protocol version, lengths), a JSON head and the raw bytes of every array
and file the message carries. docs/worker_protocol.md shows it byte by byte. Nothing is executed and nothing
is unpickled: a head can only name one of MESSAGES and fill in its fields (`model_runtime.contract.plain_values`).
"""

from __future__ import annotations

import json
import struct
import typing
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from model_runtime.contract.json_files import JsonError, parse_json
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Cancel,
    DownloadModel,
    Failure,
    FileState,
    FindFile,
    Heartbeat,
    Hello,
    ListModels,
    Models,
    PredictedView,
    Prediction,
    Progress,
    RemoveModel,
    Request,
    SendPart,
)
from model_runtime.contract.plain_values import Buffers, FrameError, from_plain, is_size, to_plain

MAGIC = b"DA3F"
PREFIX = struct.Struct("<4sIIQ")
"""Magic, protocol version, bytes of the JSON head, bytes of everything after the head; little-endian."""

MAX_HEAD = 16 << 20
MAX_BODY = 64 << 30
MAX_BUFFERS = 100_000
"""A job of a thousand photos takes about ten thousand."""

Task = Request | ListModels | DownloadModel | RemoveModel | FindFile | SendPart
"""What asks for work, and so starts a job."""

Answer = Prediction | Models | FileState | Failure
"""What ends a job."""

Message = Task | Answer | Progress | PredictedView | Hello | Heartbeat | Cancel
MESSAGES: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Message)}


class Source(Protocol):
    """A binary file, buffered or raw: short reads are expected."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class Sink(Protocol):
    """A binary file, buffered or raw: short writes are expected."""

    def write(self, data: memoryview, /) -> int | None: ...
    def flush(self) -> None: ...


class _Buffers(list[memoryview]):
    """Each begins at a multiple of `align` bytes, by empty ones between them."""

    def __init__(self, align: int) -> None:
        super().__init__()
        self.nbytes, self._align = 0, align

    def append(self, buffer: memoryview, /) -> None:
        gap = -self.nbytes % self._align
        for piece in (memoryview(bytes(gap)), buffer) if gap else (buffer,):
            super().append(piece)
            self.nbytes += piece.nbytes


def encode_frame(job: str, message: Message) -> list[memoryview]:
    """The frame as pieces to be written one after the other; arrays that are already contiguous are not copied.

    Raises TypeError or ValueError where the message itself is wrong (a dtype that is not in DTYPES, a NaN in the head).
    """
    check_kind(message)
    return encode_value(job, message)


def check_kind(message: object) -> None:
    """Raises TypeError where it is no message of the pipe."""
    if type(message).__name__ not in MESSAGES:
        raise TypeError(f"{type(message).__name__} is not a message of the pipe.")


def encode_value(job: str, value: object, align: int = 1) -> list[memoryview]:
    """As `encode_frame`, of any frozen dataclass. align: every array begins at a multiple of so many bytes."""
    buffers = _Buffers(align)
    kind = type(value).__name__
    content = to_plain(value, buffers)
    head_fields = {"kind": kind, "job": job, "content": content, "buffers": [b.nbytes for b in buffers]}
    head = json.dumps(head_fields, allow_nan=False, separators=(",", ":")).encode()
    head += b" " * (-(PREFIX.size + len(head)) % align)
    if len(head) > MAX_HEAD or buffers.nbytes > MAX_BODY:
        raise ValueError(f"The {kind} is too large for the pipe: {len(head) + buffers.nbytes} bytes.")
    prefix = PREFIX.pack(MAGIC, PROTOCOL_VERSION, len(head), buffers.nbytes)
    return [memoryview(prefix + head), *buffers]


def write_frame(stream: Sink, job: str, message: Message) -> None:
    """Write one frame whole and flush it. Raises what the stream raises when the other side is gone (OSError)."""
    write_pieces(stream, encode_frame(job, message))


def write_pieces(stream: Sink, pieces: list[memoryview]) -> None:
    """Write what `encode_frame` made, however little the stream takes at a time."""
    for piece in pieces:
        rest = piece
        while rest.nbytes:
            rest = rest[stream.write(rest) or 0 :]
    stream.flush()


def read_frame(stream: Source) -> tuple[str, Message] | None:
    """The next frame as (job, message); None when the stream ends between frames. Arrays are writable and not copied.

    Raises FrameError for everything else that is not a frame of this protocol version.
    """
    prefix = _read_exactly(stream, PREFIX.size, what="prefix", may_end=True)
    if prefix is None:
        return None
    head_bytes, body_bytes = _parse_prefix(prefix.tobytes())
    head = _read_exactly(stream, head_bytes, what="head")
    try:
        kind, job, content, lengths = _parse_head(head.tobytes(), body_bytes, MESSAGES)
    except FrameError:
        _skip(stream, body_bytes)
        raise
    return job, _decode(job, MESSAGES[kind], content, _read_buffers(stream, lengths, job))


def decode_value(data: memoryview, kinds: Mapping[str, type], in_place: bool = False) -> tuple[str, Any]:
    """What `encode_value` made, as (job, value), of one of `kinds` by name. Arrays are views of `data`, as writable as
    that is. in_place: bytes are views, too, of type memoryview. Raises FrameError.
    """
    if data.nbytes < PREFIX.size:
        raise FrameError("truncated-frame", f"It ends after {data.nbytes} bytes.", fatal=True)
    head_bytes, body_bytes = _parse_prefix(bytes(data[: PREFIX.size]))
    start = PREFIX.size + head_bytes
    if data.nbytes != start + body_bytes:
        sentence = f"It has {data.nbytes} bytes where {start + body_bytes} should be."
        raise FrameError("truncated-frame", sentence, fatal=True)
    kind, job, content, lengths = _parse_head(bytes(data[PREFIX.size : start]), body_bytes, kinds)
    buffers, whole = Buffers(in_place=in_place), np.frombuffer(data, np.uint8)
    for length in lengths:
        buffers.append(whole[start : start + length])
        start += length
    return job, _decode(job, kinds[kind], content, buffers)


class Watched:
    """A source that tells how far it was read. count: bytes read so far. inside: whether a frame has begun and not
    ended, as far as `frame_ended` was told."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.count = 0
        self.inside = False

    def readinto(self, buffer: memoryview, /) -> int | None:
        count = self._source.readinto(buffer)
        if count:
            self.count += count
            self.inside = True
        return count

    def frame_ended(self) -> None:
        self.inside = False


def _parse_prefix(prefix: bytes) -> tuple[int, int]:
    """Bytes of the head and of the body."""
    magic, version, head_bytes, body_bytes = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise FrameError(
            "not-a-frame",
            f"The other side sent something that is not a frame: {prefix!r}.",
            fatal=True,
            advice="Something prints into the pipe. With SSH, let the shell's start-up files print nothing.",
        )
    if version != PROTOCOL_VERSION:
        raise FrameError(
            "protocol-version",
            f"The other side speaks version {version} of the protocol, this side version {PROTOCOL_VERSION}.",
            fatal=True,
            advice="Install the same version of the add-on and of the worker's environment.",
        )
    if head_bytes > MAX_HEAD or body_bytes > MAX_BODY:
        raise FrameError("frame-too-long", f"A frame claims {head_bytes} + {body_bytes} bytes.", fatal=True)
    return head_bytes, body_bytes


def _decode(job: str, kind: type, content: object, buffers: Buffers) -> Any:
    try:
        return from_plain(content, kind, buffers, kind.__name__)
    except FrameError as error:
        raise FrameError("bad-message", str(error), job=job) from error
    except Exception as error:  # whatever is wrong with it, its frame was read to its end and the next one follows
        raise FrameError("bad-message", f"The {kind.__name__} cannot be understood: {error!r}.", job=job) from error


def _parse_head(head: bytes, body_bytes: int, kinds: Mapping[str, type]) -> tuple[str, str, object, list[int]]:
    try:
        plain = parse_json(head, MAX_HEAD)
    except (JsonError, MemoryError) as error:
        raise FrameError("bad-head", f"The head of a frame cannot be read: {error}.") from error
    if not isinstance(plain, dict) or plain.keys() != {"kind", "job", "content", "buffers"}:
        raise FrameError("bad-head", "The head of a frame needs exactly kind, job, content and buffers.")
    kind, job, lengths = plain["kind"], plain["job"], plain["buffers"]
    if not isinstance(job, str):
        raise FrameError("bad-head", "The job in the head of a frame is not a string.")
    if not isinstance(kind, str) or kind not in kinds:
        raise FrameError("unknown-message", f"{kind!r} is not a message of this protocol.", job=job)
    if isinstance(lengths, list) and len(lengths) > MAX_BUFFERS:
        raise FrameError("bad-head", f"A frame claims {len(lengths)} buffers.", job=job)
    if not isinstance(lengths, list) or not all(is_size(length) for length in lengths) or sum(lengths) != body_bytes:
        raise FrameError("bad-head", "The buffers in the head of a frame do not add up to its body.", job=job)
    return kind, job, plain["content"], lengths


@typing.overload
def _read_exactly(
    stream: Source, size: int, *, what: str, job: str = "", may_end: typing.Literal[False] = False
) -> np.ndarray: ...
@typing.overload
def _read_exactly(
    stream: Source, size: int, *, what: str, job: str = "", may_end: typing.Literal[True]
) -> np.ndarray | None: ...
def _read_exactly(stream: Source, size: int, *, what: str, job: str = "", may_end: bool = False) -> np.ndarray | None:
    """[size] uint8. np.empty takes no pages before they are written, so a claimed length alone costs no memory.

    Raises MemoryError where there is none all the same, and has then read nothing.
    """
    data = np.empty(size, np.uint8)
    view = data.data
    filled = 0
    while filled < size:
        count = stream.readinto(view[filled:])
        if not count:
            if may_end and filled == 0:
                return None
            sentence = f"The stream ended inside the {what} of a frame, {size - filled} bytes too early."
            raise FrameError("truncated-frame", sentence, job=job, fatal=True)
        filled += count
    return data


def _read_buffers(stream: Source, lengths: list[int], job: str) -> Buffers:
    """Raises FrameError; where there is no memory for a buffer, the frame is read to its end all the same."""
    buffers = Buffers()
    for i, length in enumerate(lengths):
        try:
            buffers.append(_read_exactly(stream, length, what="body", job=job))
        except MemoryError as error:
            buffers.clear()
            _skip(stream, sum(lengths[i:]))
            raise FrameError("frame-too-long", f"No memory for {length} bytes of a frame.", job=job) from error
    return buffers


def _skip(stream: Source, size: int) -> None:
    while size:
        size -= len(_read_exactly(stream, min(size, 1 << 20), what="body"))
