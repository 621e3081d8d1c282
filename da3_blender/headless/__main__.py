"""`python -m da3_blender.headless PHOTOS... --output X.blend`: photos to a Blender scene, with this Python's bpy."""

import sys

from .ending import end_on_signals, leave, removed


def main(arguments: list[str]) -> None:
    """Makes the scene and ends the program. Bad arguments are told before Blender is loaded, which takes a second."""
    from .arguments import parse_arguments

    options = parse_arguments(arguments)
    import bpy

    from . import scene_command as headless

    with removed(bpy.app.tempdir):
        leave(headless.run(options))


if __name__ == "__main__":
    end_on_signals()
    main(sys.argv[1:])
