"""The one job manager of this Blender, and the one timer that moves it and others on.

jobs.start(*job_request.make_job(bpy.context.scene)) returns at once. Blender's timer calls `pump`; in
background mode, where timers do not fire, `wait` does.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

import bpy
from bpy.app.handlers import persistent

from . import placing, preferences
from .job_manager import JobManager, JobState, JobTarget, RequestSource

TICK_SECONDS = 0.05
REDRAW_SECONDS = 0.25
"""At least this long between two pictures of a job's progress."""

Pump = Callable[[], bool]
"""Moves something on without waiting; True while it needs to be called again."""

_manager: JobManager | None = None
_pumps: list[Pump] = []
_drawn: list[JobState] = []
_drawn_at = 0.0


def manager() -> JobManager:
    """The one manager; its worker starts with the first job."""
    global _manager  # noqa: PLW0603
    if _manager is None:
        _manager = JobManager(worker_command, placing.place)
    return _manager


def worker_command() -> list[str]:
    """The worker that DA3_WORKER_PYTHON names, else that of the preferences. Raises JobError where there is none."""
    python = os.environ.get("DA3_WORKER_PYTHON")
    return [python, "-m", "model_runtime", "worker"] if python else preferences.chosen_worker_command()


def add_pump(pump: Pump) -> None:
    """Let the timer call `pump` every tick until it returns False."""
    if pump not in _pumps:
        _pumps.append(pump)
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)


def start(request: RequestSource, target: JobTarget) -> str:
    """`JobManager.submit`, with the timer that it needs."""
    job = manager().submit(request, target)
    add_pump(manager().pump)
    redraw()
    return job


def pump() -> bool:
    """Call every pump once. True while any needs more. One that raises is told of and not called again."""
    for each in list(_pumps):
        try:
            more = each()
        except Exception:
            traceback.print_exc()
            more = False
        if not more:
            _pumps.remove(each)
    return bool(_pumps)


def wait(seconds: float = 3600.0) -> bool:
    """Pump until nothing is left to do, for scripts without a window; False when the time is up."""
    deadline = time.monotonic() + seconds
    while pump():
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK_SECONDS)
    return True


def redraw() -> None:
    """Let every sidebar and the preferences show what is new; viewports themselves, which are slow, are left alone."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) in (("VIEW_3D", "UI"), ("PREFERENCES", "WINDOW")):
                    region.tag_redraw()


def _tick() -> float | None:
    more = pump()
    _show_changes(at_once=not more)
    return TICK_SECONDS if more else None


def _show_changes(at_once: bool) -> None:
    """Redraw where the job's state changed, but seldom: where drawing is slow, it is Blender that waits for it."""
    global _drawn_at  # noqa: PLW0603
    state = manager().state
    shown = replace(state, started=0, fraction=round(state.fraction, 2), seconds_left=round(state.seconds_left or 0))
    if [shown] != _drawn and (at_once or time.monotonic() - _drawn_at >= REDRAW_SECONDS):
        _drawn[:] = [shown]
        _drawn_at = time.monotonic()
        redraw()


@persistent
def _file_changed(*_: object) -> None:
    manager().file_changed()


def register() -> None:
    bpy.app.handlers.load_post.append(_file_changed)


def unregister() -> None:
    """End the worker, the timer and everything that waits."""
    global _manager  # noqa: PLW0603
    bpy.app.handlers.load_post.remove(_file_changed)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _pumps.clear()
    if _manager is not None:
        _manager.close()
        _manager = None
