"""The command `bench`: its arguments, and what it needs installed. The work is in `model_runtime.benchmark`."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from model_runtime.contract.messages import PRECISIONS, JobError, Request

DATASETS = ("rooms", "eth3d", "scannetpp", "7scenes", "hiroom", "dtu")
REFINED = ("disturbed", "refined", "network_disturbed", "network_refined")
SPLATS = ("points", "on_depth", "merged", "improved")
METHODS = ("refined_depth", "auto", "unaligned", *SPLATS, "network", "single", "rays", "given", "colmap", *REFINED)
DEFAULT_METHODS = tuple(method for method in METHODS if method not in ("rays", *SPLATS))
PACKAGES = ("matplotlib", "trimesh")
"""What it needs beside the worker's packages: the group `benchmark` of pyproject.toml."""

ROOT = Path(".cache") / "benchmark_rooms"
OUTPUT = Path("docs") / "benchmark"
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


def run(options: argparse.Namespace) -> None:
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise JobError(
            "package-missing",
            f"The benchmark needs {', '.join(missing)}.",
            f"Install what is missing: pip install {' '.join(missing)}",
        )
    import_module("model_runtime.benchmark.command").run(options)
