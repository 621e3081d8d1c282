"""JSON that others wrote, in a file or a .blend: read within limits, or refused with the reason. Standard library only.

What comes of it is plain: strings that can be written again as UTF-8, finite numbers, no name twice in one object. Of
what kind each value is, and whether it makes sense, whoever takes it has to look.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from model_runtime.contract.plain_files import open_plain

SMALL_FILE = 1_000_000
"""Bytes. A checkpoint's config.json has about a thousand."""

MOST_VALUES = 3_000_000
"""Of one text. They take about 100 bytes each."""

MOST_BRACKETS = 40
"""Inside each other."""

MOST_DIGITS = 18
"""Of an integer, so that it fits into 64 bits; one with more becomes a float."""

SHOWN_LETTERS = 60

TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]|NaN|Infinity', re.DOTALL)
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of half a letter, which stands for one only together with the other half."""


class JsonError(ValueError):
    """Why something cannot be read as JSON; its text is a sentence's end that begins with `it` or `its`."""


def read_json(path: Path, most_bytes: int = SMALL_FILE) -> Any:
    """What the file holds: UTF-8, UTF-16 or UTF-32, with or without a byte order mark. Raises JsonError."""
    try:
        with open_plain(path) as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with NUL
        raise JsonError(f"it cannot be read ({getattr(error, 'strerror', None) or error})") from error
    return parse_json(data, most_bytes)


def parse_json(data: bytes, most_bytes: int = SMALL_FILE) -> Any:
    """As `read_json`, of what was read already."""
    if len(data) > most_bytes:
        raise JsonError(f"it has more than {most_bytes / 1e6:g} MB")
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise JsonError("its text is damaged or in an old encoding; save it as UTF-8") from error
    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise JsonError(f"it holds more than {MOST_VALUES} values")
    _check_tokens(text)
    try:
        content = json.loads(text, parse_int=_integer, parse_float=_number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise JsonError(f"it is not JSON (line {error.lineno}, column {error.colno})") from error
    if SURROGATE.search(text):
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise JsonError("its text holds half a letter (a lone surrogate)") from error
    return content


def shown(value: object, most: int = SHOWN_LETTERS) -> str:
    """A value from a file as a sentence can say it: not too long, and on one line."""
    text = value if isinstance(value, str) else str(value)
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[: most + 1])
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def _check_tokens(text: str) -> None:
    """Before anything is made of it: deep brackets could overflow the stack of a thread."""
    depth = 0
    for token in TOKENS.finditer(text):
        sign = text[token.start()]
        if sign in "[{":
            depth += 1
            if depth > MOST_BRACKETS:
                raise JsonError("its brackets are nested too deeply")
        elif sign in "]}":
            depth -= 1
        elif sign in "NI":
            line = text.count("\n", 0, token.start()) + 1
            raise JsonError(f"its line {line} says {token.group()} where a number should be")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else _number(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonError(f"it holds a number that is too large ({shown(digits, 20)})")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise JsonError(f"it says '{shown(twice)}' twice in one place")
    return content
