"""The commands `models` and `download`: released models without Blender, for machines that have no screen."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from model_runtime.contract.catalogue import CATALOGUE, human_size
from model_runtime.contract.model_files import list_models

LINE = "{name:26} {size:>7} {here:>9}  {licence:13} {use:18} {good_for}"


def add_download_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="as `da3-runtime models` lists it")
    parser.add_argument("--accept-licence", default="", metavar="NAME", help="the licence's name, once it is read")
    parser.add_argument("--models", type=Path, help="folder of the downloaded models, instead of DA3_MODELS")


def run_list(options: argparse.Namespace) -> None:
    models = list_models(options.models)
    print(f"{models.folder}, {human_size(models.free_bytes)} free")
    for state in models.models:
        model = CATALOGUE[state.name]
        print(
            LINE.format(
                name=model.name,
                size=human_size(state.bytes_needed),
                here="ready" if state.ready else f"{human_size(state.bytes_here)} here" if state.bytes_here else "-",
                licence=model.licence,
                use="commercial use" if model.commercial_use else "no commercial use",
                good_for=model.good_for,
            )
        )


def run_download(options: argparse.Namespace) -> None:
    report = _Progress().report
    models = import_module("model_runtime.checkpoints.downloads").download_model(
        options.name, options.accept_licence, report, folder=options.models
    )
    print(next(state.path for state in models.models if state.name == options.name))


class _Progress:
    """A line per percent, for downloads report several times a second."""

    percent = -1

    def report(self, stage: str, fraction: float, sentence: str) -> None:
        if int(100 * fraction) > self.percent:
            self.percent = int(100 * fraction)
            print(f"{self.percent:3}%  {sentence}", file=sys.stderr, flush=True)
