"""Damaged copies of good files and frames, and JSON that nobody would write; the same ones for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

ROUNDS = pytest.mark.parametrize(
    ("count", "seed"),
    [pytest.param(300, 0, id="short"), pytest.param(30_000, 1, id="long", marks=pytest.mark.fuzz)],
)
"""For a test that takes `count` and `seed`: a few seconds always, minutes with `-m fuzz`."""

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
"""Numbers at which counts and lengths go wrong."""

BAD_VALUES = (
    "null",
    "true",
    "[]",
    "{}",
    '""',
    "-1",
    "0",
    "0.5",
    "1e308",
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "9" * 400,
    "9" * 5000,
    '"\\ud800"',
    '"\\u0000"',
    '"../../etc"',
    "[" * 50 + "]" * 50,
    "[" * 100_000,
    "[" * 100_000 + "]" * 100_000,
    "[[1,2],[3]]",
    '{"a":1,"a":2}',
)
"""Values, as they stand in a file, that no field expects."""


def damaged(samples: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` copies of the samples, each with one to four faults: bits, lengths, pieces cut, doubled or exchanged."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 4)):
            _damage(data, chance, samples)
        yield bytes(data)


def _damage(data: bytearray, chance: random.Random, samples: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((1, 2, 4, 8, 64, 1024)))
    kind = chance.randrange(7)
    if kind == 0 and data:
        data[start % len(data)] ^= 1 << chance.randrange(8)
    elif kind == 1:
        size = chance.choice((1, 2, 4, 8))
        number = chance.choice(EDGES) & ((1 << 8 * size) - 1)
        data[start : start + size] = number.to_bytes(size, chance.choice(("little", "big")))
    elif kind == 2:
        del data[start:]
    elif kind == 3:
        del data[start:end]
    elif kind == 4:
        data[start:start] = data[start:end] * chance.choice((1, 2, 64))
    elif kind == 5:
        data[start:end] = chance.randbytes(end - start)
    else:
        other = chance.choice(samples)
        at = chance.randrange(len(other) + 1)
        data[start:end] = other[at : at + 64]


def odd_json(content: Any, count: int, seed: int) -> Iterator[str]:
    """`count` copies of a JSON value as text, each with one to three of its values exchanged, lost or doubled."""
    chance = random.Random(seed)
    for _ in range(count):
        places = list(_places(content))
        chosen = {chance.choice(places): chance.choice((*BAD_VALUES, "lost")) for _ in range(chance.randint(1, 3))}
        yield _written(content, (), chosen) or "null"


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


def _written(value: Any, path: tuple[Any, ...], chosen: dict[tuple[Any, ...], str]) -> str:
    """The value as JSON; empty where it is lost."""
    if path in chosen:
        return "" if chosen[path] == "lost" else chosen[path]
    if isinstance(value, dict):
        written = [(key, _written(item, (*path, key), chosen)) for key, item in value.items()]
        return "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in written if text) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(filter(None, (_written(v, (*path, i), chosen) for i, v in enumerate(value)))) + "]"
    return json.dumps(value)
