"""Writes trained weights as a checkpoint folder in the released format: config.json beside model.safetensors."""

import json
import os
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from model_runtime.checkpoints.locate import CONFIG_FILE, WEIGHTS_FILE, read_config
from model_runtime.checkpoints.strict import PREFIX
from model_runtime.contract.messages import JobError


def export_checkpoint(
    network: nn.Module, folder: Path, *, preset: str, resolution: int, training: dict[str, object]
) -> None:
    """Half-precision weights under the released keys, and what was trained how; each file replaced in one move.

    resolution: longest side in pixels that the checkpoint works best at. Raises JobError `output-exists` where the
    folder holds weights from elsewhere.
    """
    if (folder / WEIGHTS_FILE).exists() and "training" not in read_config(folder / CONFIG_FILE):
        raise JobError(
            "output-exists",
            f"{folder} holds a checkpoint that was not exported from here.",
            "Choose another folder to export to.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        PREFIX + key: value.detach().to("cpu", torch.float16).contiguous()
        for key, value in network.state_dict().items()
    }
    config = {
        "model_name": preset,
        "licence": "Apache-2.0",
        "commercial_use": True,
        "resolution": resolution,
        "training": training,
    }
    weights = folder / (WEIGHTS_FILE + ".part")
    save_file(state, weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors makes files for their owner alone
    os.replace(weights, folder / WEIGHTS_FILE)
    beside = folder / (CONFIG_FILE + ".part")
    beside.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    os.replace(beside, folder / CONFIG_FILE)
