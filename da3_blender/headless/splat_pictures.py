"""Exact pictures of a .blend's splats from a command line, without a window.

    python -m da3_blender.headless.splat_pictures FILE.blend FOLDER [--turntable 48]

What is seen, and how, is what the file says; it stays as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .ending import end_on_signals, leave, removed
from .terminal import print_any_name

PROGRAM = "python -m da3_blender.headless.splat_pictures"


def parse_arguments(arguments: Sequence[str], program: str = PROGRAM) -> argparse.Namespace:
    """Ends the program with a sentence on bad arguments, as argparse does. Standard library only."""
    print_any_name()
    parser = argparse.ArgumentParser(prog=program, description="Exact pictures of the splats that a .blend shows.")
    parser.add_argument("file", type=Path, help="the .blend; it is not changed")
    parser.add_argument("folder", type=Path, help="where the pictures go: splats_0001.png, splats_0002.png, ...")
    parser.add_argument("--scene", help="the scene's name; the one that the file shows by default")
    parser.add_argument("--camera", help="the camera's name; the scene's by default")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--frames", type=_frames, metavar="FIRST-LAST", help="the scene's frames by default")
    what.add_argument(
        "--turntable", type=_count, metavar="COUNT", help="so many pictures on a circle around what the camera sees"
    )
    parser.add_argument("--format", choices=("png", "exr"), default="png", help="exr: linear, 32 bits a channel")
    parser.add_argument("--resolution", type=_size, metavar="WIDTHxHEIGHT", help="in pixels; the scene's by default")
    parser.add_argument("--background", type=_color, metavar="RRGGBB", help="transparent by default; 000000 is black")
    parser.add_argument("--no-meshes", action="store_true", help="do not cut out what meshes hide")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that are there already")
    options = parser.parse_args(list(arguments))
    if not options.file.is_file():
        parser.error(f"there is no file {options.file}")
    if os.path.lexists(options.folder) and not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    return options


def _frames(words: str) -> range:
    first, _, last = words.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal() or int(last or first) < int(first):
        raise argparse.ArgumentTypeError(f"{words}: give two frames, such as 1-48")
    return range(int(first), int(last or first) + 1)


def _count(words: str) -> int:
    if not words.isdecimal() or not int(words):
        raise argparse.ArgumentTypeError(f"{words}: give a number of pictures, such as 48")
    return int(words)


def _size(words: str) -> tuple[int, int]:
    width, _, height = words.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{words}: give pixels, such as 1920x1080")
    return int(width), int(height)


def _color(words: str) -> tuple[float, float, float]:
    try:
        red, green, blue = bytes.fromhex(words.removeprefix("#"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{words}: give six digits, such as 000000 for black") from None
    return red / 255, green / 255, blue / 255


def main(arguments: list[str]) -> None:
    """Draws the pictures and ends the program; bad arguments are told before Blender is loaded."""
    options = parse_arguments(arguments)
    import bpy

    from . import picture_command

    with removed(bpy.app.tempdir):
        leave(picture_command.run(options))


if __name__ == "__main__":
    end_on_signals()
    main(sys.argv[1:])
