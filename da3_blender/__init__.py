"""Photos in, a Blender scene out: the part of DA3 that runs inside Blender.

Importing this package, or any of its modules without `bpy`, does nothing and needs no Blender.
"""


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    from .scene import cameras  # needs bpy, which importing the package must not

    cameras.register()


def unregister() -> None:
    """Called by Blender when the add-on is switched off: leaves nothing running."""
    from .scene import cameras

    cameras.unregister()
