"""Animation and drivers of the add-on's modifiers that Blender 5.2 or later saved, in an older one, which looks for the
inputs of modifiers elsewhere. The other way round Blender itself sees to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from .own_groups import own_modifiers

LATER = re.compile(r'modifiers\["([^"]*)"\]\.properties\.inputs\.(\w+)\.value')


def find_inputs_again(items: Iterable[bpy.types.Object]) -> None:
    """Let what animates or drives inputs of the add-on's modifiers of `items` find them in this Blender."""
    if "properties" in bpy.types.NodesModifier.bl_rna.properties:
        return
    for item in items:
        animation = item.animation_data if item.library is None else None
        names = {modifier.name for modifier, _, _ in own_modifiers(item)} if animation else set()
        for curve in _curves(animation) if names else ():
            found = LATER.fullmatch(curve.data_path)
            if found is not None and found[1] in names:
                curve.data_path = f'modifiers["{found[1]}"]["{found[2]}"]'
                curve.is_valid = True
                if curve.driver is not None:
                    curve.driver.is_valid = True


def _curves(animation: Any) -> Iterator[Any]:
    """Those of drivers and of the action, by whichever layers this Blender has."""
    yield from animation.drivers
    action = animation.action
    if action is None or action.library is not None:
        return
    if hasattr(action, "fcurves"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves
