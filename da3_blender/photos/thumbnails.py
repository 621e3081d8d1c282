"""Small pictures of photo files for the list. Blender reads them in the background as rows are drawn."""

from __future__ import annotations

from pathlib import Path

import bpy.utils.previews

_previews: list[bpy.utils.previews.ImagePreviewCollection] = []


def icon(path: str) -> int:
    """The icon number of a photo file's thumbnail; 0 where the add-on is switched off."""
    if not _previews:
        return 0
    previews = _previews[0]
    try:
        key = f"{path}:{Path(path).stat().st_mtime_ns}"
    except OSError:
        return 0
    return (previews.get(key) or previews.load(key, path, "IMAGE")).icon_id


def register() -> None:
    _previews.append(bpy.utils.previews.new())


def unregister() -> None:
    bpy.utils.previews.remove(_previews.pop())
