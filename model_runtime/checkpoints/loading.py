"""From a safetensors file to a network, strictly: every tensor of the preset, of its shape, and nothing else."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.contract.json_files import shown
from model_runtime.contract.messages import JobError
from model_runtime.contract.plain_files import open_plain
from model_runtime.network.create import create_model

PREFIX = "model."
"""Begins every key of a released file, and no key of a network's state dict."""

FLOATS = ("F32", "F16", "BF16")
SHOWN = 3
LARGE_NETWORK = 100.0
"""Millions of parameters."""

MOST_LETTERS = 100
"""Of a key in a sentence."""

LARGEST_HEADER = 10_000_000
"""Bytes. That of the largest released file has about two hundred thousand."""


def load_network(checkpoint: CheckpointFile, device: torch.device) -> nn.Module:
    """The network of the checkpoint in evaluation mode, float32, on `device`.

    A large network is built without storage and takes over the tensors of the file one by one, so that memory never
    holds the weights twice, nor anything for a file that does not fit. Raises JobError `checkpoint-damaged` or
    `checkpoint-mismatch`, naming the file.
    """
    # Building without storage makes torch load its compiler, which takes seconds: more than filling a small network.
    with torch.device("meta" if _is_large(checkpoint.info.preset) else "cpu"):
        network = create_model(checkpoint.info.preset)
    wanted = {PREFIX + key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    path = checkpoint.path
    try:
        _check_header(path)
        with safe_open(str(path), framework="pt", device="cpu") as file:
            slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118  (the file is no dict)
            stored = {key: (tuple(s.get_shape()), s.get_dtype()) for key, s in slices.items()}
            _check(path, checkpoint.info.preset, stored, wanted)
            state = {
                key.removeprefix(PREFIX): file.get_tensor(key).to(device=device, dtype=torch.float32) for key in stored
            }
    except (SafetensorError, OSError) as error:
        raise JobError(
            "checkpoint-damaged",
            f"{path} is not a complete safetensors file: {error}.",
            "Copy or download the file again.",
        ) from error
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _is_large(preset: str) -> bool:
    return any(m.parameters > LARGE_NETWORK for m in CATALOGUE.values() if m.preset == preset)


def _check_header(path: Path) -> None:
    """Raises OSError where it cannot be read or is too long: it is read as a whole before anything is known of it."""
    with open_plain(path) as file:
        length = int.from_bytes(file.read(8), "little")
    if length > LARGEST_HEADER:
        raise OSError(f"its header would have {length} bytes")


def _check(
    path: Path, preset: str, stored: dict[str, tuple[tuple[int, ...], str]], wanted: dict[str, tuple[int, ...]]
) -> None:
    faults = {
        "missing": [key for key in wanted if key not in stored],
        "not part of the network": [key for key in stored if key not in wanted],
        "of another shape": [
            f"{key} {list(stored[key][0])} instead of {list(shape)}"
            for key, shape in wanted.items()
            if key in stored and stored[key][0] != shape
        ],
        "not floating-point numbers": [
            f"{key} {dtype}" for key, (_, dtype) in stored.items() if key in wanted and dtype not in FLOATS
        ],
    }
    found = [f"{len(keys)} {fault} ({_first(keys)})" for fault, keys in faults.items() if keys]
    if found:
        raise JobError(
            "checkpoint-mismatch",
            f"{path} does not fit the preset {preset}: {'; '.join(found)}.",
            "Check model_name in its config.json, or choose the checkpoint this file was made for.",
        )


def _first(keys: list[str]) -> str:
    return ", ".join(shown(key, MOST_LETTERS) for key in keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")
