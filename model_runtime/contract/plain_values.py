"""Frozen data as JSON and raw bytes, and back: dataclasses, arrays, bytes, text, numbers, tuples, None.

What is read fills in the fields of a class that the reader names, checked by their annotations; nothing else is made.
Standard library and numpy only.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np

from model_runtime.contract.messages import JobError

DTYPES = {name: np.dtype(name).newbyteorder("<") for name in ("bool", "uint8", "int32", "int64", "float32", "float64")}
MAX_DIMENSIONS = 8


class FrameError(JobError):
    """A frame that cannot be understood.

    job: the job it named, where that much could be read. fatal: the place of the next frame is unknown, so the
    stream is of no more use; otherwise the frame was read to its end and the next one follows.
    """

    def __init__(self, code: str, sentence: str, *, job: str = "", fatal: bool = False, advice: str = "") -> None:
        super().__init__(code, sentence, advice)
        self.job = job
        self.fatal = fatal


class Buffers(list[np.ndarray]):
    """Those of a frame, [n] uint8 each. in_place: bytes are given as views of them that cannot be written, not copied;
    they compare and go into files as bytes do."""

    def __init__(self, buffers: Iterable[np.ndarray] = (), in_place: bool = False) -> None:
        super().__init__(buffers)
        self.in_place = in_place


def is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def to_plain(value: object, buffers: list[memoryview]) -> object:
    """A message as JSON-able data; arrays and bytes go to `buffers` and leave `{"array": ...}`, `{"bytes": index}`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name), buffers) for f in fields(value)}
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES:
            raise TypeError(f"Arrays of {value.dtype} do not travel; only {', '.join(DTYPES)}.")
        array = np.ascontiguousarray(value, DTYPES[value.dtype.name])
        buffers.append(array.reshape(-1).view(np.uint8).data)
        return {"array": len(buffers) - 1, "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, bytes | memoryview):
        buffers.append(memoryview(value))
        return {"bytes": len(buffers) - 1}
    if isinstance(value, tuple | list):
        return [to_plain(item, buffers) for item in value]
    if isinstance(value, str):  # a path in a sentence may hold bytes that are no text
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def from_plain(plain: Any, wanted: Any, buffers: Buffers, where: str) -> Any:
    """The inverse of `to_plain` for a value of the annotated type `wanted`; refuses everything that is not one."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _dataclass_from_plain(plain, wanted, buffers, where)
    if wanted is np.ndarray:
        return _array_from_plain(plain, buffers, where)
    if wanted is bytes:
        data = _buffer(plain, "bytes", buffers, where)
        return data.data.toreadonly() if buffers.in_place else data.tobytes()
    if origin is types.UnionType:
        kinds = [kind for kind in arguments if kind is not types.NoneType]
        return None if plain is None else from_plain(plain, kinds[0], buffers, where)
    if origin is tuple:
        return _tuple_from_plain(plain, arguments, buffers, where)
    return _scalar_from_plain(plain, dict if origin is dict else wanted, where)


def _tuple_from_plain(plain: Any, arguments: tuple[Any, ...], buffers: Buffers, where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise _wrong(where, "a list", plain)
    kinds = [arguments[0]] * len(plain) if arguments[-1] is Ellipsis else list(arguments)
    if len(kinds) != len(plain):
        raise _wrong(where, f"{len(kinds)} values", plain)
    pairs = enumerate(zip(plain, kinds, strict=True))
    return tuple(from_plain(item, kind, buffers, f"{where}[{i}]") for i, (item, kind) in pairs)


def _scalar_from_plain(plain: Any, wanted: Any, where: str) -> Any:
    """Strings, numbers, and dictionaries of JSON; JSON writes whole floats as integers, and bool is no int here."""
    if wanted is float and type(plain) is int:
        return float(plain)
    if not isinstance(plain, wanted) or (wanted is not bool and isinstance(plain, bool)):
        raise _wrong(where, wanted.__name__, plain)
    return plain


def _dataclass_from_plain(plain: Any, wanted: type, buffers: Buffers, where: str) -> Any:
    if not isinstance(plain, dict):
        raise _wrong(where, "an object", plain)
    known = {f.name: f for f in fields(wanted)}
    unknown = plain.keys() - known.keys()
    missing = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING} - plain.keys()
    if unknown or missing:
        text = ", ".join([f"unknown {n!r}" for n in sorted(unknown)] + [f"missing {n!r}" for n in sorted(missing)])
        raise FrameError("bad-message", f"{where} has the wrong fields: {text}.")
    hints = typing.get_type_hints(wanted)
    return wanted(**{n: from_plain(p, hints[n], buffers, f"{where}.{n}") for n, p in plain.items()})


def _array_from_plain(plain: Any, buffers: Buffers, where: str) -> np.ndarray:
    data = _buffer(plain, "array", buffers, where)
    dtype, shape = plain.get("dtype"), plain.get("shape")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FrameError("bad-message", f"{where} has dtype {dtype!r}; only {', '.join(DTYPES)} travel.")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(is_size(n) for n in shape):
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


def _buffer(plain: Any, key: str, buffers: Buffers, where: str) -> np.ndarray:
    index = plain.get(key) if isinstance(plain, dict) else None
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(buffers):
        raise _wrong(where, key, plain)
    return buffers[index]


def _wrong(where: str, wanted: str, plain: object) -> FrameError:
    return FrameError("bad-message", f"{where} should be {wanted}, not {str(plain)[:80]!r}.")
