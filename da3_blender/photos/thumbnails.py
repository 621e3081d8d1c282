"""Small pictures of photo and video files for the list. Blender reads them in the background as rows are drawn."""

from __future__ import annotations

from pathlib import Path

import bpy.utils.previews

from model_runtime.contract.photo_kinds import VIDEO, kind_by_name

UNKNOWN_TO_BLENDER = ("HEIC", "AVIF", "RAW")

_previews: list[bpy.utils.previews.ImagePreviewCollection] = []


def icon(path: str) -> int:
    """The icon number of a photo file's thumbnail; 0 where Blender reads no such file or the add-on is off."""
    if not _previews or kind_by_name(path) in UNKNOWN_TO_BLENDER:
        return 0
    previews = _previews[0]
    try:
        key = f"{path}:{Path(path).stat().st_mtime_ns}"
    except OSError:
        return 0
    kind = "MOVIE" if kind_by_name(path) == VIDEO else "IMAGE"
    return (previews.get(key) or previews.load(key, path, kind)).icon_id


def register() -> None:
    _previews.append(bpy.utils.previews.new())


def unregister() -> None:
    bpy.utils.previews.remove(_previews.pop())
