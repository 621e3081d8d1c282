"""Photos in, a Blender scene out: the part of DA3 that runs inside Blender.

Importing this package, or any of its modules without `bpy`, does nothing and needs no Blender.
"""

import sys
from importlib import import_module

MODULES = (
    "translation",
    "scene.viewing",
    "scene.copies",
    "scene.splats.convert",
    "scene.splats.follow",
    "scene.splats.scene_settings",
    "headless.blender_command",
    "settings",
    "result_settings",
    "photos.thumbnails",
    "timer",
    "live",
    "scene.looking",
    "drawing.viewport",
    "operators.photos",
    "operators.cameras",
    "operators.run",
    "operators.views",
    "operators.results",
    "operators.splat_pictures",
    "operators.export",
    "operators.splat_files",
    "operators.splats",
    "operators.splat_renders",
    "operators.transform",
    "operators.picking",
    "operators.projection",
    "operators.lens_groups",
    "operators.runtime",
    "operators.models",
    "operators.failures",
    "panels.preferences",
    "panels.photos",
    "panels.models",
    "panels.model",
    "panels.output",
    "panels.run",
    "panels.result",
    "panels.splats",
    "panels.status",
)
"""Modules with something to register, in this order. They need bpy, which importing the package must not."""


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    _forget_older_runtime()
    for name in MODULES:
        import_module(f".{name}", __package__).register()


def unregister() -> None:
    """Called by Blender when the add-on is switched off: leaves nothing running."""
    for name in reversed(MODULES):
        import_module(f".{name}", __package__).unregister()


def _forget_older_runtime() -> None:
    """Lets an upgraded extension load its own `model_runtime`: Blender loads the add-on anew, but not its wheels."""
    package = str(__package__)
    if package.startswith("bl_ext.") and not any(name.startswith(f"{package}.") for name in sys.modules):
        for name in [name for name in sys.modules if name.partition(".")[0] == "model_runtime"]:
            del sys.modules[name]
