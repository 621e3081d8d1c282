"""Files before their request: sent once, in parts, going on where a connection broke, stopped by a cancel."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from da3_blender.runtime.worker_process import Event, WorkerProcess
from model_runtime.contract import stored_files
from model_runtime.contract.messages import Clip, Failure, ListModels, Models, Photo, Progress, Request
from model_runtime.contract.stored_files import stored

ELSEWHERE = """
import hashlib, os, sys, time
from dataclasses import replace
from model_runtime.contract import pipe
from model_runtime.contract.messages import *
from model_runtime.contract.stored_files import find, files_of, read_stored, receive
source, sink = open(0, "rb", buffering=0), open(1, "wb", buffering=0)
def say(job, message): pipe.write_frame(sink, job, message)
def here(file): return replace(file, path="")
def parted(job, task):
    try:
        say(job, receive(replace(task, file=here(task.file))))
    except JobError as error:
        say(job, error.failure)
def found(job, task): say(job, find(here(task.file)))
def log(*words): print(*words, file=sys.stderr, flush=True)
def answered(job, task):
    say(job, Failure("done", " ".join(hashlib.sha256(read_stored(here(f))).hexdigest() for f in files_of(task))))
def serve(part=parted, find=found):
    while (frame := pipe.read_frame(source)) is not None:
        job, task = frame
        if isinstance(task, FindFile):
            log("find")
            find(job, task)
        elif isinstance(task, SendPart):
            log("part", task.offset)
            part(job, task)
        elif isinstance(task, Request):
            answered(job, task)
        elif isinstance(task, ListModels):
            say(job, Models("/m", 0, ()))
        else:
            log("cancel")
say("", Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ()))
"""
"""A worker on another machine, as far as that it sees no file of this one."""

PART = 1000


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DA3_FILES", str(tmp_path / "store"))
    monkeypatch.setattr(stored_files, "PART_BYTES", PART)
    return tmp_path / "store"


Play = Callable[[str], WorkerProcess]


@pytest.fixture
def play(start_worker: Play) -> Play:
    return lambda script: start_worker(ELSEWHERE + script)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 20)
    return path


def request(*paths: Path) -> Request:
    return Request(tuple(Photo(path.name, file=stored(path)) for path in paths))


def clip(path: Path) -> Request:
    return Request((), clip=Clip(path.name, stored(path)))


def until(client: WorkerProcess, job: str, end: Callable[[Event], bool]) -> list[Event]:
    events: list[Event] = []
    last = time.monotonic() + 30
    while not any(map(end, events)):
        assert time.monotonic() < last, (events, client.log)
        events += [event for event in client.poll() if event.job == job]
        time.sleep(0.005)
    return events


def ending(client: WorkerProcess, job: str) -> Failure:
    failure = until(client, job, lambda event: isinstance(event.message, Failure))[-1].message
    assert isinstance(failure, Failure)
    return failure


def offsets(client: WorkerProcess) -> list[int]:
    return [int(number) for number in re.findall(r"part (\d+)", client.log)]


def hashes(*paths: Path) -> str:
    return " ".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def test_a_film_is_sent_in_parts_once_and_told(play: Play, film: Path, store: Path) -> None:
    client = play("serve()")
    job = client.submit(clip(film))
    events = until(client, job, lambda event: isinstance(event.message, Failure))
    said = [event.message.sentence for event in events if isinstance(event.message, Progress)]
    assert said == [f"Sending film.mp4: {share:.0%}." for share in (i * PART / 5120 for i in range(6))]
    assert isinstance(events[-1].message, Failure) and events[-1].message.sentence == hashes(film)
    assert offsets(client) == list(range(0, 5120, PART))
    assert (store / hashes(film)).read_bytes() == film.read_bytes()
    again = client.submit(clip(film))
    assert [event.message for event in until(client, again, lambda _: True)] == [events[-1].message]
    assert len(offsets(client)) == 6 and client.log.count("find") == 2


def test_of_many_photos_only_what_is_missing_goes(play: Play, tmp_path: Path) -> None:
    photos = [tmp_path / f"{i}.jpg" for i in range(30)]
    for i, photo in enumerate(photos):
        photo.write_bytes(bytes([i]) * (i * 100))
    client = play("serve()")
    assert ending(client, client.submit(request(*photos[10:20]))).sentence == hashes(*photos[10:20])
    before = len(offsets(client))
    assert ending(client, client.submit(request(*photos, *photos[:3]))).sentence == hashes(*photos)
    assert len(offsets(client)) - before == sum(-(-i * 100 // PART) for i in (*range(1, 10), *range(20, 30)))


@pytest.mark.parametrize("last", [0, 1, 3])
def test_after_a_broken_connection_the_next_job_goes_on(play: Play, film: Path, last: int) -> None:
    breaking = f"""
