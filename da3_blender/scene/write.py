"""The whole plan, written under one collection."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from ..plan.mesh_plan import SurfacePlan
from ..plan.plain_names import free_name, plain_name
from ..plan.scene_plan import ScenePlan
from .cameras import write_camera
from .clip_camera import key_frames, lens_note, write_clip_camera
from .edits import remember_geometry
from .marks import DEPTH, ID, NOTES, PART, PHOTOS, RIG, mark
from .points import write_points
from .remove import remove_objects
from .splats.scene_settings import prepare_renders
from .splats.write import write_splats
from .surfaces import photo_behind, photo_materials, write_surface
from .viewing import bind, frame_shape, is_free
from .visibility import show_part

SURFACES = {"mesh": "Mesh", "sheet": "Sheets"}
"""The collection of the surfaces of each role."""


@dataclass(frozen=True, eq=False)
class SceneObjects:
    """What `write_scene` made. cameras: one per view, in order; the one of a clip. points, splats: None where the plan
    has none. surfaces: one for each of the plan's, in order."""

    collection: bpy.types.Collection
    cameras: tuple[bpy.types.Object, ...]
    points: bpy.types.Object | None
    splats: bpy.types.Object | None
    surfaces: tuple[bpy.types.Object, ...] = ()


def write_scene(
    plan: ScenePlan, scene: bpy.types.Scene, bound: bool | None = None, take_time: bool = False
) -> SceneObjects:
    """Write `plan` into `scene` under a new collection `DA3 <name>` with children Cameras, Points and Splats,
    and Mesh or Sheets where the plan has such surfaces.

    The collection and every object carry the marks of `scene.marks`, by which they are found again.
    bound: whether the photos are bound to the timeline, a frame each, and give the scene its camera and size
    (`viewing.bind`); by default where that takes nothing from the artist. Else nothing of the scene changes but, where
    the plan says so, its view transform to `Standard`. take_time: of a clip, whether it is bound in any case, with the
    scene's frames and rate. Splats are hidden where there is something else to see.
    If Blender fails midway, what was made is taken out again before the error goes on.
    """
    if bound is None:
        bound = is_free(scene) or (take_time and plan.track is not None)
    made = write_parts(plan, f"DA3 {plan.name}", uuid.uuid4().hex, scene, bound)
    describe(made.collection, plan)
    if plan.points or plan.surfaces:
        show_part(made.collection, "splats", False)
    if plan.standard_view:
        scene.view_settings.view_transform = "Standard"
    if bound:
        bind(made.collection, scene)
        if made.splats is not None:
            prepare_renders(scene)
    return made


def write_parts(plan: ScenePlan, name: str, identity: str, scene: bpy.types.Scene, bound: bool = True) -> SceneObjects:
    """Write the objects of `plan`, marked as the result `identity`, under a new collection, and change nothing else.

    bound: cameras are seen in the frame of the first of them, else in the scene's own.
    """
    top = bpy.data.collections.new(name)
    try:
        scene.collection.children.link(top)
        top[ID] = identity
        inside = {part: add_child(top, part) for part in ("Cameras", "Points", "Splats")}
        first = plan.cameras[0].camera if plan.track is None else plan.track.camera
        frame = first.shape if bound else frame_shape(scene)
        cameras, names = _write_cameras(plan, inside["Cameras"], frame, identity)
        points = plan.points and write_points(plan.points, plan.name, inside["Points"])
        splats = plan.splats and write_splats(plan.splats, plan.name, inside["Splats"])
        surfaces = write_surfaces(plan, cameras, top)
        for index, (item, name_of) in enumerate(zip(cameras, names, strict=True)):
            mark(item, identity, "camera", name_of, index)
        for item, role in ((points, "points"), (splats, "splats")):
            if item is not None:
                mark(item, identity, role)
        for item in filter(None, (points, splats, *surfaces)):
            remember_geometry(item.data)
        for item, surface in zip(surfaces, plan.surfaces, strict=True):
            photo = plan.cameras[surface.view].name if surface.role == "sheet" else ""
            mark(item, identity, surface.role, photo, surface.view)
    except BaseException:
        take_out(top)
        raise
    return SceneObjects(top, cameras, points, splats, surfaces)


def _write_cameras(
    plan: ScenePlan, collection: bpy.types.Collection, frame: float, identity: str
) -> tuple[tuple[bpy.types.Object, ...], list[str]]:
    """The cameras of photos, not yet marked, or the one of a clip, and what they show."""
    if plan.track is None:
        cameras = tuple(write_camera(camera, collection, frame) for camera in plan.cameras)
        return cameras, [camera.name for camera in plan.cameras]
    rig, camera = write_clip_camera(plan, plan.track, collection, frame)
    mark(rig, identity, RIG)
    return (camera,), [plan.track.name or plan.name]


def _photos(plan: ScenePlan, cameras: Sequence[bpy.types.Object]) -> list[bpy.types.Image | None]:
    """The image of each of the plan's views."""
    if plan.track is None:
        return [photo_behind(camera) for camera in cameras]
    return [key.image for key in key_frames(cameras[0])]


def write_surfaces(
    plan: ScenePlan, cameras: Sequence[bpy.types.Object], top: bpy.types.Collection
) -> tuple[bpy.types.Object, ...]:
    """The plan's surfaces, not yet marked, in collections inside `top`; cameras: as `write_parts` made them."""
    inside = {role: add_child(top, SURFACES[role]) for role in sorted({surface.role for surface in plan.surfaces})}
    materials = photo_materials(plan.surfaces, _photos(plan, cameras))
    items = tuple(
        write_surface(surface, _surface_name(plan, surface), materials, inside[surface.role])
        for surface in plan.surfaces
    )
    for item, surface in zip(items, plan.surfaces, strict=True):
        item.data[PHOTOS] = "\n".join(plan.cameras[view].name if view >= 0 else "" for view in surface.photos)
    return items


def _surface_name(plan: ScenePlan, surface: SurfacePlan) -> str:
    if surface.role != "sheet":
        return f"{plan.name} mesh"
    return free_name(f"{plain_name(plan.cameras[surface.view].name)}_sheet", bpy.data.objects, bpy.data.meshes)


def describe(top: bpy.types.Collection, plan: ScenePlan) -> None:
    """Write on the top collection what made it, and how far away what its cameras see typically is."""
    for key, value in plan.provenance.items():
        top[f"da3_{key}"] = value
    bent = [] if plan.track is None else filter(None, [lens_note(plan.track)])
    top[NOTES], top[DEPTH] = "\n".join((*plan.notes, *bent)), plan.typical_depth


def add_child(parent: bpy.types.Collection, part: str) -> bpy.types.Collection:
    """A new collection inside `parent` for one of its parts."""
    child = bpy.data.collections.new(part)
    child[PART] = part
    parent.children.link(child)
    return child


def take_out(top: bpy.types.Collection) -> None:
    """Remove a collection that `write_parts` made, with what is in it."""
    remove_objects(list(top.all_objects))
    for child in list(top.children):
        bpy.data.collections.remove(child)
    bpy.data.collections.remove(top)
