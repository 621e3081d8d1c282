"""Finding and reading the files of a COLMAP model. No bpy; what is in them the worker understands.

https://colmap.github.io/format.html tells the format.
"""

from __future__ import annotations

from pathlib import Path

from model_runtime.messages import ColmapModel, JobError, ModelFile

INSIDE = (".", "sparse/0", "sparse", "0")
"""Where, seen from a folder somebody chose, COLMAP's programs put the model, and its undistorter."""

ENDINGS = (".bin", ".txt")
"""Where there are both, COLMAP itself takes the first."""


def read_colmap(folder: Path) -> ColmapModel:
    """The lists of cameras, images and points of the model in `folder`, or in `sparse/0` or `sparse` in it.

    Raises JobError where there is none, or a file cannot be read.
    """
    for place in INSIDE:
        for ending in ENDINGS:
            files = [folder / place / f"{name}{ending}" for name in ("cameras", "images")]
            points = folder / place / f"points3D{ending}"
            if all(file.is_file() for file in files):
                return ColmapModel(tuple(_read(file) for file in (*files, points) if file.is_file()))
    raise JobError(
        "cameras-missing",
        f"There is no COLMAP model in the folder {folder}.",
        "Choose the folder with cameras.bin and images.bin, or with cameras.txt and images.txt.",
    )


def _read(file: Path) -> ModelFile:
    try:
        return ModelFile(file.name, file.read_bytes())
    except OSError as error:
        raise JobError("cameras-unreadable", f"{file} cannot be read: {error.strerror}.", "Check the file.") from error
