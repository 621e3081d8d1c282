"""`blender --command da3 PHOTOS... [--output X.blend]`: photos to a Blender scene without a window.

The options are those of `build.py scene`, and what is made is the same.
"""

from __future__ import annotations

import bpy

NAME = "da3"

_handles: list[object] = []


def run(arguments: list[str]) -> int:
    """Does what the words after `--command da3` say, and returns the exit status."""
    from . import arguments as scene_arguments
    from . import ending
    from . import scene_command as headless

    ending.end_on_signals()
    with ending.removed(bpy.app.tempdir):
        return headless.run(scene_arguments.parse_arguments(arguments, program=f"blender --command {NAME}"))


def register() -> None:
    _handles.append(bpy.utils.register_cli_command(NAME, run))


def unregister() -> None:
    bpy.utils.unregister_cli_command(_handles.pop())
