"""The head of a PLY file (http://paulbourke.net/dataformats/ply): what it says to hold. Nothing is believed yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from model_runtime.contract.json_files import shown

from .refusals import SplatFileError

MOST_BYTES = 1 << 16
"""Of a head; one of splats has about 1600."""

MOST_DIGITS = 12
TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2"},
    **{"int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8"},
}
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
"""Format -> numpy's sign for the order of bytes; none for text."""

NOT_PLY = "it is not a PLY file"


@dataclass(frozen=True)
class Element:
    """A table of the file. row: what one entry holds; None where one of its properties is a list."""

    name: str
    count: int
    row: np.dtype | None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.row.names or ()) if self.row is not None else ()


@dataclass(frozen=True)
class PlyHeader:
    """order: of bytes, as numpy says it; empty for text. elements: in the order of the file."""

    order: str
    elements: tuple[Element, ...]


def read_header(file: BinaryIO) -> PlyHeader:
    """Reads up to where the numbers begin. Raises SplatFileError."""
    lines = _lines(file)
    if lines[0] != ["ply"]:
        raise SplatFileError(NOT_PLY)
    formats = [words[1] for words in lines if words[0] == "format" and len(words) > 1]
    if len(formats) != 1 or formats[0] not in FORMATS:
        raise SplatFileError(f"its format is unknown ({shown(', '.join(formats)) or 'none'})")
    order = FORMATS[formats[0]]
    tables: list[tuple[str, int, list[list[str]]]] = []
    for words in lines:
        if words[0] == "element":
            tables.append(_table(words))
        elif words[0] == "property":
            if not tables:
                raise SplatFileError("its head names a property before any element")
            tables[-1][2].append(words[1:])
    return PlyHeader(order, tuple(Element(name, count, _row(found, order or "<")) for name, count, found in tables))


def _lines(file: BinaryIO) -> list[list[str]]:
    """The words of each line of the head."""
    lines: list[list[str]] = []
    left = MOST_BYTES
    while left > 0:
        line = file.readline(left)
        left -= len(line)
        words = line.decode("ascii", errors="replace").split()
        if not line or (not lines and words != ["ply"]):
            raise SplatFileError("its head is not complete" if lines else NOT_PLY)
        if words == ["end_header"]:
            return lines
        if words:
            lines.append(words)
    raise SplatFileError("its head has no end")


def _table(words: list[str]) -> tuple[str, int, list[list[str]]]:
    if len(words) != 3 or not (words[2].isascii() and words[2].isdigit() and len(words[2]) <= MOST_DIGITS):
        raise SplatFileError(f"its head has an element without a number ({shown(' '.join(words))})")
    return words[1], int(words[2]), []


def _row(properties: list[list[str]], order: str) -> np.dtype | None:
    if any(words[0] == "list" for words in properties if words):
        return None
    fields: list[tuple[str, str]] = []
    for words in properties:
        if len(words) != 2 or words[0] not in TYPES:
            raise SplatFileError(f"its head has an unknown property ({shown(' '.join(words))})")
        fields.append((words[1], order + TYPES[words[0]]))
    if len({name for name, _ in fields}) < len(fields):
        raise SplatFileError("its head names a property twice")
    return np.dtype(fields)
