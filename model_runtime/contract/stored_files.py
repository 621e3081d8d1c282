"""Files that a request names and does not hold: found on this machine, or in a store that keeps what was sent.

A file is known by size and SHA-256. It is looked for at the sender's own path first, which serves where both sides are
one machine, then in the store. What comes in parts is appended to `<hash>.incomplete` and gets its name, the hash,
when all of it is there and right: a connection that breaks costs the part that was on its way. A path comes from the
other side of the pipe, so nothing but plain files is opened, and nothing is told of one that has another hash.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from model_runtime.contract.disk import INCOMPLETE_SUFFIX, free_bytes, put_in_place
from model_runtime.contract.file_lock import try_lock
from model_runtime.contract.messages import FileState, JobError, Photo, Request, SendPart, StoredFile
from model_runtime.contract.plain_files import NotPlainError, open_own, open_plain, own_size
from model_runtime.contract.progress import Report

PART_BYTES = 4 << 20
"""Of a file in one message: few enough that a broken connection costs little, many enough that waiting for each answer
does not."""

MOST_PART_BYTES = 64 << 20
"""That are taken in one message."""

MOST_BYTES = 1 << 40
"""Of one file."""

STORE_BYTES = 20_000_000_000
"""That the store holds: what was not used for longest goes first, half files, too."""

IN_USE_SECONDS = 24 * 3600.0
"""Since it was used last: until then a file may still be wanted by a job, of another worker perhaps, and stays."""

SPARE_SPACE = 256_000_000
"""Bytes that stay free on the disk."""

LOCK_NAME = ".lock"
LOCK_PATIENCE = 300.0
"""Seconds: another worker may be adding up the hash of a long film."""

BLOCK = 4 << 20
"""Bytes that are hashed at once: Python's own lock is free meanwhile."""

MOST_REMEMBERED = 20_000
"""Hashes of files, by what tells that one has not changed."""

CLOCK_STEP = 2_000_000_000
"""Nanoseconds: file systems tell the time of a change no more exactly."""

HASH = re.compile(r"[0-9a-f]{64}")
AGAIN = "Start the job again: what is missing is sent once more."

Watch = Callable[[float], None]
"""Told the share of a file that is read; raises to stop."""

_hashes: dict[tuple[int, int, int, int], str] = {}


def files_folder() -> Path:
    """Where files are stored: DA3_FILES, else a folder in the user's home."""
    return Path(os.path.expanduser(os.environ.get("DA3_FILES") or Path("~", ".da3", "files")))


def stored(path: Path, watch: Watch | None = None) -> StoredFile:
    """The file at `path`, to be named in a request. Raises OSError, and whatever `watch` raises."""
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        return StoredFile(_hash_of(file, watch), size, os.path.abspath(path))


def file_name(file: StoredFile) -> str:
    """What sentences call it; its path may be that of another system."""
    return re.split(r"[\\/]", file.path)[-1] or f"The file {file.sha256[:12]}"


def read_part(file: StoredFile, offset: int) -> SendPart:
    """The next bytes of a file of this machine, to be sent. Raises JobError where it is not any more what it was."""
    try:
        with open_plain(Path(file.path)) as opened:
            opened.seek(offset)
            wanted = min(PART_BYTES, file.size - offset)
            data = opened.read(wanted)
            if len(data) == wanted and os.fstat(opened.fileno()).st_size == file.size:
                return SendPart(file, offset, data)
        why = "it has changed since the job began"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
    raise JobError("file-missing", f"{file_name(file)} cannot be sent: {why}.", "Start the job again.")


def find(file: StoredFile, watch: Watch | None = None) -> FileState:
    """How much of the file is here. Raises JobError where its hash or size cannot be one, and what `watch` raises."""
    _check(file)
    if _found(file, watch) is not None:
        return FileState(file.sha256, file.size)
    received = _received(file)
    if received < file.size:
        return FileState(file.sha256, received)
    try:  # it is empty, or its last part had no answer
        return receive(SendPart(file, received, b""), watch)
    except JobError as error:
        if error.failure.code != "hash-mismatch":
            raise
        return FileState(file.sha256, 0)


