"""A result as files for other software: what is seen of it, in some formats, into one folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

from model_runtime.contract.export.formats import FORMATS, Writer, export
from model_runtime.contract.export.settings import ExportSettings
from model_runtime.contract.messages import JobError

from ..photos.header import HeaderError, read_header
from ..scene.exporting import seen_scene
from ..scene.native_export import native_writers
from ..scene.splats.files import splat_writers
from .stored_request import photo_names


def export_result(
    collection: bpy.types.Collection,
    scene: bpy.types.Scene,
    formats: Iterable[str],
    folder: Path,
    settings: ExportSettings | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the result `collection` as it is seen now into `folder`; returns the files. formats: of `writers`.

    Raises JobError; then nothing has changed.
    """
    if bpy.context.mode != "OBJECT":
        raise JobError("scene-edited", "A part of the scene is being edited.", "Go to Object Mode first.")
    known = writers(collection)
    bpy.context.view_layer.update()
    seen = seen_scene(collection, scene, bpy.context.evaluated_depsgraph_get(), original_photos(collection))
    return export(seen, [known[name] for name in formats], folder, settings, overwrite)


def writers(collection: bpy.types.Collection) -> dict[str, Writer]:
    """Every format's writer, by its name; those of Blender's own exporters in the place of others."""
    return {**FORMATS, **native_writers(collection), **splat_writers(collection)}


def original_photos(collection: bpy.types.Collection) -> dict[str, tuple[Path, bool]]:
    """By the names of the result's photos their files, those that are there, and whether these are stored turned."""
    files = {name: Path(source) for source, name in photo_names(collection).items()}
    return {name: (path, _is_turned(path)) for name, path in files.items() if path.is_file()}


def _is_turned(path: Path) -> bool:
    try:
        return read_header(path).orientation != 1
    except (OSError, HeaderError):
        return False
