"""Finding and reading the files of a COLMAP model. No bpy; what is in them the worker understands.

https://colmap.github.io/format.html tells the format.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from model_runtime.contract.colmap_files import ColmapFileError, read_images
from model_runtime.contract.messages import ColmapFile, ColmapModel, JobError

from .names import readable

ROOTS = ("sparse", "colmap/sparse", ".")
"""Where, seen from the folder of a project, COLMAP's programs put a model (its undistorter) or several that have no
photo in common, in folders 0, 1, ...; nerfstudio's second."""

ENDINGS = (".bin", ".txt")
"""Where there are both, COLMAP itself takes the first."""


LARGEST = 4 << 30
"""Bytes of all lists together: ten thousand images and twenty million points."""


def read_colmap(folder: Path, photos: Sequence[str] = ()) -> ColmapModel:
    """The lists of cameras, images and points of the model in `folder`, or else of that in its `sparse/0`, `sparse`,
    `colmap/sparse/0` or `0`; where there is a `sparse/1` as well, of the one with most of the photos of these names.

    Raises JobError where there is none, or a file cannot be read.
    """
    models = [files for files in [_files(folder)] if files] or _inside(folder)
    if not models:
        raise JobError(
            "cameras-missing",
            f"There is no COLMAP model in the folder {readable(folder)}.",
            "Choose the folder with cameras.bin and images.bin, or with cameras.txt and images.txt.",
        )
    if len(models) == 1:
        return _read_all(models[0])
    files = max(models, key=lambda files: _found(files[1], photos))
    return _read_all(files, readable(files[0].parent.relative_to(folder.parent)))


def _inside(folder: Path) -> list[list[Path]]:
    """The files of the models in the first of ROOTS that has any, in the order of their numbers."""
    for root in (folder / place for place in ROOTS):
        try:
            numbers = sorted(
                (name for name in os.listdir(root) if name.isdecimal()), key=lambda name: (len(name), name)
            )
        except (OSError, ValueError):
            continue
        models = [_files(place) for place in (*(root / number for number in numbers), root)]
        if any(models):
            return [files for files in models if files]
    return []


def _files(folder: Path) -> list[Path]:
    """Its lists of cameras, images and, where there are any, points; empty where it holds no model."""
    for ending in ENDINGS:
        files = [folder / f"{name}{ending}" for name in ("cameras", "images", "points3D")]
        # Nothing but files: opening a pipe would wait for whoever writes to it.
        if all(map(os.path.isfile, files[:2])):
            return [file for file in files if os.path.isfile(file)]
    return []


def _found(images: Path, photos: Sequence[str]) -> int:
    """How many of the photos a list of images seems to have, by the last parts of their names."""
    try:
        if images.stat().st_size > LARGEST:
            return 0
        names = {_last_part(image.name) for image in read_images(images.read_bytes(), images.suffix)}
    except (OSError, ColmapFileError):
        return 0
    return sum(_last_part(photo) in names for photo in photos)


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _read_all(files: list[Path], chosen: str = "") -> ColmapModel:
    try:
        size = sum(file.stat().st_size for file in files)
        if size <= LARGEST:
            return ColmapModel(tuple(ColmapFile(file.name, file.read_bytes()) for file in files), chosen)
    except OSError as error:
        name = readable(error.filename or files[0].parent)
        raise JobError("cameras-unreadable", f"{name} cannot be read: {error.strerror}.", "Check the file.") from error
    raise JobError(
        "cameras-unreadable",
        f"The COLMAP model in {readable(files[0].parent)} has {size / 1e9:.1f} GB; up to {LARGEST / 1e9:.1f} are read.",
        "Make a smaller model of these photos, with COLMAP's 'image_deleter' or 'point_filtering'.",
    )
