"""Exported files run by themselves, one after the other, as `docs/onnx.md` says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file

from model_runtime.commands.command_line import main
from model_runtime.network.inputs import NetworkInput
from model_runtime.onnx_graphs.network import OnnxNetwork
from tests.model_runtime.onnx_graphs.small_networks import Write


def run(folder: Path, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))  # pyright: ignore


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("float16", 1e-2)])
def test_files_make_depth_by_themselves(precision: str, tolerance: float, checkpoint: Write, tmp_path: Path) -> None:
    located, folder = checkpoint("gated"), tmp_path / "out"
    main(["export-onnx", str(located.path), "--output", str(folder), "--precision", precision])
    images = np.random.default_rng(0).standard_normal((2, 3, 42, 56)).astype(np.float32)
    grid = np.array((3, 4))
    tokens = run(folder, "backbone_0", {"images": images})["tokens_out"]
    seen = {"tokens": tokens, **run(folder, "learned_cameras", {"is_other": np.array((0, 1))})}
    layers = {}
    for index in (1, 2, 3, 4):
        outputs = run(folder, f"backbone_{index}", {**seen, "grid": grid})
        layers[f"layer_{index}"] = outputs["layer"]
        seen = {"tokens": outputs["tokens_out"]} if index < 4 else {}
    depth = run(folder, "depth", {**layers, "grid": grid})["depth"]
    expected = OnnxNetwork(located, "cpu").run(NetworkInput(images), 8, lambda done: None).depth[0]
    assert np.abs(depth - expected).max() <= tolerance * np.abs(expected).max()

    weights, original = load_file(folder / "model.safetensors"), load_file(located.path)
    assert weights.keys() == original.keys()
    assert all((weights[key] == original[key].astype(precision)).all() for key in original)
    about = json.loads((folder / "graphs.json").read_text())
    assert about["stored_precision"] == precision and about["licence"] == "unknown"
    assert about["graphs"]["depth"]["outputs"]["depth"] == {"type": "float32", "shape": ["views", "height", "width"]}
    assert {f"{name}.onnx" for name in about["graphs"]} == {file.name for file in folder.glob("*.onnx")}
    model = onnx.load(folder / "depth.onnx", load_external_data=False)
    onnx.checker.check_model(str(folder / "depth.onnx"))
    assert {entry.key: entry.value for entry in model.metadata_props}["computed_precision"] == "float32"


def test_a_folder_with_something_in_it_stays(checkpoint: Write, tmp_path: Path) -> None:
    located = checkpoint("gated")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(SystemExit, match="has something in it"):
        main(["export-onnx", str(located.path), "--output", str(tmp_path / "out")])
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine"]
