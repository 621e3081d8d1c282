"""What was measured: one entry for each program and task, kept over runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from model_runtime.contract.disk import write_file


@dataclass(frozen=True)
class Entry:
    """side: the program, `released`, `before`, or one of our backends. machine: what it ran on. size: longest side that
    the network saw. start: seconds until the program was ready, idle: MB of
    memory then. The others as in `sides.Run`."""

    preset: str
    job: str
    photos: int
    size: int
    cores: int
    side: str
    machine: str
    cpu: float
    wall: float
    peak: float | None
    start: float
    idle: float | None
    stages: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def task(self) -> tuple[str, str, int, int, int]:
        return self.preset, self.job, self.size, self.cores, self.photos


def load(path: Path) -> list[Entry]:
    """None where there is no file."""
    return [Entry(**each) for each in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def merged(before: Iterable[Entry], new: Iterable[Entry]) -> list[Entry]:
    """The new ones in place of those of the same program and task."""
    entries = {(each.task, each.side): each for each in (*before, *new)}
    return [entries[key] for key in sorted(entries)]


def save(path: Path, entries: Iterable[Entry]) -> None:
    lines = ",\n".join(json.dumps(asdict(each)) for each in entries)
    write_file(path, f"[\n{lines}\n]\n".encode())