def receive(part: SendPart, watch: Watch | None = None) -> FileState:
    """Append the part to what is here of its file, if it begins where that ends; how much there is then.

    Raises JobError `hash-mismatch` where the whole is not what the hash says, and is thrown away; `no-space`,
    `folder-unusable`, `bad-request`; and what `watch` raises.
    """
    file, end = part.file, part.offset + len(part.data)
    _check(file)
    if part.offset < 0 or end > file.size or len(part.data) > MOST_PART_BYTES:
        sentence = f"Bytes {part.offset} to {end} are no part of {file_name(file)}, which has {file.size}."
        raise JobError("bad-request", sentence, AGAIN)
    with _in_words(file), _alone():
        if _held(_whole(file), file, watch):
            return FileState(file.sha256, file.size)
        received = _received(file)
        if part.offset != received:
            return FileState(file.sha256, received)
        _make_room(file, received)
        beside = _incomplete(file)
        with open_own(beside) as opened:
            opened.truncate(received)
            opened.seek(received)
            opened.write(part.data)
        if end == file.size:
            _finish(beside, file, watch)
        return FileState(file.sha256, end)


def open_stored(file: StoredFile, watch: Watch | None = None) -> Path:
    """Where the file is on this machine, its hash compared when that was not done before.

    Raises JobError `file-missing` where it is not, and what `watch` raises.
    """
    _check(file)
    path = _found(file, watch)
    if path is None and not file.size and find(file).received == 0:
        path = _found(file, watch)
    if path is None:
        raise JobError("file-missing", f"{file_name(file)} is not on the worker's machine.", AGAIN)
    return path


def read_stored(file: StoredFile) -> bytes:
    """All of the file. Raises as `open_stored` does."""
    path = open_stored(file)
    with _in_words(file), open_plain(path) as opened:
        data = opened.read(file.size + 1)
    if len(data) != file.size:
        raise JobError("file-missing", f"{file_name(file)} changed while it was read.", AGAIN)
    return data


def photo_bytes(photo: Photo) -> bytes:
    """What the photo's file holds, wherever it is. Raises as `open_stored` does."""
    return photo.data if photo.file is None else read_stored(photo.file)


def photo_start(photo: Photo, count: int) -> bytes:
    """The first bytes of what the photo's file holds. Raises as `open_stored` does."""
    if photo.file is None:
        return photo.data[:count]
    path = open_stored(photo.file)
    with _in_words(photo.file), open_plain(path) as opened:
        return opened.read(count)


def photo_size(photo: Photo) -> int:
    """Bytes of the photo's file."""
    return len(photo.data) if photo.file is None else photo.file.size


def photo_digest(photo: Photo) -> str:
    """SHA-256 of the photo's file, in hexadecimal digits."""
    return hashlib.sha256(photo.data).hexdigest() if photo.file is None else photo.file.sha256


def files_of(request: Request) -> tuple[StoredFile, ...]:
    """The files that a request names, each once."""
    files = [photo.file for photo in request.photos if photo.file is not None]
    if request.clip is not None and request.clip.file is not None:
        files.append(request.clip.file)
    return tuple(dict.fromkeys(files))


def check_stored(request: Request, report: Report) -> None:
    """Find every file that the request names, so that a job does not begin without one.

    Raises as `open_stored` does, and what `report` raises.
    """
    for file in files_of(request):
        open_stored(file, telling(report, file))


def telling(report: Report, file: StoredFile) -> Watch:
    """A watch that reports; it is where a job stops that is cancelled meanwhile."""
    name = file_name(file)
    return lambda share: report("files", 0.0, f"Checking {name}: {share:.0%}.")


def _check(file: StoredFile) -> None:
    """Raises JobError where it can be no file. The hash becomes a name, so it may be nothing else."""
    if not HASH.fullmatch(file.sha256) or not 0 <= file.size <= MOST_BYTES:
        sentence = f"No file can have the hash {file.sha256[:80]!r} and {file.size} bytes."
        raise JobError(
            "bad-request", sentence, "Install the same version of the add-on and of the worker's environment."
        )


def _found(file: StoredFile, watch: Watch | None) -> Path | None:
    """Where all of it is: at the sender's path, if that is a whole one of this system, or in the store."""
    if file.path and os.path.isabs(file.path) and _held(Path(file.path), file, watch):
        return Path(file.path)
    path = _whole(file)
    if not _held(path, file, watch):
        return None
    with suppress(OSError):  # only what goes first when room is made hangs on it
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    return path


def _held(path: Path, file: StoredFile, watch: Watch | None) -> bool:
    """Whether there is a file of this size and hash."""
    try:
        with open_plain(path) as opened:
            return os.fstat(opened.fileno()).st_size == file.size and _hash_of(opened, watch) == file.sha256
    except (OSError, ValueError):  # ValueError: a name with NUL
        return False


