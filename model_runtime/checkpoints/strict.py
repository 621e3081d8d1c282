"""What a safetensors file holds, and whether that is the weights of a preset: all of them, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.json_files import shown
from model_runtime.contract.messages import JobError
from model_runtime.contract.plain_files import open_plain

PREFIX = "model."
"""Begins every key of a released file, and no key of a network's state dict."""

FLOATS = ("F32", "F16", "BF16")
SHOWN = 3

MOST_LETTERS = 100
"""Of a key in a sentence."""

LARGEST_HEADER = 10_000_000
"""Bytes. That of the largest released file has about two hundred thousand."""


@dataclass(frozen=True)
class StoredTensor:
    """dtype: one of FLOATS, or another name of safetensors'. Its bytes are `length` from `offset` of the file on."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def check_weights(checkpoint: CheckpointFile, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, StoredTensor]:
    """The tensors of a checkpoint's file, by state-dict key, which are those of `wanted`, of these shapes.

    Raises JobError `checkpoint-damaged` or `checkpoint-mismatch`, naming the file.
    """
    with damage_told(checkpoint.path):
        stored = _read_header(checkpoint.path)
    _check(checkpoint, stored, {PREFIX + key: shape for key, shape in wanted.items()})
    return {key.removeprefix(PREFIX): tensor for key, tensor in stored.items()}


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """JobError `checkpoint-damaged` for what goes wrong while the file is read."""
    try:
        yield
    except (SafetensorError, OSError) as error:
        raise JobError(
            "checkpoint-damaged",
            f"{path} is not a complete safetensors file: {error}.",
            "Copy or download the file again.",
        ) from error


def _read_header(path: Path) -> dict[str, StoredTensor]:
    """Raises OSError or SafetensorError."""
    with open_plain(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LARGEST_HEADER:  # it is read as a whole before anything is known of it
            raise OSError(f"its header would have {length} bytes")
        with safe_open(str(path), framework="numpy"):
            pass  # it refuses a header that is none, or does not fit the file
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {
        key: StoredTensor(told["dtype"], tuple(told["shape"]), 8 + length + start, end - start)
        for key, told in header.items()
        for start, end in [told["data_offsets"]]
    }


def _check(checkpoint: CheckpointFile, stored: dict[str, StoredTensor], wanted: dict[str, tuple[int, ...]]) -> None:
    faults = {
        "missing": [key for key in wanted if key not in stored],
        "not part of the network": [key for key in stored if key not in wanted],
        "of another shape": [
            f"{key} {list(stored[key].shape)} instead of {list(shape)}"
            for key, shape in wanted.items()
            if key in stored and stored[key].shape != shape
        ],
        "not floating-point numbers": [
            f"{key} {tensor.dtype}" for key, tensor in stored.items() if key in wanted and tensor.dtype not in FLOATS
        ],
    }
    found = [f"{len(keys)} {fault} ({_first(keys)})" for fault, keys in faults.items() if keys]
    if found:
        raise JobError(
            "checkpoint-mismatch",
            f"{checkpoint.path} does not fit the preset {checkpoint.info.preset}: {'; '.join(found)}.",
            "Check model_name in its config.json, or choose the checkpoint this file was made for.",
        )


def _first(keys: list[str]) -> str:
    return ", ".join(shown(key, MOST_LETTERS) for key in keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")


def read_tensor(path: Path, stored: StoredTensor) -> np.ndarray:
    """A tensor that `check_weights` has told of, as float32. Raises JobError `checkpoint-damaged`."""
    with damage_told(path), open_plain(path) as file:
        file.seek(stored.offset)
        data = file.read(stored.length)
    if stored.dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(stored.shape)
    kind = np.float16 if stored.dtype == "F16" else np.float32
    return np.frombuffer(data, kind).astype(np.float32).reshape(stored.shape)
