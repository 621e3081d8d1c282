"""The state of a run on disk: one file, or several of a limited size for places that take no large ones.

A new state is complete beside the old one before it takes its place.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def save_state(path: Path, state: dict[str, Any], shard_bytes: int | None = None) -> None:
    """Writes nested dicts and lists of tensors and plain values to `path`.

    With `shard_bytes`, `path` becomes a small file that names a folder beside it, whose files stay below that size
    as long as no single tensor is larger.
    """
    if shard_bytes is None:
        _write(path, state)
        return
    tensors: list[torch.Tensor] = []

    def number(value: torch.Tensor) -> dict[str, int]:
        tensors.append(value)
        return {TENSOR: len(tensors) - 1}

    frame = _map_tensors(state, number)
    before = torch.load(path, weights_only=True).get(FOLDER) if path.exists() else None
    folder = path.with_name(f"{path.stem}-{state['step']}")
    beside = folder.with_suffix(".part")
    for left in (folder, beside):
        shutil.rmtree(left, ignore_errors=True)
    beside.mkdir()
    shard: list[torch.Tensor] = []
    count = size = 0
    for tensor in tensors:
        if shard and size + tensor.nbytes > shard_bytes - OVERHEAD:
            torch.save(shard, beside / f"{count:03}.pt")
            shard, count, size = [], count + 1, 0
        shard.append(tensor.clone())
        size += tensor.nbytes + OVERHEAD_EACH
    torch.save(shard, beside / f"{count:03}.pt")
    os.replace(beside, folder)
    _write(path, {FRAME: frame, FOLDER: folder.name})
    if before is not None and before != folder.name:
        shutil.rmtree(path.with_name(before), ignore_errors=True)


def load_state(path: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The state that `save_state` wrote, either way; None where there is none."""
    if not path.exists():
        return None
    state = torch.load(path, map_location=device, weights_only=True)
    if FOLDER not in state:
        return state
    shards = sorted(path.with_name(state[FOLDER]).glob("*.pt"))
    tensors = [tensor for shard in shards for tensor in torch.load(shard, map_location=device, weights_only=True)]
    return _fill(state[FRAME], tensors)


TENSOR, FRAME, FOLDER = "<tensor>", "<frame>", "<folder>"
OVERHEAD, OVERHEAD_EACH = 65536, 512
"""Bytes that a file needs beside its tensors' numbers, at most, for itself and for each tensor."""


def _write(path: Path, state: dict[str, Any]) -> None:
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    os.replace(beside, path)


def _map_tensors(value: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_tensors(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_map_tensors(item, change) for item in value)
    return value


def _fill(value: Any, tensors: list[torch.Tensor]) -> Any:
    if isinstance(value, dict):
        if TENSOR in value:
            return tensors[value[TENSOR]]
        return {key: _fill(item, tensors) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_fill(item, tensors) for item in value)
    return value
