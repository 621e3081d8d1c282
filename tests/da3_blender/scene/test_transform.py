"""A finished scene scaled and stood on its floor: everything looks the same through its cameras, again and again."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import plan_scene
from da3_blender.plan.similarity import Similarity
from model_runtime.contract import harmonics
from model_runtime.contract.messages import JobError

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Euler, Matrix, Quaternion, Vector  # noqa: E402

from da3_blender.scene import placement, visibility, write_scene  # noqa: E402
from da3_blender.scene.cameras import apply_camera_resolution  # noqa: E402
from da3_blender.scene.marks import mark  # noqa: E402
from da3_blender.scene.transform import animated, set_distance, set_floor, transform_result  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

SIZES = ((1600, 1200), (900, 1600))


@pytest.fixture
def made(room, empty_scene):
    """Two cameras, points and turned degree-2 splats, and a small mesh with a shape key."""
    rng = np.random.default_rng(5)
    quaternion = rng.normal(size=(40, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    gaussians = room.gaussians(rng.uniform((-1, 2, 0), (1, 4, 1), (40, 3)), rng.uniform(0.02, 0.3, (40, 3)), quaternion)
    gaussians = replace(gaussians, harmonics=rng.normal(0, 0.3, (40, 3, 9)).astype(np.float32))
    views = [
        room.view(eye=(0.5 * index, 0, 1.6), photo_size=size, focal=(1300.0, 1250.0), name=f"{index}.jpg", detail=50)
        for index, size in enumerate(SIZES)
    ]
    scene = write_scene(plan_scene(room.prediction(*views, gaussians=gaussians, source="given"), "room"), empty_scene)
    visibility.show_part(scene.collection, "splats", True)
    mesh = bpy.data.meshes.new("surface")
    mesh.from_pydata([(0, 3, 0), (1, 3, 0), (0, 4, 0), (1, 3, 1)], [], [(0, 1, 2), (0, 3, 1)])
    surface = bpy.data.objects.new("surface", mesh)
    scene.collection.objects.link(surface)
    mark(surface, scene.collection["da3_id"], "mesh")
    surface.shape_key_add(name="Basis")
    surface.shape_key_add(name="Raised").data[0].co = (0, 3, 0.5)
    return SimpleNamespace(**vars(scene), surface=surface, scene=empty_scene)


def local(item) -> np.ndarray:
    """[N,3] of an object's vertices or points in its own space."""
    values = np.zeros(3 * len(item.data.attributes["position"].data), np.float32)
    item.data.attributes["position"].data.foreach_get("vector", values)
    return values.reshape(-1, 3)


def attribute(item, name: str, member: str, width: int) -> np.ndarray:
    values = np.zeros(width * len(item.data.attributes[name].data), np.float32)
    item.data.attributes[name].data.foreach_get(member, values)
    return values.reshape(-1, width).astype(np.float64)


def world(item) -> np.ndarray:
    bpy.context.view_layer.update()
    return local(item) @ np.array(item.matrix_world)[:3, :3].T + np.array(item.matrix_world)[:3, 3]


def through(made, camera, points) -> np.ndarray:
    """[N,3]: pixel and distance along the view of world `points`, by Blender's own projection."""
    apply_camera_resolution(made.scene, camera)
    bpy.context.view_layer.update()
    size = np.array([made.scene.render.resolution_x, made.scene.render.resolution_y, 1])
    return np.array([world_to_camera_view(made.scene, camera, Vector(point)) for point in points]) * size


def seen(made) -> np.ndarray:
    """Pixels of every part through every camera."""
    parts = (made.points, made.splats, made.surface)
    return np.concatenate([through(made, camera, world(part)[::9])[:, :2] for camera in made.cameras for part in parts])


def radiance(made, camera) -> np.ndarray:
    """[G,3]: display colours of the splats from a camera, by the definition."""
    eye = np.array(camera.matrix_world.translation)
    sight = world(made.splats) - eye
    sight = sight @ np.array(made.splats.matrix_world.to_3x3().normalized())  # into the object's own axes
    functions = harmonics.basis(sight / np.linalg.norm(sight, axis=1, keepdims=True), 2)[:, 1:]
    bands = np.stack([attribute(made.splats, f"radiance:sh_{index}", "vector", 3) for index in range(8)], axis=1)
    return np.einsum("gk,gkc->gc", functions, bands)


