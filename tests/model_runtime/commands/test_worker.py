"""A real worker process with a real, small network: jobs, cancel, rubbish, and its end."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path

import numpy as np
import pytest

import model_runtime
from da3_blender.runtime.worker_process import Event, WorkerProcess
from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Failure,
    Heartbeat,
    Hello,
    ListModels,
    Photo,
    Prediction,
    Progress,
    Request,
)
from model_runtime.prediction.predictor import Predictor

COMMAND = [sys.executable, "-m", "model_runtime", "worker"]
DEADLINE = 60.0


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def client() -> Iterator[WorkerProcess]:
    client = WorkerProcess(COMMAND)
    yield client
    client.close()


@pytest.fixture
def quick(tiny_checkpoint: Path, photos: tuple[Photo, ...]) -> Request:
    return Request(photos, checkpoint=str(tiny_checkpoint))


@pytest.fixture
def slow(quick: Request) -> Request:
    """Some seconds of network."""
    return replace(quick, resolution=420)


def wait(client: WorkerProcess, until: Callable[[Event], bool]) -> list[Event]:
    """All events up to and with the first that `until` is true for."""
    events: list[Event] = []
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        for event in client.poll():
            events.append(event)
            if until(event):
                return events
        time.sleep(0.01)
    raise AssertionError(f"Nothing happened; so far {events}.\n{client.log}")


def result(client: WorkerProcess, job: str) -> Prediction | Failure:
    message = wait(client, lambda e: e.job == job and isinstance(e.message, Prediction | Failure))[-1].message
    assert isinstance(message, Prediction | Failure)
    return message


def in_network(job: str) -> Callable[[Event], bool]:
    return lambda e: e.job == job and isinstance(e.message, Progress) and e.message.stage == "network"


def test_hello_progress_and_the_same_prediction_as_without_a_worker(client: WorkerProcess, quick: Request) -> None:
    job = client.submit(quick)
    events = wait(client, lambda e: isinstance(e.message, Prediction | Failure))
    hello = events[0].message
    assert isinstance(hello, Hello)
    assert (hello.protocol, hello.version) == (PROTOCOL_VERSION, model_runtime.__version__)
    assert hello.torch and hello.device and hello.device_memory > 1 << 28
    stages = [e.message.stage for e in events if isinstance(e.message, Progress)]
    assert list(dict.fromkeys(stages)) == ["start", "photos", "checkpoint", "network", "cameras", "gaussians"]
    assert {e.job for e in events[1:]} == {job}

    prediction = events[-1].message
    assert isinstance(prediction, Prediction)
    expected = Predictor().predict(quick, lambda *_: None)
    for view, wanted in zip(prediction.views, expected.views, strict=True):
        assert np.abs(view.depth / wanted.depth - 1).max() < 1e-4
        assert np.abs(view.extrinsics - wanted.extrinsics).max() < 1e-4
        assert (view.color == wanted.color).all()
    assert prediction.gaussians is not None and expected.gaussians is not None
    assert prediction.gaussians.means.shape == expected.gaussians.means.shape
    assert client.jobs == frozenset()


def test_a_failed_job_leaves_the_worker_alive(client: WorkerProcess, quick: Request) -> None:
    bad = result(client, client.submit(replace(quick, photos=(Photo("bad.jpg", b"rubbish"),))))
    assert isinstance(bad, Failure)
    assert bad.code == "photo-unreadable" and "bad.jpg" in bad.sentence
    assert isinstance(result(client, client.submit(quick)), Prediction)


def test_cancel_stops_a_job_in_the_network_and_the_next_one_runs(
    client: WorkerProcess, slow: Request, quick: Request
) -> None:
    pid = client.pid
    job = client.submit(slow)
    wait(client, in_network(job))
    next_job = client.submit(quick)
    client.cancel(job)
    events = wait(client, lambda e: e.job == job and isinstance(e.message, Prediction | Failure))
    assert isinstance(events[-1].message, Failure) and events[-1].message.code == "cancelled"
    # One more Progress may have been on its way; a whole pass would tell about twelve.
    assert sum(in_network(job)(event) for event in events) <= 4
    assert isinstance(result(client, next_job), Prediction)
    assert client.pid == pid


def test_a_waiting_job_can_be_cancelled(client: WorkerProcess, slow: Request) -> None:
    first, second = client.submit(slow), client.submit(slow)
    client.cancel(second)
    client.cancel(first)
    events = wait(client, lambda e: e.job == second and isinstance(e.message, Prediction | Failure))
    failures = {e.job: e.message.code for e in events if isinstance(e.message, Failure)}
    assert failures == {first: "cancelled", second: "cancelled"}
    assert not any(e.job == second and isinstance(e.message, Progress) for e in events)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_kill_9_fails_the_job_at_once_and_the_next_request_starts_a_new_worker(
    client: WorkerProcess, slow: Request, quick: Request
) -> None:
    job = client.submit(slow)
    wait(client, in_network(job))
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    failure = result(client, job)
    assert isinstance(failure, Failure)
    assert failure.code == "worker-died" and "-9" in failure.sentence
    assert "memory" in failure.advice
    assert time.monotonic() - killed < 10
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

    assert isinstance(result(client, client.submit(quick)), Prediction)
    assert client.pid != pid


def talk(data: bytes) -> tuple[int, list[tuple[str, pipe.Message]]]:
    """Exit status and frames of a worker that is sent `data` and then the end of the stream."""
    done = subprocess.run(COMMAND, input=data, capture_output=True, timeout=DEADLINE, check=False)
    frames = []
    stream = _Bytes(done.stdout)
    while (frame := pipe.read_frame(stream)) is not None:
        frames.append(frame)
    return done.returncode, frames


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def readinto(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self.data))
        buffer[:count] = self.data[:count]
        self.data = self.data[count:]
        return count


def codes(frames: list[tuple[str, pipe.Message]]) -> list[tuple[str, str]]:
    assert isinstance(frames[0][1], Hello)
    return [(job, message.code) for job, message in frames[1:] if isinstance(message, Failure)]


def test_end_of_input_ends_the_worker_in_the_middle_of_a_job(slow: Request) -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert isinstance(process.stdin, FileIO) and isinstance(process.stdout, FileIO)
        pipe.write_frame(process.stdin, "job", slow)
        message: object = None
        while not (isinstance(message, Progress) and message.stage == "network"):
            frame = pipe.read_frame(process.stdout)
            assert frame is not None
            message = frame[1]
        process.stdin.close()
        assert process.wait(timeout=1.0) == 0


def test_survivable_faults_are_answered_one_by_one_then_rubbish_ends_the_worker() -> None:
    head = b'{"kind":"Progress","job":"p","content":{"stage":"s","fraction":0,"sentence":"t"},"buffers":[]}'
    unknown = b'{"kind":"Exec","job":"x","content":{},"buffers":[]}'
    endless = b'{"kind":"Request","job":"e","content":{"photos":[],"resolution":' + b"9" * 400 + b'},"buffers":[]}'
    no_json = pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, 5, 3) + b"{oops" + b"abc"
    framed = [pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, len(h), 0) + h for h in (unknown, head, endless)]
    nameless = b"".join(pipe.encode_frame("", Request(())))
    status, frames = talk(framed[0] + no_json + framed[1] + framed[2] + nameless + b"rubbish that is no frame at all")
    assert codes(frames) == [
        ("x", "unknown-message"),
        ("", "bad-head"),
        ("p", "unexpected-message"),
        ("", "bad-head"),
        ("", "bad-job-id"),
        ("", "not-a-frame"),
    ]
    assert status == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (struct.pack("<4sIIQ", b"DA3F", PROTOCOL_VERSION + 1, 2, 0) + b"{}", "protocol-version"),
        (b"".join(pipe.encode_frame("j", Request((Photo("p", bytes(1000)),))))[:-1], "truncated-frame"),
    ],
)
def test_fatal_faults_are_told_before_the_worker_ends(data: bytes, code: str) -> None:
    status, frames = talk(data)
    assert [told for _, told in codes(frames)] == [code]
    assert status == 2


SERVE = """
import sys, time
from model_runtime.commands import worker
from model_runtime.contract import pipe
from model_runtime.contract.messages import *
from model_runtime.commands.standard_streams import claim_streams
hello = Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ())
{setup}
worker.Worker(*claim_streams(), perform, heartbeat=0.02).serve(hello)
"""
PERFORM = """
def perform(task, report):
    time.sleep(1)
    raise JobError("done", "x")
