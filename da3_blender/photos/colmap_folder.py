"""Finding and reading the files of a COLMAP model. No bpy; what is in them the worker understands.

https://colmap.github.io/format.html tells the format.
"""

from __future__ import annotations

import os
from pathlib import Path

from model_runtime.contract.messages import ColmapFile, ColmapModel, JobError

from .names import readable

INSIDE = (".", "sparse/0", "sparse", "0")
"""Where, seen from a folder somebody chose, COLMAP's programs put the model, and its undistorter."""

ENDINGS = (".bin", ".txt")
"""Where there are both, COLMAP itself takes the first."""


LARGEST = 4 << 30
"""Bytes of all lists together: ten thousand images and twenty million points."""


def read_colmap(folder: Path) -> ColmapModel:
    """The lists of cameras, images and points of the model in `folder`, or in `sparse/0` or `sparse` in it.

    Raises JobError where there is none, or a file cannot be read.
    """
    for place in INSIDE:
        for ending in ENDINGS:
            files = [folder / place / f"{name}{ending}" for name in ("cameras", "images")]
            points = folder / place / f"points3D{ending}"
            # Nothing but files: opening a pipe would wait for whoever writes to it.
            if all(map(os.path.isfile, files)):
                return _read_all([file for file in (*files, points) if os.path.isfile(file)])
    raise JobError(
        "cameras-missing",
        f"There is no COLMAP model in the folder {readable(folder)}.",
        "Choose the folder with cameras.bin and images.bin, or with cameras.txt and images.txt.",
    )


def _read_all(files: list[Path]) -> ColmapModel:
    try:
        size = sum(file.stat().st_size for file in files)
        if size <= LARGEST:
            return ColmapModel(tuple(ColmapFile(file.name, file.read_bytes()) for file in files))
    except OSError as error:
        name = readable(error.filename or files[0].parent)
        raise JobError("cameras-unreadable", f"{name} cannot be read: {error.strerror}.", "Check the file.") from error
    raise JobError(
        "cameras-unreadable",
        f"The COLMAP model in {readable(files[0].parent)} has {size / 1e9:.1f} GB; up to {LARGEST / 1e9:.1f} are read.",
        "Make a smaller model of these photos, with COLMAP's 'image_deleter' or 'point_filtering'.",
    )
