"""The command `farm`: its arguments, and what it needs installed. The work is in `model_runtime.farm`."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from model_runtime.contract.messages import JobError

PACKAGE = "ray"
"""What it needs beside the worker's packages: the group `farm` of pyproject.toml."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shots", type=Path, help="a TOML file that lists the shots (docs/farm.md)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the answers, an .npz for each shot")
    parser.add_argument("--address", help="of a Ray cluster, such as auto or head:6379; this machine alone without it")


def run(options: argparse.Namespace) -> None:
    if find_spec(PACKAGE) is None:
        raise JobError("package-missing", "A farm needs Ray.", f'Install it on all machines: pip install "{PACKAGE}"')
    import_module("model_runtime.farm.command").run(options)
