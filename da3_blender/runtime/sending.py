"""What goes to the worker: tasks as they are, and before a request the files that it names and the worker lacks.

The worker is asked for each file (`FindFile`) and sent what is missing in parts (`SendPart`), each when the last one
was answered: its answers tell where to go on, so a connection that broke costs the part that was on its way. These are
tasks of their own to the worker, called like their job with a number after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    Cancel,
    Failure,
    FileState,
    FindFile,
    JobError,
    Progress,
    Request,
    SendPart,
    StoredFile,
)
from model_runtime.contract.stored_files import file_name, files_of, read_part

MARK = "/"
"""Between a job's name and the number of a task that serves it."""

MOST_STANDSTILLS = 5
"""Parts of a file after which the worker has not more of it, until it is given up."""

Outgoing = pipe.Task | Cancel
Tell = Callable[[str, pipe.Answer | Progress], None]
"""Called with a job and what to tell of it, as if the worker had said it."""


def job_of(task: str) -> str:
    """The job that a task serves; the task itself where it is a job."""
    return task.partition(MARK)[0]


@dataclass
class _Delivery:
    """A request that waits for its files. missing: each with how much of it the worker has. asked: the tasks that are
    not answered yet, and what each asks. total, sent: bytes of all that was missing."""

    request: Request
    missing: deque[tuple[StoredFile, int]] = field(default_factory=deque[tuple[StoredFile, int]])
    asked: dict[str, FindFile | SendPart] = field(default_factory=dict[str, FindFile | SendPart])
    total: int = 0
    sent: int = 0
    standstills: int = 0


class Sending:
    """Takes tasks and cancels, and the worker's answers to what it asked itself. All in one thread, but `serves`.

    write: sends a frame; what it raises ends the connection. tell: see `Tell`. give_up: told why the worker is of no
    more use.
    """

    def __init__(self, write: Callable[[str, Outgoing], None], tell: Tell, give_up: Callable[[Failure], None]) -> None:
        self._write, self._tell, self._give_up = write, tell, give_up
        self._deliveries: dict[str, _Delivery] = {}
        self._numbers = 0
        self._asked: set[str] = set()
        """Tasks that were asked and not answered, also those of jobs that were cancelled since."""

    def serves(self, task: str) -> bool:
        """Whether the worker's next word about it is for `answered`. For any thread."""
        return task in self._asked

    def take(self, job: str, message: Outgoing) -> None:
        """Send it, or first what it needs. Raises what `write` raises."""
        files = files_of(message) if isinstance(message, Request) else ()
        if isinstance(message, Request) and files:
            delivery = self._deliveries[job] = _Delivery(message)
            for file in files:
                self._ask(job, delivery, FindFile(file))
        elif isinstance(message, Cancel) and job in self._deliveries:
            self._drop(job)
            self._tell(job, Failure("cancelled", "The job was cancelled."))
        else:
            self._write(job, message)

    def answered(self, task: str, message: pipe.Message) -> None:
        """What the worker says to one of the tasks that `serves` tells. Raises what `write` raises."""
        job = job_of(task)
        delivery = self._deliveries.get(job)
        if isinstance(message, Progress):
            if delivery is not None:
                self._tell(job, message)
            return
        self._asked.discard(task)
        if delivery is None:
            return
        asked = delivery.asked.pop(task)
        if isinstance(message, Failure):
            self._drop(job)
            self._tell(job, message)
        elif not isinstance(message, FileState) or not _fits(message, asked.file):
            sentence = f"The worker answered with {type(message).__name__} where the state of a file was due."
            advice = "Install the same version of the add-on and of the worker's environment."
            self._give_up(Failure("wrong-answer", sentence, advice))
        else:
            self._go_on(job, delivery, asked, message.received)

    def _go_on(self, job: str, delivery: _Delivery, asked: FindFile | SendPart, received: int) -> None:
        file = asked.file
        if isinstance(asked, FindFile):
            delivery.total += file.size - received
        else:
            delivery.sent += received - asked.offset
            delivery.standstills = delivery.standstills + 1 if received <= asked.offset else 0
        if delivery.standstills > MOST_STANDSTILLS:
            self._drop(job)
            sentence = f"{file_name(file)} does not arrive: the worker has {received} of its {file.size} bytes."
            self._tell(job, Failure("file-missing", sentence, "Start the job again."))
            return
        if received < file.size:  # one that was begun goes on before the next
            add = delivery.missing.append if isinstance(asked, FindFile) else delivery.missing.appendleft
            add((file, received))
        if delivery.asked:
            return
        if delivery.missing:
            self._send_part(job, delivery)
        else:
            del self._deliveries[job]
            self._write(job, delivery.request)

    def _send_part(self, job: str, delivery: _Delivery) -> None:
        file, received = delivery.missing.popleft()
        share = max(delivery.sent, 0) / max(delivery.total, 1)
        self._tell(job, Progress("files", 0.0, f"Sending {file_name(file)}: {share:.0%}."))
        try:
            part = read_part(file, received)
        except JobError as error:
            self._drop(job)
            self._tell(job, error.failure)
            return
        self._ask(job, delivery, part)

    def _ask(self, job: str, delivery: _Delivery, asked: FindFile | SendPart) -> None:
        self._numbers += 1
        task = f"{job}{MARK}{self._numbers}"
        delivery.asked[task] = asked
        self._asked.add(task)
        self._write(task, asked)

    def _drop(self, job: str) -> None:
        """The request is not sent; what was asked for it is not wanted any more."""
        delivery = self._deliveries.pop(job)
        for task in delivery.asked:
            self._write(task, Cancel())


def _fits(state: FileState, file: StoredFile) -> bool:
    return state.sha256 == file.sha256 and 0 <= state.received <= file.size
