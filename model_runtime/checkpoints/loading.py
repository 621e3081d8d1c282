"""From a safetensors file to a network, strictly: every tensor of the preset, of its shape, and nothing else."""

from __future__ import annotations

import torch
from safetensors import safe_open
from torch import nn

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.checkpoints.strict import PREFIX, check_weights, damage_told
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.network.create import create_model

LARGE_NETWORK = 100.0
"""Millions of parameters."""


def load_network(checkpoint: CheckpointFile, device: torch.device) -> nn.Module:
    """The network of the checkpoint in evaluation mode, float32, on `device`.

    A large network is built without storage and takes over the tensors of the file one by one, so that memory never
    holds the weights twice, nor anything for a file that does not fit. Raises JobError `checkpoint-damaged` or
    `checkpoint-mismatch`, naming the file.
    """
    # Building without storage makes torch load its compiler, which takes seconds: more than filling a small network.
    with torch.device("meta" if _is_large(checkpoint.info.preset) else "cpu"):
        network = create_model(checkpoint.info.preset)
    stored = check_weights(checkpoint, {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()})
    with damage_told(checkpoint.path), safe_open(str(checkpoint.path), framework="pt", device="cpu") as file:
        state = {key: file.get_tensor(PREFIX + key).to(device=device, dtype=torch.float32) for key in stored}
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _is_large(preset: str) -> bool:
    return any(m.parameters > LARGE_NETWORK for m in CATALOGUE.values() if m.preset == preset)
