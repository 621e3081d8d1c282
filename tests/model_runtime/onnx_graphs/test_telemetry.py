"""ONNX Runtime collects nothing about the machine: in a home folder of its own a network leaves no file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

RUN = """
import numpy as np
from pathlib import Path
from model_runtime.onnx_graphs.devices import choose_device
from model_runtime.onnx_graphs.graph import Graph
from model_runtime.onnx_graphs.session import GraphSession

graph = Graph("twice")
x = graph.input("x", (2,))
graph.output("y", graph.op("Add", x, x), (2,))
session = GraphSession(graph, Path("none"), {}, choose_device("cpu"), lambda: None)
print(session.run({"x": np.float32([1, 2])}, lambda: None)["y"].tolist())
"""


def test_a_network_leaves_no_file_in_the_home_folder(tmp_path: Path) -> None:
    away = ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "GITHUB_ACTIONS", "TF_BUILD")
    variables = {name: value for name, value in os.environ.items() if name not in away}
    homes = {"HOME": tmp_path, "USERPROFILE": tmp_path, "LOCALAPPDATA": tmp_path, "TMPDIR": tmp_path, "TEMP": tmp_path}
    variables |= {name: str(folder) for name, folder in homes.items()} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", RUN], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "[2.0, 4.0]\n"
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == []
