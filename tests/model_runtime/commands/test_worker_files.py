"""A real worker: photos that are stored, views that go one by one, in bounded memory, until a cancel."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from da3_blender.runtime.worker_process import WorkerProcess
from model_runtime.commands.worker import Jobs
from model_runtime.contract import pipe, stored_files
from model_runtime.contract.messages import (
    Cancel,
    Failure,
    JobError,
    ListModels,
    Models,
    Photo,
    PredictedView,
    Prediction,
    Request,
    StoredFile,
)
from model_runtime.contract.stored_files import stored
from model_runtime.prediction.predictor import Predictor


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DA3_FILES", str(tmp_path / "store"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "store"


def named(photos: tuple[Photo, ...], folder: Path, path: str | None = None) -> tuple[Photo, ...]:
    """The photos in files. path: where they are said to be instead."""
    folder.mkdir()
    result = []
    for photo in photos:
        (folder / photo.name).write_bytes(photo.data)
        file = stored(folder / photo.name)
        result.append(Photo(photo.name, file=file if path is None else replace(file, path=path)))
    return tuple(result)


ELSEWHERE = """
import os, sys
from pathlib import Path
from model_runtime.contract import stored_files
held = stored_files._held
here = Path(os.environ["DA3_FILES"])
stored_files._held = lambda path, file, watch: path.parent == here and held(path, file, watch)
from model_runtime.commands.command_line import main
main(["worker"])
"""
"""A worker that sees no file but those of its store, as one on another machine."""


def answer(client: WorkerProcess, request: Request) -> Prediction:
    client.submit(request)
    last = time.monotonic() + 120
    while time.monotonic() < last:
        for event in client.poll():
            assert not isinstance(event.message, Failure), event
            if isinstance(event.message, Prediction):
                return event.message
        time.sleep(0.01)
    raise AssertionError(client.log)


def test_stored_photos_make_the_same_prediction_here_and_elsewhere(
    tiny_checkpoint: Path, photos: tuple[Photo, ...], tmp_path: Path, store: Path
) -> None:
    twice = (*photos, Photo("twice.png", photos[1].data), Photo("empty.png", b""))
    request = Request(named(twice, tmp_path / "photos"), checkpoint=str(tiny_checkpoint), gaussians=False)
    client = WorkerProcess([sys.executable, "-c", ELSEWHERE])
    try:
        elsewhere = answer(client, request)
    finally:
        client.close()
    assert len(list(store.iterdir())) == len(photos) + 2  # the empty one and the lock
    here, expected = (Predictor().predict(each, lambda *_: None) for each in (request, replace(request, photos=twice)))
    for prediction in (here, elsewhere):
        assert [view.name for view in prediction.views] == [photo.name for photo in photos]
        assert {left.name: left.reason.code for left in prediction.left_out} == {
            "twice.png": "photo-duplicate",
            "empty.png": "photo-empty",
        }
        for view, wanted in zip(prediction.views, expected.views, strict=True):
            assert np.abs(view.depth / wanted.depth - 1).max() < 1e-4
            assert (view.color == wanted.color).all()


def test_a_job_does_not_begin_without_its_files(photos: tuple[Photo, ...], tmp_path: Path) -> None:
    request = Request(named(photos, tmp_path / "photos", str(tmp_path / "nowhere.png")), checkpoint="none")
    with pytest.raises(JobError) as error:
        Jobs()(request, lambda *_: None)
    assert error.value.failure.code == "file-missing" and "nowhere.png" in error.value.failure.sentence


def test_a_cancel_is_heeded_while_files_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "_hashes", {})
    (tmp_path / "film").write_bytes(b"film")
    request = Request((Photo("p", file=StoredFile("0" * 64, 4, str(tmp_path / "film"))),))

    def report(stage: str, fraction: float, sentence: str) -> None:
        assert (stage, fraction, sentence) == ("files", 0.0, "Checking film: 100%.")
        raise JobError("cancelled", "The job was cancelled.")

    with pytest.raises(JobError) as error:
        Jobs()(request, report)
    assert error.value.failure.code == "cancelled"


SERVE = """
import sys, tracemalloc
from pathlib import Path
import numpy as np
from model_runtime.commands import worker
from model_runtime.commands.standard_streams import claim_streams
from model_runtime.contract.frame_files import map_value, write_value
from model_runtime.contract.messages import *
path = Path(sys.argv[1])
flat = np.ones((500, 500), np.float32)
color = np.zeros((500, 500, 3), np.uint8)
write_value(path, View("v.jpg", (500, 500), flat, flat, flat > 2, color, np.eye(4), np.eye(3)))
def perform(task, report):
    if isinstance(task, ListModels):
        return Models("/m", tracemalloc.get_traced_memory()[1], ())
    views = tuple(map_value(path, View) for _ in range(100))
    tracemalloc.start()
    return Prediction(views, None, CheckpointInfo("n", "p", "unknown", None), "network")
hello = Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ())
worker.Worker(*claim_streams(), perform).serve(hello)
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", SERVE, str(tmp_path_factory.mktemp("served") / "view")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def messages(process: subprocess.Popen[bytes], job: str) -> Iterator[pipe.Message]:
    stdout: IO[bytes] | None = process.stdout
    while (frame := pipe.read_frame(stdout)) is not None:  # type: ignore[arg-type]
        if frame[0] == job:
            yield frame[1]


def test_a_hundred_views_go_one_by_one_in_the_memory_of_few(serving: subprocess.Popen[bytes]) -> None:
    assert serving.stdin is not None
    pipe.write_frame(serving.stdin, "j", Request(()))
    count, size = 0, 0
    for message in messages(serving, "j"):
        if isinstance(message, Prediction):
            assert (message.views, message.views_sent) == ((), 100)
            break
        if isinstance(message, PredictedView):
            assert message.index == count and (message.view.depth == 1).all()
            count, size = count + 1, size + message.view.depth.nbytes * 2
    assert (count, size) == (100, 200_000_000)
    pipe.write_frame(serving.stdin, "k", ListModels())
    told = next(message for message in messages(serving, "k") if isinstance(message, Models))
    assert told.free_bytes < 5_000_000


def test_a_cancel_stops_the_views(serving: subprocess.Popen[bytes]) -> None:
    assert serving.stdin is not None
    pipe.write_frame(serving.stdin, "c", Request(()))
    views, end = 0, None
    for message in messages(serving, "c"):
        views += isinstance(message, PredictedView)
        if views == 3 and isinstance(message, PredictedView):
            pipe.write_frame(serving.stdin, "c", Cancel())
            time.sleep(0.5)  # the worker waits, its pipe being full
        if isinstance(message, Failure | Prediction):
            end = message
            break
    assert isinstance(end, Failure) and end.code == "cancelled"
    assert views < 10
