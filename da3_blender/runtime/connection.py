"""One worker's process and the threads that move its bytes: frames to it, frames from it, its log.

Nothing here makes Blender wait: what goes out is queued, what came in is taken by `received`.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import NamedTuple, cast

from model_runtime.contract import pipe
from model_runtime.contract.memory import OUT_OF_MEMORY, tells_out_of_memory
from model_runtime.contract.messages import Failure, Heartbeat, JobError, PredictedView, Prediction, Request
from model_runtime.contract.secrecy import without_secrets

from .sending import Outgoing, Sending, job_of
from .spool import MOST_VIEWS, ViewSpool

LOG_LINES = 200
LOG_LINE_BYTES = 4096
LONGEST_LOOK = 1.0
"""Seconds of silence that one `poll` can notice: who sleeps, or is not polled for long, has not listened either."""

EXIT_GRACE = 2.0
"""Seconds for a process to end after its output did, and for the rest of its output after it ended."""

KILLED = (-9, 137)
"""Exit status of a process ended by SIGKILL, here and as a remote shell tells it."""


class _GoneError(Exception):
    """Nobody reads what is written to the worker."""


class _Answered(NamedTuple):
    """What the worker said to a task that `Sending` asked."""

    task: str
    message: pipe.Message


class Connection:
    """One process and the three threads that move its bytes.

    A job's views are kept on disk as they come, and are in its Prediction as if they had come with it.
    """

    def __init__(self, command: list[str]) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            start_new_session=sys.platform != "win32",  # Ctrl-C in Blender's terminal is not meant for the worker
        )
        # bufsize=0 makes them raw files, which subprocess does not tell in its types.
        self._stdin, self._stdout, self._stderr = (
            cast(io.FileIO, file) for file in (self.process.stdin, self.process.stdout, self.process.stderr)
        )
        self._source = pipe.Watched(self._stdout)
        self._heard, self._looked = 0, self.started
        self.silence = 0.0
        """Seconds since the last byte, as far as `received` was called."""
        self._outgoing: SimpleQueue[tuple[str, Outgoing] | _Answered | None] = SimpleQueue()
        self._incoming: SimpleQueue[tuple[str, pipe.Message] | Failure] = SimpleQueue()
        self._sending = Sending(self._write_frame, self._tell, self._incoming.put)
        self._views = ViewSpool()
        self._log: deque[bytes] = deque(maxlen=LOG_LINES)
        self._exit_seen: float | None = None
        atexit.register(self.kill)
        self._log_thread = _daemon(self._read_log)
        _daemon(self._read)
        _daemon(self._write)

    @property
    def log(self) -> str:
        return without_secrets(b"\n".join(self._log.copy()).decode(errors="replace"))

    def send(self, job: str, message: Outgoing) -> None:
        """Queue a task, with the files that it names and the worker lacks before it; or a cancel."""
        if isinstance(message, Request):
            film = message.clip is not None and message.clip.file is not None
            self._views.expect(job, MOST_VIEWS if film else len(message.photos))
        self._outgoing.put((job, message))

    def received(self) -> list[tuple[str, pipe.Message] | Failure]:
        """(job, message) of every frame read by now; last of all a bare Failure, why there will be no more.

        The end also shows where a child of a dead worker keeps its output open.
        """
        self._listen()
        items: list[tuple[str, pipe.Message] | Failure] = []
        while True:
            try:
                items.append(self._incoming.get_nowait())
            except Empty:
                break
        if self.process.poll() is not None:
            self._exit_seen = self._exit_seen or time.monotonic()
            if not items and time.monotonic() - self._exit_seen > 2 * EXIT_GRACE:
                items.append(self.death())
        return items

    def _listen(self) -> None:
        now, heard = time.monotonic(), self._source.count
        self.silence = 0.0 if heard != self._heard else self.silence + min(now - self._looked, LONGEST_LOOK)
        self._heard, self._looked = heard, now

    def kill(self) -> None:
        """End the process and reap it. Its threads end with its pipes."""
        atexit.unregister(self.kill)
        self._outgoing.put(None)
        if self.process.poll() is None:
            self.process.kill()
        try:
            self.process.wait(EXIT_GRACE)
        except subprocess.TimeoutExpired:
            print("The DA3 worker does not end although it was killed.", file=sys.stderr)

    def death(self) -> Failure:
        """Why a worker that has ended, or closed its output, is of no more use."""
        if tells_out_of_memory(self.log):
            return replace(OUT_OF_MEMORY, log=self.log)
        status = self.process.poll()
        how = "it closed its output" if status is None else f"exit status {status}"
        advice = "Its log tells more. The next job starts a new worker."
        if status in KILLED:
            advice = "The system may have run out of memory: lower the resolution or use fewer photos. " + advice
        return Failure("worker-died", f"The worker ended before the job was done ({how}).", advice, self.log)

    def _read(self) -> None:
        """Queue every frame, then why there are no more."""
        failure = None
        try:
            while (frame := pipe.read_frame(self._source)) is not None:
                self._sort(*frame)
        except JobError as error:
            if error.failure.code != "truncated-frame":
                failure = error.failure
        except Exception as error:  # a thread that ends without a word would leave its jobs running for ever
            failure = Failure("worker-pipe", f"The worker's answer cannot be read: {error!r}.")
        self._views.close()
        if failure is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(EXIT_GRACE)
                self._log_thread.join(EXIT_GRACE)  # its last lines tell most
            failure = self.death()
        self._incoming.put(replace(failure, log=self.log))
        self._stdout.close()

    def _sort(self, job: str, message: pipe.Message) -> None:
        """Raises JobError where a view, or the number of views, is not what it should be."""
        if isinstance(message, Heartbeat):
            return
        if self._sending.serves(job):
            self._outgoing.put(_Answered(job, message))
        elif isinstance(message, PredictedView):
            self._views.add(job, message)
        elif isinstance(message, Prediction):
            self._tell(job, self._views.finish(job, message))
        else:
            if isinstance(message, Failure):
                self._views.drop(job)
            self._tell(job, message)

    def _tell(self, job: str, message: pipe.Message) -> None:
        self._incoming.put((job, message))

    def _write(self) -> None:
        try:
            while (item := self._outgoing.get()) is not None:
                if isinstance(item, _Answered):
                    self._sending.answered(*item)
                else:
                    self._sending.take(*item)
        except _GoneError:
            pass  # the reader tells why
        except Exception as error:
            self._incoming.put(Failure("worker-pipe", f"The job cannot be sent: {error!r}."))
        with contextlib.suppress(OSError):
            self._stdin.close()

    def _write_frame(self, job: str, message: Outgoing) -> None:
        """Raises _GoneError."""
        try:
            pieces = pipe.encode_frame(job, message)
        except Exception as error:
            self._tell(job_of(job), Failure("bad-request", f"The job cannot be sent: {error}"))
            return
        try:
            pipe.write_pieces(self._stdin, pieces)
        except (OSError, ValueError) as error:
            raise _GoneError from error

    def _read_log(self) -> None:
        with io.BufferedReader(self._stderr) as lines:
            while line := lines.readline(LOG_LINE_BYTES):
                self._log.append(line.rstrip(b"\r\n"))


def _daemon(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, name=f"da3-{target.__name__}", daemon=True)
    thread.start()
    return thread