def covariances(made) -> np.ndarray:
    """[G,3,3] of the splats in the world, R S S R^T with Blender's own quaternions."""
    scale = attribute(made.splats, "scale", "vector", 3)
    linear = np.array(made.splats.matrix_world.to_3x3())
    rotations = attribute(made.splats, "rotation", "value", 4)
    turns = [linear @ np.array(Quaternion(rotation).to_matrix()) for rotation in rotations]
    return np.stack([turn @ np.diag(size**2) @ turn.T for turn, size in zip(turns, scale, strict=True)])


def tilt(room) -> Similarity:
    return Similarity(1.0, room.rotation_about((1, 0.3, 0.2), 25), np.array([0.5, -0.2, 0.9]))


def three_of_the_floor(made) -> list[int]:
    """Vertices of the point cloud on the room's floor that make a wide triangle."""
    points = local(made.points)
    floor = np.flatnonzero(np.abs(points[:, 2]) < 1e-3)
    flat = points[floor]
    return [int(floor[index]) for index in (flat[:, 0].argmin(), flat[:, 0].argmax(), flat[:, 1].argmin())]


def test_two_scalings_and_two_floors(room, made):
    corners = three_of_the_floor(made)
    floor = np.flatnonzero(np.abs(local(made.points)[:, 2]) < 1e-3)
    pixels, colors = seen(made), [radiance(made, camera) for camera in made.cameras]
    before, axes = covariances(made), np.array(made.cameras[0].matrix_world.to_3x3())
    footprint = attribute(made.points, "footprint", "value", 1)
    depth = made.collection["da3_depth"]
    raised = np.array(made.surface.data.shape_keys.key_blocks["Raised"].data[0].co) - local(made.surface)[0]
    apart = np.linalg.norm(world(made.points)[3] - world(made.points)[40])
    transform_result(made.collection, tilt(room))
    for distance in (2.5, 0.04):
        set_distance(made.collection, world(made.points)[3], world(made.points)[40], distance)
        assert np.linalg.norm(world(made.points)[3] - world(made.points)[40]) == pytest.approx(distance, rel=1e-5)
        set_floor(made.collection, world(made.points)[corners])
        assert np.abs(world(made.points)[floor, 2]).max() < 1e-4 * distance
        assert all(camera.matrix_world.translation.z > 0.3 * distance / apart for camera in made.cameras)
        assert np.abs(seen(made) - pixels).max() < 0.1
        for camera, color in zip(made.cameras, colors, strict=True):
            np.testing.assert_allclose(radiance(made, camera), color, atol=2e-4)
    scale = 0.04 / apart
    turn = np.array(made.cameras[0].matrix_world.to_3x3()) @ axes.T
    np.testing.assert_allclose(covariances(made), scale**2 * turn @ before @ turn.T, atol=1e-5 * scale**2)
    np.testing.assert_allclose(attribute(made.points, "footprint", "value", 1), footprint * scale, rtol=1e-5)
    assert made.collection["da3_depth"] == pytest.approx(depth * scale, rel=1e-6)
    after = np.array(made.surface.data.shape_keys.key_blocks["Raised"].data[0].co) - local(made.surface)[0]
    assert np.linalg.norm(after) == pytest.approx(scale * np.linalg.norm(raised), rel=1e-4)
    assert made.points.matrix_basis == made.splats.matrix_basis == Matrix() == made.surface.matrix_basis


def whole_look(made) -> list[np.ndarray]:
    return [seen(made), *(radiance(made, camera) for camera in made.cameras)]


def set_and_compare(made, picked=None, tolerance=0.1) -> None:
    """Distance and floor from picked world points, with what is seen left alone."""
    corners, look = three_of_the_floor(made), whole_look(made)
    for distance in (3.0, 0.7):
        set_distance(made.collection, world(made.points)[3], world(made.points)[40], distance, picked)
        assert np.linalg.norm(world(made.points)[3] - world(made.points)[40]) == pytest.approx(distance, rel=1e-4)
        set_floor(made.collection, world(made.points)[corners], picked)
        np.testing.assert_allclose(world(made.points)[corners, 2], 0, atol=1e-4)
        assert all(camera.matrix_world.translation.z > 0 for camera in made.cameras)
        after = whole_look(made)
        assert np.abs(after[0] - look[0]).max() < tolerance
        for color, expected in zip(after[1:], look[1:], strict=True):
            np.testing.assert_allclose(color, expected, atol=5e-4)


def turned_over() -> Matrix:
    return Matrix.LocRotScale(Vector((4, -2, 1.5)), Euler((0.6, -0.3, 2.0)), Vector((1.7, 1.7, 1.7)))


