"""The one timer of this add-on, and what it moves on. Timers do not fire in background mode: there `wait` does it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import bpy

TICK_SECONDS = 0.05

Pump = Callable[[], bool]
"""Moves something on without waiting; True while it needs to be called again."""

_pumps: dict[Pump, bool] = {}
"""What is called, and whether `wait` waits for it."""


def add_pump(pump: Pump, waited_for: bool = True) -> None:
    """Let the timer call `pump` every tick until it returns False. waited_for: it leads to something, and does not just
    watch."""
    _pumps.setdefault(pump, waited_for)
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)


def pump() -> bool:
    """Call every pump once. True while any that leads to something needs more.

    One that raises is told of and not called again.
    """
    for each in list(_pumps):
        try:
            more = each()
        except Exception:
            traceback.print_exc()
            more = False
        if not more:
            del _pumps[each]
    return any(_pumps.values())


def wait(seconds: float = 3600.0) -> bool:
    """Pump until nothing is left to do, for scripts without a window; False when the time is up."""
    deadline = time.monotonic() + seconds
    while pump():
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK_SECONDS)
    return True


def redraw() -> None:
    """Let every sidebar, the preferences and the status bar show what is new; viewports themselves, which are slow, are
    left alone."""
    for window in bpy.context.window_manager.windows:
        if not window.modal_operators:  # one that is at work may use the status bar itself
            with bpy.context.temp_override(window=window):
                window.workspace.status_text_set(None)
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) in (("VIEW_3D", "UI"), ("PREFERENCES", "WINDOW")):
                    region.tag_redraw()


def _tick() -> float | None:
    pump()
    return TICK_SECONDS if _pumps else None


def register() -> None:
    """Nothing: the timer starts with the first pump."""


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _pumps.clear()
