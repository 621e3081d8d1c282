"""What the filters of splats leave, against numpy's own reckoning of the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import plan_scene

bpy = pytest.importorskip("bpy")

from mathutils import Matrix, Quaternion  # noqa: E402

from da3_blender.plan.similarity import Similarity  # noqa: E402
from da3_blender.plan.splat_cloud import lone_splats  # noqa: E402
from da3_blender.scene import remove, transform, visibility, write_scene  # noqa: E402
from da3_blender.scene.find import parts_of  # noqa: E402
from da3_blender.scene.meshes import input_property, input_value, read_attribute, set_input  # noqa: E402
from da3_blender.scene.splats import crop_boxes  # noqa: E402
from da3_blender.scene.splats.filters import filter_of  # noqa: E402
from da3_blender.scene.splats.write import write_splats  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

COUNT = 4000


@pytest.fixture
def plan():
    """Splats all over a cube four wide, of every size and opacity."""
    rng = np.random.default_rng(5)
    made = lone_splats(
        rng.uniform(-2, 2, (COUNT, 3)),
        rng.uniform(0.001, 0.1, (COUNT, 3)),
        np.tile((1.0, 0, 0, 0), (COUNT, 1)),
        rng.random((COUNT, 4)),
        np.zeros((0, COUNT, 3)),
    )
    return replace(
        made,
        confidence=rng.permutation(COUNT).astype(np.float32),
        repeated=rng.random(COUNT) < 0.2,
        floater=rng.random(COUNT).astype(np.float32),
    )


@pytest.fixture
def splats(plan, empty_scene):
    item = write_splats(plan, "dust", empty_scene.collection)
    item.matrix_world = Matrix.LocRotScale((1, 2, 3), Quaternion((0.9, 0.1, 0.3, 0.2)).normalized(), (2, 2, 2))
    return item


def left(item) -> np.ndarray:
    """Positions [N,3] of the splats that show, as the viewport and the exporters find them."""
    data = item.evaluated_get(evaluated()).data
    return read_attribute(data.attributes, "position", "vector", 3)


def evaluated():
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    return graph


def same(positions: np.ndarray, expected: np.ndarray) -> None:
    assert len(positions) == len(expected)
    np.testing.assert_array_equal(positions[np.lexsort(positions.T)], expected[np.lexsort(expected.T)])


def put(item, **values) -> None:
    for name, value in values.items():
        set_input(filter_of(item), name.replace("_", " "), value)


def test_thresholds(plan, splats):
    assert len(left(splats)) == (~plan.repeated).sum()
    put(splats, Keep_All=True)
    assert len(left(splats)) == COUNT
    put(splats, Least_Opacity=0.4)
    kept = plan.base[:, 3] >= np.float32(0.4)
    same(left(splats), plan.position[kept])
    size = plan.scale.max(axis=1)
    put(splats, Smallest_Size=0.5, Largest_Size=1.2)
    kept &= (size >= 0.5 * np.median(size)) & (size <= 1.2 * np.median(size))
    same(left(splats), plan.position[kept])
    put(splats, Hide_Floaters=0.25)
    kept &= plan.floater <= 0.75
    same(left(splats), plan.position[kept])
    assert 0 < kept.sum() < 2000
    put(splats, Confidence=0.3)
    once = np.sort(plan.confidence[~plan.repeated])
    kept &= np.searchsorted(once, plan.confidence, side="right") / len(once) > 0.3
    same(left(splats), plan.position[kept])


def test_thinning_is_exact_nested_and_grows_what_stays(plan, splats):
    put(splats, Keep_All=True)
    before, area = set(), []
    for share in (0.1, 0.25, 0.5, 1.0):
        put(splats, Shown=share)
        data = splats.evaluated_get(evaluated()).data
        scale = read_attribute(data.attributes, "scale", "vector", 3)
        assert len(scale) == pytest.approx(share * COUNT, abs=1)
        area.append(np.square(scale).sum())
        now = set(map(tuple, left(splats).tolist()))
        assert before <= now
        before = now
    np.testing.assert_array_equal(scale, plan.scale)
    # What goes leaves its area to what stays, of which there would else be a tenth, a quarter, a half.
    area = np.array(area) / area[-1]
    assert (area > 0.9).all() and (area < 1.3).all()
    put(splats, At_Most=123)
    most = left(splats)
    assert len(most) == 123 and set(map(tuple, most.tolist())) <= before
    put(splats, Splat_Size=0.5, Shown=1.0, At_Most=0)
    scale = read_attribute(splats.evaluated_get(evaluated()).data.attributes, "scale", "vector", 3)
    np.testing.assert_allclose(scale, plan.scale / 2, rtol=1e-6)


def test_splats_of_others_are_not_hidden(splats):
    """Without the attributes that filters go by, and with thinning by chance."""
    for name in ("confidence_rank", "da3_floater", "da3_rank", "da3_alone", "repeated"):
        splats.data.attributes.remove(splats.data.attributes[name])
    put(splats, Confidence=0.9, Hide_Floaters=0.9)
    assert len(left(splats)) == COUNT
    put(splats, Shown=0.5)
    assert len(left(splats)) == pytest.approx(COUNT / 2, abs=150)


def within_box(item, box, positions: np.ndarray) -> np.ndarray:
    bpy.context.view_layer.update()
    matrix = np.linalg.inv(np.array(box.matrix_world)) @ np.array(item.matrix_world)
    return (np.abs(positions @ matrix[:3, :3].T + matrix[:3, 3]) <= 1).all(axis=1)


def test_boxes_keep_and_remove(plan, splats):
    put(splats, Keep_All=True)
    first = crop_boxes.add_box(splats, True)
    assert len(left(splats)) == COUNT, "a new box holds all"
    first.matrix_world = Matrix.LocRotScale(
        (1, 2, 3), Quaternion((0.7, 0.5, 0.1, 0.4)).normalized(), (2.5, 1.0, -1.5)
    )  # mirrored, too
    kept = within_box(splats, first, plan.position)
    same(left(splats), plan.position[kept])
    second = crop_boxes.add_box(splats, True, plan.position[:40])
    second.matrix_world = Matrix.LocRotScale((2, 3, 2), Quaternion((0.9, 0.1, 0.1, 0.4)).normalized(), (2.0, 2.0, 0.5))
    kept |= within_box(splats, second, plan.position)
    same(left(splats), plan.position[kept])
    cut = crop_boxes.add_box(splats, False)
    gone = within_box(splats, cut, plan.position)
    assert 0 < gone.mean() < 0.1
    same(left(splats), plan.position[kept & ~gone])
    for box in (first, second, cut):
        assert box.hide_render and box.display_type == "WIRE" and box.parent == splats
        box.hide_viewport = True
    same(left(splats), plan.position[kept & ~gone])
    crop_boxes.add_crops(splats, False, [second])
    assert [keep for _, keep in crop_boxes.crops_of(splats)] == [True, False, False]
    outside = ~within_box(splats, second, plan.position) & ~gone
    same(left(splats), plan.position[within_box(splats, first, plan.position) & outside])
    for box in (first, second, cut):
        crop_boxes.drop_crop(splats, box)
    assert len(left(splats)) == COUNT and not [each for each in bpy.data.objects if each != splats]


def corner(flipped: bool):
    """A closed mesh in the form of an L: three of the four quarters of a square, two high."""
    outline = np.array([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)], float)
    vertices = [(*point, z) for z in (-1, 1) for point in outline]
    sides = [(i, (i + 1) % 6, (i + 1) % 6 + 6, i + 6) for i in range(6)]
    faces = [tuple(range(5, -1, -1)), tuple(range(6, 12)), *sides]
    mesh = bpy.data.meshes.new("L")
    mesh.from_pydata(vertices, [], [face[::-1] for face in faces] if flipped else faces)
    return mesh


@pytest.mark.parametrize("flipped", [False, True])
def test_meshes_that_are_not_convex(plan, splats, empty_scene, flipped):
    put(splats, Keep_All=True)
    item = bpy.data.objects.new("L", corner(flipped))
    empty_scene.collection.objects.link(item)
    item.matrix_world = Matrix.LocRotScale((1.2, 2, 3), Quaternion((0.8, 0.1, 0.3, 0.3)).normalized(), (2, 2.5, 2))
    crop_boxes.add_crops(splats, True, [item])
    bpy.context.view_layer.update()
    matrix = np.linalg.inv(np.array(item.matrix_world)) @ np.array(splats.matrix_world)
    x, y, z = (plan.position @ matrix[:3, :3].T + matrix[:3, 3]).T
    inside = (np.abs(x) <= 1) & (np.abs(y) <= 1) & (np.abs(z) <= 1) & ~((x > 0) & (y < 0))
    same(left(splats), plan.position[inside])
    crop_boxes.drop_crop(splats, item)
    assert item.name in empty_scene.objects and len(left(splats)) == COUNT


def room_plan(room, count: int = 3, **options):
    rng = np.random.default_rng(1)
    gaussians = room.gaussians(rng.uniform((-1, 2, 0), (1, 4, 2), (300, 3)), 0.05)
    views = [room.view(name=name, **options) for name in "abc"[:count]]
    return plan_scene(room.prediction(*views, gaussians=gaussians), "kitchen")


@pytest.fixture
def kitchen(room, empty_scene):
    made = write_scene(room_plan(room), empty_scene)
    visibility.show_part(made.collection, "splats", True)
    return made


def test_update_keeps_what_was_set(room, empty_scene, kitchen):
    box = crop_boxes.add_box(kitchen.splats, True)
    box.scale *= 0.5
    put(kitchen.splats, Shown=0.5, Least_Opacity=0.1, Hide_Floaters=0.2, At_Most=60)
    before = left(kitchen.splats)
    assert 10 < len(before) <= 60
    update_scene(room_plan(room), kitchen.collection, empty_scene)
    same(left(kitchen.splats), before)
    modifier = filter_of(kitchen.splats)
    assert input_value(modifier, "Hide Floaters") == pytest.approx(0.2)
    assert crop_boxes.crops_of(kitchen.splats) == [(box, True)]


def test_crops_go_with_the_scene(room, kitchen):
    box = crop_boxes.add_box(kitchen.splats, True)
    box.scale *= 0.5
    count, inside = len(left(kitchen.splats)), kitchen.splats.data
    assert 0 < count < 300
    turn = Similarity(3.0, room.rotation_about((1, 2, 3), 50), np.array((5.0, 6.0, 7.0)))
    transform.transform_result(kitchen.collection, turn)
    assert len(left(kitchen.splats)) == count and kitchen.splats.data == inside
    remove.remove_scene(kitchen.collection)
    assert not bpy.data.objects and not bpy.data.collections


def test_values_are_animated_and_undone(splats):
    bpy.context.preferences.edit.use_global_undo = True
    name = splats.name
    owner, place = input_property(filter_of(splats), "Shown")
    for frame, value in ((1, 1.0), (11, 0.5)):
        set_input(filter_of(splats), "Shown", value)
        owner.keyframe_insert(place, frame=frame)
    put(splats, Keep_All=True)
    bpy.context.scene.frame_set(6)
    assert len(left(splats)) == pytest.approx(0.75 * COUNT, abs=1)
    bpy.ops.ed.undo_push(message="before")
    put(splats, Least_Opacity=1.0)
    crop_boxes.add_box(splats, True)
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    splats = bpy.data.objects[name]
    assert len(left(splats)) == pytest.approx(0.75 * COUNT, abs=1) and crop_boxes.crops_of(splats) == []


def test_photos_are_hidden_in_exports_alike(kitchen):
    assert len(left(kitchen.splats)) == 300
    visibility.hide_photos(kitchen.collection, ["a"])
    assert len(left(kitchen.splats)) == 0
    assert parts_of(kitchen.collection)["splats"] == [kitchen.splats]
