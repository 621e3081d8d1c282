"""The one job manager of this Blender.

live.start(*job_request.make_job(bpy.context.scene)) returns at once; `timer` moves the job on.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

import bpy
from bpy.app.handlers import persistent

from . import preferences, timer
from .jobs import placing
from .jobs.manager import JobManager, JobState, JobTarget, RequestSource

REDRAW_SECONDS = 0.25
"""At least this long between two pictures of a job's progress."""

_manager: JobManager | None = None
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


def start(request: RequestSource, target: JobTarget) -> str:
    """`JobManager.submit`, with the timer that it needs."""
    job = manager().submit(request, target)
    timer.add_pump(pump)
    timer.redraw()
    return job


def pump() -> bool:
    """Move the job on, without waiting. True while it needs more."""
    more = manager().pump()
    _show_changes(at_once=not more)
    return more


def _show_changes(at_once: bool) -> None:
    """Redraw where the job's state changed, but seldom: where drawing is slow, it is Blender that waits for it."""
    global _drawn_at  # noqa: PLW0603
    state = manager().state
    shown = replace(state, fraction=round(state.fraction, 2), seconds_left=round(state.seconds_left or 0))
    if [shown] != _drawn and (at_once or time.monotonic() - _drawn_at >= REDRAW_SECONDS):
        _drawn[:] = [shown]
        _drawn_at = time.monotonic()
        timer.redraw()


@persistent
def _file_changed(*_: object) -> None:
    manager().file_changed()


def register() -> None:
    bpy.app.handlers.load_post.append(_file_changed)


def unregister() -> None:
    """End the worker and everything that waits."""
    global _manager  # noqa: PLW0603
    bpy.app.handlers.load_post.remove(_file_changed)
    if _manager is not None:
        _manager.close()
        _manager = None
