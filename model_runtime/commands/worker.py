"""The process behind the pipe: frames on standard input and output, one job at a time, logs to standard error.

A reader thread takes frames as they come, so that a Cancel overtakes the job it stops; the main thread does the
work; a third one sends heartbeats. The end of standard input means that the other side is gone, and ends the process
whatever it is doing.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from queue import SimpleQueue
from typing import NoReturn

import model_runtime
from model_runtime.checkpoints.locate import available_checkpoints
from model_runtime.contract import pipe
from model_runtime.contract.memory import OUT_OF_MEMORY, is_out_of_memory
from model_runtime.contract.messages import (
    HEARTBEAT_SECONDS,
    PROTOCOL_VERSION,
    Cancel,
    DownloadModel,
    Failure,
    FindFile,
    Heartbeat,
    Hello,
    JobError,
    ListModels,
    PredictedView,
    Prediction,
    Progress,
    RemoveModel,
    SendPart,
)
from model_runtime.contract.model_files import list_models, remove_model
from model_runtime.contract.progress import Report
from model_runtime.contract.secrecy import failure_without_secrets, without_secrets
from model_runtime.contract.stored_files import check_stored, find, receive, telling
from model_runtime.prediction.devices import choose_compute, describe
from model_runtime.prediction.predictor import Predictor

PROGRESS_INTERVAL = 0.1
"""Seconds between two Progress frames of one stage."""

STALL_BEATS = 24
"""Heartbeats in a row without a byte of a frame that has begun, until the other side is given up: two minutes."""

EXIT_FAULT, EXIT_BAD_FRAME = 1, 2

Perform = Callable[[pipe.Task, Report], pipe.Answer]


class Worker:
    """Serves one stream of frames until it ends.

    source, sink: binary streams; perform: does a job; heartbeat: seconds between two heartbeats. handed_over: called
    when the frame that ends a job was written.
    """

    def __init__(
        self,
        source: pipe.Source,
        sink: pipe.Sink,
        perform: Perform,
        heartbeat: float = HEARTBEAT_SECONDS,
        handed_over: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._sink, self._perform = pipe.Watched(source), sink, perform
        self._heartbeat, self._handed_over = heartbeat, handed_over
        self._queue: SimpleQueue[tuple[str, pipe.Task]] = SimpleQueue()
        self._open: set[str] = set()
        self._cancelled: set[str] = set()
        self._sending = threading.Lock()

    def serve(self, hello: Hello) -> NoReturn:
        """Say hello, then do jobs for ever: `_read` ends the process."""
        self._send("", hello)
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        threading.Thread(target=self._beat, name="heart", daemon=True).start()
        while True:
            job, task = self._queue.get()
            self._write(self._answer(job, task))
            self._handed_over()
            self._open.discard(job)
            self._cancelled.discard(job)

    def _answer(self, job: str, task: pipe.Task) -> list[memoryview]:
        """The frame that ends the job: its answer or its Failure."""
        last = ("", 0.0)

        def report(stage: str, fraction: float, sentence: str) -> None:
            nonlocal last
            if job in self._cancelled:
                raise JobError("cancelled", "The job was cancelled.")
            now = time.monotonic()
            if stage != last[0] or now - last[1] >= PROGRESS_INTERVAL:
                last = (stage, now)
                self._send(job, Progress(stage, float(fraction), sentence))

        try:
            if not isinstance(task, FindFile | SendPart):  # many, and each is done at once
                report("start", 0.0, "Starting.")
            answer = self._perform(task, report)
            if isinstance(answer, Prediction):
                answer = self._send_views(job, answer)
            return pipe.encode_frame(job, answer)
        except JobError as error:
            failure = error.failure
        except Exception as error:
            failure = OUT_OF_MEMORY if is_out_of_memory(error) else _unexpected(error)
        return pipe.encode_frame(job, failure_without_secrets(failure))

    def _send_views(self, job: str, prediction: Prediction) -> Prediction:
        """Send each view alone, so that no more than one is looked at at once; what is left to be sent. Raises JobError
        where the job is cancelled meanwhile."""
        for index, view in enumerate(prediction.views):
            if job in self._cancelled:
                raise JobError("cancelled", "The job was cancelled.")
            self._send(job, PredictedView(index, view))
        return replace(prediction, views=(), views_sent=len(prediction.views))

    def _read(self) -> None:
        """Take frames until there are no more. A fault of our own is told, and ends the worker: a deaf one would hang
        a job."""
        try:
            while (frame := self._next_frame()) is not None:
                self._take(*frame)
        except Exception as error:
            self._send("", _unexpected(error))
            _leave(EXIT_FAULT)
        _leave(0)

    def _next_frame(self) -> tuple[str, pipe.Message] | None:
        """The next frame that can be understood; None at the end of the stream."""
        while True:
            try:
                return pipe.read_frame(self._source)
            except pipe.FrameError as error:
                self._send(error.job, error.failure)
                if error.fatal:
                    _leave(EXIT_BAD_FRAME)
            except OSError:
                return None
            finally:
                self._source.frame_ended()

    def _beat(self) -> None:
        """Say that we are here, and watch that a frame which has begun goes on."""
        seen, still = 0, 0
        while True:
            time.sleep(self._heartbeat)
            self._send("", Heartbeat())
            still = still + 1 if self._source.inside and self._source.count == seen else 0
            seen = self._source.count
            if still >= STALL_BEATS:
                seconds = still * self._heartbeat
                sentence = f"A message was begun, and nothing more of it came for {seconds:.0f} seconds."
                self._send("", Failure("truncated-frame", sentence, "Check the connection, then try again."))
                _leave(EXIT_BAD_FRAME)

    def _take(self, job: str, message: pipe.Message) -> None:
        if isinstance(message, Cancel):
            if job in self._open:
                self._cancelled.add(job)
        elif not isinstance(message, pipe.Task):
            kind = type(message).__name__
            self._send(job, Failure("unexpected-message", f"A worker takes no {kind}.", "Send a job or Cancel."))
        elif not job or job in self._open:
            sentence = f"The id '{job}' is taken by another job." if job else "A job needs an id."
            self._send(job, Failure("bad-job-id", sentence, "Give every job an id of its own."))
        else:
            self._open.add(job)
            self._queue.put((job, message))

    def _send(self, job: str, message: pipe.Message) -> None:
        self._write(pipe.encode_frame(job, message))

    def _write(self, pieces: list[memoryview]) -> None:
        try:
            with self._sending:
                pipe.write_pieces(self._sink, pieces)
        except OSError:
            _leave(0)


def _unexpected(error: Exception) -> Failure:
    log = without_secrets("".join(traceback.format_exception(error)))
    print(log, file=sys.stderr)
    sentence = without_secrets(f"The worker failed in a way it does not know: {type(error).__name__}: {error}.")
    return Failure("internal", sentence, "Please report this with the log.", log)


def _leave(status: int) -> NoReturn:
    """End the process from any thread, in the middle of anything: nobody is left to take a result."""
    sys.stderr.flush()
    os._exit(status)


def make_hello() -> Hello:
    """Who this worker is and what it runs on."""
    compute = choose_compute("auto", "auto", "auto")
    name, memory = describe(compute)
    return Hello(
        protocol=PROTOCOL_VERSION,
        version=model_runtime.__version__,
        python=platform.python_version(),
        torch=_version("torch"),
        device=compute.name,
        device_name=name,
        device_memory=memory,
        checkpoints=available_checkpoints(),
        onnxruntime=_version("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml"),
        backend=compute.backend,
    )


def _version(*packages: str) -> str:
    """Of the first one that is installed, without loading it; empty where none is."""
    for package in packages:
        with contextlib.suppress(PackageNotFoundError):
            return version(package)
    return ""


class Jobs:
    """Does whatever a worker is asked for; keeps the last network loaded."""

    def __init__(self) -> None:
        self._predictor = Predictor()

    def __call__(self, task: pipe.Task, report: Report) -> pipe.Answer:
        """Raises JobError with what the artist should read, and whatever `report` raises."""
        if isinstance(task, DownloadModel):
            from model_runtime.checkpoints.downloads import download_model

            return download_model(task.name, task.accepted_licence, report, accepted_on=task.accepted_on)
        if isinstance(task, RemoveModel):
            remove_model(task.name)
            return list_models()
        if isinstance(task, ListModels):
            return list_models()
        if isinstance(task, FindFile):
            return find(task.file, telling(report, task.file))
        if isinstance(task, SendPart):
            return receive(task, telling(report, task.file))
        check_stored(task, report)
        return self._predictor.predict(task, report)

    def handed_over(self) -> None:
        """The last answer has been sent."""
        self._predictor.finish()


def serve(source: pipe.Source, sink: pipe.Sink, hello: Hello) -> NoReturn:
    """Be a worker on two streams that nothing else in this process uses."""
    jobs = Jobs()
    Worker(source, sink, jobs, handed_over=jobs.handed_over).serve(hello)
