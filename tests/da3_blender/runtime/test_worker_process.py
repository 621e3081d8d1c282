"""Workers that misbehave in every way a process can, played by a few lines of Python each."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from da3_blender.runtime.worker_process import Event, WorkerProcess
from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Cameras,
    Failure,
    Hello,
    ListModels,
    Photo,
    Prediction,
    Progress,
    Request,
)

PRELUDE = """
import os, struct, sys, time
from model_runtime.contract import pipe
from model_runtime.contract.messages import *
source, sink = open(0, "rb", buffering=0), open(1, "wb", buffering=0)
def say(job, message): pipe.write_frame(sink, job, message)
def hello(protocol=PROTOCOL_VERSION): say("", Hello(protocol, "0", "3", "2", "cpu", "none", 0, ()))
"""
BIG = Request((Photo("big", bytes(50_000_000)),))
SMALL = Request((Photo("small", b"1"),))


@pytest.fixture
def clients() -> Iterator[list[WorkerProcess]]:
    started: list[WorkerProcess] = []
    yield started
    for client in started:
        client.close()


@pytest.fixture
def play(clients: list[WorkerProcess]):
    def start(script: str, hello_timeout: float = 30.0) -> WorkerProcess:
        client = WorkerProcess([sys.executable, "-c", PRELUDE + script], hello_timeout)
        clients.append(client)
        return client

    return start


def ending(client: WorkerProcess, job: str, seconds: float = 20.0) -> Failure:
    """The Failure that the job ends in."""
    event = next(e for e in collect(client, job, seconds) if e.job == job and isinstance(e.message, Failure))
    assert isinstance(event.message, Failure)
    return event.message


def collect(client: WorkerProcess, job: str, seconds: float = 20.0) -> list[Event]:
    """Events until the job is over; no call of `poll` may take long."""
    events: list[Event] = []
    end = time.monotonic() + seconds
    while job in client.jobs:
        before = time.monotonic()
        events += client.poll()
        assert time.monotonic() - before < 5
        assert before < end, f"still running after {seconds} s: {events} {client.log}"
        time.sleep(0.01)
    return events


def wait_for_hello(client: WorkerProcess) -> None:
    end = time.monotonic() + 20
    while client.hello is None:
        client.poll()
        assert time.monotonic() < end, client.log
        time.sleep(0.01)


def test_jobs_are_answered_by_name_and_in_order(play) -> None:
    client = play(
        """
hello()
while (frame := pipe.read_frame(source)) is not None:
    job, request = frame
    say(job, Progress("network", 0.5, request.photos[0].name))
    say(job, Failure("done", str(len(request.photos[0].data))))
"""
    )
    first, second = client.submit(BIG), client.submit(SMALL)
    events = collect(client, first) + collect(client, second)
    assert isinstance(events[0].message, Hello)
    assert client.hello == events[0].message
    told = [(e.job, e.message.sentence) for e in events if isinstance(e.message, Progress | Failure)]
    assert told == [(first, "big"), (first, "50000000"), (second, "small"), (second, "1")]
    assert client.poll() == []


def test_death_tells_the_exit_status_and_the_end_of_the_log(play) -> None:
    client = play("hello(); source.read(30); print('the GPU caught fire', file=sys.stderr); os._exit(7)")
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "worker-died"
    assert "exit status 7" in failure.sentence
    assert "the GPU caught fire" in failure.log
    assert not client.running


@pytest.mark.parametrize(
    "last_words", ["terminate called after throwing an instance of 'std::bad_alloc'", "could not create a primitive"]
)
def test_death_by_lack_of_memory_is_told_as_that(play, last_words: str) -> None:
    client = play(f"hello(); source.read(30); print({last_words!r}, file=sys.stderr); os._exit(134)")
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "out-of-memory" and last_words in failure.log


def test_death_in_the_middle_of_a_frame_is_a_death(play) -> None:
    client = play("hello(); sink.write(pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, 100, 0) + b'{'); os._exit(3)")
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "worker-died" and "exit status 3" in failure.sentence


def test_all_jobs_fail_together_and_the_next_one_gets_a_new_process(play, tmp_path: Path) -> None:
    mark = tmp_path / "second"
    client = play(
        f"""
