"""The Gaussian-splat object: points that carry every splat, and the modifiers that choose and show them."""

from __future__ import annotations

import bpy

from model_runtime.contract.harmonics import degree_of

from ...plan.splat_cloud import SplatPlan
from ..marks import SPLAT_SOURCE
from ..meshes import add_nodes, cloud_object
from .filters import filter_group
from .lens import follow_camera
from .native import is_native, splat_data
from .stand_ins import splats_group


def write_splats(plan: SplatPlan, name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """The splats' object, linked into `collection`; of a DA3 scene, or on its own (`lone_splats`)."""
    degree = degree_of(len(plan.harmonics) + 1)
    assert degree is not None  # the plan was checked
    item, _ = cloud_object(f"{name} splats", splat_data(plan, f"{name} splats"), filter_group(), collection)
    if not is_native(item.data):
        stand_ins = add_nodes(item, splats_group(degree))
        stand_ins.show_viewport = False
        follow_camera(stand_ins)
    # Photos are lit already: splats cast no shadow and give other things no light. Mirrors and glass show them.
    item.visible_shadow = item.visible_diffuse = item.visible_volume_scatter = False
    item[SPLAT_SOURCE] = plan.source
    return item
