"""What Blender's objects are called after their photos, so that every other program takes the names as they are."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import chain, count

ENDING = re.compile(r"\.[^./\\]*[^\W\d_][^./\\]*$")
"""A file's: one of digits alone tells things apart, as Blender's .001 does."""

LONGEST = 48
"""Bytes in UTF-8. Blender keeps 63, and some of them are for what is added."""


def plain_name(photo: str) -> str:
    """The photo's name without its ending, with an underscore for everything but letters and digits: `left/1.jpg` is
    `left_1`. What is too long loses its beginning, where folders and cameras put what all their photos share."""
    words = re.findall(r"[^\W_]+", ENDING.sub("", photo))
    name = "_".join(words).encode()[-LONGEST:].decode(errors="ignore")
    return name.strip("_") or "photo"


def free_name(wanted: str, *taken: Container[str]) -> str:
    """`wanted`, or with _2, _3, ... where one of `taken` has that: Blender itself would add a dot and a number."""
    names = chain((wanted,), (f"{wanted}_{number}" for number in count(2)))
    return next(name for name in names if not any(name in each for each in taken))
