"""What a command keeps where it cannot end as asked: scene or worker's answer elsewhere, and a log of faults."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from model_runtime.contract import pipe
from model_runtime.contract.messages import Failure, JobError, Prediction

from .ending import removed

ANSWER_SUFFIX = ".da3"
"""Of a file that holds a worker's answer, as the one frame that it came in."""

PREFIX = "da3_kept_"


def keep(write: Callable[[Path], object], name: str) -> Path | None:
    """Lets `write` make a file called `name` in a fresh folder among the system's temporary files, or else in the home
    of who asked; None where neither takes it."""
    for place in _places():
        with contextlib.suppress(OSError, RuntimeError, MemoryError, JobError):  # what failed first is told
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            with _kept_whole(folder):
                write(folder / name)
                return folder / name
    return None


def _places() -> Iterator[str]:
    for place in (tempfile.gettempdir, Path.home):
        with contextlib.suppress(OSError, RuntimeError):  # there is none
            yield str(place())


@contextlib.contextmanager
def _kept_whole(folder: Path) -> Iterator[None]:
    with removed(folder):
        try:
            yield
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def keep_answer(answer: Prediction, name: str) -> Path | None:
    """The worker's answer in a file that `read_answer` reads; None where no disk has room for it."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            pipe.write_frame(file, "", answer)

    return keep(write, f"{name}{ANSWER_SUFFIX}")


def read_answer(path: Path) -> Prediction:
    """What `keep_answer` kept. Raises JobError where the file is something else."""
    advice = "Give a file that this version of the program kept."
    try:
        with path.open("rb") as file:
            frame = pipe.read_frame(file)
    except (OSError, JobError) as error:
        why = error.failure.sentence if isinstance(error, JobError) else f"{error.strerror}."
        raise JobError("answer-unreadable", f"{path} cannot be read: {why}", advice) from error
    if frame is None or not isinstance(frame[1], Prediction):
        raise JobError("answer-unreadable", f"{path} holds no answer of a worker.", advice)
    return frame[1]


def failure_of(error: Exception) -> Failure:
    """What to tell of any error: its own sentence, or that it is a fault of this program, with the place of its log."""
    if isinstance(error, JobError):
        return error.failure
    if isinstance(error, MemoryError):
        advice = "Lower --resolution, give fewer photos, or close other programs."
        return Failure("out-of-memory", "There is not enough memory for the scene.", advice)
    trace = "".join(traceback.format_exception(error))
    log = keep(lambda path: path.write_text(trace, encoding="utf-8", errors="backslashreplace"), "fault.txt")
    sentence = f"The program has a fault: {type(error).__name__}: {str(error).strip()}"
    return Failure("internal", sentence, f"Please report it with {log}." if log else f"Please report it:\n{trace}")
