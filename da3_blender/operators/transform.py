"""Operators that give a finished DA3 scene its scale, floor and axes, from points that are known, and a ground."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from bpy.props import FloatProperty, FloatVectorProperty, StringProperty

from model_runtime.contract.messages import JobError

from ..scene import find
from ..scene.ground import add_ground
from ..scene.marks import METRIC
from ..scene.transform import animated, set_axes, set_distance, set_floor
from ..translation import iface, rpt
from . import UNDOABLE, tell
from .views import ActsOnResult


def place(name: str, description: str) -> object:
    return FloatVectorProperty(
        name=name, description=description, size=3, subtype="TRANSLATION", options={"SKIP_SAVE", "HIDDEN"}
    )


class TransformsResult(ActsOnResult):
    __annotations__ = {
        **ActsOnResult.__annotations__,
        "item": StringProperty(
            name="Object",
            description="Object of the DA3 scene that the points are on; tells where the scene is if its objects "
            "have been moved apart",
            options={"SKIP_SAVE", "HIDDEN"},
        ),
    }

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None:
            self.report({"ERROR"}, rpt("This DA3 scene is not in the file any more"))
            return {"CANCELLED"}
        parts = find.parts_of(collection).values()
        picked = next((item for items in parts for item in items if item.name == self.item), None)
        try:
            self.apply(collection, picked)
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        if animated(collection):
            self.report({"WARNING"}, rpt("Animated objects keep their keyframes, which were made for the scene before"))
        return {"FINISHED"}


class DA3_OT_set_distance(TransformsResult, bpy.types.Operator):
    """Scale the DA3 scene so that two of its points are this far apart"""

    bl_idname = "da3.set_distance"
    bl_label = "Set Distance"
    bl_options = UNDOABLE | {"INTERNAL"}
    __annotations__ = {
        **TransformsResult.__annotations__,
        "first": place("First Point", "Where the first point is"),
        "second": place("Second Point", "Where the second point is"),
        "distance": FloatProperty(
            name="Real Distance",
            description="How far apart the two points are in reality",
            subtype="DISTANCE",
            default=1.0,
            min=0.0,
            options={"SKIP_SAVE"},
        ),
    }

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        collection = find.result(context.scene, self.result)
        if collection is not None and not collection.get(METRIC):
            text = iface("Now {distance} units, of no known length", distance=f"{self.apart:.3g}")
            self.layout.label(text=text, icon="INFO", translate=False)
        self.layout.use_property_split = True
        self.layout.prop(self, "distance")

    @property
    def apart(self) -> float:
        """Between the two points, as the scene is."""
        return float(np.linalg.norm(np.subtract(self.second, self.first)))

    def apply(self, collection: bpy.types.Collection, picked: bpy.types.Object | None) -> None:
        set_distance(collection, np.array(self.first), np.array(self.second), self.distance, picked)


class DA3_OT_set_floor(TransformsResult, bpy.types.Operator):
    """Turn and move the DA3 scene so that three of its points lie on the floor at height zero, the cameras above"""

    bl_idname = "da3.set_floor"
    bl_label = "Set Floor"
    bl_options = UNDOABLE | {"INTERNAL"}
    __annotations__ = {
        **TransformsResult.__annotations__,
        "a": place("First Point", "Where the first point of the floor is"),
        "b": place("Second Point", "Where the second point of the floor is"),
        "c": place("Third Point", "Where the third point of the floor is"),
    }

    def apply(self, collection: bpy.types.Collection, picked: bpy.types.Object | None) -> None:
        set_floor(collection, np.array([self.a, self.b, self.c]), picked)


class DA3_OT_set_axes(TransformsResult, bpy.types.Operator):
    """Turn and move the DA3 scene so that one of its points is the origin, a second lies on the x axis and a third on \
the floor at height zero, the cameras above"""

    bl_idname = "da3.set_axes"
    bl_label = "Set Origin and Axes"
    bl_options = UNDOABLE | {"INTERNAL"}
    __annotations__ = {
        **TransformsResult.__annotations__,
        "origin": place("Origin", "Where the point is that becomes the origin"),
        "along_x": place("Along X", "Where a point is that comes to lie on the x axis"),
        "floor": place("Floor", "Where a third point of the floor is"),
    }

    def apply(self, collection: bpy.types.Collection, picked: bpy.types.Object | None) -> None:
        set_axes(collection, np.array(self.origin), np.array(self.along_x), np.array(self.floor), picked)


class DA3_OT_add_ground(ActsOnResult, bpy.types.Operator):
    """Add a plane on the floor of this DA3 scene, a little larger than what its photos show, that catches shadows in \
Cycles; in EEVEE it is a plain plane. Update leaves it as it is"""

    bl_idname = "da3.add_ground"
    bl_label = "Add Ground"
    bl_options = UNDOABLE
    __annotations__ = ActsOnResult.__annotations__

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        collection = self.found(context)
        if collection is None:
            self.report({"ERROR"}, rpt("This DA3 scene is not in the file any more"))
            return {"CANCELLED"}
        try:
            add_ground(collection)
        except JobError as error:
            tell(self, error.failure)
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (DA3_OT_set_distance, DA3_OT_set_floor, DA3_OT_set_axes, DA3_OT_add_ground)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
