"""Frozen data in files: the frames of the pipe, read without taking memory for what is in them.

A file holds one dataclass of plain fields (arrays, bytes, text, numbers, tuples, None, other such dataclasses), as
`model_runtime.contract.pipe` encodes it, every array at a multiple of ALIGNMENT. Nothing is unpickled.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from model_runtime.contract import pipe
from model_runtime.contract.disk import INCOMPLETE_SUFFIX, put_in_place
from model_runtime.contract.plain_files import open_own, open_plain
from model_runtime.contract.plain_values import FrameError

ALIGNMENT = 64
"""Bytes; what numpy and processors like best."""

Value = TypeVar("Value")


def write_message(path: Path, job: str, message: pipe.Message) -> None:
    """Write a message of the pipe, whole or not at all. Raises OSError, and what `encode_frame` raises."""
    pipe.check_kind(message)
    _write(path, job, message)


def map_message(path: Path) -> pipe.Message:
    """The message that `write_message` wrote; its arrays are read from the file when they are looked at, and may be
    changed, which the file does not see. Bytes are copied. As long as one array lives, so does the mapping.

    Raises FrameError where the file is damaged or of another version, OSError where it cannot be read.
    """
    return _map(path, pipe.MESSAGES)


def write_value(path: Path, value: object) -> None:
    """As `write_message`, of any frozen dataclass of plain fields."""
    _write(path, "", value)


def map_value(path: Path, kind: type[Value]) -> Value:
    """As `map_message`, of what `write_value` wrote of this kind."""
    return _map(path, {kind.__name__: kind})


def pack(value: object) -> bytes:
    """Any frozen dataclass of plain fields as bytes. Raises TypeError or ValueError where one is none of these."""
    return b"".join(pipe.encode_value("", value, ALIGNMENT))


def unpack(data: bytes, kind: type[Value]) -> Value:
    """What `pack` made of a value of this kind; its arrays are its own. Raises FrameError."""
    own = np.frombuffer(data, np.uint8).copy()
    return pipe.decode_value(own.data, {kind.__name__: kind})[1]


def map_frames(
    path: Path, kinds: Mapping[str, type], spans: Sequence[tuple[int, int]], in_place: bool = False
) -> list[Any]:
    """As `map_message`, of several frames in one file, with one mapping: each mapping costs the process one of the few
    hundred files that it may have open. spans: start and end of each frame, in bytes from the start of the file.
    in_place: bytes are memoryviews of the mapping."""
    with open_plain(path) as file:
        try:
            data = memoryview(map_copy(file.fileno()))
        except ValueError as error:
            raise FrameError("truncated-frame", f"{path} is damaged: it is empty.", fatal=True) from error
    values = []
    for start, end in spans:
        try:
            values.append(pipe.decode_value(data[start:end], kinds, in_place)[1])
        except FrameError as error:
            sentence = f"{path} is damaged, or of another version: {error}"
            raise FrameError(error.failure.code, sentence, fatal=error.fatal) from error
    return values


def map_copy(descriptor: int) -> mmap.mmap:
    """All of an open file, writable in memory only. Raises ValueError where it is empty."""
    if sys.version_info >= (3, 13) and sys.platform != "win32":
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY, trackfd=False)
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)


def _map(path: Path, kinds: Mapping[str, type]) -> Any:
    return map_frames(path, kinds, [(0, path.stat().st_size)])[0]


def _write(path: Path, job: str, value: object) -> None:
    pieces = pipe.encode_value(job, value, ALIGNMENT)
    beside = path.with_name(path.name + INCOMPLETE_SUFFIX)
    with open_own(beside) as file:
        file.truncate(0)
        pipe.write_pieces(file, pieces)
    put_in_place(beside, path)
