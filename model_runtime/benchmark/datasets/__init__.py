"""The data sets that the benchmark reads: a folder each, in its published layout, to scenes with truth."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from model_runtime.benchmark.datasets.scene import TruthScene

DATASETS = {
    "rooms": "rooms",
    "eth3d": "eth3d",
    "scannetpp": "scannetpp",
    "7scenes": "seven_scenes",
    "hiroom": "hiroom",
    "dtu": "dtu",
}
"""Name on the command line to module here."""


def read_dataset(name: str, root: Path) -> list[TruthScene]:
    """All scenes of data set `name` in the folder `root`. Raises JobError `dataset-missing` or `dataset-broken`."""
    return import_module(f"{__name__}.{DATASETS[name]}").read(root)
