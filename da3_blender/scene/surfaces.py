"""Surfaces textured with photos: the fused mesh and the sheets, filled from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
import numpy as np

from ..plan.mesh_plan import SurfacePlan
from .materials import POINT_COLOR, photo_material, points_material

UV = "UVMap"


def photo_behind(camera: bpy.types.Object) -> bpy.types.Image | None:
    """The photo that a camera of a DA3 scene has behind it."""
    backgrounds = camera.data.background_images
    return backgrounds[0].image if backgrounds else None


def photo_materials(
    plans: Sequence[SurfacePlan], photos: Sequence[bpy.types.Image | None]
) -> dict[int, bpy.types.Material]:
    """A new material for every view whose photo `plans` show; photos: one per view.

    Where there is no photo, the surface's own colours.
    """
    materials = {}
    for view in sorted({view for plan in plans for view in plan.photos}):
        image = photos[view] if view >= 0 else None
        materials[view] = points_material() if image is None else photo_material(image)
    return materials


def write_surface(
    plan: SurfacePlan, name: str, materials: Mapping[int, bpy.types.Material], collection: bpy.types.Collection
) -> bpy.types.Object:
    """The object of one surface, linked into `collection`. materials: as from `photo_materials`."""
    item = bpy.data.objects.new(name, surface_mesh(plan, name, materials))
    collection.objects.link(item)
    return item


def surface_mesh(plan: SurfacePlan, name: str, materials: Mapping[int, bpy.types.Material]) -> bpy.types.Mesh:
    """The mesh of `plan`, with its UVs, its materials and the point attribute `Color`."""
    mesh = bpy.data.meshes.new(name)
    count = len(plan.triangles)
    mesh.vertices.add(len(plan.vertices))
    mesh.attributes["position"].data.foreach_set("vector", plan.vertices.ravel())
    mesh.loops.add(3 * count)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(plan.triangles, np.int32).ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
    if len(plan.photos) > 1:
        mesh.polygons.foreach_set("material_index", plan.material)
    for view in plan.photos:
        mesh.materials.append(materials[view])
    layer = mesh.uv_layers.new(name=UV, do_init=False)
    layer.uv.foreach_set("vector", np.ascontiguousarray(plan.uv, np.float32).ravel())
    rgba = np.ones((len(plan.colors), 4), np.float32)
    np.divide(plan.colors, 255, out=rgba[:, :3])
    mesh.attributes.new(POINT_COLOR, "BYTE_COLOR", "POINT").data.foreach_set("color_srgb", rgba.ravel())
    mesh.update(calc_edges=True)
    return mesh
