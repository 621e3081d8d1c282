"""The worker and its one job, from request to placed result. No bpy: `jobs` owns the one manager and its timer.

`submit` and `cancel` return at once; `pump` moves everything on and never waits. Photos are read, and predictions
planned, in a thread; only the placer, which writes the objects, works where `pump` is called.
"""

from __future__ import annotations

import threading
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue

from model_runtime.contract.messages import Failure, JobError, Prediction, Progress, Request
from model_runtime.contract.secrecy import failure_without_secrets

from ..plan.scene_plan import PlanSettings, ScenePlan, of_views, plan_scene
from ..plan.size_and_place import sized
from ..runtime.worker_process import WorkerProcess
from .time_left import TimeLeft

CANCEL_PATIENCE = 10.0
"""Seconds a cancelled worker may go on before it is ended; the artist does not wait for it."""

SILENCE_TOLD = 20.0
"""Seconds without a sign of life until the artist reads of it; `worker_process.SILENCE_LIMIT` ends the worker."""

WORKER_SHARE = 0.95
"""Of the progress bar; the rest is making the scene."""


@dataclass(frozen=True)
class JobTarget:
    """Where a result goes.

    scene_uid: `session_uid` of the scene; scene_name: what sentences call it. photo_names: as in the request.
    photo_paths: one per photo, for the cameras' backgrounds; photo_images: `session_uid` of the image of each that is
    packed in the .blend, 0 for the others. collection_id: `da3_id` of the result to update, or empty for a new one.
    file_session: which opened file it belongs to; `submit` fills it in.
    """

    name: str
    scene_uid: int
    scene_name: str
    photo_names: tuple[str, ...] = ()
    photo_paths: tuple[Path | None, ...] = ()
    photo_images: tuple[int, ...] = ()
    plan_settings: PlanSettings = field(default_factory=PlanSettings)
    collection_id: str = ""
    asked: str = ""
    file_session: int = -1


@dataclass(frozen=True, eq=False)
class Result:
    """A finished plan and where it should go."""

    plan: ScenePlan
    target: JobTarget


@dataclass
class JobState:
    """What the panel shows. job: empty while none runs. seconds_left: None while nobody can tell.

    failure: why the last job has no result. waiting: a result that could not be placed; reason: why, as a sentence.
    placed: `da3_id` of the last result that was. updates: that of the result which this job, or the last one, updates;
    empty where it makes a new one.
    """

    job: str = ""
    name: str = ""
    stage: str = ""
    fraction: float = 0.0
    sentence: str = ""
    seconds_left: float | None = None
    failure: Failure | None = None
    waiting: Result | None = None
    reason: str = ""
    placed: str = ""
    updates: str = ""


class NotNow(Exception):
    """Raised by a placer while Blender is in the middle of something: the result is tried again at the next tick."""


class CannotPlace(Exception):
    """Raised by a placer that finds no place for a result; the sentence tells why. The result waits for the artist."""


Placer = Callable[[Result], str]
"""Writes a result into its scene and returns its `da3_id`. Raises NotNow, CannotPlace or JobError."""

RequestSource = Request | Callable[[], Request]


