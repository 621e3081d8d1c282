"""What a node group cannot see of the scene, told to it by drivers: how wide the active camera looks, the size of a
pixel, and whether splats blend as displayed.

Their expressions are of the simple kind that Blender evaluates without Python, so they also work in files whose scripts
may not run, and where the add-on is not there.
"""

from __future__ import annotations

import re

import bpy

from ..marks import DISPLAYED
from ..meshes import input_property

FRAME, PIXEL, SHIFT, PERSPECTIVE, DISPLAY = "Frame", "Pixel", "Lens Shift", "Perspective", "Display Colors"
"""Inputs of the stand-ins' group. Half the picture's width and height, a pixel's, and how far the picture's middle is
off the axis, all at distance 1; whether it is a perspective camera; and whether colours are given off as displayed."""

_PATHS = {
    "kind": "camera.data.type",
    "fit": "camera.data.sensor_fit",
    "sw": "camera.data.sensor_width",
    "sh": "camera.data.sensor_height",
    "f": "camera.data.lens",
    "sx": "camera.data.shift_x",
    "sy": "camera.data.shift_y",
    "w": "render.resolution_x",
    "h": "render.resolution_y",
    "ax": "render.pixel_aspect_x",
    "ay": "render.pixel_aspect_y",
    "p": "render.resolution_percentage",
    "d": f'["{DISPLAYED}"]',
}
_WIDE = "(fit == 1 or (fit == 0 and w*ax >= h*ay))"
_LARGER = f"(sh if fit == 2 else sw) / f * (1 if {_WIDE} else w*ax / (h*ay))"
"""The picture's width at distance 1: the sensor is fitted to the width, or to the height."""
_TALLER = f"(sh if fit == 2 else sw) / f * (h*ay / (w*ax) if {_WIDE} else 1)"
_FITTED = "(sh if fit == 2 else sw) / f"

EXPRESSIONS: dict[str, tuple[str, ...]] = {
    FRAME: (f"{_LARGER} / 2", f"{_TALLER} / 2"),
    PIXEL: (f"{_LARGER} / w / p * 100", f"{_TALLER} / h / p * 100"),
    SHIFT: (f"{_FITTED} * sx", f"{_FITTED} * sy"),
    PERSPECTIVE: ("1 if kind == 0 else 0",),
    DISPLAY: ("d",),
}


def follow_scene(modifier: bpy.types.NodesModifier) -> None:
    """Let the inputs of `modifier`, stand-ins of splats, follow the scene it is in. Again does no harm."""
    for name, expressions in EXPRESSIONS.items():
        owner, place = input_property(modifier, name)
        for index, expression in enumerate(expressions):
            channel = -1 if len(expressions) == 1 else index
            owner.driver_remove(place, channel)
            _drive(owner.driver_add(place, channel).driver, expression)


def _drive(driver: bpy.types.Driver, expression: str) -> None:
    driver.type = "SCRIPTED"
    for name in set(re.findall("[a-z]+", expression)) & _PATHS.keys():
        variable = driver.variables.new()
        variable.name, variable.type = name, "CONTEXT_PROP"
        variable.targets[0].context_property = "ACTIVE_SCENE"
        variable.targets[0].data_path = _PATHS[name]
        variable.targets[0].use_fallback_value = True  # scenes without a camera, or without the mark
        variable.targets[0].fallback_value = float(name == "f")  # a lens is divided by
    driver.expression = expression