def test_under_an_artists_empty(made):
    empty = bpy.data.objects.new("empty", None)
    made.scene.collection.objects.link(empty)
    empty.matrix_world = turned_over()
    for item in made.collection.all_objects:
        item.parent = empty
    made.cameras[1].matrix_parent_inverse = turned_over().inverted()  # moved first, then parented in place
    made.cameras[1].matrix_basis = turned_over() @ made.cameras[1].matrix_basis
    set_and_compare(made)
    assert all(item.parent == empty for item in made.collection.all_objects)
    np.testing.assert_allclose(np.array(empty.matrix_basis), np.array(turned_over()), atol=1e-6)
    assert made.points.matrix_basis == Matrix()


def test_as_children_by_constraint(made):
    empty = bpy.data.objects.new("empty", None)
    made.scene.collection.objects.link(empty)
    empty.matrix_world = turned_over()
    for item in made.collection.all_objects:
        item.constraints.new("CHILD_OF").target = empty
    set_and_compare(made)


def test_camera_that_is_aimed_stays_at_its_place(made):
    empty = bpy.data.objects.new("empty", None)
    made.scene.collection.objects.link(empty)
    empty.location = (5, 1, 3)
    made.cameras[1].constraints.new("TRACK_TO").target = empty
    set_distance(made.collection, (0, 0, 0), (1, 0, 0), 2.0)
    bpy.context.view_layer.update()
    place = np.array(made.cameras[1].matrix_world.translation)
    np.testing.assert_allclose(place, placement.written(made.cameras[1])[:3, 3], rtol=1e-5)
    assert not animated(made.collection)
    made.cameras[1].keyframe_insert("location")
    assert animated(made.collection) == [made.cameras[1].name]


def test_moved_as_one_by_hand(made):
    for item in made.collection.all_objects:
        item.matrix_basis = turned_over() @ item.matrix_basis
    set_and_compare(made)
    np.testing.assert_allclose(np.array(made.points.matrix_basis), np.array(turned_over()), atol=1e-4)


def test_part_moved_aside_goes_along_as_it_stands(made):
    made.splats.matrix_basis = turned_over()
    made.cameras[1].matrix_basis = turned_over() @ made.cameras[1].matrix_basis
    set_and_compare(made)
    made.points.matrix_basis = Matrix.Translation((0, 0, 2))
    splats = world(made.splats)
    set_distance(made.collection, splats[0], splats[1], 5.0, made.splats)
    after = world(made.splats)
    assert np.linalg.norm(after[0] - after[1]) == pytest.approx(5.0, rel=1e-5)


def test_hidden_and_excluded_parts_go_along(made):
    corners = three_of_the_floor(made)
    look, points, names = seen(made), world(made.points), ["0.jpg", "1.jpg"]
    visibility.hide_photos(made.collection, names)
    layer = bpy.context.view_layer.layer_collection.children[made.collection.name]
    for child in layer.children:
        child.exclude = child.name != "Points"
    for distance in (3.0, 0.7):
        bpy.context.view_layer.update()
        points = world(made.points)
        set_distance(made.collection, points[3], points[40], distance)
        set_floor(made.collection, world(made.points)[corners])
    for child in layer.children:
        child.exclude = False
    visibility.hide_photos(made.collection, [])
    assert np.abs(seen(made) - look).max() < 0.1


def test_linked_duplicates_share_one_change(made):
    copy = made.points.copy()
    copy.location = (10, 0, 0)
    made.scene.collection.objects.link(copy)
    other = made.cameras[0].copy()
    made.scene.collection.objects.link(other)
    points, clip = world(made.points), made.cameras[0].data.clip_start
    set_distance(made.collection, (0, 0, 0), (1, 0, 0), 2.0)
    np.testing.assert_allclose(world(made.points), 2 * points, rtol=1e-6)
    np.testing.assert_allclose(world(copy), 2 * (points + np.array([10, 0, 0])), rtol=1e-5, atol=1e-5)
    assert made.cameras[0].data.clip_start == pytest.approx(2 * clip)
    assert other.matrix_world == made.cameras[0].matrix_world


def test_what_is_measured_in_the_scenes_unit(made):
    camera = made.cameras[0].data
    camera.dof.focus_distance = 3.0
    start, end, size = camera.clip_start, camera.clip_end, camera.display_size
    set_distance(made.collection, (0, 0, 0), (0, 0, 2), 5.0)
    measures = [camera.clip_start / start, camera.clip_end / end, camera.display_size / size]
    assert [*measures, camera.dof.focus_distance / 3] == pytest.approx([2.5] * 4)
    set_distance(made.collection, (0, 0, 0), (0, 0, 5), 2.0)
    assert camera.clip_start == pytest.approx(start) and camera.clip_end == pytest.approx(2.5 * end)
    assert made.collection["da3_metric"] and made.collection["da3_distance_set"] == 2.0
    np.testing.assert_allclose(placement.written(made.cameras[0])[:3, 3], made.cameras[0].location, rtol=1e-5)