def _hash_of(file: BinaryIO, watch: Watch | None) -> str:
    """Of all of an open file; remembered as long as size and time of its last change stay, which tell another change
    only once that time is past."""
    before, began = _identity(file), time.time_ns()
    known = _hashes.get(before)
    if known is not None:
        return known
    digest, buffer, done = hashlib.sha256(), memoryview(bytearray(min(BLOCK, before[2] + 1))), 0
    while count := file.readinto(buffer):  # type: ignore[attr-defined]
        digest.update(buffer[:count])
        done += count
        if watch is not None:
            watch(min(done / max(before[2], 1), 1.0))
    if _identity(file) == before and began - before[3] > CLOCK_STEP:
        while len(_hashes) >= MOST_REMEMBERED:
            _hashes.pop(next(iter(_hashes)), None)
        _hashes[before] = digest.hexdigest()
    return digest.hexdigest()


def _identity(file: BinaryIO) -> tuple[int, int, int, int]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _whole(file: StoredFile) -> Path:
    return files_folder() / file.sha256


def _incomplete(file: StoredFile) -> Path:
    return files_folder() / f"{file.sha256}{INCOMPLETE_SUFFIX}"


def _received(file: StoredFile) -> int:
    """Bytes of a file that is not whole yet; more than it may have are worth nothing."""
    size = own_size(_incomplete(file))
    return size if size <= file.size else 0


def _finish(beside: Path, file: StoredFile, watch: Watch | None) -> None:
    if not _held(beside, file, watch):
        os.unlink(beside)
        sentence = f"{file_name(file)} is not what its hash says: it changed, or was damaged on the way."
        raise JobError("hash-mismatch", sentence, "Start the job again: it is sent anew.")
    put_in_place(beside, _whole(file))


def _make_room(file: StoredFile, received: int) -> None:
    """Throw away what was not used for longest, as far as the store's limit and the disk ask for it.

    Raises JobError `no-space` where that does not suffice.
    """
    folder, needed = files_folder(), file.size - received
    short = needed + SPARE_SPACE - free_bytes(folder)
    if received and short <= 0:
        return
    entries = sorted(_entries(folder, file))
    over = sum(size for _, size, _ in entries) + file.size - STORE_BYTES
    oldest = time.time() - IN_USE_SECONDS
    for used, size, path in entries:
        if max(over, short) <= 0 or used > oldest:
            break
        with suppress(OSError):  # one that is open stays, on Windows
            os.unlink(path)
            over, short = over - size, short - size
    if short > 0:
        sentence = (
            f"{file_name(file)} has {file.size / 1e6:.0f} MB, {short / 1e6:.0f} MB more than {folder} has room for."
        )
        raise JobError("no-space", sentence, "Free space there, or name another folder in DA3_FILES.")


def _entries(folder: Path, but: StoredFile) -> Iterator[tuple[float, int, Path]]:
    """When it was used last, bytes and path of each file of the store but one."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name.removesuffix(INCOMPLETE_SUFFIX)
            if HASH.fullmatch(name) and name != but.sha256 and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield max(status.st_atime, status.st_mtime), status.st_size, Path(entry.path)


@contextmanager
def _alone() -> Iterator[None]:
    """The store, made where there is none, to oneself: another worker may write, too. Raises OSError."""
    folder = files_folder()
    folder.mkdir(0o700, parents=True, exist_ok=True)
    with open_own(folder / LOCK_NAME) as lock:
        until = time.monotonic() + LOCK_PATIENCE
        while not try_lock(lock):
            if time.monotonic() > until:
                raise TimeoutError(errno.EBUSY, "another worker holds it", str(folder))
            time.sleep(0.02)
        yield


@contextmanager
def _in_words(file: StoredFile) -> Iterator[None]:
    """Faults of the disk as JobErrors."""
    try:
        yield
    except OSError as error:
        name, folder = file_name(file), files_folder()
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            advice = "Free space there, or name another folder in DA3_FILES."
            raise JobError("no-space", f"{name} does not fit in {folder}.", advice) from error
        why = str(error) if isinstance(error, NotPlainError) else error.strerror
        advice = "Mend the folder, or name another one in DA3_FILES."
        raise JobError("folder-unusable", f"{name} cannot be stored in {folder}: {why}.", advice) from error
