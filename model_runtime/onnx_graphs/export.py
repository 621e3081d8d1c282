"""ONNX files for other programs: every graph of a checkpoint, its weights in one safetensors file beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.checkpoints.strict import PREFIX, StoredTensor, check_weights, read_tensor
from model_runtime.contract.catalogue import PATCH
from model_runtime.contract.disk import INCOMPLETE_SUFFIX, put_in_place, write_file
from model_runtime.contract.messages import CheckpointInfo
from model_runtime.contract.model_files import WEIGHTS_FILE
from model_runtime.contract.plain_files import open_own
from model_runtime.onnx_graphs import wire
from model_runtime.onnx_graphs.graph import Graph
from model_runtime.onnx_graphs.presets import graph_names, make_graph, parts, weight_shapes
from model_runtime.onnx_graphs.session import stored_weights

DESCRIPTION_FILE = "graphs.json"
PRECISIONS = {"float32": ("F32", np.float32), "float16": ("F16", np.float16)}
"""Of the weights as they are stored; what is computed is float32 either way."""

ALIGNMENT = 64
"""Bytes: the numbers in a file begin at a multiple of it, as ONNX Runtime likes to map them."""

OLDEST_RUNTIME = "1.20"
"""ONNX Runtime that was seen to load and run the files."""

TYPES = {wire.FLOAT: "float32", wire.INT64: "int64"}


def export_graphs(checkpoint: CheckpointFile, folder: Path, precision: str) -> list[Path]:
    """Writes a checkpoint's graphs as .onnx files, their weights in the given precision, and what to know of them as
    JSON; what is there already is replaced. Returns all files.

    Raises JobError `checkpoint-damaged` or `checkpoint-mismatch`, and OSError.
    """
    preset = checkpoint.info.preset
    stored = check_weights(checkpoint, weight_shapes(preset))
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / WEIGHTS_FILE
    placed = stored_weights(weights.name, _write_weights(weights, checkpoint.path, stored, precision))
    metadata = _metadata(checkpoint.info, precision)
    graphs: dict[str, Graph] = {}
    for prefix, config in parts(preset).items():
        for name in graph_names(config):
            graphs[f"{prefix}{name}"] = make_graph(config, name, prefix)
    files = [weights, folder / DESCRIPTION_FILE]
    for name, graph in graphs.items():
        files.append(folder / f"{name}.onnx")
        write_file(files[-1], graph.serialise(placed, metadata))
    described = {
        name: {"inputs": _told(graph.inputs), "outputs": _told(graph.outputs)} for name, graph in graphs.items()
    }
    about = {**metadata, "weights": weights.name, "graphs": described}
    write_file(files[1], (json.dumps(about, indent=2) + "\n").encode())
    return files


def _write_weights(
    path: Path, source: Path, stored: Mapping[str, StoredTensor], precision: str
) -> dict[str, StoredTensor]:
    """A safetensors file of all tensors in that precision, one at a time in memory; and where they lie in it."""
    dtype, kind = PRECISIONS[precision]
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    placed, end = {}, 0
    for key, tensor in stored.items():
        length = int(np.prod(tensor.shape)) * np.dtype(kind).itemsize
        header[PREFIX + key] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": [end, end + length]}
        placed[key] = StoredTensor(dtype, tensor.shape, end, length)
        end += length
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    start = 8 + len(text)
    beside = path.with_name(path.name + INCOMPLETE_SUFFIX)
    with open_own(beside) as file:
        file.truncate(0)
        file.write(len(text).to_bytes(8, "little") + text)
        _copy(file, source, stored, kind)
    put_in_place(beside, path)
    return {key: replace(tensor, offset=start + tensor.offset) for key, tensor in placed.items()}


def _copy(file: BinaryIO, source: Path, stored: Mapping[str, StoredTensor], kind: type[np.floating]) -> None:
    for tensor in stored.values():
        file.write(np.ascontiguousarray(read_tensor(source, tensor), kind).tobytes())


def _metadata(info: CheckpointInfo, precision: str) -> dict[str, str]:
    """What each file says of itself."""
    use = {True: "allowed", False: "not allowed", None: "unknown"}[info.commercial_use]
    return {
        "checkpoint": info.name,
        "preset": info.preset,
        "licence": info.licence,
        "commercial_use": use,
        "opset": f"{wire.STANDARD_OPSET}, {wire.CONTRIBUTED} 1",
        "runtime": f"ONNX Runtime {OLDEST_RUNTIME} or newer",
        "stored_precision": precision,
        "computed_precision": "float32",
        "images": f"RGB / 255 less the mean 0.485 0.456 0.406, by 0.229 0.224 0.225; sides are multiples of {PATCH}",
    }


def _told(values: Mapping[str, tuple[int, object]]) -> dict[str, object]:
    return {name: {"type": TYPES[kind], "shape": shape} for name, (kind, shape) in values.items()}
