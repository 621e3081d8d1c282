"""The worker's process as seen from the add-on: spawn, talk, cancel, kill, restart.

`submit` and `cancel` only queue and `poll` only drains, so none of them ever makes Blender wait; threads move the
bytes and never touch anything else. The command may be any program that speaks frames on its standard input and
output: `python -m model_runtime worker` here, or `ssh gpubox da3-runtime worker` on another machine.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Failure,
    Hello,
    Models,
    Prediction,
    Progress,
    Request,
)
from model_runtime.contract.secrecy import failure_without_secrets

from .connection import Connection

HELLO_TIMEOUT = 120.0
"""Seconds for the first message: importing torch from a cold disk, or logging in over SSH, takes a while."""

SILENCE_LIMIT = 180.0
"""Seconds without a byte until a worker is given up. It sends a heartbeat every five, but not while a library holds
Python's lock, as some do who read gigabytes from a slow disk."""

Explain = Callable[[Failure], Failure]
"""Says more of why a worker did not start, or returns the Failure as it is."""


def unexplained(failure: Failure) -> Failure:
    return failure


@dataclass(frozen=True)
class Event:
    """One thing that happened. job: as returned by `submit`; empty where it concerns the worker itself."""

    job: str
    message: Hello | Progress | pipe.Answer


class WorkerProcess:
    """A worker that is started when needed and again after it died.

    command: the program and its arguments. hello_timeout: seconds until a worker that has not said hello is given up.
    silence_limit: seconds without a byte until one that has is. explain: see `Explain`.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        hello_timeout: float = HELLO_TIMEOUT,
        silence_limit: float = SILENCE_LIMIT,
        explain: Explain = unexplained,
    ) -> None:
        self.command = list(command or (sys.executable, "-m", "model_runtime", "worker"))
        self.hello_timeout, self.silence_limit, self._explain = hello_timeout, silence_limit, explain
        self.hello: Hello | None = None
        self._connection: Connection | None = None
        self._jobs: dict[str, type[pipe.Answer]] = {}
        """What each job is answered with, unless it fails."""
        self._events: deque[Event] = deque()

    @property
    def running(self) -> bool:
        return self._connection is not None

    @property
    def jobs(self) -> frozenset[str]:
        """Jobs submitted and neither finished nor failed, as far as `poll` has told."""
        return frozenset({*self._jobs, *(event.job for event in self._events if event.job)})

    @property
    def pid(self) -> int | None:
        return None if self._connection is None else self._connection.process.pid

    @property
    def silence(self) -> float:
        """Seconds since the present worker's last byte, as far as `poll` has noticed."""
        return 0.0 if self._connection is None else self._connection.silence

    @property
    def log(self) -> str:
        """The end of what the present worker wrote to its standard error."""
        return "" if self._connection is None else self._connection.log

    def start(self) -> None:
        """Start the worker if it is not running; `poll` reports its Hello, or a Failure of no job."""
        self._retire()
        self._spawn()

    def submit(self, task: pipe.Task) -> str:
        """Queue a job, starting the worker if need be, and return the job's id. Never waits and never fails:
        what goes wrong arrives as a Failure of this job."""
        job = uuid.uuid4().hex
        self._retire()
        self._jobs[job] = Prediction if isinstance(task, Request) else Models
        self._spawn()
        if self._connection is not None:
            self._connection.send(job, task)
        return job

    def cancel(self, job: str) -> None:
        """Ask the worker to stop a job; it answers with a Failure of code `cancelled` unless it has just finished."""
        if self._connection is not None and job in self._jobs:
            self._connection.send(job, Cancel())

    def poll(self) -> list[Event]:
        """What happened since the last call, in order."""
        self._drain()
        events = list(self._events)
        self._events.clear()
        return events

    def kill(self) -> None:
        """End the worker at once; `poll` then reports its jobs as failed."""
        self._drain()
        self._end(Failure("worker-killed", "The worker was stopped.", ""))

    def close(self) -> None:
        """End the worker and forget its jobs."""
        self.kill()
        self._events.clear()

    def _spawn(self) -> None:
        if self._connection is None:
            try:
                self._connection = Connection(self.command)
            except OSError as error:
                sentence = f"The worker cannot be started: {' '.join(self.command)}: {error}."
                self._fail_all(Failure("worker-start", sentence, "Check the worker's Python or remote command."))

    def _retire(self) -> None:
        """Give up a worker that is dead already, so that a new job does not go down with it."""
        self._drain()
        connection = self._connection
        if connection is not None and connection.process.poll() is not None:
            self._end(connection.death())

    def _drain(self) -> None:
        connection = self._connection
        if connection is None:
            return
        for item in connection.received():
            if isinstance(item, Failure):
                self._end(item)
                return
            self._take(*item)
            if self._connection is None:
                return
        if self.hello is None and time.monotonic() - connection.started > self.hello_timeout:
            sentence = f"The worker said nothing for {self.hello_timeout:.0f} seconds."
            advice = f"Try its command in a terminal: {' '.join(self.command)}"
            self._end(Failure("worker-silent", sentence, advice, connection.log))
        elif self.hello is not None and connection.silence > self.silence_limit:
            sentence = f"The worker has stopped: nothing came from it for {connection.silence:.0f} seconds."
            advice = "Check the connection and its machine. The next job starts a new worker."
            self._end(Failure("worker-stalled", sentence, advice, connection.log))

    def _take(self, job: str, message: pipe.Message) -> None:
        """A message that nobody asked for ends the worker: what else it says could not be trusted either."""
        if isinstance(message, Hello) and self.hello is None:
            self._greet(message)
        elif isinstance(message, Failure) and not job:
            self._end(message)
        elif isinstance(message, Progress) and job in self._jobs:
            self._events.append(Event(job, message))
        elif isinstance(message, Failure | self._jobs.get(job, Failure)) and job in self._jobs:
            del self._jobs[job]
            self._events.append(Event(job, message))
        else:
            kind, due = type(message).__name__, self._jobs.get(job)
            sentence = f"The worker sent {kind}, which belongs to no job."
            if due is not None:
                sentence = f"The worker answered with {kind} where {due.__name__} was due."
            advice = "Install the same version of the add-on and of the worker's environment."
            self._end(Failure("wrong-answer", sentence, advice))

    def _greet(self, hello: Hello) -> None:
        if hello.protocol != PROTOCOL_VERSION:
            sentence = f"The worker speaks version {hello.protocol} of the protocol, not {PROTOCOL_VERSION}."
            advice = "Install the same version of the add-on and of the worker's environment."
            self._end(Failure("protocol-version", sentence, advice))
            return
        self.hello = hello
        self._events.append(Event("", hello))

    def _end(self, failure: Failure) -> None:
        if self._connection is not None:
            self._connection.kill()
            self._connection = None
            self._fail_all(failure)

    def _fail_all(self, failure: Failure) -> None:
        failure = failure if self.hello else self._explain(failure)
        self.hello = None
        failure = failure_without_secrets(failure)  # some name the worker's command
        self._events.extend(Event(job, failure) for job in (sorted(self._jobs) or [""]))
        self._jobs.clear()
