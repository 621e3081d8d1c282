"""Functions that Blender calls at certain moments, `bpy.app.handlers`, while the add-on is on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Handler = tuple[list[Any], Callable[..., None]]
"""A list of `bpy.app.handlers` and what is called at that moment."""


def add(handlers: Iterable[Handler]) -> None:
    for moment, function in handlers:
        moment.append(function)


def remove(handlers: Iterable[Handler]) -> None:
    """Those that are there."""
    for moment, function in handlers:
        if function in moment:
            moment.remove(function)
