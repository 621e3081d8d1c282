"""Checkpoints of small networks with weights that are not trained, but far from zero."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from model_runtime.checkpoints.locate import CheckpointFile, locate_checkpoint
from model_runtime.network.config import (
    METRIC_FOCAL,
    AnyViewConfig,
    BackboneConfig,
    HeadConfig,
    MonocularConfig,
    NestedConfig,
)
from model_runtime.network.create import create_model
from model_runtime.onnx_graphs.presets import weight_shapes
from tests.model_runtime.network.conftest import stand_in

HEAD = HeadConfig(16, (8, 8, 16, 16))
ANY_VIEW = AnyViewConfig(
    BackboneConfig(64, 7, 2, (2, 3, 5, 6), alternation=2), HEAD, gaussian_head=True, released_gaussians=True
)
GATED = AnyViewConfig(BackboneConfig(64, 8, 2, (3, 4, 5, 7), alternation=3, swiglu=True), HEAD)
METRIC = MonocularConfig(BackboneConfig(64, 6, 2, (1, 2, 4, 5), alternation=None), HEAD, METRIC_FOCAL)
Write = Callable[[str], CheckpointFile]
SMALLEST = {"gated": GATED, "metric": METRIC, "nested": NestedConfig(ANY_VIEW, METRIC)}


def write_checkpoint(folder: Path, preset: str, weights: Mapping[str, np.ndarray]) -> CheckpointFile:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"model.{key}": value for key, value in weights.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_name": preset}))
    return locate_checkpoint(str(folder))


def stand_in_weights(preset: str, seed: int = 0) -> dict[str, np.ndarray]:
    return {key: stand_in(f"model.{key}", shape, seed).numpy() for key, shape in weight_shapes(preset).items()}


def torch_network(preset: str) -> torch.nn.Module:
    """With the weights of `checkpoint`."""
    network = create_model(preset)
    network.load_state_dict({key: torch.from_numpy(value) for key, value in stand_in_weights(preset).items()})
    return network.requires_grad_(False)
