"""Views that come one by one: equal to what was sent, in bounded memory, never another number, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from da3_blender.runtime import spool
from da3_blender.runtime.spool import LOCK_NAME, ViewSpool, remove_leftovers
from da3_blender.runtime.worker_process import WorkerProcess
from model_runtime.contract.messages import (
    CheckpointInfo,
    Failure,
    JobError,
    ListModels,
    Photo,
    PredictedView,
    Prediction,
    Request,
    View,
)
from tests.model_runtime.contract.test_pipe import same

posix = pytest.mark.skipif(os.name == "nt", reason="signals and unlinked files as POSIX has them")

SCRIPT = """
import os, sys, time
import numpy as np
from model_runtime.contract import pipe
from model_runtime.contract.messages import *
source, sink = open(0, "rb", buffering=0), open(1, "wb", buffering=0)
def say(job, message): pipe.write_frame(sink, job, message)
def view(i, side=32):
    depth = np.full((side, side), i, np.float32) + np.arange(side, dtype=np.float32) / 100
    return View(f"{i}.jpg", (side, side), depth, depth + 1, depth > 1e9, np.full((side, side, 3), i % 256, np.uint8),
        np.eye(4) * (i + 1), np.eye(3), plate=bytes([i % 256]) * i, frame=i)
def answer(views=(), sent=0):
    return Prediction(tuple(views), None, CheckpointInfo("n", "p", "unknown", None), "network", views_sent=sent)
def views(job, *indices, side=32):
    for i in indices: say(job, PredictedView(i, view(i, side)))
def jobs():
    while (frame := pipe.read_frame(source)) is not None: yield frame
say("", Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ()))
"""
THREE = Request(tuple(Photo(f"{i}.jpg", b"x") for i in range(3)))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go, with no folder of ours in it."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    own = spool._OwnFolder()
    monkeypatch.setattr(spool, "temporary_place", lambda: folder)
    monkeypatch.setattr(spool, "_own_folder", own)
    yield folder
    own.remove()


Play = Callable[[str], WorkerProcess]


@pytest.fixture
def play(start_worker: Play) -> Play:
    return lambda script: start_worker(SCRIPT + script)


def made(i: int, side: int = 32) -> View:
    """As the worker's script makes it."""
    scope: dict[str, Callable[..., View]] = {}
    lines = SCRIPT[SCRIPT.index("def view") : SCRIPT.index("def answer")]
    exec(f"import numpy as np\nfrom model_runtime.contract.messages import *\n{lines}", scope)
    return scope["view"](i, side)


def whole(view: View) -> View:
    """With the plate in memory."""
    return replace(view, plate=bytes(view.plate))


def ended(client: WorkerProcess, job: str) -> Prediction | Failure:
    last = time.monotonic() + 30
    while time.monotonic() < last:
        for event in client.poll():
            if event.job == job and isinstance(event.message, Prediction | Failure):
                return event.message
        time.sleep(0.005)
    raise AssertionError(client.log)


def files(place: Path) -> list[str]:
    return [path.name for path in place.rglob("*") if path.is_file() and path.name != LOCK_NAME]


def test_views_are_those_that_were_sent_and_may_be_changed(play: Play, place: Path) -> None:
    client = play("for job, _ in jobs():\n    views(job, 0, 1, 2)\n    say(job, answer(sent=3))")
    prediction = ended(client, client.submit(THREE))
    assert isinstance(prediction, Prediction)
    assert prediction.views_sent == 0
    assert len(prediction.views) == 3
    assert all(same(whole(view), made(i)) for i, view in enumerate(prediction.views))
    assert all(isinstance(view.plate, memoryview) for view in prediction.views)
    other = ended(client, client.submit(THREE))
    assert isinstance(other, Prediction)
    prediction.views[1].depth[:] = -1
    assert same(whole(other.views[1]), made(1))
    if os.name == "posix":
        assert files(place) == []


