"""One of the programs that are measured, behind standard input and output: a task a line, and what it took.

Run as a file, with the root of the project to be measured first on PYTHONPATH, which may be an older one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

if sys.path and Path(sys.path[0]) == Path(__file__).parent:
    sys.path.pop(0)  # the folder of this file has a module `photos`

Work = Callable[[Mapping[str, Any]], Mapping[str, float]]
"""Does a task, and tells how long its stages took."""

LIGHT = {"camera_source": "network", "refine_depth": "off"}
JOBS: dict[str, dict[str, object]] = {
    "arrays": {**LIGHT, "gaussians": False},
    "splats": {**LIGHT, "gaussians": True},
    "scene": {},
}
"""What a request says besides its photos."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", required=True, help="what our own code is measured with")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cores", type=int, default=0)
    parser.add_argument("--released", type=Path, help="measure this checkout of the released code")
    parser.add_argument("--preset", default="", help="of the released code")
    options = parser.parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print goes elsewhere
    _use_cores(options.cores)
    work = released(options) if options.released else own(options)
    print(json.dumps({"ready": memory("VmRSS")}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(measured(work, json.loads(line))), file=answers, flush=True)


def measured(work: Work, task: Mapping[str, Any]) -> dict[str, object]:
    _begin_peak()
    cpu, wall = time.process_time(), time.perf_counter()
    stages = work(task)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "peak": memory("VmHWM"), "stages": dict(stages)}


def own(options: argparse.Namespace) -> Work:
    from model_runtime.contract.messages import Photo, Request
    from model_runtime.prediction.predictor import Predictor

    known = {field.name for field in fields(Request)}

    def work(task: Mapping[str, Any]) -> Mapping[str, float]:
        photos = tuple(Photo(Path(path).name, Path(path).read_bytes()) for path in task["photos"])
        settings: dict[str, Any] = {
            "checkpoint": options.checkpoint,
            "device": options.device,
            "resolution": task["size"],
            "backend": options.backend,
            **JOBS[task["job"]],
        }
        request = Request(photos, **{name: value for name, value in settings.items() if name in known})
        job = predictor if task["job"] != "scene" else Predictor()  # one that remembers no features
        seconds = job.predict(request, lambda stage, fraction, sentence: None).settings["seconds"]
        assert isinstance(seconds, dict)
        return seconds

    predictor = Predictor()
    return work


def released(options: argparse.Namespace) -> Work:
    from model_runtime.benchmark.speed.released import load_released

    whole = load_released(options.released, options.preset, Path(options.checkpoint), options.device)

    def work(task: Mapping[str, Any]) -> Mapping[str, float]:
        began = time.perf_counter()
        whole.inference(task["photos"], process_res=task["size"])
        return {"network": whole.seconds, "all else": time.perf_counter() - began - whole.seconds}

    return work


def memory(name: str) -> float | None:
    """MB that /proc tells of this process: `VmRSS` now, `VmHWM` the most since `_begin_peak`; None without /proc."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def _begin_peak() -> None:
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _use_cores(count: int) -> None:
    """Before any library counts them; all where 0."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if count and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


if __name__ == "__main__":
    main()