count = 0
def breaking(job, task):
    global count
    count += 1
    if count > {last}: os._exit(7)
    parted(job, task)
serve(part=breaking)
"""
    client = play(breaking)
    failure = ending(client, client.submit(clip(film)))
    assert failure.code == "worker-died" and "exit status 7" in failure.sentence
    other = play("serve()")
    assert ending(other, other.submit(clip(film))).sentence == hashes(film)
    assert offsets(other) == list(range(last * PART, 5120, PART))


def test_a_cancel_stops_the_sending_and_leaves_the_worker(play: Play, film: Path) -> None:
    slow = "def slow(job, task):\n    time.sleep(0.1)\n    parted(job, task)\nserve(part=slow)"
    client = play(slow)
    job = client.submit(clip(film))
    until(client, job, lambda event: isinstance(event.message, Progress))
    client.cancel(job)
    assert ending(client, job).code == "cancelled"
    assert client.jobs == frozenset()
    assert ending(client, client.submit(clip(film))).sentence == hashes(film)
    assert offsets(client).count(0) == 1 and client.running


def test_other_jobs_go_on_while_a_file_is_sent(play: Play, film: Path) -> None:
    client = play("def slow(job, task):\n    time.sleep(0.05)\n    parted(job, task)\nserve(part=slow)")
    first, second = client.submit(clip(film)), client.submit(ListModels())
    events: list[str] = []
    while client.jobs:
        events += [e.job for e in client.poll() if e.job and not isinstance(e.message, Progress)]
        time.sleep(0.005)
    assert events == [second, first]


@pytest.mark.parametrize(
    "answer",
    [
        "say(job, Models('/m', 0, ()))",
        "say(job, FileState('f' * 64, 0))",
        "say(job, FileState(task.file.sha256, task.file.size + 1))",
        "say(job, FileState(task.file.sha256, -1))",
        "say('job/7', FileState(task.file.sha256, 0))",
        "say(job, task)",
    ],
)
def test_another_answer_than_the_state_of_the_file_ends_the_worker(play: Play, film: Path, answer: str) -> None:
    client = play(f"def odd(job, task): {answer}\nserve(find=odd)")
    assert ending(client, client.submit(clip(film))).code == "wrong-answer"
    assert not client.running


def test_a_worker_that_keeps_nothing_is_given_up(play: Play, film: Path) -> None:
    client = play("def lost(job, task): say(job, FileState(task.file.sha256, 0))\nserve(part=lost)")
    failure = ending(client, client.submit(clip(film)))
    assert failure.code == "file-missing" and "film.mp4" in failure.sentence
    assert client.running


def test_what_the_worker_says_of_a_file_ends_the_job_alone(play: Play, film: Path) -> None:
    client = play("def full(job, task): say(job, Failure('no-space', 'It is full.'))\nserve(part=full)")
    assert ending(client, client.submit(clip(film))).code == "no-space"
    models = client.submit(ListModels())
    assert until(client, models, lambda _: True)[-1].message == Models("/m", 0, ())


@pytest.mark.parametrize("change", ["shorter", "other", "gone"])
def test_a_film_that_changes_meanwhile_is_told(play: Play, film: Path, store: Path, change: str) -> None:
    wanted = clip(film)
    data = film.read_bytes()
    if change == "gone":
        film.unlink()
    else:
        film.write_bytes(data[:-1] if change == "shorter" else data[:-1] + b"x")
    client = play("serve()")
    failure = ending(client, client.submit(wanted))
    assert failure.code == ("hash-mismatch" if change == "other" else "file-missing")
    assert not list(store.glob("*.incomplete"))
    film.write_bytes(data)
    assert ending(client, client.submit(wanted)).sentence == hashes(film)
