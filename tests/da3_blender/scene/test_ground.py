"""The ground: on the floor, under all that is shown, one for each result, and the artist's own."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.plan.ground import ground_corners
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from da3_blender.plan.upright import Floor
from model_runtime.contract.messages import JobError

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix, Vector  # noqa: E402

from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.ground import add_ground  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402
from da3_blender.scene.transform import set_distance, set_floor  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

UP = Floor(np.array([0.0, 0.0, 1.0]), 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_rectangle_on_the_floor_that_points_bear_out(room, seed):
    rng = np.random.default_rng(seed)
    turn = room.rotation_about(tuple(rng.normal(size=3)), 20)
    floor = Floor(turn[:, 2], 0.7)
    points = np.column_stack([rng.uniform(-4, 2, 500), rng.uniform(-1, 1, 500), np.zeros(500)])
    points[:300, 2] = rng.uniform(0, 2, 300)
    points[:, 2] += 0.7
    points, eyes = points @ turn.T, np.array([(3.0, 0, 1.7), (0, 0, 1.7)]) @ turn.T
    corners = ground_corners(points, eyes, (UP, floor), 3.0)
    np.testing.assert_allclose(corners @ floor.normal, 0.7, atol=1e-12)
    np.testing.assert_allclose(np.cross(corners[1] - corners[0], corners[3] - corners[0]) @ floor.normal > 0, True)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    np.testing.assert_allclose(sides[:2], sides[2:])
    everything = np.concatenate([points, eyes])
    for corner, following in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside = np.cross(floor.normal, following - corner)
        assert np.percentile((everything - corner) @ inside, 2) > 0  # but for a few strays


def test_without_a_floor_it_lies_under_the_lowest():
    points = np.random.default_rng(0).uniform((-1, -1, 2), (1, 1, 5), (1000, 3))
    points[0, 2] = -50
    corners = ground_corners(points, np.empty((0, 3)), (UP,), 1.0)
    np.testing.assert_allclose(corners[:, 2], np.percentile(points[:, 2], 1))
    assert corners[:, 2].min() > 1.9
    np.testing.assert_allclose(ground_corners(np.empty((0, 3)), np.zeros((1, 3)), (UP,), 2.0)[:, 2], 0)


def plan(room, threshold: float = 0.1):
    """The room as it is, its floor exactly at z = 0."""
    views = [room.view(eye=(x, 0, 1.6), target=(x, 3, 0), name=f"{x}.jpg", detail=20) for x in (0.0, 0.6)]
    settings = PlanSettings(upright=False, centre=False, confidence_threshold=threshold)
    return plan_scene(room.prediction(*views, source="given"), "room", settings=settings)


def world(item) -> np.ndarray:
    bpy.context.view_layer.update()
    return np.array([tuple(item.matrix_world @ vertex.co) for vertex in item.data.vertices])


def test_one_ground_on_the_floor(room, empty_scene):
    made = write_scene(plan(room), empty_scene)
    ground = add_ground(made.collection)
    assert ground.is_shadow_catcher and add_ground(made.collection) == ground
    assert [item for item in made.collection.all_objects if item.get("da3_role") == "ground"] == [ground]
    corners, points = world(ground), world(made.points)
    np.testing.assert_allclose(corners[:, 2], 0, atol=1e-6)
    low, high = np.percentile(points[:, :2], (1, 99), axis=0)
    assert (corners[:, :2].min(0) < low).all() and (corners[:, :2].max(0) > high).all()
    assert np.ptp(corners[:, :2], axis=0).max() < 2 * np.ptp(points[:, :2], axis=0).max()


def test_it_moves_with_the_rest(room, empty_scene):
    made = write_scene(plan(room), empty_scene)
    ground = add_ground(made.collection)
    before, points = world(ground), world(made.points)
    set_distance(made.collection, points[0], points[9], 3 * float(np.linalg.norm(points[0] - points[9])))
    np.testing.assert_allclose(world(ground), 3 * before, atol=1e-4)
    wall = world(made.points)
    wall = wall[wall[:, 1] > wall[:, 1].max() - 1e-3]
    chosen = wall[[wall[:, 0].argmin(), wall[:, 0].argmax(), wall[:, 2].argmax()]]
    distance = world(ground)[:, 1] - chosen[0, 1]
    set_floor(made.collection, chosen)
    np.testing.assert_allclose(world(ground)[:, 2], -distance, atol=1e-3)


@pytest.mark.parametrize("floor_set", [False, True])
def test_where_the_artist_has_moved_the_scene(room, empty_scene, floor_set):
    """On the scene's own floor, wherever that is, and on the one that was set since."""
    made = write_scene(plan(room), empty_scene)
    parent = bpy.data.objects.new("handle", None)
    empty_scene.collection.objects.link(parent)
    for item in made.collection.all_objects:
        item.parent = parent
    parent.matrix_world = Matrix.LocRotScale(Vector((1, 2, 3)), Euler((0.4, 0.1, 0.7)), Vector((2, 2, 2)))
    local = np.array([tuple(vertex.co) for vertex in made.points.data.vertices])
    on_floor = np.abs(local[:, 2]) < 1e-4
    floor = local[on_floor]
    corners = floor[[floor[:, 0].argmin(), floor[:, 0].argmax(), floor[:, 1].argmin()]]
    if floor_set:
        set_floor(made.collection, np.array([tuple(made.points.matrix_world @ Vector(c)) for c in corners]))
    ground = add_ground(made.collection)
    a, b, c, _ = world(ground)
    normal = np.cross(b - a, c - a)
    heights = (world(made.points) - a) @ (normal / np.linalg.norm(normal))
    np.testing.assert_allclose(heights[on_floor], 0, atol=1e-4)
    assert ground.parent == parent and heights.max() > 1


def test_updates_leave_it_and_removing_takes_it(room, empty_scene):
    made = write_scene(plan(room), empty_scene)
    ground = add_ground(made.collection)
    ground.location.z, ground.name = 0.1, "my ground"
    ground.data.vertices[0].co.x -= 5
    before = world(ground)
    update_scene(plan(room, 0.4), made.collection, empty_scene)
    np.testing.assert_array_equal(world(ground), before)
    assert find.objects_of(made.collection, "ground") == [ground] and ground.name == "my ground"
    remove_scene(made.collection)
    assert "my ground" not in bpy.data.objects and not bpy.data.meshes


def test_button(room, empty_scene, addon):
    made = write_scene(plan(room), empty_scene)
    identity = made.collection["da3_id"]
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.da3.add_ground("EXEC_DEFAULT", True, result=identity) == {"FINISHED"}
    assert bpy.ops.da3.show_part(result=identity, role="ground") == {"FINISHED"}
    assert bpy.data.objects["DA3 room ground"].hide_render
    bpy.ops.ed.undo()
    assert "DA3 room ground" not in bpy.data.objects
    with pytest.raises(RuntimeError, match="not in the file any more"):
        bpy.ops.da3.add_ground(result="gone")


def test_a_scene_without_objects_has_none(room, empty_scene):
    made = write_scene(plan(room), empty_scene)
    for item in list(made.collection.all_objects):
        bpy.data.objects.remove(item)
    with pytest.raises(JobError, match="has no objects any more"):
        add_ground(made.collection)