"""


@pytest.fixture
def serve() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(setup: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SERVE.format(setup=setup)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def frames_to(process: subprocess.Popen[bytes], until: Callable[[pipe.Message], bool]) -> list[pipe.Message]:
    assert isinstance(process.stdout, FileIO)
    messages: list[pipe.Message] = []
    while not messages or not until(messages[-1]):
        frame = pipe.read_frame(process.stdout)
        assert frame is not None, messages
        messages.append(frame[1])
    return messages


def test_the_heart_beats_while_a_job_computes(serve) -> None:
    process = serve(PERFORM)
    pipe.write_frame(process.stdin, "j", ListModels())
    frames_to(process, lambda message: isinstance(message, Progress))
    during = frames_to(process, lambda message: isinstance(message, Failure))
    assert sum(isinstance(message, Heartbeat) for message in during) > 5


def test_a_frame_that_never_ends_ends_the_worker(serve) -> None:
    process = serve(PERFORM)
    frames_to(process, lambda message: isinstance(message, Hello))
    data = b"".join(pipe.encode_frame("j", Request((Photo("p", bytes(1000)),))))
    process.stdin.write(data[:700])
    told = frames_to(process, lambda message: isinstance(message, Failure))[-1]
    assert isinstance(told, Failure) and told.code == "truncated-frame"
    assert process.wait(10) == 2


def test_a_worker_waits_for_ever_between_frames(serve) -> None:
    process = serve("worker.STALL_BEATS = 1" + PERFORM)
    frames_to(process, lambda message: isinstance(message, Hello))
    for _ in range(2):
        time.sleep(0.3)
        pipe.write_frame(process.stdin, "j", ListModels())
        assert isinstance(frames_to(process, lambda message: isinstance(message, Failure))[-1], Failure)


@pytest.mark.parametrize("fault", ["MemoryError()", "RuntimeError('could not create a primitive')"])
def test_a_lack_of_memory_is_told_as_that(serve, fault: str) -> None:
    process = serve(f"def perform(task, report): raise {fault}")
    pipe.write_frame(process.stdin, "j", ListModels())
    told = frames_to(process, lambda message: isinstance(message, Failure))[-1]
    assert isinstance(told, Failure) and told.code == "out-of-memory"


def test_a_worker_that_has_no_memory_to_start_says_so() -> None:
    script = """
