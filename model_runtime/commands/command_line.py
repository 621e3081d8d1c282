"""The command line: `da3-runtime`, or `python -m model_runtime`. Only the chosen command's modules are loaded."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import model_runtime
from model_runtime.commands import bench as bench_command
from model_runtime.commands import convert_splats as convert_splats_command
from model_runtime.commands import export as export_command
from model_runtime.commands import export_onnx as export_onnx_command
from model_runtime.commands import farm as farm_command
from model_runtime.commands import models as models_command
from model_runtime.commands import train as train_command
from model_runtime.commands.standard_streams import claim_streams
from model_runtime.contract.memory import OUT_OF_MEMORY, is_out_of_memory
from model_runtime.contract.messages import (
    BACKENDS,
    CAMERA_SOURCES,
    LENSES,
    PRECISIONS,
    REFERENCE_VIEWS,
    REFINE_DEPTH,
    JobError,
    Request,
)
from model_runtime.contract.pipe import write_frame


def main(arguments: list[str] | None = None) -> None:
    # Read when torch loads. Threads that spin while they wait for others make a busy machine ten times as slow.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except JobError as error:
        sys.exit(f"{error.failure.sentence} {error.failure.advice}".strip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="da3-runtime", description="Depth Anything 3: photos to depth, cameras, splats."
    )
    parser.add_argument("--version", action="version", version=model_runtime.__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    worker = commands.add_parser("worker", help="serve the add-on on standard input and output")
    worker.add_argument("--models", type=Path, help="folder of the downloaded models, instead of DA3_MODELS")
    worker.set_defaults(run=_worker)

    info = commands.add_parser("info", help="versions, device and checkpoints as JSON")
    info.set_defaults(run=_info)

    predict = commands.add_parser("predict", help="photos in, arrays out")
    _add_predict_arguments(predict)
    predict.set_defaults(run=_predict)

    export = commands.add_parser("export", help="a result as files for other software")
    export_command.add_arguments(export)
    export.set_defaults(run=export_command.run)

    export_onnx = commands.add_parser("export-onnx", help="a checkpoint as ONNX files for other programs")
    export_onnx_command.add_arguments(export_onnx)
    export_onnx.set_defaults(run=export_onnx_command.run)

    convert = commands.add_parser("convert-splats", help="a file of Gaussian splats as one of another format")
    convert_splats_command.add_arguments(convert)
    convert.set_defaults(run=convert_splats_command.run)

    models = commands.add_parser("models", help="released models: size, licence, and what is here")
    models.add_argument("--models", type=Path, help="folder of the downloaded models, instead of DA3_MODELS")
    models.set_defaults(run=models_command.run_list)

    download = commands.add_parser("download", help="download a released model, or go on with a download")
    models_command.add_download_arguments(download)
    download.set_defaults(run=models_command.run_download)

    bench = commands.add_parser("bench", help="measure predictions on scenes whose truth is known")
    bench_command.add_arguments(bench)
    bench.set_defaults(run=bench_command.run)

    farm = commands.add_parser("farm", help="many shots on many machines, by Ray")
    farm_command.add_arguments(farm)
    farm.set_defaults(run=farm_command.run)

    train = commands.add_parser("train", help="train a checkpoint on synthetic scenes")
    train_command.add_arguments(train)
    train.set_defaults(run=train_command.run)
    return parser


def _add_predict_arguments(parser: argparse.ArgumentParser) -> None:
    # Not beside what the command does, which loads torch.
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="the .npz file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the .npz where it is there already")
    parser.add_argument("--checkpoint", default=Request.checkpoint, help="name, folder or .safetensors file")
    parser.add_argument("--resolution", type=int, help="longest side the network sees")
    parser.add_argument("--camera-source", choices=[s for s in CAMERA_SOURCES if s != "given"], default="auto")
    parser.add_argument("--refine", action="store_true", help="adjust the network's cameras to matched features")
    parser.add_argument(
        "--lens", choices=LENSES, default=Request.lens, help="what lenses may be where features solve them"
    )
    parser.add_argument(
        "--refine-depth",
        choices=REFINE_DEPTH,
        default=Request.refine_depth,
        help="make the photos' depth agree; auto: where cameras are not the network's own",
    )
    parser.add_argument("--reference-view", choices=REFERENCE_VIEWS, default=Request.reference_view)
    parser.add_argument("--no-gaussians", action="store_true")
    parser.add_argument(
        "--improve-splats", action="store_true", help="one layer of splats of all photos, made to look like them"
    )
    parser.add_argument("--rays", action="store_true", help="write the network's own ray maps, too")
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default=Request.backend,
        help="what runs the network; auto: PyTorch where it is installed, else ONNX Runtime",
    )
    parser.add_argument("--device", default=Request.device, help="auto, cpu, mps, cuda, cuda:N, directml or coreml")
    parser.add_argument("--precision", choices=PRECISIONS, default=Request.precision)


def _worker(options: argparse.Namespace) -> None:
    if options.models:
        os.environ["DA3_MODELS"] = str(options.models)
    streams = claim_streams()
    try:
        worker = import_module("model_runtime.commands.worker")
        hello = worker.make_hello()  # which loads what the worker computes with
    except (ImportError, OSError, MemoryError) as error:
        if is_out_of_memory(error):
            write_frame(streams[1], "", OUT_OF_MEMORY)
        raise
    worker.serve(*streams, hello)


def _info(_: argparse.Namespace) -> None:
    print(json.dumps(asdict(import_module("model_runtime.commands.worker").make_hello()), indent=2))


def _predict(options: argparse.Namespace) -> None:
    import_module("model_runtime.commands.predict").run(options)
