"""The page of what was measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from model_runtime.benchmark.speed.results import Entry

REFERENCES = ("released", "before")
"""What others are set in relation to, the first that there is."""

JOBS = {
    "arrays": "files to depth and the network's cameras, without splats: what the released code does",
    "splats": "the same, and the splats of a default job",
    "scene": "a job with all its defaults: cameras by features, depth that the photos agree on, splats",
}


def page(entries: Sequence[Entry], command: str, placing: Path) -> str:
    """placing: the JSON file of what placing in Blender takes, where there is one."""
    machines = ", ".join(sorted({each.machine for each in entries}))
    parts = [
        "# Speed",
        f"Made by `{command}`; runs with other options add to it. {machines}. Each figure is the median of several "
        "runs in which the programs took turns, after one that warms up. Memory is the most that the whole process "
        "had. PyTorch computes in bfloat16 where `auto` chooses that, ONNX Runtime in float32. CPU seconds are those "
        "of all cores together. In brackets: the share of `released`, the released code with the same weights in "
        "float32, or of `before`, an earlier version.",
    ]
    for (preset, job), some in groupby(entries, key=lambda each: (each.preset, each.job)):
        group = list(some)
        parts += [f"## {preset}: {job}", f"{JOBS[job][0].upper()}{JOBS[job][1:]}.", _table(group)]
        if stages := _stages([each for each in group if each.stages]):
            parts += ["Seconds on the clock by stage; beside: all but the network, in shares of it.", stages]
    parts += ["## Start", "From the process's start until it is ready for a job.", _starts(entries)]
    if placing.exists():
        parts += ["## Placing in Blender", _placing(json.loads(placing.read_text(encoding="utf-8")))]
    return "\n\n".join(parts) + "\n"


def _table(entries: Sequence[Entry]) -> str:
    rows = []
    for _, some in groupby(entries, key=lambda each: each.task):
        group = list(some)
        reference = next((each for name in REFERENCES for each in group if each.side == name), None)
        for each in sorted(group, key=lambda each: each.side):
            of = None if reference is each else reference
            rows.append(
                [
                    *(str(value) for value in (each.photos, each.size, each.cores, f"`{each.side}`")),
                    _figure(each.cpu, None if of is None else of.cpu, 2),
                    _figure(each.wall, None if of is None else of.wall, 2),
                    _figure(each.peak, None if of is None else of.peak, 0),
                ]
            )
    return table(["photos", "size", "cores", "program", "CPU s", "clock s", "memory MB"], rows)


def _figure(value: float | None, reference: float | None, digits: int) -> str:
    if value is None:
        return "-"
    share = f" ({value / reference:.2f})" if reference else ""
    return f"{value:.{digits}f}{share}"


def _stages(entries: Sequence[Entry]) -> str:
    names = list(dict.fromkeys(name for each in entries for name in each.stages))
    if not names:
        return ""
    rows = []
    for each in entries:
        network = each.stages.get("network", 0.0)
        beside = sum(each.stages.values()) - network
        share = f"{beside / network:.0%}" if network else "-"
        figures = [f"{each.stages.get(name, 0.0):.2f}" for name in names]
        rows.append([str(each.photos), str(each.size), str(each.cores), f"`{each.side}`", *figures, share])
    return table(["photos", "size", "cores", "program", *names, "beside"], rows)


def _starts(entries: Sequence[Entry]) -> str:
    rows = []
    for name in sorted({each.side for each in entries}):
        mine = [each for each in entries if each.side == name]
        idle = [each.idle for each in mine if each.idle is not None]
        start = sorted(each.start for each in mine)[len(mine) // 2]
        rows.append([f"`{name}`", f"{start:.1f}", f"{min(idle):.0f}" if idle else "-"])
    return table(["program", "seconds", "memory MB"], rows)


def _placing(figures: Sequence[dict[str, object]]) -> str:
    names = list(figures[0])
    return table(names, [[str(row[name]) for name in names] for row in figures])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