hello()
job, _ = pipe.read_frame(source)
if os.path.exists({str(mark)!r}):
    say(job, Failure("alive", "x"))
    time.sleep(60)
open({str(mark)!r}, "w").close()
pipe.read_frame(source)
os._exit(1)
"""
    )
    first, second = client.submit(SMALL), client.submit(SMALL)
    events = collect(client, first)
    assert [e.job for e in events if isinstance(e.message, Failure)] == sorted([first, second])
    assert ending(client, client.submit(SMALL)).code == "alive"


def test_passwords_stay_unsaid(play, clients: list[WorkerProcess]) -> None:
    address = "https://me:pass1234@hub.example/x"
    client = play(f"print('reading {address}', file=sys.stderr, flush=True); os._exit(3)")
    failure = ending(client, client.submit(SMALL))
    assert "hub.example" in failure.log and "pass1234" not in failure.log
    clients.append(WorkerProcess(["/no/such/worker", address]))
    failure = ending(clients[-1], clients[-1].submit(SMALL))
    assert "hub.example" in failure.sentence and "pass1234" not in failure.sentence


def test_a_program_that_does_not_exist(clients: list[WorkerProcess]) -> None:
    client = WorkerProcess(["/no/such/python", "-m", "model_runtime"])
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "worker-start" and "/no/such/python" in failure.sentence
    client.start()
    assert [(e.job, e.message.code) for e in client.poll() if isinstance(e.message, Failure)] == [("", "worker-start")]


def test_what_is_known_of_the_worker_explains_only_why_it_did_not_start(clients: list[WorkerProcess]) -> None:
    def explain(failure: Failure) -> Failure:
        return Failure("package-missing", "Explained.", log=failure.log)

    def code(script: str) -> str:
        clients.append(WorkerProcess([sys.executable, "-c", PRELUDE + script], explain=explain))
        return ending(clients[-1], clients[-1].submit(SMALL)).code

    assert code("import no_such_module_here") == "package-missing"
    assert code("hello(); import no_such_module_here") == "worker-died"


def test_a_banner_on_the_pipe_is_shown(play) -> None:
    client = play("sink.write(b'Welcome to gpubox, last login today'); time.sleep(60)")
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "not-a-frame"
    assert "Welcome to gpubox" in failure.sentence and "start-up files" in failure.advice


@pytest.mark.parametrize(
    "script",
    [
        "hello(protocol=99)",
        "sink.write(struct.pack('<4sIIQ', b'DA3F', 99, 2, 0) + b'{}')",
    ],
)
def test_another_protocol_version_is_refused(play, script: str) -> None:
    client = play(script + "; time.sleep(60)")
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "protocol-version"
    assert "99" in failure.sentence and str(PROTOCOL_VERSION) in failure.sentence
    assert not client.running


def test_a_silent_worker_is_given_up(play) -> None:
    client = play("print('thinking', file=sys.stderr, flush=True); time.sleep(60)", hello_timeout=5.0)
    failure = ending(client, client.submit(SMALL), seconds=20)
    assert failure.code == "worker-silent" and "thinking" in failure.log


@pytest.mark.parametrize("script", ["hello(); time.sleep(60)", "hello(); source.read(1000); time.sleep(60)"])
def test_a_worker_that_stops_reading_blocks_nobody(play, script: str) -> None:
    client = play(script)
    before = time.monotonic()
    jobs = [client.submit(BIG) for _ in range(3)]
    client.cancel(jobs[0])
    assert time.monotonic() - before < 10
    wait_for_hello(client)
    assert client.jobs == set(jobs)
    client.kill()
    assert {e.job for e in client.poll() if isinstance(e.message, Failure)} == set(jobs)
    _assert_threads_end()


def test_a_worker_that_dies_while_a_request_is_written(play) -> None:
    client = play("hello(); source.read(1000); os._exit(5)")
    assert "exit status 5" in ending(client, client.submit(BIG)).sentence
    _assert_threads_end()


def _assert_threads_end() -> None:
    end = time.monotonic() + 5
    while any(thread.name.startswith("da3-") for thread in threading.enumerate()):
        assert time.monotonic() < end, threading.enumerate()
        time.sleep(0.01)


def test_a_flood_of_logs_neither_blocks_nor_grows(play) -> None:
    client = play(
        """