def test_two_jobs_at_once_keep_their_views_apart(play: Play) -> None:
    client = play(
        """
(first, _), (second, _) = next(jobs()), next(jobs())
for i in range(3):
    views(first, i)
    say(second, PredictedView(i, view(10 + i)))
say(second, answer(sent=3))
say(first, answer(sent=3))
next(jobs())
"""
    )
    jobs = [client.submit(THREE), client.submit(THREE)]
    answers: dict[str, Prediction] = {}
    while client.jobs:
        answers |= {e.job: e.message for e in client.poll() if isinstance(e.message, Prediction)}
        time.sleep(0.005)
    assert [[view.frame for view in answers[job].views] for job in jobs] == [[0, 1, 2], [10, 11, 12]]


@pytest.mark.parametrize(
    "script",
    [
        "views(job, 0, 2)",
        "views(job, 1)",
        "views(job, 0, 0)",
        "views(job, 0, -1)",
        "views(job, 0, 1, 2, 3)",
        "views(job, 0, 1); say(job, answer(sent=3))",
        "views(job, 0, 1, 2); say(job, answer(sent=2))",
        "views(job, 0, 1, 2); say(job, answer())",
        "views(job, 0); say(job, answer([view(0)], sent=1))",
        "say(job, answer(sent=1))",
        "say(job, answer(sent=-1))",
        "views('another', 0)",
        "views('', 0)",
        "views(job, 0, 1, 2); say(job, answer(sent=3)); views(job, 3)",
    ],
)
def test_other_views_than_the_answer_s_end_the_worker(play: Play, place: Path, script: str) -> None:
    client = play(f"for job, _ in jobs():\n    {script}")
    job, codes, last = client.submit(THREE), [], time.monotonic() + 20
    while client.running:
        codes += [event.message.code for event in client.poll() if isinstance(event.message, Failure)]
        assert time.monotonic() < last
        time.sleep(0.005)
    assert codes == ["wrong-answer"]
    assert job not in client.jobs
    nothing_is_left(place)


def test_views_for_a_job_about_models_end_the_worker(play: Play) -> None:
    client = play("for job, _ in jobs():\n    views(job, 0)")
    failure = ended(client, client.submit(ListModels()))
    assert isinstance(failure, Failure) and failure.code == "wrong-answer"


def nothing_is_left(place: Path) -> None:
    last = time.monotonic() + 10
    while files(place):
        assert time.monotonic() < last, files(place)
        time.sleep(0.01)


@pytest.mark.parametrize("end", ["say(job, Failure('internal', 'A fault.'))", "os._exit(3)", "sys.stdin.read()"])
def test_views_of_a_job_without_an_answer_go(play: Play, place: Path, end: str) -> None:
    client = play(f"for job, _ in jobs():\n    views(job, 0, 1)\n    {end}")
    job = client.submit(THREE)
    if "stdin" in end:
        last = time.monotonic() + 20
        while not files(place):
            assert time.monotonic() < last
            client.poll()
            time.sleep(0.005)
        client.kill()
    failure = ended(client, job)
    assert isinstance(failure, Failure)
    nothing_is_left(place)


@pytest.mark.parametrize("room", [0, 1, 2])
def test_without_room_on_the_disk_views_stay_in_memory(place: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    asked = iter([10**12] * room + [spool.SPARE_SPACE - 1] * 9)
    monkeypatch.setattr(spool, "free_bytes", lambda _: next(asked))
    check(place)


def check(place: Path, count: int = 3) -> None:
    views = ViewSpool()
    views.expect("j", count)
    for i in range(count):
        views.add("j", PredictedView(i, made(i)))
    answer = Prediction((), None, CheckpointInfo("n", "p", "unknown", None), "network", views_sent=count)
    prediction = views.finish("j", answer)
    assert all(same(whole(view), made(i)) for i, view in enumerate(prediction.views))
    assert len(prediction.views) == count


def test_a_disk_that_fills_up_meanwhile_loses_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, count = spool.pipe.write_pieces, 0

    def failing(file: object, pieces: list[memoryview]) -> None:
        nonlocal count
        count += 1
        if count > 2:
            write(file, pieces[:2])  # type: ignore[arg-type]
            raise OSError(28, "No space left on device")
        write(file, pieces)  # type: ignore[arg-type]

    monkeypatch.setattr(spool.pipe, "write_pieces", failing)
    check(place, 5)


def test_a_place_that_cannot_be_written_loses_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "temporary_place", lambda: place / "nowhere")
    check(place)


