"""Messages as frames on a byte stream, for a local worker and for one behind SSH alike.

A frame is a fixed prefix (magic, protocol version, lengths), a JSON head and the raw bytes of every array
and file the message carries. docs/worker_protocol.md shows it byte by byte. Nothing is executed and nothing
is unpickled: a head can only name one of MESSAGES and fill in its fields, arrays only have a dtype of DTYPES.
"""

from __future__ import annotations

import json
import math
import struct
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Protocol

import numpy as np

from model_runtime.contract.json_files import JsonError, parse_json
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Cancel,
    DownloadModel,
    Failure,
    Heartbeat,
    Hello,
    JobError,
    ListModels,
    Models,
    Prediction,
    Progress,
    RemoveModel,
    Request,
)

MAGIC = b"DA3F"
PREFIX = struct.Struct("<4sIIQ")
"""Magic, protocol version, bytes of the JSON head, bytes of everything after the head; little-endian."""

MAX_HEAD = 16 << 20
MAX_BODY = 64 << 30
MAX_BUFFERS = 100_000
"""A job of a thousand photos takes about ten thousand."""

DTYPES = {name: np.dtype(name).newbyteorder("<") for name in ("bool", "uint8", "int32", "int64", "float32", "float64")}
MAX_DIMENSIONS = 8


Task = Request | ListModels | DownloadModel | RemoveModel
"""What asks for work, and so starts a job."""

Answer = Prediction | Models | Failure
"""What ends a job."""

Message = Task | Answer | Progress | Hello | Heartbeat | Cancel
MESSAGES: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Message)}


