"""Ctrl-C, SIGTERM and a closed terminal, at any moment: the right exit status, a word, and nothing left behind."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("bpy")

ROOT = Path(__file__).parents[3]
MARK = "DA3_TEST_MARK"
"""Variable that everything a run starts inherits, by which it is found again."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

THROUGH_BUILD = """
import os, signal, sys, build
from pathlib import Path
signal.signal(signal.SIGINT, lambda *_: (os.write(2, b"cancelled\\n"), os._exit(130)))
build.main_environment = lambda: type("Ready", (), {"ensure": lambda self, wanted: Path(sys.executable)})()
with build.signals_to(build.raise_for):
    print("ready", flush=True)
    sys.exit(build.main(["scene", *sys.argv[1:]]))
"""
"""`build.py scene`, its first line included, in the tests' own environment."""

THROUGH_COMMAND = """
import sys
from da3_blender.headless import blender_command as command_line
print("ready", flush=True)
sys.exit(command_line.run(sys.argv[1:]))
"""
"""`blender --command da3`, but for Blender's own start."""


@dataclass(frozen=True)
class Moment:
    """When a run is told to end, and how.

    line: once a line of its output begins like this. seconds: then after so long. number: the signal. group: whether
    the whole process group gets it, as from a terminal. through: `THROUGH_BUILD`, `THROUGH_COMMAND` or nothing.
    times: how often.
    """

    line: str = ""
    seconds: float = 0.0
    checkpoint: str = "hang"
    number: int = signal.SIGINT
    group: bool = True
    through: str = ""
    times: int = 1


@dataclass(frozen=True)
class Ended:
    status: int
    output: str
    errors: str
    left: list[str]
    files: list[str]


@pytest.fixture(autouse=True)
def heeded_signals() -> Iterator[None]:
    """A shell starts what runs in its background with Ctrl-C ignored, and what a process ignores, its children do."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for number in (1, 2):
            shutil.copy(ROOT / f"examples/living_room/living_room_{number}.jpg", photos)
        yield Path(folder)


def marked(mark: str) -> list[str]:
    """The command lines of living processes that have the mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    return found


def follow(process: subprocess.Popen[str], line: str, lines: list[str], seen: threading.Event) -> None:
    assert process.stdout is not None
    if not line:
        seen.set()
    for text in process.stdout:
        lines.append(text)
        if line and text.startswith(line):
            seen.set()
    seen.set()


def end_at(moment: Moment, home: Path, build: ModuleType, worker: list[str]) -> Ended:
    """Runs the command and tells it to end."""
    mark = uuid.uuid4().hex
    place = home / mark
    (place / "tmp").mkdir(parents=True)
    words = [str(home / "photos"), "-o", str(place / "made.blend"), "--checkpoint", moment.checkpoint]
    words += ["--worker", shlex.join(worker)]
    start = ["-c", moment.through] if moment.through else ["-m", "da3_blender.headless"]
    variables = {**os.environ, MARK: mark, "TMPDIR": str(place / "tmp")}
    with nullcontext() if moment.through else build.blocked_signals():  # as `build.py` starts it
        process = subprocess.Popen(
            [sys.executable, *start, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=variables,
            process_group=0,
        )
    if moment.through:  # whose own start is Python's, not ours
        moment = Moment(**{**vars(moment), "line": moment.line or "ready"})
    lines: list[str] = []
    seen = threading.Event()
    threading.Thread(target=follow, args=(process, moment.line, lines, seen), daemon=True).start()
    seen.wait(60)
    time.sleep(moment.seconds)
    for _ in range(moment.times):
        if process.poll() is None:
            (os.killpg if moment.group else os.kill)(process.pid, moment.number)
    assert process.stderr is not None
    errors = process.stderr.read()
    status = process.wait(60)
    deadline = time.monotonic() + 5
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.02)
    files = [str(file.relative_to(place)) for file in place.rglob("*")]
    return Ended(status, "".join(lines), errors, left, files)


def check(moment: Moment, ended: Ended) -> None:
    told = f"{moment}: {ended}"
    finished = ended.status == 0 and "took: " in ended.output
    assert finished or ended.status == 128 + moment.number, told
    assert finished or "cancelled" in ended.errors or moment.number != signal.SIGINT, told
    assert "Traceback" not in ended.errors and ended.errors.count("cancelled") <= 1, told
    assert not ended.left, told
    assert {file.partition("/")[0] for file in ended.files} <= {"tmp", "made.blend", "made_preview.png"}, told
    assert not [file for file in ended.files if "panel" in file or "da3_" in file], told


def check_all(moments: Sequence[Moment], home: Path, build: ModuleType, worker: list[str]) -> None:
    with ThreadPoolExecutor(3) as pool:
        for moment, ended in zip(moments, pool.map(lambda m: end_at(m, home, build, worker), moments), strict=True):
            check(moment, ended)


def test_a_run_ends_whenever_it_is_told_to(home: Path, build: ModuleType, fake_worker: list[str]) -> None:
    """At the very start, while Blender loads, while the worker starts and computes, while scene and preview are made;
    from the terminal, alone, by other signals, twice, and through build.py."""
    check_all(
        [
            Moment(seconds=0.0),
            Moment(seconds=0.7, times=2),
            Moment("[  0%] network", checkpoint="deaf", group=False),
            Moment("[  0%] network", number=signal.SIGHUP),
            Moment("scene: ", seconds=0.1, checkpoint="room"),
            Moment("[  0%] network", number=signal.SIGTERM, group=False, through=THROUGH_BUILD),
            Moment("[  0%] network", through=THROUGH_BUILD),
            Moment("[  0%] network", through=THROUGH_COMMAND),
        ],
        home,
        build,
        fake_worker,
    )


@pytest.mark.fuzz
@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("through", ["", THROUGH_BUILD], ids=["itself", "build"])
def test_a_run_ends_at_many_moments(
    home: Path, build: ModuleType, fake_worker: list[str], group: bool, through: str
) -> None:
    chance = random.Random(1)
    moments = [Moment(seconds=0.1 * step, checkpoint="slow", group=group, through=through) for step in range(60)]
    for line in ("2 photos", "[  0%]", "photos: ", "scene: ", "preview: "):
        moments += [Moment(line, chance.uniform(0, 1), "room", group=group, through=through) for _ in range(4)]
    moments += [Moment("2 photos", 0.02 * step, "room", group=group, through=through) for step in range(40)]
    moments += [Moment(seconds=0.3 * step, number=signal.SIGTERM, group=group, through=through) for step in range(8)]
    moments += [Moment(seconds=0.3 * step, group=group, through=through, times=2) for step in range(8)]
    check_all(moments, home, build, fake_worker)
