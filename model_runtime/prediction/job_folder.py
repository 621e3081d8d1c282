"""The folder that a job of many photos works in: what it takes no memory for, and where it goes on if it is killed.

One folder for each job, by a digest of all that its answer depends on, locked by the worker that does it. It is thrown
away when the answer has been handed over; what nobody came back for goes after DAYS_KEPT.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Generic, Protocol, TypeVar

import numpy as np

import model_runtime
from model_runtime.contract import frame_files, pipe
from model_runtime.contract.disk import INCOMPLETE_SUFFIX, free_bytes
from model_runtime.contract.file_lock import try_lock
from model_runtime.contract.messages import Request
from model_runtime.contract.plain_files import open_own, open_plain
from model_runtime.contract.plain_values import FrameError
from model_runtime.depth.scratch import InMemory, Scratch
from model_runtime.prediction.plan import Plan

DAYS_KEPT = 7
"""Days after its last change that the folder of a job that was interrupted is kept."""

LAYOUT = 1
"""Counted up when what is in the files changes, so that no job goes on with what another version left."""

SPARED = 1_000_000_000
"""Bytes that are left free on the disk for others."""

SAME_JOBS = 8
"""Workers that do one and the same job at once before another has to do without a folder."""

Value = TypeVar("Value")


class Rows(Protocol, Generic[Value]):
    """Values one after the other, of a frozen dataclass of plain fields."""

    def __len__(self) -> int: ...
    def append(self, value: Value, /) -> None: ...
    def all(self) -> list[Value]:
        """Their arrays are mapped, where they are in a file."""
        ...


class Workplace(Scratch, Protocol):
    """What a job works in besides its photos and its network."""

    def rows(self, name: str, kind: type[Value]) -> Rows[Value]: ...
    def put_value(self, name: str, value: object) -> None:
        """A frozen dataclass of plain fields, whole or not at all."""
        ...

    def value(self, name: str, kind: type[Value]) -> Value | None:
        """What `put_value` was given; None where there is none."""
        ...

    def finish(self) -> None:
        """Throws all of it away."""
        ...

    def close(self) -> None:
        """Leaves it for whoever asks for the job again."""
        ...


class MemoryRows(list[Value]):
    def all(self) -> list[Value]:
        return self


class MemoryWorkplace(InMemory):
    """Of a job that is small, or for which there is no room on the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, MemoryRows[Any]] = {}
        self._values: dict[str, Any] = {}

    def rows(self, name: str, kind: type[Value]) -> Rows[Value]:
        return self._rows.setdefault(name, MemoryRows[Any]())

    def put_value(self, name: str, value: object) -> None:
        self._values[name] = value

    def value(self, name: str, kind: type[Value]) -> Value | None:
        return self._values.get(name)

    def finish(self) -> None:
        self.__init__()

    def close(self) -> None:
        self.__init__()


class FileRows(Generic[Value]):
    """In one file, each at a multiple of ALIGNMENT; beside it where each begins and ends."""

    def __init__(self, path: Path, kind: type[Value]) -> None:
        self._path, self._kind = path, kind
        self._places: list[list[int]] = []
        with suppress(OSError, ValueError):
            self._places = json.loads(self._index.read_bytes())

    @property
    def _index(self) -> Path:
        return self._path.with_suffix(".rows")

    def __len__(self) -> int:
        return len(self._places)

    def append(self, value: Value, /) -> None:
        pieces = pipe.encode_value("", value, frame_files.ALIGNMENT)
        end = self._places[-1][1] if self._places else 0
        start = end + -end % frame_files.ALIGNMENT
        with open_own(self._path) as file:
            file.truncate(start)
            file.seek(start)
            pipe.write_pieces(file, pieces)
            end = file.tell()
        self._places.append([start, end])
        _replace(self._index, self._places)

    def all(self) -> list[Value]:
        """Raises FrameError where the file is damaged."""
        if not self._places:
            return []
        with open_plain(self._path) as file:
            data = memoryview(frame_files.map_copy(file.fileno()))
        kinds = {self._kind.__name__: self._kind}
        return [pipe.decode_value(data[start:end], kinds)[1] for start, end in self._places]


