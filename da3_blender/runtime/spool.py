"""Views that a worker sends one by one: on disk until its prediction comes, then read from there when looked at.

The files lie in a folder of this process among the system's temporary files. On POSIX a file has no name any more as
soon as it is mapped, so its space is free when the views are; elsewhere it goes when they are gone, at the end of the
process, or at the start of the next one. Where the disk has no room, views stay in memory.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, BinaryIO

from model_runtime.contract import pipe
from model_runtime.contract.disk import free_bytes
from model_runtime.contract.file_lock import try_lock
from model_runtime.contract.frame_files import ALIGNMENT, map_frames
from model_runtime.contract.messages import JobError, PredictedView, Prediction, View

FOLDER_PREFIX = "da3_views_"
LOCK_NAME = "lock"
LONG_DISK_FOLDER = Path("/var/tmp")
"""Where POSIX keeps large temporary files: /tmp is in memory on many systems."""

UNLOCKED_SECONDS = 3600.0
"""Age of a folder without a lock until it is nobody's: its process may be about to make one."""

FILE_BYTES = 256 << 20
"""Of a file, until the next one is begun: every file that is mapped is one of the few hundred that a process has."""

SPARE_SPACE = 512_000_000
"""Bytes that stay free on the disk; beyond, views stay in memory."""

MOST_VIEWS = 20_000
"""Of one prediction."""


@dataclass
class _File:
    """path: of frames, one after the other; spans: where each begins and ends."""

    path: Path
    opened: BinaryIO
    spans: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


@dataclass
class _Spooled:
    """The views of a job so far, most of at the most: in files, and those after in memory."""

    most: int
    files: list[_File] = field(default_factory=list[_File])
    kept: list[View] = field(default_factory=list[View])
    count: int = 0


class ViewSpool:
    """The views of the jobs of one worker; the `plate` of one that is on disk is a memoryview.

    `expect` is for any thread, all else for the one that reads.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Spooled] = {}

    def expect(self, job: str, most: int) -> None:
        """The job may be answered with so many views."""
        self._jobs[job] = _Spooled(min(most, MOST_VIEWS))

    def add(self, job: str, message: PredictedView) -> None:
        """Keep the next view. Raises JobError `wrong-answer` where it is another one, or not asked for."""
        spooled = self._jobs.get(job)
        if spooled is None:
            raise _wrong("The worker sent a view, which belongs to no job.")
        if message.index != spooled.count or spooled.count >= spooled.most:
            raise _wrong(f"The worker sent view {message.index} where {spooled.count} of {spooled.most} were there.")
        spooled.count += 1
        if spooled.kept or not self._write(job, spooled, message):
            spooled.kept.append(message.view)

    def finish(self, job: str, prediction: Prediction) -> Prediction:
        """The job's answer with all its views. Raises JobError where these are not what it says, or cannot be read."""
        spooled = self._jobs.pop(job, None)
        count = 0 if spooled is None else spooled.count
        if prediction.views_sent != count or (count and prediction.views):
            _discard(spooled)
            sentence = f"The worker's answer has {prediction.views_sent} views, and {count} of them came."
            raise _wrong(sentence)
        if spooled is None or not count:
            return prediction
        try:
            views = [view for file in spooled.files for view in _mapped(file)]
        except OSError as error:
            sentence = f"The views of the worker's answer cannot be read from the disk: {error.strerror}."
            raise JobError("worker-pipe", sentence, "Check the disk, then run again.") from error
        finally:
            _discard(spooled)
        return replace(prediction, views=(*views, *spooled.kept), views_sent=0)

    def drop(self, job: str) -> None:
        """The job ends without a prediction."""
        _discard(self._jobs.pop(job, None))

    def close(self) -> None:
        """There are no more jobs."""
        for job in list(self._jobs):
            self.drop(job)

    def _write(self, job: str, spooled: _Spooled, message: PredictedView) -> bool:
        """Whether the disk has it."""
        pieces = pipe.encode_value(job, message, ALIGNMENT)
        size = sum(piece.nbytes for piece in pieces)
        try:
            folder = _own_folder.path()
            if free_bytes(folder) < size + SPARE_SPACE:
                return False
            if not spooled.files or spooled.files[-1].spans[-1][1] + size > FILE_BYTES:
                spooled.files.append(_begun(folder))
            file = spooled.files[-1]
            start = -(-file.spans[-1][1] // ALIGNMENT) * ALIGNMENT if file.spans else 0
            file.opened.seek(start)
            pipe.write_pieces(file.opened, pieces)
        except OSError:
            if spooled.files and not spooled.files[-1].spans:
                _remove(spooled.files.pop())
            return False
        file.spans.append((start, start + size))
        return True


class _OwnFolder:
    """This process's folder for views, made when it is needed first; it stays until the process ends."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._lock: IO[bytes] | None = None
        self._making = threading.Lock()

    def path(self) -> Path:
        """Raises OSError."""
        with self._making:
            if self._path is None or not self._path.is_dir():
                place = temporary_place()
                remove_leftovers(place)
                path = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=place))
                self._lock = (path / LOCK_NAME).open("wb")
                try_lock(self._lock)
                self._path = path
                atexit.register(self.remove)
            return self._path

    def remove(self) -> None:
        """Whatever is left, as far as it can be removed."""
        if self._lock is not None:
            self._lock.close()
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
        self._path = self._lock = None
        atexit.unregister(self.remove)


_own_folder = _OwnFolder()


def temporary_place() -> Path:
    """The folder of the system's temporary files, or the one that a variable names in its stead."""
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    if not named and LONG_DISK_FOLDER.is_dir() and os.access(LONG_DISK_FOLDER, os.W_OK):
        return LONG_DISK_FOLDER
    return Path(tempfile.gettempdir())


def remove_leftovers(place: Path) -> None:
    """Remove the folders of processes that ended without doing so. Folders of others stay."""
    for path in place.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode) or (sys.platform != "win32" and status.st_uid != os.getuid()):
                continue
            if _is_nobodys(path, status.st_mtime):
                shutil.rmtree(path, ignore_errors=True)


def _is_nobodys(path: Path, changed: float) -> bool:
    try:
        with (path / LOCK_NAME).open("r+b") as lock:
            return try_lock(lock)
    except FileNotFoundError:
        return time.time() - changed > UNLOCKED_SECONDS


def _begun(folder: Path) -> _File:
    descriptor, name = tempfile.mkstemp(dir=folder)
    return _File(Path(name), os.fdopen(descriptor, "wb"))


def _mapped(file: _File) -> list[View]:
    file.opened.flush()
    messages = map_frames(file.path, {PredictedView.__name__: PredictedView}, file.spans, in_place=True)
    return [message.view for message in messages]


def _discard(spooled: _Spooled | None) -> None:
    for file in [] if spooled is None else spooled.files:
        _remove(file)


def _remove(file: _File) -> None:
    with suppress(OSError):
        file.opened.close()
    with suppress(OSError):  # Windows keeps what is mapped; it goes with the folder
        file.path.unlink()


def _wrong(sentence: str) -> JobError:
    return JobError("wrong-answer", sentence, "Install the same version of the add-on and of the worker's environment.")
