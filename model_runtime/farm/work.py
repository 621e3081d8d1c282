"""One shot on one machine of the farm: from its files to the bytes of its answer. Ray is not known here."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

import model_runtime
from model_runtime.contract.messages import Clip, Failure, JobError, Photo, Request, SendPart, StoredFile
from model_runtime.contract.photo_names import distinct_names
from model_runtime.contract.stored_files import PART_BYTES, find, receive, stored
from model_runtime.farm.shots import Shot

if TYPE_CHECKING:
    from model_runtime.contract.progress import Report
    from model_runtime.prediction.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Order:
    """What a machine needs to do a shot. film: the bytes of the request's clip, where the machine does not find it by
    its path. threads: processors that it may take. version: of the code that ordered it."""

    request: Request
    film: bytes | None
    threads: int
    version: str = model_runtime.__version__


def make_order(shot: Shot) -> Order:
    """Reads the shot's files, or where they are shared, hashes them. Raises JobError."""
    photos, clip, film = _photos(shot), None, None
    if shot.clip is not None:
        file = _stored(shot, 0)
        film = None if shot.shared else _read(shot, shot.clip)
        clip = replace(Clip(shot.clip.name, file if shot.shared else replace(file, path="")), **shot.frames)
    request = Request(photos, clip=clip)
    return Order(replace(request, **shot.settings), film, shot.cpus)


def order_digest(shot: Shot) -> str:
    """Of all that the answer depends on, but for the machine: files, settings, threads and the version of this code."""
    told = (model_runtime.__version__, sorted(shot.settings.items()), sorted(shot.frames.items()), shot.cpus)
    digest = hashlib.sha256(repr(told).encode())
    for place, name in enumerate(distinct_names(shot.files)):
        digest.update(f"{name}\0{_stored(shot, place).sha256}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()


def do_order(order: Order, report: Report) -> bytes | Failure:
    """The bytes of the answer's .npz, or why there is none."""
    try:
        return _answer(order, report)
    except JobError as error:
        return error.failure


def _answer(order: Order, report: Report) -> bytes:
    if order.version != model_runtime.__version__:
        sentence = f"The farm's machine has version {model_runtime.__version__}, this one {order.version}."
        raise JobError("version-mismatch", sentence, "Install the same version on all machines.")
    from model_runtime.prediction.answer_file import arrays, write_npz

    clip = order.request.clip
    if clip is not None and clip.file is not None and order.film is not None:
        _keep(clip.file, order.film)
    predictor = _predictor()
    _use_threads(order.threads)
    try:
        named = arrays(predictor.predict(order.request, report), with_times=False)
        file = io.BytesIO()
        write_npz(file, named)
    finally:
        predictor.finish()
    return file.getvalue()


def _use_threads(count: int) -> None:
    """Of linear algebra, in all libraries that are loaded by now, and of PyTorch where there is one."""
    threadpool_limits(count)
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(count)


@cache
def _predictor() -> Predictor:
    """That of this process, which keeps its network from shot to shot."""
    from model_runtime.prediction.predictor import Predictor

    return Predictor()


def _keep(file: StoredFile, data: bytes) -> None:
    """Puts a film into the store of this machine, as far as it is not there."""
    received = find(file).received
    for part in _parts(file, data, received):
        receive(part)


def _parts(file: StoredFile, data: bytes, start: int) -> Iterator[SendPart]:
    for offset in range(start, len(data), PART_BYTES):
        yield SendPart(file, offset, data[offset : offset + PART_BYTES])


def _photos(shot: Shot) -> tuple[Photo, ...]:
    if shot.clip is not None:
        return ()
    names = distinct_names(shot.photos)
    if shot.shared:
        return tuple(Photo(name, file=_stored(shot, place)) for place, name in enumerate(names))
    return tuple(Photo(name, _read(shot, path)) for name, path in zip(names, shot.photos, strict=True))


def _read(shot: Shot, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(shot, error) from error


def _stored(shot: Shot, place: int) -> StoredFile:
    try:
        return stored(shot.files[place].resolve())
    except OSError as error:
        raise _unreadable(shot, error) from error


def _unreadable(shot: Shot, error: OSError) -> JobError:
    sentence = f"{error.filename} of {shot.name} cannot be read: {error.strerror}."
    return JobError("photo-unreadable", sentence, "Check the path.")
