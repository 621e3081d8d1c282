"""The Gaussian-splat object: vertices that carry every splat."""

from __future__ import annotations

import bpy
from model_runtime.contract.harmonics import degree_of

from ...plan.splat_cloud import SplatPlan
from ..marks import SPLAT_SOURCE
from ..meshes import Attribute, add_nodes, cloud_mesh, cloud_object
from ..repeated import repeated_attribute
from .filters import filter_group
from .stand_ins import splats_group


def write_splats(plan: SplatPlan, name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """The splats' object, linked into `collection`.

    Point attributes are named and laid out as Blender 5.3's own splats: position, scale (standard deviations),
    rotation (quaternion wxyz), radiance:base (degree-0 coefficients, opacity), radiance:sh_0 ... (one vector per
    higher coefficient); and confidence, view; repeated where any is.
    """
    # Vectors of four came with Blender 5.2; before that, a float colour holds the same four numbers untouched.
    four = "FLOAT4" if "FLOAT4" in bpy.types.Attribute.bl_rna.properties["data_type"].enum_items else "FLOAT_COLOR"
    attributes = {
        "scale": Attribute("FLOAT_VECTOR", "vector", plan.scale),
        "rotation": Attribute("QUATERNION", "value", plan.rotation),
        "radiance:base": Attribute(four, "vector" if four == "FLOAT4" else "color", plan.base),
        "confidence": Attribute("FLOAT", "value", plan.confidence),
        "view": Attribute("INT", "value", plan.view),
        **repeated_attribute(plan.repeated),
    }
    for index, coefficients in enumerate(plan.harmonics):
        attributes[f"radiance:sh_{index}"] = Attribute("FLOAT_VECTOR", "vector", coefficients)
    mesh = cloud_mesh(f"{name} splats", plan.position, attributes)
    degree = degree_of(len(plan.harmonics) + 1)
    assert degree is not None  # the plan was checked
    item, _ = cloud_object(f"{name} splats", mesh, filter_group(), collection)
    add_nodes(item, splats_group(degree)).show_viewport = False
    item[SPLAT_SOURCE] = plan.source
    return item
