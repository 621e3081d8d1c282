"""The worker and its one job, from request to placed result. No bpy: `live` owns the one manager and its timer.

`submit` and `cancel` return at once; `pump` moves everything on and never waits. Photos are read, and predictions
planned, in a thread; only the placer, which writes the objects, works where `pump` is called.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue

from model_runtime.contract.messages import Failure, JobError, Prediction, Progress, Request
from model_runtime.contract.secrecy import failure_without_secrets

from ..plan.scene_plan import of_views, plan_scene
from ..plan.size_and_place import sized
from ..runtime.chosen_worker import worker_of
from ..runtime.worker_command import RuntimeSettings
from ..runtime.worker_process import WorkerProcess
from .state import Asking, Idle, JobState, JobTarget, Placing, Planning, Reading, Result, Step, Stopping, Waiting
from .time_left import TimeLeft

CANCEL_PATIENCE = 10.0
"""Seconds a cancelled worker may go on before it is ended; the artist does not wait for it."""

SILENCE_TOLD = 20.0
"""Seconds without a sign of life until the artist reads of it; `worker_process.SILENCE_LIMIT` ends the worker."""

WORKER_SHARE = 0.95
"""Of the progress bar; the rest is making the scene."""


class NotNow(Exception):
    """Raised by a placer while Blender is in the middle of something: the result is tried again at the next tick."""


class CannotPlace(Exception):
    """Raised by a placer that finds no place for a result; the sentence tells why. The result waits for the artist."""


Placer = Callable[[Result], str]
"""Writes a result into its scene and returns its `da3_id`. Raises NotNow, CannotPlace or JobError."""

RequestSource = Request | Callable[[], Request]


class JobManager:
    """One worker, kept warm, and at most one job at a time.

    runtime: tells where the worker runs, anew for every job, so that changed preferences count. place: see `Placer`.
    """

    def __init__(self, runtime: Callable[[], RuntimeSettings], place: Placer) -> None:
        self.state = JobState()
        self.file_session = 0
        self.worker: WorkerProcess | None = None
        self._runtime, self._place = runtime, place
        self._threaded: SimpleQueue[tuple[Step, Request | Result | Failure]] = SimpleQueue()
        self._time_left = TimeLeft()

    @property
    def busy(self) -> bool:
        """Whether `pump` still has something to move on."""
        return self.state.running or isinstance(self.state.step, Stopping)

    def submit(self, request: RequestSource, target: JobTarget) -> None:
        """Start a job. request: or a function that makes it, called in a thread.

        Raises JobError where a job runs already or a result waits to be placed.
        """
        if self.state.running:
            raise JobError("busy", f"The scene '{self.state.name}' is still being made.", "Wait for it, or cancel it.")
        if self.state.waiting is not None:
            ready = f"'{self.state.waiting.result.plan.name}' is ready."
            raise JobError("result-waiting", f"{ready} {self.state.waiting.reason}", "Place or discard it first.")
        self.pump()  # a cancelled job may have ended by now, which lets its worker go on
        worker = worker_of(self._runtime())
        if self.worker is None or self.worker.command != worker.command or isinstance(self.state.step, Stopping):
            self._end_worker()
            self.worker = worker
        self.state = JobState(
            Reading(replace(target, file_session=self.file_session)),
            target.name,
            said="Reading the photos." if target.clip is None else "Reading the clip.",
            placed=self.state.placed,
            updates=target.collection_id,
        )
        self._time_left.begin(time.monotonic())
        self.worker.start()
        self._in_thread(lambda: request if isinstance(request, Request) else request())

    def cancel(self) -> None:
        """Forget the job at once; the worker stops in its own time, or is ended."""
        if not self.state.running:
            return
        step = self.state.step
        if isinstance(step, Asking) and self.worker is not None and step.worker_job in self.worker.jobs:
            self.worker.cancel(step.worker_job)
            self._finish(Stopping(time.monotonic()))
        else:
            self._finish()

    def pump(self) -> bool:
        """Move on what can be, without waiting. True while there is more to come."""
        self._take_threaded()
        if self.worker is not None:
            for event in self.worker.poll():
                self._take_event(event.job, event.message)
            self._watch_silence(self.worker.silence)
        step = self.state.step
        if isinstance(step, Stopping):
            self._watch_cancelled(step)
        elif isinstance(step, Placing):
            self._try_to_place(step.result)
        return self.busy

    def place_waiting(self, place: Placer) -> None:
        """Place the result that waits, by `place`. Raises what that raises; the result then still waits."""
        waiting = self.state.waiting
        if waiting is None:
            raise JobError("nothing-waits", "No finished scene waits to be placed.")
        self.state.placed = place(waiting.result)
        self.state.step = Idle()

    def discard_waiting(self) -> None:
        if self.state.waiting is not None:
            self.state.step = Idle()

    def file_changed(self) -> None:
        """Another file was opened: what is running belongs to none of its scenes."""
        self.file_session += 1

    def close(self) -> None:
        """Forget everything and end the worker."""
        self._end_worker()
        self.state = JobState()

    def _end_worker(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker = None

    def _finish(self, step: Waiting | Stopping | None = None, failure: Failure | None = None) -> None:
        """No job runs any more; what a thread still says about it goes unheard."""
        last = self.state
        self.state = JobState(step or Idle(), last.name, failure=failure, placed=last.placed, updates=last.updates)

    def _take_threaded(self) -> None:
        while True:
            try:
                step, outcome = self._threaded.get_nowait()
            except Empty:
                return
            if step is not self.state.step:  # of a job that was cancelled
                continue
            if isinstance(outcome, Failure):
                self._finish(failure=outcome)
            elif isinstance(outcome, Result):
                self.state.step = Placing(outcome)
            elif isinstance(step, Reading) and self.worker is not None:
                self.state.step = Asking(step.target, self.worker.submit(outcome))
                if self.worker.hello is None:
                    self.state.said = "Starting the worker."

    def _take_event(self, worker_job: str, message: object) -> None:
        step = self.state.step
        if isinstance(step, Asking) and worker_job == step.worker_job:
            if isinstance(message, Failure):
                self._finish(failure=message)
            elif isinstance(message, Progress):
                self._advance(message.fraction * WORKER_SHARE, message.sentence)
            elif isinstance(message, Prediction):
                self.state.step = Planning()
                self._advance(WORKER_SHARE, "Making the scene.")
                self._in_thread(lambda: make_result(message, step.target))
        elif (
            isinstance(step, Reading | Asking)
            and isinstance(message, Failure)
            and not worker_job
            and self._lacks_worker()
        ):
            self._finish(failure=message)

    def _lacks_worker(self) -> bool:
        """Whether the job waits for a worker that is gone; false once it has its answer, or has a new worker."""
        waits = isinstance(self.state.step, Reading | Asking)
        return waits and (self.worker is None or not self.worker.running)

    def _advance(self, fraction: float, sentence: str) -> None:
        state = self.state
        state.said = sentence
        state.fraction = max(state.fraction, min(fraction, 1.0))
        state.seconds_left = self._time_left.at(state.fraction, time.monotonic())

    def _watch_silence(self, seconds: float) -> None:
        overdue = isinstance(self.state.step, Asking) and seconds >= SILENCE_TOLD
        self.state.silence = round(seconds) if overdue else 0

    def _watch_cancelled(self, step: Stopping) -> None:
        """End a worker that does not stop a cancelled job."""
        if self.worker is None or not self.worker.jobs:
            self.state.step = Idle()
        elif time.monotonic() - step.since > CANCEL_PATIENCE:
            self._end_worker()
            self.state.step = Idle()

    def _try_to_place(self, result: Result) -> None:
        try:
            if result.target.file_session != self.file_session:
                raise CannotPlace("It was started in another file.")
            placed = self._place(result)
        except NotNow as reason:
            self.state.said, self.state.seconds_left = str(reason), None
        except CannotPlace as reason:
            self._finish(Waiting(result, str(reason)))
        except Exception as error:
            failure = error.failure if isinstance(error, JobError) else _unexpected(error)
            self._finish(Waiting(result, "It could not be placed."), failure)
        else:
            self._time_left.finish(time.monotonic())
            self._finish()
            self.state.placed = placed

    def _in_thread(self, work: Callable[[], Request | Result]) -> None:
        step = self.state.step

        def run() -> None:
            try:
                outcome: Request | Result | Failure = work()
            except JobError as error:
                outcome = error.failure
            except Exception as error:
                outcome = _unexpected(error)
            self._threaded.put((step, outcome))

        threading.Thread(target=run, name="da3-job", daemon=True).start()


def make_result(prediction: Prediction, target: JobTarget) -> Result:
    """Plan the scene of a prediction; seconds for millions of points, so not for the main thread."""
    paths, images = target.photo_paths, target.photo_images
    if target.photo_names:
        paths = tuple(of_views(prediction, target.photo_names, paths))
        images = tuple(of_views(prediction, target.photo_names, images))
    plan = plan_scene(prediction, target.name, paths, target.plan_settings, images, target.clip)
    return Result(plan if target.collection_id else sized(plan), target)


def _unexpected(error: Exception) -> Failure:
    sentence = f"The add-on failed in a way it does not know: {type(error).__name__}: {error}."
    log = "".join(traceback.format_exception(error))
    return failure_without_secrets(Failure("internal", sentence, "Please report this with the log.", log))
