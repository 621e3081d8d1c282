"""The command `convert-splats`: a file of Gaussian splats as one of another format."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np

from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files.axes import TO_Z_UP, from_z_up, to_z_up
from model_runtime.contract.splat_files.files import axes_of, read_splats, write_splats
from model_runtime.contract.splat_files.suffixes import SPZ_VERSIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, help="a .ply, .spz, .sog or .splat file, or the meta.json of a SOG")
    parser.add_argument("output", type=Path, help="the .ply, .spz, .glb or .usda file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the output where it is there already")
    parser.add_argument("--spz-version", type=int, choices=SPZ_VERSIONS, default=3, help="of an .spz output")
    for which in ("input", "output"):
        parser.add_argument(f"--{which}-axes", choices=tuple(TO_Z_UP), help="other axes than the format's own")


def run(options: argparse.Namespace) -> None:
    """Raises JobError."""
    if options.output.exists() and not options.overwrite:
        raise JobError("output-exists", f"{options.output} is there already.", "Give --overwrite to replace it.")
    found = read_splats(options.input, decode_webp)
    splats = to_z_up(found.splats, options.input_axes or found.axes)
    write_splats(options.output, from_z_up(splats, options.output_axes or axes_of(options.output)), options.spz_version)
    left_out = f"; {splats.left_out} left out, since their numbers are none" if splats.left_out else ""
    print(f"{options.output}: {len(splats)} splats, colors of degree {splats.degree}{left_out}")


def decode_webp(data: bytes) -> np.ndarray:
    """[H,W,4] uint8, as of `sog.DecodeWebp`; [0,0,4] where it cannot be read."""
    from PIL import Image  # late: the other commands are not to wait for it

    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            return np.asarray(image.convert("RGBA"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return np.empty((0, 0, 4), np.uint8)
