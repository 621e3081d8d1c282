"""Presets of small networks, and checkpoints of presets."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_runtime.network.config import PRESETS
from tests.model_runtime.onnx_graphs.small_networks import SMALLEST, Write, stand_in_weights, write_checkpoint


@pytest.fixture(autouse=True)
def small_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, config in SMALLEST.items():
        monkeypatch.setitem(PRESETS, name, config)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Write:
    """From a preset to its checkpoint."""
    return lambda preset: write_checkpoint(tmp_path / preset, preset, stand_in_weights(preset))