import sys
class NoMemory:
    def find_spec(self, name, path=None, target=None):
        if name == "torch": raise ImportError("libtorch_cpu.so: failed to map segment from shared object")
sys.meta_path.insert(0, NoMemory())
from model_runtime.commands.command_line import main
main(["worker"])
"""
    done = subprocess.run([sys.executable, "-c", script], input=b"", capture_output=True, timeout=60, check=False)
    frame = pipe.read_frame(io.BytesIO(done.stdout))
    assert frame is not None and isinstance(frame[1], Failure) and frame[1].code == "out-of-memory"
    assert b"failed to map segment" in done.stderr and done.returncode == 1


def test_no_password_leaves_the_worker(serve) -> None:
    process = serve("def perform(task, report): raise ValueError('https://me:pass1234@hub.example/x')")
    pipe.write_frame(process.stdin, "j", ListModels())
    told = frames_to(process, lambda message: isinstance(message, Failure))[-1]
    assert isinstance(told, Failure) and "hub.example" in told.sentence and "hub.example" in told.log
    assert "pass1234" not in told.sentence + told.log


def test_a_fault_of_the_reader_is_told(serve) -> None:
    broken = """
def broken(stream):
    raise OverflowError("int too large to convert to float")
pipe.read_frame = broken
"""
    process = serve(PERFORM + broken)
    told = frames_to(process, lambda message: isinstance(message, Failure))[-1]
    assert isinstance(told, Failure) and told.code == "internal" and "int too large" in told.sentence
    assert process.wait(10) == 1


def test_prints_of_libraries_do_not_reach_the_pipe() -> None:
    script = (
        "import os; from model_runtime.commands.standard_streams import claim_streams; source, sink = claim_streams();"
        "print('from Python', flush=True); os.write(1, b'from C'); os.system('echo from a child');"
        "sink.write(b'frame'); sink.write(source.read()); print(os.read(0, 9))"
    )
    done = subprocess.run([sys.executable, "-c", script], input=b"-in", capture_output=True, timeout=60, check=True)
    assert done.stdout == b"frame-in"
    for text in (b"from Python", b"from C", b"from a child", b"b''"):
        assert text in done.stderr
