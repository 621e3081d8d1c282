"""Networks with the stand-in weights that the cases in tests/reference were computed with."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch

from model_runtime.network.create import Network, create_model

REFERENCE = Path(__file__).parents[2] / "reference"


def released_shapes(preset: str) -> dict[str, tuple[int, ...]]:
    """Keys as in a released checkpoint, with the leading `model.`."""
    shapes = json.loads(gzip.decompress((REFERENCE / "keys" / f"{preset}.json.gz").read_bytes()))
    return {key: tuple(shape) for key, shape in shapes.items()}


def stand_in(key: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Normal noise seeded by the key, of a size that keeps a deep network's activations in bounds."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    noise = np.random.default_rng(int.from_bytes(digest[:8], "little")).standard_normal(shape, dtype=np.float32)
    mean, deviation = 0.0, prod(shape[1:]) ** -0.5
    match key.rpartition(".")[2]:
        case "gamma":
            mean, deviation = 0.2, 0.05
        case "cls_token" | "camera_token" | "pos_embed":
            deviation = 0.5
        case "weight" if len(shape) == 1:
            mean, deviation = 1.0, 0.1
        case _ if len(shape) == 1:
            deviation = 0.02
    return torch.from_numpy(np.float32(mean) + np.float32(deviation) * noise)


_kept: dict[tuple[str, int], Network] = {}


def _network(preset: str, seed: int) -> Network:
    if (preset, seed) in _kept:
        return _kept[preset, seed]
    _kept.clear()  # before the next is built: two large ones do not fit into memory
    state = {key: stand_in(key, shape, seed) for key, shape in released_shapes(preset).items()}
    with torch.device("meta"):
        network = create_model(preset)
    network.load_state_dict({key.removeprefix("model."): value for key, value in state.items()}, assign=True)
    _kept[preset, seed] = network
    return network


@pytest.fixture(scope="session")
def reference_network() -> Callable[[str, int], Network]:
    """(preset, seed) to a released preset's network with the stand-in weights; the last one is kept."""
    return _network


@pytest.fixture
def small(reference_network: Callable[[str, int], Network]) -> Network:
    return reference_network("da3-small", 0)
