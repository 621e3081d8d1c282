"""Every format, and writing some of them into a folder: all of them are there, or nothing has changed."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from model_runtime.contract.disk import put_in_place
from model_runtime.contract.messages import JobError

from . import colmap, depth, glb, npz, nuke, point_cloud, stmap, transforms, usd
from .scene import ExportScene
from .settings import ExportSettings

Writer = Callable[[ExportScene, Path, ExportSettings], None]
"""Writes its files below a folder and changes nothing else."""

FORMATS: Mapping[str, Writer] = {
    "colmap": colmap.write,
    "transforms": transforms.write,
    "nuke": nuke.write_script,
    "chan": nuke.write_chan,
    "stmap": stmap.write,
    "usd": usd.write,
    "glb": glb.write,
    "ply": point_cloud.write,
    "depth": depth.write_depth,
    "position": depth.write_position,
    "npz": npz.write,
}
PHOTOS_SHOWN = "Show at least one photo."
ANOTHER = "Choose another folder, or let what is there be replaced."


def export(
    scene: ExportScene,
    writers: Iterable[Writer],
    folder: Path,
    settings: ExportSettings | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write into `folder`, which is made where it is missing; returns the files.

    All are written beside their places first. A file that is there already is left where it is the same, and replaced
    only with `overwrite`. Raises JobError.
    """
    if not scene.cameras:
        raise JobError("export-nothing", "No photo is shown, so there is no camera to export.", PHOTOS_SHOWN)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".da3_", dir=folder) as beside:
            for write in writers:
                write(scene, Path(beside), settings or ExportSettings())
            return _put_in_place(Path(beside), folder, overwrite)
    except OSError as error:
        sentence = f"{folder} cannot be written: {error.strerror or error}."
        raise JobError("output-unwritten", sentence, "Free some space, or choose another folder.") from error


def _put_in_place(beside: Path, folder: Path, overwrite: bool) -> list[Path]:
    places = {path: folder / path.relative_to(beside) for path in sorted(beside.rglob("*")) if path.is_file()}
    changed = {path: place for path, place in places.items() if not _same(path, place)}
    in_the_way = [place for place in changed.values() if place.exists()]
    if in_the_way and not (overwrite and all(place.is_file() for place in in_the_way)):
        raise JobError("output-exists", f"{in_the_way[0]} is there already.", ANOTHER)
    for path, place in changed.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        put_in_place(path, place)
    return list(places.values())


def _same(path: Path, place: Path) -> bool:
    return place.is_file() and filecmp.cmp(path, place, shallow=False)
