"""`blender --command da3 PHOTOS... [--output X.blend]`: photos to a Blender scene without a window.

The options are those of `build.py scene`, and what is made is the same. The worker is that of the preferences where
the options name none.
"""

from __future__ import annotations

import shlex
import sys

import bpy

from model_runtime.messages import JobError

NAME = "da3"

_handles: list[object] = []


def run(arguments: list[str]) -> int:
    """Does what the words after `--command da3` say, and returns the exit status."""
    from . import headless, jobs, scene_arguments

    options = scene_arguments.parse_arguments(arguments, program=f"blender --command {NAME}")
    if not (options.python or options.worker):
        try:
            options.worker = shlex.join(jobs.worker_command())
        except JobError as error:
            print(f"{error.failure.code}: {error}\n{error.failure.advice}", file=sys.stderr)
            return 1
    return headless.run(options)


def register() -> None:
    _handles.append(bpy.utils.register_cli_command(NAME, run))


def unregister() -> None:
    bpy.utils.unregister_cli_command(_handles.pop())
