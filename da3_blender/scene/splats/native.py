"""What splats are kept in: a point cloud of Blender's own splats where it has such, else a mesh of vertices."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import bpy
import numpy as np

from ...plan.splat_cloud import SplatPlan
from ..marks import HOME, NATIVE
from ..meshes import Attribute, cloud_mesh, fill
from ..repeated import repeated_attribute
from .ranks import filter_attributes

SPLATS = "GAUSSIAN_SPLAT"
"""`PointCloud.type` of Blender's own splats, from 5.3 on."""

THINNEST = 1e-4
"""Of its longest axis: how thin a native splat is at least. Blender 5.3 draws thinner ones fainter, and those that are
flat not at all."""

NEEDED = {"position", "scale", "rotation", "radiance:base"}
"""Attributes that every splat has."""


@cache
def has_native() -> bool:
    """Whether this Blender has splats of its own, and point clouds that scripts can fill."""
    kinds, functions = bpy.types.PointCloud.bl_rna.properties, bpy.types.PointCloud.bl_rna.functions
    return "type" in kinds and SPLATS in kinds["type"].enum_items and "resize" in functions


def is_native(data: Any) -> bool:
    """Whether Blender itself shows `data` as splats."""
    return getattr(data, "type", "") == SPLATS


def is_splats(data: Any) -> bool:
    """Whether this is a mesh or point cloud with splats: an object's own data, or evaluated."""
    return isinstance(data, bpy.types.Mesh | bpy.types.PointCloud) and set(data.attributes.keys()) >= NEEDED


def splat_data(plan: SplatPlan, name: str) -> Any:
    """The data of a splat object: a point cloud or a mesh called `name`.

    Point attributes are named and laid out as Blender 5.3's own splats: position, scale (standard deviations),
    rotation (quaternion wxyz), radiance:base (degree-0 coefficients, opacity), radiance:sh_0 ... (one vector per
    higher coefficient); and confidence, view; repeated where any is; HOME, which `follow` goes by; and what
    filters go by.
    """
    attributes = {
        "scale": Attribute("FLOAT_VECTOR", "vector", plan.scale),
        "rotation": Attribute("QUATERNION", "value", plan.rotation),
        # Blender's own is a FLOAT4, which older versions cannot read; this holds the same and does the same.
        "radiance:base": Attribute("FLOAT_COLOR", "color", plan.base),
        "confidence": Attribute("FLOAT", "value", plan.confidence),
        "view": Attribute("INT", "value", plan.view),
        **repeated_attribute(plan.repeated),
        HOME: Attribute("FLOAT_VECTOR", "vector", plan.position),
        **filter_attributes(plan),
    }
    for index, coefficients in enumerate(plan.harmonics):
        attributes[f"radiance:sh_{index}"] = Attribute("FLOAT_VECTOR", "vector", coefficients)
    return cloud_of(name, plan.position, attributes)


def cloud_of(name: str, position: np.ndarray, attributes: Mapping[str, Attribute]) -> Any:
    """Data for splats called `name` with positions [G,3] and the named attributes."""
    if not has_native():
        return cloud_mesh(name, position, attributes)
    cloud: Any = bpy.data.pointclouds.new(name)
    cloud[NATIVE], cloud.type = True, SPLATS
    cloud.resize(len(position))
    kind, member, scale = attributes["scale"]
    thick = np.maximum(scale, THINNEST * scale.max(axis=1, keepdims=True, initial=0))
    fill(cloud, position, {**attributes, "scale": Attribute(kind, member, thick)})
    return cloud