class Source(Protocol):
    """A binary file, buffered or raw: short reads are expected."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class Sink(Protocol):
    """A binary file, buffered or raw: short writes are expected."""

    def write(self, data: memoryview, /) -> int | None: ...
    def flush(self) -> None: ...


class FrameError(JobError):
    """A frame that cannot be understood.

    job: the job it named, where that much could be read. fatal: the place of the next frame is unknown, so the
    stream is of no more use; otherwise the frame was read to its end and the next one follows.
    """

    def __init__(self, code: str, sentence: str, *, job: str = "", fatal: bool = False, advice: str = "") -> None:
        super().__init__(code, sentence, advice)
        self.job = job
        self.fatal = fatal


def encode_frame(job: str, message: Message) -> list[memoryview]:
    """The frame as pieces to be written one after the other; arrays that are already contiguous are not copied.

    Raises TypeError or ValueError where the message itself is wrong (a dtype that is not in DTYPES, a NaN in the head).
    """
    buffers: list[memoryview] = []
    kind = type(message).__name__
    if kind not in MESSAGES:
        raise TypeError(f"{kind} is not a message of the pipe.")
    content = _to_plain(message, buffers)
    head_fields = {"kind": kind, "job": job, "content": content, "buffers": [b.nbytes for b in buffers]}
    head = json.dumps(head_fields, allow_nan=False, separators=(",", ":")).encode()
    body_bytes = sum(b.nbytes for b in buffers)
    if len(head) > MAX_HEAD or body_bytes > MAX_BODY:
        raise ValueError(f"The {kind} is too large for the pipe: {len(head) + body_bytes} bytes.")
    prefix = PREFIX.pack(MAGIC, PROTOCOL_VERSION, len(head), body_bytes)
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
    magic, version, head_bytes, body_bytes = PREFIX.unpack(prefix.tobytes())
    if magic != MAGIC:
        raise FrameError(
            "not-a-frame",
            f"The other side sent something that is not a frame: {prefix.tobytes()!r}.",
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
    head = _read_exactly(stream, head_bytes, what="head")
    try:
        kind, job, content, lengths = _parse_head(head.tobytes(), body_bytes)
    except FrameError:
        _skip(stream, body_bytes)
        raise
    buffers = _read_buffers(stream, lengths, job)
    try:
        return job, _from_plain(content, MESSAGES[kind], buffers, kind)
    except FrameError as error:
        raise FrameError("bad-message", str(error), job=job) from error
    except Exception as error:  # whatever is wrong with it, its frame was read to its end and the next one follows
        raise FrameError("bad-message", f"The {kind} cannot be understood: {error!r}.", job=job) from error


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


def _parse_head(head: bytes, body_bytes: int) -> tuple[str, str, object, list[int]]:
    try:
        plain = parse_json(head, MAX_HEAD)
    except (JsonError, MemoryError) as error:
        raise FrameError("bad-head", f"The head of a frame cannot be read: {error}.") from error
    if not isinstance(plain, dict) or plain.keys() != {"kind", "job", "content", "buffers"}:
        raise FrameError("bad-head", "The head of a frame needs exactly kind, job, content and buffers.")
    kind, job, lengths = plain["kind"], plain["job"], plain["buffers"]
    if not isinstance(job, str):
        raise FrameError("bad-head", "The job in the head of a frame is not a string.")
    if not isinstance(kind, str) or kind not in MESSAGES:
        raise FrameError("unknown-message", f"{kind!r} is not a message of this protocol.", job=job)
    if isinstance(lengths, list) and len(lengths) > MAX_BUFFERS:
        raise FrameError("bad-head", f"A frame claims {len(lengths)} buffers.", job=job)
    if not isinstance(lengths, list) or not all(_is_size(length) for length in lengths) or sum(lengths) != body_bytes:
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


def _read_buffers(stream: Source, lengths: list[int], job: str) -> list[np.ndarray]:
    """Raises FrameError; where there is no memory for a buffer, the frame is read to its end all the same."""
    buffers = []
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


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _to_plain(value: object, buffers: list[memoryview]) -> object:
    """A message as JSON-able data; arrays and bytes go to `buffers` and leave `{"array": ...}`, `{"bytes": index}`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _to_plain(getattr(value, f.name), buffers) for f in fields(value)}
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES:
            raise TypeError(f"Arrays of {value.dtype} do not travel; only {', '.join(DTYPES)}.")
        array = np.ascontiguousarray(value, DTYPES[value.dtype.name])
        buffers.append(array.reshape(-1).view(np.uint8).data)
        return {"array": len(buffers) - 1, "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, bytes):
        buffers.append(memoryview(value))
        return {"bytes": len(buffers) - 1}
    if isinstance(value, tuple | list):
        return [_to_plain(item, buffers) for item in value]
    if isinstance(value, str):  # a path in a sentence may hold bytes that are no text
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _from_plain(plain: Any, wanted: Any, buffers: list[np.ndarray], where: str) -> Any:
    """The inverse of `_to_plain` for a value of the annotated type `wanted`; refuses everything that is not one."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _dataclass_from_plain(plain, wanted, buffers, where)
    if wanted is np.ndarray:
        return _array_from_plain(plain, buffers, where)
    if wanted is bytes:
        return _buffer(plain, "bytes", buffers, where).tobytes()
    if origin is types.UnionType:
        kinds = [kind for kind in arguments if kind is not types.NoneType]
        return None if plain is None else _from_plain(plain, kinds[0], buffers, where)
    if origin is tuple:
        return _tuple_from_plain(plain, arguments, buffers, where)
    return _scalar_from_plain(plain, dict if origin is dict else wanted, where)


def _tuple_from_plain(plain: Any, arguments: tuple[Any, ...], buffers: list[np.ndarray], where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise _wrong(where, "a list", plain)
    kinds = [arguments[0]] * len(plain) if arguments[-1] is Ellipsis else list(arguments)
    if len(kinds) != len(plain):
        raise _wrong(where, f"{len(kinds)} values", plain)
    pairs = enumerate(zip(plain, kinds, strict=True))
    return tuple(_from_plain(item, kind, buffers, f"{where}[{i}]") for i, (item, kind) in pairs)


def _scalar_from_plain(plain: Any, wanted: Any, where: str) -> Any:
    """Strings, numbers, and dictionaries of JSON; JSON writes whole floats as integers, and bool is no int here."""
    if wanted is float and type(plain) is int:
        return float(plain)
    if not isinstance(plain, wanted) or (wanted is not bool and isinstance(plain, bool)):
        raise _wrong(where, wanted.__name__, plain)
    return plain


def _dataclass_from_plain(plain: Any, wanted: type, buffers: list[np.ndarray], where: str) -> Any:
    if not isinstance(plain, dict):
        raise _wrong(where, "an object", plain)
    known = {f.name: f for f in fields(wanted)}
    unknown = plain.keys() - known.keys()
    missing = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING} - plain.keys()
    if unknown or missing:
        text = ", ".join([f"unknown {n!r}" for n in sorted(unknown)] + [f"missing {n!r}" for n in sorted(missing)])
        raise FrameError("bad-message", f"{where} has the wrong fields: {text}.")
    hints = typing.get_type_hints(wanted)
    return wanted(**{n: _from_plain(p, hints[n], buffers, f"{where}.{n}") for n, p in plain.items()})


def _array_from_plain(plain: Any, buffers: list[np.ndarray], where: str) -> np.ndarray:
    data = _buffer(plain, "array", buffers, where)
    dtype, shape = plain.get("dtype"), plain.get("shape")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FrameError("bad-message", f"{where} has dtype {dtype!r}; only {', '.join(DTYPES)} travel.")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(_is_size(n) for n in shape):
        raise FrameError("bad-message", f"{where} has a shape that is none: {shape!r}.")
    if math.prod(shape) * DTYPES[dtype].itemsize != data.nbytes:
        raise FrameError(
            "bad-message", f"{where} of shape {shape} and dtype {dtype} does not fill {data.nbytes} bytes."
        )
    if dtype == "bool" and data.size and data.max() > 1:
        raise FrameError("bad-message", f"{where} holds bytes that are neither true nor false.")
    try:
        return data.view(DTYPES[dtype]).reshape(shape)
    except (ValueError, OverflowError) as error:  # dimensions beyond what numpy can index, beside a zero
        raise FrameError("bad-message", f"{where} has a shape that is none: {shape!r}.") from error


def _buffer(plain: Any, key: str, buffers: list[np.ndarray], where: str) -> np.ndarray:
    index = plain.get(key) if isinstance(plain, dict) else None
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(buffers):
        raise _wrong(where, key, plain)
    return buffers[index]


def _wrong(where: str, wanted: str, plain: object) -> FrameError:
    return FrameError("bad-message", f"{where} should be {wanted}, not {str(plain)[:80]!r}.")
