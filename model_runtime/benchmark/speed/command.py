"""`bench --speed`: programs that take turns at jobs of several kinds and sizes, to a page of tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model_runtime.benchmark.speed import results
from model_runtime.benchmark.speed.page import page
from model_runtime.benchmark.speed.photos import available, phone_photos
from model_runtime.benchmark.speed.results import Entry
from model_runtime.benchmark.speed.sides import Side, Task, medians
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.contract.messages import JobError
from model_runtime.contract.model_files import CONFIG_FILE, WEIGHTS_FILE, ready_folder
from model_runtime.prediction.devices import choose_compute, describe

RESULTS, PAGE, PLACING = "speed.json", "speed.md", "placing.json"
STAND_INS = Path(".cache") / "benchmark_speed"


def run(options: argparse.Namespace) -> None:
    counts = sorted(options.counts)
    if "scene" in options.jobs and counts[-1] > (there := len(available(options.photos))):
        sentence = f"{options.photos} has {there} photos, and features are not measured with the same photo twice."
        raise JobError("bad-request", sentence, "Choose a folder with more --photos, or smaller --counts.")
    machine = _machine(options.device)
    entries = results.load(options.output / RESULTS)
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _jobs_in(folder):
        photos = [str(path) for path in phone_photos(options.photos, counts[-1], Path(folder))]
        for preset in options.presets:
            checkpoint = checkpoint_of(preset)
            for cores in options.cores:
                with _sides(options, preset, checkpoint, cores) as sides:
                    for task in _tasks(options, photos):
                        new = _measured(sides, task, options.rounds, preset, cores, machine)
                        entries = results.merged(entries, new)
                        results.save(options.output / RESULTS, entries)
    command = "python -m model_runtime bench --speed"
    text = page(entries, command, options.output / PLACING)
    (options.output / PAGE).write_text(text, encoding="utf-8")
    print(options.output / PAGE)


def checkpoint_of(preset: str) -> Path:
    """The weights of a preset: the model's own where it is here, else stand-ins, on which speed does not depend. Raises
    JobError `bad-request` for an unknown preset."""
    if preset not in CATALOGUE:
        raise JobError("bad-request", f"There is no preset '{preset}'.", f"Choose one of {', '.join(CATALOGUE)}.")
    if ready_folder(CATALOGUE[preset]) is not None:
        return locate_checkpoint(preset).path
    folder = STAND_INS / preset
    if not (folder / WEIGHTS_FILE).exists():
        import torch
        from safetensors.torch import save_file

        from model_runtime.network.create import create_model

        torch.manual_seed(0)
        state = {f"model.{key}": value.contiguous() for key, value in create_model(preset).state_dict().items()}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(json.dumps({"model_name": preset}), encoding="utf-8")
        part = folder / (WEIGHTS_FILE + ".part")
        save_file(state, part)
        part.rename(folder / WEIGHTS_FILE)
    return folder / WEIGHTS_FILE


def _tasks(options: argparse.Namespace, photos: list[str]) -> Iterator[Task]:
    for job in options.jobs:
        for size in options.sizes:
            for count in sorted(options.counts):
                yield Task(tuple(photos[:count]), job, size)


@contextmanager
def _sides(options: argparse.Namespace, preset: str, checkpoint: Path, cores: int) -> Iterator[list[Side]]:
    shared = ["--device", options.device, "--cores", str(cores)]
    # By name where it comes along: what a job does by default depends on that.
    common = ["--checkpoint", preset if CATALOGUE[preset].bundled else str(checkpoint), *shared]
    sides: list[Side] = []
    try:
        for backend in options.backends:
            sides.append(Side(backend, [*common, "--backend", backend]))
        if options.before:
            sides.append(Side("before", common, options.before))
        if options.released and not CATALOGUE[preset].bundled:  # which was never released
            sides.append(
                Side(
                    "released",
                    ["--checkpoint", str(checkpoint), *shared, "--released", str(options.released), "--preset", preset],
                )
            )
        yield sides
    finally:
        for side in sides:
            side.close()


def _measured(sides: list[Side], task: Task, rounds: int, preset: str, cores: int, machine: str) -> list[Entry]:
    taking_part = [side for side in sides if task.job == "arrays" or side.name != "released"]
    runs = medians(taking_part, task, rounds)
    entries = []
    for side in taking_part:
        took = runs[side.name]
        print(
            f"{preset} {task.job} {len(task.photos)} {task.size} {side.name}: "
            f"CPU {took.cpu:.2f} s, clock {took.wall:.2f} s",
            file=sys.stderr,
            flush=True,
        )
        entries.append(
            Entry(
                preset=preset,
                job=task.job,
                photos=len(task.photos),
                size=task.size,
                cores=cores or os.cpu_count() or 1,
                side=side.name,
                machine=machine,
                cpu=round(took.cpu, 3),
                wall=round(took.wall, 3),
                peak=None if took.peak is None else round(took.peak),
                start=round(side.start, 2),
                idle=None if side.idle_memory is None else round(side.idle_memory),
                stages={name: round(seconds, 3) for name, seconds in took.stages.items()},
            )
        )
    return entries


def _machine(device: str) -> str:
    if device != "cpu":
        return describe(choose_compute("auto", device, "auto"))[0]
    return f"CPU ({platform.machine()}, {os.cpu_count()} cores)"


@contextmanager
def _jobs_in(folder: str) -> Iterator[None]:
    """What jobs leave on the disk is not found by the next."""
    before = os.environ.get("DA3_JOBS")
    os.environ["DA3_JOBS"] = str(Path(folder) / "jobs")
    try:
        yield
    finally:
        if before is None:
            del os.environ["DA3_JOBS"]
        else:
            os.environ["DA3_JOBS"] = before
