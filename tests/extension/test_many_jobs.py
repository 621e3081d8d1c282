"""Jobs in a row, with cancels, kills and new files at random, in Blender: nothing is lost, nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WORKER = Path(__file__).with_name("ramp_worker.py")
MOST_SECONDS = 0.1
"""That one call of Blender's timer may take, other than the one that makes the objects."""

MOST_GROWTH = 60_000_000
"""Bytes of memory that many jobs may take more than the first ones; one result takes a tenth."""


@pytest.fixture(scope="module", params=[12, pytest.param(50, marks=pytest.mark.large)])
def report(
    request: pytest.FixtureRequest,
    program: list[str | Path],
    own_python: str,
    run: Callable[[list[str | Path], Path], str],
    start_script: Callable[..., list[str | Path]],
    extension: Path,
    photos: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("jobs")
    path = folder / "report.json"
    words = [extension, photos, f"'{own_python}' '{WORKER}'", str(request.param), "7", path]
    output = run([*start_script(program, "stress_jobs.py"), *words], folder / "profile")
    told = json.loads(path.read_text())
    assert "error" not in told, told["error"] + output
    assert "Traceback" not in output, output
    assert len(told["jobs"]) == request.param
    return told


def test_every_job_ends_as_it_should(report: dict[str, Any]) -> None:
    right = report["jobs"][0]["result"]
    assert right
    for job in report["jobs"]:
        way, told = job["way"], (job["failure"], job["waiting"], job["result"])
        if way == "new file":
            assert told[0] is None
            assert "was started in another file" in told[1]
        else:
            done = {"cancel": (None, "", ""), "kill": ("worker-died", "", "")}
            assert told == done.get(way, (None, "", right)), way
    assert {job["way"] for job in report["jobs"]} == {"finish", "cancel", "kill", "kill after", "new file"}


def test_nothing_is_left(report: dict[str, Any]) -> None:
    assert all(job["children"] <= 1 for job in report["jobs"])
    assert report["children"] == report["threads"] == []
    assert report["datablocks"][0] == report["datablocks"][1]
    assert max(report["memory"][4:]) - min(report["memory"][:4]) < MOST_GROWTH


def test_the_timer_never_keeps_blender_waiting(report: dict[str, Any]) -> None:
    assert max(seconds for what, seconds in report["longest"].items() if what != "place") < MOST_SECONDS