hello()
for i in range(40000): sys.stderr.write(f"line {i} " + "x" * 200 + chr(10))
sys.stderr.write("y" * 3000000 + chr(10))
job, _ = pipe.read_frame(source)
say(job, Failure("done", "x"))
time.sleep(60)
"""
    )
    assert ending(client, client.submit(SMALL)).code == "done"
    assert len(client.log) < 1_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="os.fork")
def test_a_child_that_keeps_the_output_open_does_not_hide_the_death(play) -> None:
    client = play("hello(); pid = os.fork(); time.sleep(8) if pid == 0 else os._exit(9)")
    failure = ending(client, client.submit(SMALL), seconds=7)
    assert failure.code == "worker-died" and "exit status 9" in failure.sentence


def test_closing_the_output_counts_as_death(play) -> None:
    client = play("hello(); sink.close(); time.sleep(60)")
    assert ending(client, client.submit(SMALL), seconds=10).code == "worker-died"


def test_nonsense_in_a_frame_ends_the_worker(play) -> None:
    client = play(
        """
hello()
head = b'{"kind":"Prediction","job":"j","content":{},"buffers":[]}'
sink.write(pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, len(head), 0) + head)
time.sleep(60)
"""
    )
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "bad-message" and "Prediction" in failure.sentence


def test_a_request_that_cannot_travel_fails_alone(play) -> None:
    client = play("hello(); job, _ = pipe.read_frame(source); say(job, Failure('done', 'x')); time.sleep(60)")
    wrong = Cameras(np.eye(4, dtype=complex), np.eye(3))
    assert ending(client, client.submit(Request((), cameras=wrong))).code == "bad-request"
    assert ending(client, client.submit(SMALL)).code == "done"


ODD_ANSWERS = {
    "models for a request": ("say(job, Models('/m', 0, ()))", "Models where Prediction was due"),
    "a prediction of no job": ("say('', PREDICTION)", "Prediction, which belongs to no job"),
    "a prediction of another job": ("say('stranger', PREDICTION)", "Prediction, which belongs to no job"),
    "progress of another job": ("say('stranger', Progress('s', 0.5, 't'))", "Progress, which belongs to no job"),
    "a second greeting": ("hello()", "Hello, which belongs to no job"),
    "a request": ("say(job, request)", "Request where Prediction was due"),
}
PREDICTION = "PREDICTION = Prediction((), None, CheckpointInfo('n', 'p', 'unknown', None), 'network')\n"


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_what_nobody_asked_for_is_told_and_not_taken(play, odd: str) -> None:
    script, told = ODD_ANSWERS[odd]
    client = play(f"{PREDICTION}hello(); job, request = pipe.read_frame(source); {script}; time.sleep(60)")
    job = client.submit(SMALL)
    events = collect(client, job)
    assert [type(e.message) for e in events] == [Hello, Failure]
    assert isinstance(events[1].message, Failure)
    assert events[1].message.code == "wrong-answer" and told in events[1].message.sentence
    assert not client.running


def test_a_prediction_for_a_question_about_models_is_told(play) -> None:
    client = play(f"{PREDICTION}hello(); job, _ = pipe.read_frame(source); say(job, PREDICTION); time.sleep(60)")
    assert ending(client, client.submit(ListModels())).code == "wrong-answer"


def test_a_second_answer_is_told(play) -> None:
    client = play(
        f"{PREDICTION}hello(); job, _ = pipe.read_frame(source); say(job, PREDICTION); say(job, PREDICTION);"
        "time.sleep(60)"
    )
    job = client.submit(SMALL)
    events = collect(client, job)
    while client.running:
        events += client.poll()
    events += client.poll()
    assert [(e.job, type(e.message)) for e in events[1:]] == [(job, Prediction), ("", Failure)]


def test_a_failure_of_no_job_fails_all(play) -> None:
    client = play("hello(); pipe.read_frame(source); say('', Failure('bad-head', 'x')); time.sleep(60)")
    jobs = [client.submit(SMALL), client.submit(SMALL)]
    events = collect(client, jobs[0])
    assert {(e.job, e.message.code) for e in events if isinstance(e.message, Failure)} == {
        (job, "bad-head") for job in jobs
    }


HALF_A_FRAME = "data = b''.join(pipe.encode_frame(job, Failure('x', 'y' * 1000))); sink.write(data[:500])"


@pytest.mark.parametrize("script", ["pass", HALF_A_FRAME])
def test_a_worker_that_stops_is_given_up(clients: list[WorkerProcess], script: str) -> None:
    script = f"hello(); job, _ = pipe.read_frame(source); {script}; time.sleep(60)"
    client = WorkerProcess([sys.executable, "-c", PRELUDE + script], silence_limit=0.5)
    clients.append(client)
    failure = ending(client, client.submit(SMALL), seconds=10)
    assert failure.code == "worker-stalled" and not client.running


def test_a_slow_worker_is_not_given_up(clients: list[WorkerProcess]) -> None:
    """Neither where it only sends heartbeats, nor where one long frame comes in drops."""
    script = """
