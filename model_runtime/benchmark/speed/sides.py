"""Programs that are measured beside each other: a process each, which take turns, so that a busy machine disturbs all
of them alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model_runtime.contract.messages import JobError

READY = "ready"
OWN = Path(__file__).parents[3]


@dataclass(frozen=True)
class Task:
    """photos: files. job: `arrays` (depth and the network's cameras), `splats` (those, and the splats of a default
    job) or `scene` (a job with all its defaults). size: longest side that the network sees."""

    photos: tuple[str, ...]
    job: str
    size: int


@dataclass(frozen=True)
class Run:
    """What a task took: seconds of CPU and on the clock, MB of memory at most, in all; None where the system does not
    tell. stages: seconds on the clock."""

    cpu: float
    wall: float
    peak: float | None
    stages: Mapping[str, float]


class Side:
    """One of the programs. name: what tables call it. start: seconds until it was ready for its first task."""

    def __init__(
        self, name: str, arguments: Sequence[str], root: Path = OWN, variables: Mapping[str, str] | None = None
    ) -> None:
        """arguments: of `serving`. root: the folder whose `model_runtime` is measured."""
        self.name = name
        search = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("serving.py")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": search} | dict(variables or {}),
        )
        self.idle_memory: float | None = self._read()[READY]
        self.start = time.perf_counter() - began

    def run(self, task: Task) -> Run:
        """Raises JobError `benchmark-failed` where the program fails."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        return Run(**self._read())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sentence = f"What measures {self.name} ended (exit status {self._process.wait()})."
            raise JobError("benchmark-failed", sentence, "Its last words above tell why.")
        return json.loads(line)


def medians(sides: Sequence[Side], task: Task, rounds: int) -> dict[str, Run]:
    """Of each side by its name; a first round, which warms up, does not count."""
    runs: dict[str, list[Run]] = {side.name: [] for side in sides}
    for _ in range(rounds + 1):
        for side in sides:
            runs[side.name].append(side.run(task))
    return {name: _median(some[1:]) for name, some in runs.items()}


def _median(runs: Sequence[Run]) -> Run:
    def middle(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return statistics.median(known) if known else None

    stages = {name: statistics.median(run.stages.get(name, 0.0) for run in runs) for name in runs[0].stages}
    return Run(
        cpu=statistics.median(run.cpu for run in runs),
        wall=statistics.median(run.wall for run in runs),
        peak=middle([run.peak for run in runs]),
        stages=stages,
    )