class JobManager:
    """One worker, kept warm, and at most one job at a time.

    command: tells the worker's program and arguments, asked anew for every job, so that changed preferences count.
    place: see `Placer`.
    """

    def __init__(self, command: Callable[[], Sequence[str]], place: Placer) -> None:
        self.state = JobState()
        self.file_session = 0
        self.worker: WorkerProcess | None = None
        self._command, self._place = command, place
        self._target: JobTarget | None = None
        self._worker_job = ""
        self._ready: Result | None = None
        self._threaded: SimpleQueue[tuple[str, Request | Result | Failure]] = SimpleQueue()
        self._stopping: float | None = None
        self._time_left = TimeLeft()
        self._said = ""
        """The sentence that one about the worker's silence stands in the place of."""

    @property
    def running(self) -> bool:
        return bool(self.state.job)

    @property
    def busy(self) -> bool:
        """Whether `pump` still has something to move on."""
        return self.running or self._stopping is not None

    def submit(self, request: RequestSource, target: JobTarget) -> str:
        """Start a job and return its id. request: or a function that makes it, called in a thread.

        Raises JobError where a job runs already or a result waits to be placed.
        """
        if self.running:
            raise JobError("busy", f"The scene '{self.state.name}' is still being made.", "Wait for it, or cancel it.")
        if self.state.waiting is not None:
            ready = f"'{self.state.waiting.plan.name}' is ready."
            raise JobError("result-waiting", f"{ready} {self.state.reason}", "Place or discard it first.")
        self.pump()  # a cancelled job may have ended by now, which lets its worker go on
        command = list(self._command())
        if self.worker is None or self.worker.command != command or self._stopping is not None:
            self._end_worker()
            self.worker = WorkerProcess(command)
        job = uuid.uuid4().hex
        self.state = JobState(
            job,
            target.name,
            "photos",
            0.0,
            "Reading the photos.",
            placed=self.state.placed,
            updates=target.collection_id,
        )
        self._time_left.begin(time.monotonic())
        self._target = replace(target, file_session=self.file_session)
        self.worker.start()
        self._in_thread(job, lambda: request if isinstance(request, Request) else request())
        return job

    def cancel(self, job: str = "") -> None:
        """Forget the job (or whichever runs) at once; the worker stops in its own time, or is ended."""
        if not self.running or job not in ("", self.state.job):
            return
        if self.worker is not None and self._worker_job in self.worker.jobs:
            self.worker.cancel(self._worker_job)
            self._stopping = time.monotonic()
        self._finish()

    def pump(self) -> bool:
        """Move on what can be, without waiting. True while there is more to come."""
        self._take_threaded()
        if self.worker is not None:
            for event in self.worker.poll():
                self._take_event(event.job, event.message)
            self._watch_silence(self.worker.silence)
        self._watch_cancelled()
        if self._ready is not None:
            self._try_to_place(self._ready)
        return self.busy

    def place_waiting(self, place: Placer) -> None:
        """Place the result that waits, by `place`. Raises what that raises; the result then still waits."""
        waiting = self.state.waiting
        if waiting is None:
            raise JobError("nothing-waits", "No finished scene waits to be placed.")
        self.state.placed = place(waiting)
        self.state.waiting, self.state.reason = None, ""

    def discard_waiting(self) -> None:
        self.state.waiting, self.state.reason = None, ""

    def file_changed(self) -> None:
        """Another file was opened: what is running belongs to none of its scenes."""
        self.file_session += 1

    def close(self) -> None:
        """Forget everything and end the worker."""
        self._finish()
        self._end_worker()
        self.state = JobState()

    def _end_worker(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker, self._stopping = None, None

    def _finish(self, failure: Failure | None = None) -> None:
        """No job runs any more; what a thread still says about it goes unheard."""
        state = self.state
        state.job = state.stage = state.sentence = self._worker_job = self._said = ""
        state.fraction, state.seconds_left, state.failure = 0.0, None, failure
        self._target = self._ready = None

    def _take_threaded(self) -> None:
        while True:
            try:
                job, item = self._threaded.get_nowait()
            except Empty:
                return
            if job != self.state.job:
                continue
            if isinstance(item, Failure):
                self._finish(item)
            elif isinstance(item, Result):
                self._ready = item
            elif self.worker is not None:
                self._worker_job = self.worker.submit(item)
                if self.worker.hello is None:
                    self.state.sentence = "Starting the worker."

    def _take_event(self, worker_job: str, message: object) -> None:
        if not self.running or worker_job not in ("", self._worker_job):
            return
        if isinstance(message, Failure):
            if worker_job or self._lacks_worker():
                self._finish(message)
        elif isinstance(message, Progress):
            self._advance(message.stage, message.fraction * WORKER_SHARE, message.sentence)
        elif isinstance(message, Prediction):
            target = self._target
            assert target is not None
            self._worker_job = ""
            self._advance("scene", WORKER_SHARE, "Making the scene.")
            self._in_thread(self.state.job, lambda: make_result(message, target))

    def _lacks_worker(self) -> bool:
        """Whether the job waits for a worker that is gone; false once it has its answer, or has a new worker."""
        return self.state.stage != "scene" and (self.worker is None or not self.worker.running)

    def _advance(self, stage: str, fraction: float, sentence: str) -> None:
        state = self.state
        state.stage, state.sentence, self._said = stage, sentence, ""
        state.fraction = max(state.fraction, min(fraction, 1.0))
        state.seconds_left = self._time_left.at(state.fraction, time.monotonic())

    def _watch_silence(self, seconds: float) -> None:
        state = self.state
        if self._worker_job and seconds >= SILENCE_TOLD:
            self._said = self._said or state.sentence
            state.sentence = f"The worker has given no sign of life for {seconds:.0f} seconds."
        elif self._said:
            state.sentence, self._said = self._said, ""

    def _watch_cancelled(self) -> None:
        """End a worker that does not stop a cancelled job."""
        if self._stopping is None:
            return
        if self.worker is None or not self.worker.jobs:
            self._stopping = None
        elif time.monotonic() - self._stopping > CANCEL_PATIENCE:
            self._end_worker()

    def _try_to_place(self, result: Result) -> None:
        try:
            if result.target.file_session != self.file_session:
                raise CannotPlace("It was started in another file.")
            placed = self._place(result)
        except NotNow as reason:
            self.state.sentence, self.state.seconds_left = str(reason), None
        except CannotPlace as reason:
            self._finish()
            self.state.waiting, self.state.reason = result, str(reason)
        except Exception as error:
            self._finish(error.failure if isinstance(error, JobError) else _unexpected(error))
            self.state.waiting, self.state.reason = result, "It could not be placed."
        else:
            self._time_left.finish(time.monotonic())
            self._finish()
            self.state.placed = placed

    def _in_thread(self, job: str, work: Callable[[], Request | Result]) -> None:
        def run() -> None:
            try:
                outcome: Request | Result | Failure = work()
            except JobError as error:
                outcome = error.failure
            except Exception as error:
                outcome = _unexpected(error)
            self._threaded.put((job, outcome))

        threading.Thread(target=run, name="da3-job", daemon=True).start()


def make_result(prediction: Prediction, target: JobTarget) -> Result:
    """Plan the scene of a prediction; seconds for millions of points, so not for the main thread."""
    paths, images = target.photo_paths, target.photo_images
    if target.photo_names:
        paths = tuple(of_views(prediction, target.photo_names, paths))
        images = tuple(of_views(prediction, target.photo_names, images))
    plan = plan_scene(prediction, target.name, paths, target.plan_settings, images)
    return Result(plan if target.collection_id else sized(plan), target)


def _unexpected(error: Exception) -> Failure:
    sentence = f"The add-on failed in a way it does not know: {type(error).__name__}: {error}."
    log = "".join(traceback.format_exception(error))
    return failure_without_secrets(Failure("internal", sentence, "Please report this with the log.", log))