hello()
job, _ = pipe.read_frame(source)
for _ in range(20): say("", Heartbeat()); time.sleep(0.1)
data = b"".join(pipe.encode_frame(job, Failure("done", "x" * 2000)))
for i in range(0, len(data), 100): sink.write(data[i:i + 100]); time.sleep(0.1)
time.sleep(60)
"""
    client = WorkerProcess([sys.executable, "-c", PRELUDE + script], silence_limit=1.5)
    clients.append(client)
    assert ending(client, client.submit(SMALL)).code == "done"


def test_who_was_not_polled_has_not_listened(clients: list[WorkerProcess]) -> None:
    client = WorkerProcess([sys.executable, "-c", PRELUDE + "hello(); time.sleep(60)"], silence_limit=1.5)
    clients.append(client)
    client.start()
    wait_for_hello(client)
    time.sleep(2)
    client.poll()
    assert client.running and client.silence <= 1


def test_any_fault_of_a_reading_thread_fails_its_jobs(play, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(stream: pipe.Source) -> None:
        raise OverflowError("int too large to convert to float")

    monkeypatch.setattr(pipe, "read_frame", broken)
    client = play("hello(); time.sleep(60)")
    failure = ending(client, client.submit(SMALL))
    assert failure.code == "worker-pipe" and "int too large" in failure.sentence


def test_numbers_beyond_everything_fail_the_job(play) -> None:
    client = play(
        """
hello()
job, _ = pipe.read_frame(source)
content = '{"stage":"s","fraction":%s,"sentence":"t"}' % ("9" * 400)
head = '{"kind":"Progress","job":"%s","content":%s,"buffers":[]}' % (job, content)
sink.write(pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, len(head), 0) + head.encode())
time.sleep(60)
"""
    )
    assert ending(client, client.submit(SMALL)).code == "bad-head"


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill with signal 0")
def test_no_worker_outlives_its_owner(tmp_path: Path) -> None:
    script = """
import sys
from da3_blender.runtime.worker_process import WorkerProcess
client = WorkerProcess([sys.executable, "-c", "import time; time.sleep(60)"])
client.start()
print(client.pid)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_close_leaves_nothing(play) -> None:
    client = play("hello(); time.sleep(60)")
    client.submit(SMALL)
    wait_for_hello(client)
    client.close()
    assert (client.running, client.jobs, client.poll(), client.hello) == (False, frozenset(), [], None)
    client.close()
    _assert_threads_end()
