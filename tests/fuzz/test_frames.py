"""Damaged frames and odd heads: refused in words, and the job behind them is answered."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np

from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Cameras,
    CheckpointInfo,
    Clip,
    Failure,
    FileState,
    FindFile,
    Heartbeat,
    Hello,
    ListModels,
    Mesh,
    Models,
    ModelState,
    Photo,
    PredictedView,
    Prediction,
    Progress,
    Request,
    SendPart,
    StoredFile,
    View,
)
from tests.fuzz.mutations import ROUNDS, damaged, odd_json

MAP = np.ones((4, 6), np.float32)
VIEW = View(
    "a.jpg",
    (60, 40),
    MAP,
    MAP,
    MAP > 2,
    np.zeros((4, 6, 3), np.uint8),
    np.eye(4),
    np.array([[50.0, 0, 30], [0, 50, 20], [0, 0, 1]]),
)
MESH = Mesh(
    np.eye(3, dtype=np.float32),
    np.array([[0, 1, 2]], np.int32),
    np.zeros(1, np.int32),
    np.zeros((3, 3), np.uint8),
)
FILE = StoredFile("a" * 64, 7, "/a/film.mp4")
MESSAGES = (
    Request((Photo("a.jpg", b"12"), Photo("b.jpg", b"345")), cameras=Cameras(np.eye(4)[None], np.eye(3)[None])),
    Prediction((VIEW,), None, CheckpointInfo("n", "p", "unknown", None), "network", settings={"a": [1]}, mesh=MESH),
    Models("/m", 1, (ModelState("da3-small", False, 17, 137, "/m/s"),)),
    Request((Photo("a.jpg", file=FILE),), clip=Clip("film.mp4", FILE, 1, 9, 2, (3, 4))),
    PredictedView(1, VIEW),
    FindFile(FILE),
    SendPart(FILE, 2, b"345"),
    FileState("a" * 64, 7),
    Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ()),
    Progress("network", 0.5, "Half way."),
    Failure("code", "A sentence.", "Advice.", "a log"),
    Heartbeat(),
    ListModels(),
)
FRAMES = [b"".join(pipe.encode_frame("job", message)) for message in MESSAGES]


def framed(head: bytes, body: bytes) -> bytes:
    return pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, len(head), len(body)) + head + body


def take_apart(frame: bytes) -> tuple[dict[str, object], bytes]:
    _, _, head_bytes, _ = pipe.PREFIX.unpack(frame[: pipe.PREFIX.size])
    end = pipe.PREFIX.size + head_bytes
    return json.loads(frame[pipe.PREFIX.size : end]), frame[end:]


def odd_frames(count: int, seed: int) -> Iterator[bytes]:
    """Well-framed, with heads that nobody would write."""
    each = count // len(FRAMES) + 1
    for i, (head, body) in enumerate(map(take_apart, FRAMES)):
        for text in odd_json(head, each, seed + i):
            yield framed(text.encode(), body)


@ROUNDS
def test_damaged_streams_end_in_words(count: int, seed: int) -> None:
    ends = {"frame": 0, "refused": 0}
    pairs = [one + other for one in FRAMES for other in FRAMES]
    for data in damaged(pairs, count, seed):
        stream = io.BytesIO(data)
        try:
            while pipe.read_frame(stream) is not None:
                ends["frame"] += 1
        except pipe.FrameError as error:
            assert error.failure.code and error.failure.sentence
            ends["refused"] += 1
    assert min(ends.values()) > count / 10


@ROUNDS
def test_behind_an_odd_head_the_next_frame_is_read(count: int, seed: int) -> None:
    refused = 0
    for data in odd_frames(count, seed):
        stream = io.BytesIO(data + FRAMES[-1])
        try:
            pipe.read_frame(stream)
        except pipe.FrameError as error:
            assert not error.fatal and len(error.failure.sentence) < 1000
            refused += 1
        assert pipe.read_frame(stream) == ("job", ListModels())
    assert refused > count / 2


SERVE = """
from model_runtime.commands import worker
from model_runtime.contract.messages import Hello, Models, PROTOCOL_VERSION
from model_runtime.commands.standard_streams import claim_streams
hello = Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ())
worker.Worker(*claim_streams(), lambda task, report: Models("/m", 0, ())).serve(hello)
"""


@ROUNDS
def test_a_worker_answers_the_job_behind_them_all(count: int, seed: int) -> None:
    frames = [*odd_frames(count, seed), b"".join(pipe.encode_frame("last", ListModels()))]
    with subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        stdin, stdout = worker.stdin, worker.stdout
        assert stdin is not None and isinstance(stdout, io.BufferedReader)

        def write() -> None:
            stdin.writelines(frames)
            stdin.flush()

        writing = threading.Thread(target=write)
        writing.start()
        failures = 0
        while (frame := pipe.read_frame(stdout)) is not None and frame[0] != "last":
            failures += isinstance(frame[1], Failure)
        writing.join()
        stdin.close()
        assert frame == ("last", Progress("start", 0.0, "Starting."))
        assert failures > count / 2