def test_normals_turn_along(room, made):
    mesh = made.surface.data
    wanted = np.tile((0.6, 0.0, 0.8), (len(mesh.loops), 1))
    mesh.normals_split_custom_set(wanted.tolist())
    motion = tilt(room)
    transform_result(made.collection, Similarity(3.0, motion.rotation, motion.translation))
    normals = np.zeros(3 * len(mesh.loops), np.float32)
    mesh.corner_normals.foreach_get("vector", normals)
    np.testing.assert_allclose(normals.reshape(-1, 3), wanted @ motion.rotation.T, atol=1e-3)
    np.testing.assert_allclose(mesh.polygons[0].normal, motion.rotation @ (0, 0, 1), atol=1e-6)


def test_refused_before_anything_changes(made):
    before = [local(made.points), np.array(made.cameras[0].matrix_basis), made.collection["da3_depth"]]

    def refused(told: str, action, *arguments) -> None:
        with pytest.raises(JobError, match=told):
            action(made.collection, *arguments)
        after = [local(made.points), np.array(made.cameras[0].matrix_basis), made.collection["da3_depth"]]
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old, new)
        assert "da3_distance_set" not in made.collection

    refused("same", set_distance, (1, 0, 0), (1, 0, 0), 2.0)
    refused("one line", set_floor, [(0, 0, 0), (1, 0, 0), (2, 0, 0)])
    made.points.scale = (1, 1, 2)
    refused("unevenly", set_floor, [(0, 0, 0), (1, 0, 0), (0, 1, 0.5)])
    made.points.scale = (0, 0, 0)
    refused("scaled to nothing", set_distance, (0, 0, 0), (1, 0, 0), 2.0)
    made.points.scale = (1, 1, 1)
    bpy.context.view_layer.objects.active = made.surface
    bpy.ops.object.mode_set(mode="EDIT")
    refused("being edited", set_distance, (0, 0, 0), (1, 0, 0), 2.0)
    bpy.ops.object.mode_set(mode="OBJECT")


def test_scene_without_objects_is_refused(empty_scene):
    top = bpy.data.collections.new("DA3 empty")
    top["da3_id"] = "0"
    with pytest.raises(JobError, match="no objects"):
        set_distance(top, (0, 0, 0), (1, 0, 0), 2.0)


@pytest.mark.skipif(bpy.app.version < (4, 5, 0), reason="this Blender converts nothing to point clouds")
def test_points_made_a_real_point_cloud(made):
    bpy.context.view_layer.objects.active = made.points
    made.points.select_set(True)
    made.points.modifiers.clear()
    bpy.ops.object.convert(target="POINTCLOUD")
    cloud = bpy.context.view_layer.objects.active
    assert isinstance(cloud.data, bpy.types.PointCloud) and cloud["da3_role"] == "points"
    before = np.array([tuple(item.vector) for item in cloud.data.attributes["position"].data])
    set_distance(made.collection, (0, 0, 0), (1, 0, 0), 2.0)
    after = np.array([tuple(item.vector) for item in cloud.data.attributes["position"].data])
    np.testing.assert_allclose(after, 2 * before, rtol=1e-6)


def test_scale_and_floor_outlast_an_update(room, made):
    corners = three_of_the_floor(made)
    set_distance(made.collection, world(made.points)[3], world(made.points)[40], 3.0)
    set_floor(made.collection, world(made.points)[corners] + [(0, 0, 0), (0, 0, 0), (0, 0, 0.2)])
    points, places = world(made.points), [np.array(camera.matrix_world) for camera in made.cameras]
    views = [
        room.view(eye=(0.5 * index, 0, 1.6), photo_size=size, focal=(1300.0, 1250.0), name=f"{index}.jpg", detail=50)
        for index, size in enumerate(SIZES)
    ]
    update_scene(plan_scene(room.prediction(*views, source="given"), "room"), made.collection, made.scene)
    np.testing.assert_allclose(world(made.points), points, atol=1e-4)
    for camera, place in zip(made.cameras, places, strict=True):
        np.testing.assert_allclose(np.array(camera.matrix_world), place, atol=1e-4)
    assert made.collection["da3_metric"] and made.collection["da3_distance_set"] == 3.0
