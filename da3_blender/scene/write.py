"""The whole plan, written under one collection."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import bpy

from ..scene_plan import ScenePlan
from .cameras import bind_to_timeline, look_through, write_camera
from .marks import DEPTH, ID, NOTES, PART, mark
from .points import write_points
from .splats import write_splats


@dataclass(frozen=True, eq=False)
class SceneObjects:
    """What `write_scene` made. cameras: one per view, in order. points, splats: None where the plan has none."""

    collection: bpy.types.Collection
    cameras: tuple[bpy.types.Object, ...]
    points: bpy.types.Object | None
    splats: bpy.types.Object | None


def write_scene(plan: ScenePlan, scene: bpy.types.Scene) -> SceneObjects:
    """Write `plan` into `scene` under a new collection `DA3 <name>` with children Cameras, Points and Splats.

    The collection and every object carry the marks of `scene.marks`, by which they are found again.
    Also sets the scene's active camera, resolution and pixel aspect from the first view, binds one camera per frame by
    timeline markers, lets Cycles look through enough splats, and, where the plan says so, sets the `Standard` view
    transform. If Blender fails midway, what was made is taken out again before the error goes on.
    """
    made = write_parts(plan, f"DA3 {plan.name}", uuid.uuid4().hex, scene)
    describe(made.collection, plan)
    if plan.standard_view:
        scene.view_settings.view_transform = "Standard"
    first_frame = bind_to_timeline(scene, made.cameras)
    look_through(scene, made.cameras[0], first_frame)
    return made


def write_parts(plan: ScenePlan, name: str, identity: str, scene: bpy.types.Scene) -> SceneObjects:
    """Write the objects of `plan`, marked as the result `identity`, under a new collection, and change nothing else."""
    top = bpy.data.collections.new(name)
    try:
        scene.collection.children.link(top)
        top[ID] = identity
        inside = {part: _child(top, part) for part in ("Cameras", "Points", "Splats")}
        cameras = tuple(write_camera(camera, inside["Cameras"]) for camera in plan.cameras)
        points = plan.points and write_points(plan.points, plan.name, inside["Points"])
        splats = plan.splats and write_splats(plan.splats, plan.name, inside["Splats"], scene)
        for index, (item, camera) in enumerate(zip(cameras, plan.cameras, strict=True)):
            mark(item, identity, "camera", camera.name, index)
        for item, role in ((points, "points"), (splats, "splats")):
            if item is not None:
                mark(item, identity, role)
    except BaseException:
        take_out(top)
        raise
    return SceneObjects(top, cameras, points, splats)


def describe(top: bpy.types.Collection, plan: ScenePlan) -> None:
    """Write on the top collection what made it, and how far away what its cameras see typically is."""
    for key, value in plan.provenance.items():
        top[f"da3_{key}"] = value
    top[NOTES], top[DEPTH] = "\n".join(plan.notes), plan.typical_depth


def _child(parent: bpy.types.Collection, part: str) -> bpy.types.Collection:
    child = bpy.data.collections.new(part)
    child[PART] = part
    parent.children.link(child)
    return child


def take_out(top: bpy.types.Collection) -> None:
    """Remove a collection that `write_parts` made, with what is in it."""
    for item in list(top.all_objects):
        data = item.data
        bpy.data.objects.remove(item)
        if data is not None and data.users == 0:
            bpy.data.batch_remove([data])
    for child in list(top.children):
        bpy.data.collections.remove(child)
    bpy.data.collections.remove(top)
