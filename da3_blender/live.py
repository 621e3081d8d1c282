"""What lives while Blender runs: jobs, the runtime's state, models and their downloads; all moved on by the one timer.

live.start(*job_request.make_job(bpy.context.scene)) returns at once; `timer` moves the job on.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache

import bpy
from bpy.app.handlers import persistent

from . import preferences, timer
from .jobs import placing
from .jobs.manager import JobManager, RequestSource
from .jobs.state import JobState, JobTarget
from .runtime.manager import RuntimeManager
from .runtime.models import ModelDownloads

REDRAW_SECONDS = 0.25
"""At least this long between two pictures of what goes on: where drawing is slow, it is Blender that waits for it."""

_drawn: list[object] = []
_drawn_at = 0.0


@cache
def jobs() -> JobManager:
    """The one job manager; its worker starts with the first job."""
    return JobManager(preferences.chosen_runtime, placing.place)


@cache
def runtime() -> RuntimeManager:
    """The one manager of the worker's environment."""
    return RuntimeManager()


@cache
def downloads() -> ModelDownloads:
    """The one list of models, and their downloads."""
    return ModelDownloads(preferences.chosen_runtime, preferences.models_here)


def lacks_torch() -> bool:
    """Whether the worker is known to do without PyTorch: by what a running or a tested one said, else by what is
    installed here."""
    worker, chosen = jobs().worker, preferences.chosen_runtime()
    if worker is not None and worker.hello is not None:
        return not worker.hello.torch
    found, report = runtime().state, runtime().report
    if report is not None and report.settings == chosen:
        return not report.hello.torch
    return chosen.kind == "installed" and found is not None and found.runtime is not None and not found.runtime.torch


def keeper(name: str) -> JobState | RuntimeManager | ModelDownloads:
    """Who keeps the failure of what was asked for last: `jobs`, `runtime` or `models`."""
    return {"jobs": jobs().state, "runtime": runtime(), "models": downloads()}[name]


def start(request: RequestSource, target: JobTarget) -> None:
    """`JobManager.submit`, with the timer that it needs."""
    jobs().submit(request, target)
    move_on()


def refresh() -> None:
    """Look at this machine's disk anew, for the runtime and, unless they are on another machine, for models."""
    settings = preferences.runtime_settings()
    runtime().refresh(settings)
    if settings.local:
        downloads().refresh()
    move_on()


def move_on() -> None:
    """Let the timer move on what was asked for, and show it at once. A fault in one of the three stops that alone."""
    for owner in (jobs(), runtime(), downloads()):
        timer.add_pump(owner.pump)
    timer.add_pump(_show, waited_for=False)
    timer.redraw()


def _show() -> bool:
    more = any(owner.busy for owner in (jobs(), runtime(), downloads()))
    _redraw_if_changed(at_once=not more)
    return more


def _redraw_if_changed(at_once: bool) -> None:
    global _drawn_at  # noqa: PLW0603
    job, of_runtime, models = jobs().state, runtime(), downloads()
    shown = [
        replace(job, fraction=round(job.fraction, 2), seconds_left=round(job.seconds_left or 0)),
        *(of_runtime.state, of_runtime.progress, of_runtime.failure, of_runtime.report, of_runtime.busy),
        *(models.models, models.name, models.progress, models.failure, models.busy),
    ]
    if shown != _drawn and (at_once or time.monotonic() - _drawn_at >= REDRAW_SECONDS):
        _drawn[:] = shown
        _drawn_at = time.monotonic()
        timer.redraw()


def _look_first() -> bool:
    """When Blender has started: what is on the disk, before anybody asks."""
    refresh()
    return False


@persistent
def _file_changed(*_: object) -> None:
    jobs().file_changed()


def register() -> None:
    bpy.app.handlers.load_post.append(_file_changed)
    preferences.on_change.append(refresh)
    timer.add_pump(_look_first)


def unregister() -> None:
    """End the worker, an installation, a download, and everything that waits."""
    bpy.app.handlers.load_post.remove(_file_changed)
    preferences.on_change.remove(refresh)
    for owner in (jobs, runtime, downloads):
        owner().close()
        owner.cache_clear()
    _drawn.clear()
