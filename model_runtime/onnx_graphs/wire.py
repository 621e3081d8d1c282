"""ONNX models as bytes: the few messages of onnx.proto that the graphs here need, in Protocol Buffers' encoding.

The `onnx` package would write them too, but brings its compiler along and asks for a newer numpy than the worker has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FLOAT, INT64, BOOL, FLOAT16, BFLOAT16 = 1, 7, 9, 10, 16
"""TensorProto.DataType."""

STANDARD_OPSET = 20
"""The first with Gelu; ONNX Runtime has it from 1.17 on."""
CONTRIBUTED = "com.microsoft"
"""Operators that only ONNX Runtime has."""
IR_VERSION = 9

_DTYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64, np.dtype(np.bool_): BOOL}
_EXTERNAL = 1  # TensorProto.DataLocation
_VARINT, _BYTES, _FIXED32 = 0, 2, 5

Attribute = int | float | str | Sequence[int]


@dataclass(frozen=True)
class StoredWeights:
    """Where a tensor lies: `length` bytes from `offset` of a file beside the model. data_type: FLOAT, FLOAT16 or
    BFLOAT16."""

    file: str
    offset: int
    length: int
    data_type: int
    shape: tuple[int, ...]


def model(graph: bytes, producer_version: str, metadata: Mapping[str, str]) -> bytes:
    """ModelProto."""
    opsets = b"".join(
        _field(8, _text(1, domain) + _integer(2, version))
        for domain, version in (("", STANDARD_OPSET), (CONTRIBUTED, 1))
    )
    properties = b"".join(_field(14, _text(1, key) + _text(2, value)) for key, value in metadata.items())
    producer = _text(2, "model_runtime") + _text(3, producer_version)
    return _integer(1, IR_VERSION) + producer + _field(7, graph) + opsets + properties


def graph(
    name: str, nodes: Iterable[bytes], tensors: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]
) -> bytes:
    """GraphProto."""
    parts = [_field(1, node) for node in nodes] + [_text(2, name)]
    for number, messages in ((5, tensors), (11, inputs), (12, outputs)):
        parts += [_field(number, message) for message in messages]
    return b"".join(parts)


def node(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], domain: str, attributes: Mapping[str, Attribute]
) -> bytes:
    """NodeProto."""
    names = [_text(1, value) for value in inputs] + [_text(2, value) for value in outputs]
    given = [_field(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join([*names, _text(3, outputs[0]), _text(4, kind), *given, _text(7, domain)])


def constant(name: str, array: np.ndarray) -> bytes:
    """TensorProto that holds its numbers."""
    return _tensor(name, array.shape, _DTYPES[array.dtype]) + _field(9, np.ascontiguousarray(array).tobytes())


def external(name: str, stored: StoredWeights) -> bytes:
    """TensorProto whose numbers lie in another file."""
    place = {"location": stored.file, "offset": str(stored.offset), "length": str(stored.length)}
    entries = b"".join(_field(13, _text(1, key) + _text(2, value)) for key, value in place.items())
    return _tensor(name, stored.shape, stored.data_type) + entries + _integer(14, _EXTERNAL)


def value_info(name: str, data_type: int, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto. A side that varies has a name."""
    sides = b"".join(_field(1, _integer(1, s) if isinstance(s, int) else _text(2, s)) for s in shape)
    tensor = _integer(1, data_type) + _field(2, sides)
    return _text(1, name) + _field(2, _field(1, tensor))


def _tensor(name: str, shape: Sequence[int], data_type: int) -> bytes:
    return b"".join(_integer(1, side) for side in shape) + _integer(2, data_type) + _text(8, name)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _integer(3, value) + _integer(20, 2)
    if isinstance(value, float):
        return _text(1, name) + _key(2, _FIXED32) + struct.pack("<f", value) + _integer(20, 1)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _integer(20, 3)
    return _text(1, name) + b"".join(_integer(8, v) for v in value) + _integer(20, 7)


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode())


def _field(number: int, value: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(value)) + value


def _integer(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _varint(value)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
