"""Graphs have the weights of released checkpoints, and are ONNX."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import onnx
import pytest

from model_runtime.network.create import create_model
from model_runtime.onnx_graphs import wire
from model_runtime.onnx_graphs.presets import graph_names, make_graph, parts, weight_shapes

KEYS = Path(__file__).parents[2] / "reference" / "keys"
RELEASED = sorted(file.name.removesuffix(".json.gz") for file in KEYS.iterdir())


@pytest.mark.parametrize("preset", RELEASED)
def test_weights_are_the_released_ones(preset: str) -> None:
    ours = {f"model.{key}": list(shape) for key, shape in weight_shapes(preset).items()}
    assert ours == json.loads(gzip.decompress((KEYS / f"{preset}.json.gz").read_bytes()))


def test_weights_are_torchs() -> None:
    state = create_model("da3-tiny").state_dict()
    assert weight_shapes("da3-tiny") == {key: tuple(value.shape) for key, value in state.items()}


@pytest.mark.parametrize("preset", ["da3-giant", "da3metric-large"])
def test_graphs_are_onnx_that_other_programs_read(preset: str) -> None:
    """Types and ranks fit from operator to operator, as the onnx package infers them by itself."""
    for prefix, config in parts(preset).items():
        for name in graph_names(config):
            graph = make_graph(config, name, prefix)
            stored = {
                key: wire.StoredWeights("model.safetensors", 64, 4, wire.FLOAT16, shape)
                for key, shape in graph.weights.items()
            }
            model = onnx.load_from_string(graph.serialise(stored, {"licence": "MIT"}))
            assert {entry.key: entry.value for entry in model.metadata_props} == {"licence": "MIT"}
            assert {opset.domain: opset.version for opset in model.opset_import} == {"": 20, "com.microsoft": 1}
            onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
            known = {value.name for value in (*model.graph.initializer, *model.graph.input)} | {""}
            for node in model.graph.node:
                assert set(node.input) <= known, node
                known |= set(node.output)
            assert {value.name for value in model.graph.output} <= known
