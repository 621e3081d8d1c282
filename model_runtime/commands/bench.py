"""The command `bench`: its arguments, and what it needs installed. The work is in `model_runtime.benchmark`."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from model_runtime.contract.messages import BACKENDS, PRECISIONS, JobError, Request

DATASETS = ("rooms", "eth3d", "scannetpp", "7scenes", "hiroom", "dtu")
REFINED = ("disturbed", "refined", "network_disturbed", "network_refined")
SPLATS = ("points", "on_depth", "merged", "improved")
METHODS = ("refined_depth", "auto", "unaligned", *SPLATS, "network", "single", "rays", "given", "colmap", *REFINED)
DEFAULT_METHODS = tuple(method for method in METHODS if method not in ("rays", *SPLATS))
PACKAGES = ("matplotlib", "trimesh")
"""What it needs beside the worker's packages: the group `benchmark` of pyproject.toml."""

ROOT = Path(".cache") / "benchmark_rooms"
OUTPUT = Path("docs") / "benchmark"
PHOTOS = Path("examples") / "living_room"
SPEED_JOBS = ("arrays", "splats", "scene")

MOST_VIEWS = 100
"""Photos of a scene at most, as in the released evaluation."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", choices=DATASETS, default="rooms")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the data set, in its own layout")
    parser.add_argument("--scenes", nargs="*", help="names of scenes; all by default")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(DEFAULT_METHODS))
    parser.add_argument("--checkpoint", default=Request.checkpoint, help="name, folder or .safetensors file")
    parser.add_argument("--resolution", type=int, help="longest side the network sees")
    parser.add_argument("--views", type=int, default=MOST_VIEWS, help="photos of a scene at most, spread evenly")
    parser.add_argument("--device", default=Request.device)
    parser.add_argument("--precision", choices=PRECISIONS, default=Request.precision)
    parser.add_argument("--no-surfaces", action="store_true", help="leave out fusion, the slowest measure")
    parser.add_argument("--no-novel-views", action="store_true")
    parser.add_argument("--resume", action="store_true", help="keep the scenes that are in results.json already")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder for pages, plots and results.json")
    _add_speed_arguments(parser.add_argument_group("how long jobs take, in place of how good they are"))


def _add_speed_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--speed", action="store_true")
    group.add_argument("--photos", type=Path, default=PHOTOS, help="folder of photos to measure with")
    group.add_argument("--presets", nargs="+", default=["da3-tiny", "da3-small"])
    group.add_argument("--jobs", nargs="+", choices=SPEED_JOBS, default=["arrays"])
    group.add_argument("--counts", type=int, nargs="+", default=[1, 2, 6], help="photos of a job")
    group.add_argument("--sizes", type=int, nargs="+", default=[504], help="longest sides that the network sees")
    group.add_argument("--cores", type=int, nargs="+", default=[0], help="0 for all")
    group.add_argument("--backends", nargs="+", choices=BACKENDS[1:], default=BACKENDS[1:])
    group.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    group.add_argument("--released", type=Path, help="a checkout of the released code, to be measured beside ours")
    group.add_argument("--before", type=Path, help="an earlier checkout of ours, likewise")


def run(options: argparse.Namespace) -> None:
    if options.speed:
        import_module("model_runtime.benchmark.speed.command").run(options)
        return
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise JobError(
            "package-missing",
            f"The benchmark needs {', '.join(missing)}.",
            f"Install what is missing: pip install {' '.join(missing)}",
        )
    import_module("model_runtime.benchmark.command").run(options)
