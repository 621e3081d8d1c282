"""The command `export-onnx`: a checkpoint as ONNX files for other programs."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from model_runtime.contract.messages import JobError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="name, folder or .safetensors file")
    parser.add_argument("--output", type=Path, help="the folder to write; else one named like the checkpoint")
    parser.add_argument("--precision", choices=("float32", "float16"), default="float32", help="of the stored weights")
    parser.add_argument("--overwrite", action="store_true", help="write into a folder that has something in it")


def run(options: argparse.Namespace) -> None:
    """Raises JobError."""
    checkpoint = import_module("model_runtime.checkpoints.locate").locate_checkpoint(options.checkpoint)
    folder: Path = options.output or Path(f"{checkpoint.info.name.removesuffix('.safetensors')}-onnx")
    try:
        if folder.exists() and any(folder.iterdir()) and not options.overwrite:
            raise JobError("output-exists", f"{folder} has something in it.", "Give --overwrite to write there.")
        export = import_module("model_runtime.onnx_graphs.export").export_graphs
        files: list[Path] = export(checkpoint, folder, options.precision)
    except OSError as error:
        raise JobError(
            "output-unwritten", f"{folder} cannot be written: {error}.", "Choose another folder, or make room."
        ) from error
    for file in files:
        print(f"{file} ({file.stat().st_size / 1e6:.1f} MB)")