class JobFolder:
    """A `Workplace` on the disk. Raises OSError where that cannot take what it is given.

    Arrays are mapped: what is in them is the disk's, and takes memory only as far as the system has some to spare.
    """

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self.path = path
        self._lock = lock
        self._mapped: dict[str, np.memmap] = {}

    def array(self, name: str, count: int, dtype: type | str) -> np.ndarray:
        size = count * np.dtype(dtype).itemsize
        if size == 0:
            return np.zeros(0, dtype)
        if name not in self._mapped:
            file = self.path / f"{name}.array"
            with open_own(file) as opened:
                _make_room(opened, size)
            self._mapped[name] = np.memmap(file, dtype, "r+", shape=(count,))
        return self._mapped[name].view(np.ndarray)

    def done(self, stage: str) -> int:
        try:
            return int(json.loads((self.path / f"{stage}.done").read_bytes()))
        except (OSError, ValueError, TypeError):
            return 0

    def advance(self, stage: str, done: int) -> None:
        _replace(self.path / f"{stage}.done", done)
        self._let_go()

    def _let_go(self) -> None:
        """Gives back the memory of what is mapped; it comes again from the disk when it is looked at."""
        if not hasattr(mmap, "MADV_DONTNEED"):  # Windows does so by itself when it needs the room
            return
        for array in self._mapped.values():
            file: mmap.mmap = vars(array)["_mmap"]
            file.madvise(mmap.MADV_DONTNEED)

    def rows(self, name: str, kind: type[Value]) -> Rows[Value]:
        return FileRows(self.path / f"{name}.values", kind)

    def put_value(self, name: str, value: object) -> None:
        frame_files.write_value(self.path / name, value)

    def value(self, name: str, kind: type[Value]) -> Value | None:
        try:
            return frame_files.unpack((self.path / name).read_bytes(), kind)
        except (OSError, FrameError):
            return None

    def finish(self) -> None:
        self._mapped.clear()
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()
        with suppress(OSError):
            _lock_path(self.path).unlink()

    def close(self) -> None:
        self._mapped.clear()
        self._lock.close()


def jobs_folder() -> Path:
    """DA3_JOBS, else a folder in the user's home."""
    return Path(os.path.expanduser(os.environ.get("DA3_JOBS") or Path("~", ".da3", "jobs")))


def open_folder(digest: str) -> JobFolder | None:
    """The folder of the job with this digest, as it was left; None where too many workers do this job just now.

    Raises OSError where there can be none.
    """
    for number in range(SAME_JOBS):
        path = jobs_folder() / (digest if not number else f"{digest}-{number}")
        path.mkdir(parents=True, exist_ok=True)
        lock = open_own(_lock_path(path))
        if try_lock(lock):
            path.mkdir(exist_ok=True)
            os.utime(path)
            return JobFolder(path, lock)
        lock.close()
    return None


def remove_old_folders(days: float = DAYS_KEPT) -> None:
    """Throws away folders of jobs that nobody came back for."""
    with suppress(OSError):
        for path in jobs_folder().iterdir():
            if path.is_dir() and time.time() - path.stat().st_mtime > days * 86400:
                _remove(path)


def room_for(size: float) -> bool:
    """Whether the disk of the folders has room for so many bytes, and some to spare."""
    try:
        return free_bytes(jobs_folder()) > size + SPARED
    except OSError:
        return False


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _remove(path: Path) -> None:
    with suppress(OSError), open_own(_lock_path(path)) as lock:
        if try_lock(lock):
            shutil.rmtree(path, ignore_errors=True)
            _lock_path(path).unlink(missing_ok=True)


def _replace(path: Path, value: object) -> None:
    """In one move, but without waiting for the disk: this is for programs that are ended, not for power that fails,
    after which a damaged folder is thrown away."""
    beside = path.with_name(path.name + INCOMPLETE_SUFFIX)
    beside.write_text(json.dumps(value), encoding="utf-8")
    os.replace(beside, path)


def _make_room(file: IO[bytes], size: int) -> None:
    """Of a file that is mapped every byte must have its place: what finds none when it is written ends the process."""
    if os.fstat(file.fileno()).st_size == size:
        return
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


def job_digest(plan: Plan) -> str:
    """Of everything that the answer depends on: photos, settings, cameras, checkpoint, and the version of this code."""
    request, checkpoint = plan.request, plan.checkpoint
    status = checkpoint.path.stat()
    settings = (
        *(model_runtime.__version__, LAYOUT, checkpoint.info, str(checkpoint.path)),
        *(status.st_size, status.st_mtime_ns, plan.compute.backend, plan.compute.name, plan.compute.precision),
        *(plan.source, plan.resolution, plan.switches),
        *(request.reference_view, request.gaussians, request.refine, request.mesh, request.refine_depth, request.lens),
        *(request.improve_splats, request.splat_budget, request.rays),
    )
    digest = hashlib.sha256(repr(settings).encode())
    for part in _contents(request):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:32]


def _contents(request: Request) -> Iterable[bytes]:
    for photo in request.photos:
        yield photo.name.encode(errors="surrogatepass")
        yield photo.data if photo.file is None else photo.file.sha256.encode()
    for known in (request.cameras, request.colmap, request.clip):
        yield b"" if known is None else frame_files.pack(known)
