"""Downloads of catalogue models: licence, free space, resume, hash, and only then the name that makes them ready."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from model_runtime.checkpoints import hub
from model_runtime.contract.catalogue import LICENCES, OPEN_LICENCE, Model, human_size
from model_runtime.contract.disk import INCOMPLETE_SUFFIX, free_bytes, write_file
from model_runtime.contract.json_files import SMALL_FILE
from model_runtime.contract.messages import JobError, Models
from model_runtime.contract.model_files import (
    CONFIG_FILE,
    LOCK_FILE,
    WEIGHTS_FILE,
    DownloadRecord,
    download_folder,
    find_model,
    incomplete_files,
    list_models,
    models_folder,
    read_record,
    ready_folder,
    write_record,
)
from model_runtime.contract.plain_files import NotPlainError, check_own, open_own, own_size
from model_runtime.contract.progress import Report

SPARE_SPACE = 64_000_000
"""Bytes that stay free on the disk."""

ATTEMPTS = 5
"""Broken connections in a row, without a byte between them, until a download gives up."""

RETRY_WAIT = 1.0
RATE_WINDOW = 10.0
"""Seconds over which the speed is measured that tells the time left."""

READ_SIZE = 4 << 20
WHOLE_FILE = re.compile(r"[0-9a-f]{64}")


def download_model(
    name: str,
    accepted_licence: str,
    report: Report,
    *,
    accepted_on: str = "",
    folder: Path | None = None,
    endpoint: str | None = None,
) -> Models:
    """Download a model of the catalogue, or go on with a download that broke off; then what is here.

    Of a model that is here already, put there by hand perhaps, only the acceptance of its licence is noted.

    accepted_licence: see `DownloadModel`. folder: of all models. endpoint: of the hub; None for HF_ENDPOINT.

    Raises JobError `model-unknown`, `licence-not-accepted`, `download-running`, `no-space`, `hash-mismatch`, those of
    `hub.explain`, and whatever `report` raises. Bytes that came stay for the next try, except wrong ones.
    """
    model = find_model(name)
    check_licence(model, accepted_licence)
    folder = folder or models_folder()
    accepted = (accepted_on or date.today().isoformat()) if model.needs_acceptance else ""
    ready = ready_folder(model, folder)
    if ready is None:
        place = download_folder(model, folder)
        with _writing(model, place), _only_one(model, place):
            _download(model, place, accepted, report, endpoint)
    elif accepted and not (record := read_record(ready)).licence_accepted:
        with _writing(model, ready):
            write_record(ready, replace(record, licence=model.licence, licence_accepted=accepted))
    return list_models(folder)


def check_licence(model: Model, accepted_licence: str) -> None:
    """Raises JobError `licence-not-accepted` unless the licence is open or was accepted by its name."""
    if model.needs_acceptance and accepted_licence != model.licence:
        licence = LICENCES[model.licence]
        sentence = f"{model.title} comes under {licence.name}, which has not been accepted."
        raise JobError(
            "licence-not-accepted",
            f"{sentence} {licence.meaning}",
            f"Read {licence.url} and accept it, or choose a model under {OPEN_LICENCE}.",
        )


def _download(model: Model, place: Path, accepted: str, report: Report, endpoint: str | None) -> None:
    def tick() -> None:
        report("lookup", 0.0, f"Asking for {model.title}.")

    config = hub.look_up(model, CONFIG_FILE, model.revision, endpoint, tick)
    config_data = _checked_config(model, config, tick)
    weights = hub.look_up(model, WEIGHTS_FILE, config.revision, endpoint, tick)
    sha256 = _expected_hash(model, weights)
    incomplete = place / f"{WEIGHTS_FILE}.{sha256[:16]}{INCOMPLETE_SUFFIX}"
    for other in incomplete_files(model, place.parent):
        if other != incomplete:
            other.unlink()
    _check_space(model, place, weights.size - own_size(incomplete))

    transfer = _Transfer(model, weights, incomplete, report)
    transfer.run()
    report("check", 0.99, f"Checking {model.title}.")
    if transfer.digest.hexdigest() != sha256:
        incomplete.unlink()
        raise _wrong_hash(model, "what arrived is not what was published; it was deleted")
    write_file(place / CONFIG_FILE, config_data)
    write_record(place, DownloadRecord(model.repository, weights.revision, sha256, model.licence, accepted))
    os.replace(incomplete, place / WEIGHTS_FILE)


def _expected_hash(model: Model, weights: hub.RemoteFile) -> str:
    """The pinned SHA-256, which the hub's own must not contradict; else the hub's."""
    published = weights.etag if WHOLE_FILE.fullmatch(weights.etag) else ""
    if model.sha256 and published and published != model.sha256:
        raise _wrong_hash(model, "the file on offer is another than the one this version of the add-on knows")
    if not (model.sha256 or published):
        raise JobError(
            "hub-answer",
            f"The hub publishes no SHA-256 of {model.title}, so nothing could be checked.",
            "A proxy or mirror may leave it out: try without it.",
        )
    return model.sha256 or published


def _wrong_hash(model: Model, what: str) -> JobError:
    advice = "Try again. If it stays so, a proxy or mirror changes files: use another connection."
    return JobError("hash-mismatch", f"{model.title} was refused: {what}.", advice)


def _checked_config(model: Model, config: hub.RemoteFile, tick: Callable[[], None]) -> bytes:
    """config.json, whose etag is the hash git gives a file, or a SHA-256."""
    try:
        data = hub.fetch(config, tick, SMALL_FILE)
    except hub.FAILED as error:
        raise hub.explain(error, model, config.url) from error
    if len(data) > SMALL_FILE:
        raise _wrong_hash(model, f"its {CONFIG_FILE} has more than {human_size(SMALL_FILE)}")
    git_hash = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if config.etag not in (git_hash, hashlib.sha256(data).hexdigest()):
        raise _wrong_hash(model, f"its {CONFIG_FILE} is not what was published")
    return data


@dataclass
class _Transfer:
    """The bytes of the weights, from where an earlier download stopped, and their hash."""

    model: Model
    remote: hub.RemoteFile
    path: Path
    report: Report
    done: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    marks: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    def run(self) -> None:
        self._take_up()
        failures, before = 0, self.done
        while self.done < self.remote.size:
            try:
                self._receive()
                error: Exception = ConnectionError("the connection ended too early")
            except hub.FAILED as failed:
                if isinstance(failed, OSError) and failed.errno is not None:
                    raise  # the disk's, not the network's
                error = failed
            if self.done >= self.remote.size:
                return
            failures = failures + 1 if self.done == before else 1
            before = self.done
            if failures >= ATTEMPTS or _is_final(error):
                raise hub.explain(error, self.model, self.remote.url, f" {self._amount()} are here.") from error
            self._wait()

    def _take_up(self) -> None:
        """Hash what is here already."""
        if own_size(self.path) > self.remote.size:
            self.path.unlink()
        with open_own(self.path) as file:
            while data := file.read(READ_SIZE):
                self.digest.update(data)
                self.done += len(data)
                self.report("resume", self._fraction(), f"Looking at what is here of {self.model.title}.")

    def _receive(self) -> None:
        with open_own(self.path) as file:
            for offset, chunk in hub.read_bytes(self.remote, self.done, self._tell):
                if offset != self.done:  # the server gives no parts: from the start again
                    self.done, self.digest = offset, hashlib.sha256()
                    file.truncate(offset)
                file.seek(offset)
                file.write(chunk)
                self.digest.update(chunk)
                self.done += len(chunk)
                if self.done > self.remote.size:
                    return  # its hash will not be right

    def _wait(self) -> None:
        end = time.monotonic() + RETRY_WAIT
        while (left := end - time.monotonic()) > 0:
            self.report("download", self._fraction(), f"The connection broke off; trying again. {self._amount()}.")
            time.sleep(min(left, hub.TICK))

    def _tell(self) -> None:
        now = time.monotonic()
        self.marks.append((now, self.done))
        while now - self.marks[0][0] > RATE_WINDOW:
            self.marks.popleft()
        seconds, gained = now - self.marks[0][0], self.done - self.marks[0][1]
        sentence = f"Downloading {self.model.title}: {self._amount()}."
        if seconds > 1 and gained > 0:
            left = _duration((self.remote.size - self.done) * seconds / gained)
            sentence = f"Downloading {self.model.title}: {self._amount()}, {left} left."
        self.report("download", self._fraction(), sentence)

    def _amount(self) -> str:
        return f"{human_size(self.done)} / {human_size(self.remote.size)}"

    def _fraction(self) -> float:
        return 0.99 * self.done / max(self.remote.size, 1)


def _is_final(error: Exception) -> bool:
    """Whether trying again at once cannot help: the server said no."""
    response = getattr(error, "response", None)
    return response is not None and response.status_code < 500 and response.status_code not in (408, 429)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


MORE_SPACE = "Free some space, or choose a folder for models on another disk."


def _check_space(model: Model, place: Path, needed: int) -> None:
    free = free_bytes(place)
    if needed + SPARE_SPACE > free:
        sentence = (
            f"{model.title} still needs {human_size(needed)} in {place.parent}, but {human_size(free)} are free there."
        )
        raise JobError("no-space", sentence, MORE_SPACE)


@contextmanager
def _writing(model: Model, place: Path) -> Iterator[None]:
    """Faults of the disk in words."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield
    except NotPlainError as error:
        advice = "Remove it, or choose another folder for models."
        raise JobError("folder-unusable", f"{model.title} cannot be written: {error}.", advice) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise JobError("no-space", f"{model.title} does not fit in {place.parent}.", MORE_SPACE) from error
        sentence = f"{model.title} cannot be written to {place}: {error}."
        raise JobError("folder-unusable", sentence, "Choose another folder for models.") from error


@contextmanager
def _only_one(model: Model, place: Path) -> Iterator[None]:
    """Another process that downloads the same model is left alone; its death ends its lock."""
    check_own(place / LOCK_FILE)
    lock = FileLock(place / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        sentence = f"{model.title} is being downloaded already, by another Blender or worker."
        raise JobError("download-running", sentence, "Wait until it is here.") from error
    try:
        yield
    finally:
        lock.release()
