"""What the artist sets of a finished result: `collection.da3`. It acts at once, and is kept by what it acts on."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, PointerProperty

from .scene.plates import plate_of, show_plates

DEPTHS = (
    ("FRONT", "Front", "The photo lies over what the scene shows"),
    ("BACK", "Back", "The photo lies behind what the scene shows"),
)
DEPTH_NAMES = [name for name, _, _ in DEPTHS]


def _opacity(self: Any) -> float:
    return plate_of(self.id_data).opacity


def _set_opacity(self: Any, opacity: float) -> None:
    show_plates(self.id_data, plate_of(self.id_data)._replace(opacity=opacity))


def _depth(self: Any) -> int:
    return DEPTH_NAMES.index(plate_of(self.id_data).depth)


def _set_depth(self: Any, index: int) -> None:
    show_plates(self.id_data, plate_of(self.id_data)._replace(depth=DEPTH_NAMES[index]))


class DA3_Result(bpy.types.PropertyGroup):
    __annotations__ = {
        "plate_opacity": FloatProperty(
            name="Photo Opacity",
            description="How opaque the photos are that the cameras of this DA3 scene show",
            subtype="FACTOR",
            min=0,
            max=1,
            get=_opacity,
            set=_set_opacity,
        ),
        "plate_depth": EnumProperty(
            name="Photo Depth",
            description="Whether the photos lie over what the scene shows, or behind it",
            items=DEPTHS,
            get=_depth,
            set=_set_depth,
        ),
    }


def register() -> None:
    bpy.utils.register_class(DA3_Result)
    bpy.types.Collection.da3 = PointerProperty(type=DA3_Result)


def unregister() -> None:
    del bpy.types.Collection.da3
    bpy.utils.unregister_class(DA3_Result)