def test_many_files_when_one_is_full(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "FILE_BYTES", 30_000)
    check(place, 12)


MEASURED = """
import json, sys, time, tracemalloc
from pathlib import Path
from da3_blender.runtime import spool
from da3_blender.runtime.worker_process import WorkerProcess
from model_runtime.contract.messages import Failure, Photo, Prediction, Request
spool.temporary_place = lambda: Path(sys.argv[2])
def anonymous():
    try:
        status = open("/proc/self/status").read()
        return int(status.split("RssAnon:")[1].split()[0]) * 1024
    except (OSError, IndexError): return 0
client = WorkerProcess([sys.executable, "-c", sys.argv[1]])
job = client.submit(Request(tuple(Photo(str(i), b"x") for i in range(200))))
tracemalloc.start()
before, most, prediction = anonymous(), 0, None
while prediction is None:
    for event in client.poll():
        assert not isinstance(event.message, Failure), event
        if isinstance(event.message, Prediction): prediction = event.message
    most = max(most, anonymous())
    time.sleep(0.01)
total = sum(float(view.depth[5, 5]) for view in prediction.views)
size = sum(v.depth.nbytes + v.confidence.nbytes + v.sky.nbytes + v.color.nbytes for v in prediction.views)
print(json.dumps([size, max(most, anonymous()) - before, tracemalloc.get_traced_memory()[1], total]))
client.close()
"""


def test_two_hundred_views_take_no_more_memory_than_some(place: Path) -> None:
    worker = (
        f"{SCRIPT}\njob, _ = next(jobs())\nviews(job, *range(200), side=400)\nsay(job, answer(sent=200))\nnext(jobs())"
    )
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, worker, str(place)], capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 0, told.stderr
    size, resident, traced, total = json.loads(told.stdout)
    assert size > 350e6
    assert traced < 30e6
    assert resident < 80e6
    assert total == pytest.approx(sum(range(200)) + 200 * 0.05, rel=1e-5)
    assert list(place.iterdir()) == []


HOLDS = """
import sys, time
from pathlib import Path
from da3_blender.runtime import spool
spool.temporary_place = lambda: Path(sys.argv[1])
print(spool._own_folder.path(), flush=True)
sys.stdin.read()
"""


@posix
@pytest.mark.parametrize("killed", [True, False])
def test_the_folder_goes_with_its_process_or_at_the_next_start(place: Path, killed: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        (folder / "views").write_bytes(b"x")
        remove_leftovers(place)
        assert folder.is_dir(), "it is in use"
        if killed:
            process.send_signal(signal.SIGKILL)
        process.stdin.close()
        process.wait(20)
    assert folder.exists() == killed
    remove_leftovers(place)
    assert not folder.exists()


@posix
def test_what_only_looks_like_a_leftover_stays(place: Path) -> None:
    precious = place / "precious"
    precious.mkdir()
    (precious / LOCK_NAME).touch()
    (place / f"{spool.FOLDER_PREFIX}link").symlink_to(precious)
    (place / f"{spool.FOLDER_PREFIX}file").touch()
    young, old = (place / f"{spool.FOLDER_PREFIX}{name}" for name in ("young", "old"))
    for folder in (young, old):
        folder.mkdir()
    then = time.time() - spool.UNLOCKED_SECONDS - 10
    os.utime(old, (then, then))
    remove_leftovers(place)
    assert sorted(path.name for path in place.iterdir()) == [
        f"{spool.FOLDER_PREFIX}file",
        f"{spool.FOLDER_PREFIX}link",
        f"{spool.FOLDER_PREFIX}young",
        "precious",
    ]
    assert (precious / LOCK_NAME).exists()


def test_a_view_that_nobody_expects_is_refused() -> None:
    with pytest.raises(JobError) as error:
        ViewSpool().add("j", PredictedView(0, made(0)))
    assert error.value.failure.code == "wrong-answer"
