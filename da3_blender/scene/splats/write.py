"""The Gaussian-splat object: points that carry every splat, and the modifiers that choose and show them."""

from __future__ import annotations

import bpy

from ...plan.splat_cloud import SplatPlan
from ..marks import SPLAT_SOURCE
from ..meshes import add_nodes
from .filters import filter_group
from .lens import follow_scene
from .native import is_native, splat_data
from .photo_colors import LIGHT_GROUP
from .read import degree_in
from .stand_ins import splats_group


def write_splats(plan: SplatPlan, name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """The splats' object, linked into `collection`; of a DA3 scene, or on its own (`lone_splats`)."""
    item = bpy.data.objects.new(f"{name} splats", splat_data(plan, f"{name} splats"))
    collection.objects.link(item)
    add_modifiers(item)
    set_display(item)
    # Photos are lit already: splats cast no shadow and give other things no light. Mirrors and glass show them.
    item.visible_shadow = item.visible_diffuse = item.visible_volume_scatter = False
    item[SPLAT_SOURCE] = plan.source
    return item


def add_modifiers(item: bpy.types.Object) -> None:
    """Add what chooses the splats of `item` and, unless Blender does so itself, what shows them in renders."""
    add_nodes(item, filter_group())
    if not is_native(item.data):
        add_stand_ins(item)


def add_stand_ins(item: bpy.types.Object) -> None:
    stand_ins = add_nodes(item, splats_group(degree_in(item.data)))
    stand_ins.show_viewport = False
    follow_scene(stand_ins)
    item.lightgroup = item.lightgroup or LIGHT_GROUP


def set_display(item: bpy.types.Object) -> None:
    """Let 3D Views show the splats: of vertices no dots, which would lie among the splats that are drawn."""
    native, other = ("TEXTURED", "BOUNDS") if is_native(item.data) else ("BOUNDS", "TEXTURED")
    if item.display_type == other:
        item.display_type = native
