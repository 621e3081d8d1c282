"""Presets have the parameters of their released checkpoints."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch

from model_runtime.network.create import create_model

KEYS = Path(__file__).parents[2] / "reference" / "keys"
MILLIONS = {
    "da3-small": 34.3,
    "da3-base": 135.4,
    "da3-large": 410.9,
    "da3-giant": 1355.7,
    "da3mono-large": 334.2,
    "da3metric-large": 334.2,
    "da3nested-giant-large": 1689.8,
}


@pytest.mark.parametrize("preset", MILLIONS)
def test_state_dict_is_the_released_one(preset: str) -> None:
    with torch.device("meta"):
        network = create_model(preset)
    ours = {f"model.{key}": list(value.shape) for key, value in network.state_dict().items()}
    assert ours == json.loads(gzip.decompress((KEYS / f"{preset}.json.gz").read_bytes()))
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(MILLIONS[preset], abs=0.051)


def test_tiny_fits_into_the_add_on() -> None:
    network = create_model("da3-tiny")
    parameters = sum(p.numel() for p in network.parameters())
    assert 6e6 < parameters < 9.3e6
    assert 2 * parameters < 20e6
    assert not network.training


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match=r"da3-huge.*da3-small"):
        create_model("da3-huge")
