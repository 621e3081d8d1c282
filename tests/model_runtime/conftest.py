"""A small checkpoint that is quick to run, and photos for it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from model_runtime.contract.messages import Photo
from model_runtime.network.create import create_model


def save_checkpoint(folder: Path, preset: str, dtype: torch.dtype = torch.float16) -> Path:
    """An untrained network in the released format: a folder with config.json and model.safetensors."""
    torch.manual_seed(0)
    state = {f"model.{key}": tensor.to(dtype).contiguous() for key, tensor in create_model(preset).state_dict().items()}
    folder.mkdir(parents=True)
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_name": preset, "resolution": 84}))
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("checkpoints") / "mine", "da3-tiny")


def photo(name: str, width: int, height: int, seed: int = 0) -> Photo:
    """Smooth random colours as a PNG."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(file, "PNG")
    return Photo(name, file.getvalue())


@pytest.fixture(scope="session")
def photos() -> tuple[Photo, ...]:
    """Landscape, portrait and square, so that every photo but none of the sides is padded."""
    return (photo("wide.png", 160, 120, 1), photo("tall.png", 90, 160, 2), photo("square.png", 100, 100, 3))
