"""Splats look the same, and lie the same in the world, before and after what Blender does to positions alone: judged by
covariances, colours and pictures, not by how they are followed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from da3_blender.plan.splat_cloud import lone_splats  # noqa: E402
from da3_blender.scene.meshes import point_count, set_input  # noqa: E402
from da3_blender.scene.splats import follow  # noqa: E402
from da3_blender.scene.splats.native import has_native, splat_data  # noqa: E402
from da3_blender.scene.splats.read import read_splats  # noqa: E402
from da3_blender.scene.splats.write import write_splats  # noqa: E402
from model_runtime.contract import harmonics  # noqa: E402

TURN = Matrix.Rotation(0.7, 4, (1, 2, -0.5))
DIRECTIONS = np.random.default_rng(9).normal(size=(6, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)


@pytest.fixture
def scene(empty_scene):
    follow.register()
    bpy.ops.ed.undo_push(message="empty")
    yield empty_scene
    follow.unregister()


def add(scene, name: str, count: int = 60, degree: int = 1, seed: int = 0, shown: bool = False):
    """Splats about the origin, thin ones and round ones, that are selected and active. shown: with modifiers, too,
    whose node groups take a while to make."""
    random = np.random.default_rng(seed)
    rotation = random.normal(size=(count, 4))
    higher = random.normal(0, 0.2, ((degree + 1) ** 2 - 1, count, 3))
    base = np.concatenate([random.uniform(-1, 1, (count, 3)), random.uniform(0.3, 1, (count, 1))], axis=1)
    scale = random.uniform(0.02, 0.3, (count, 3)) * np.where(np.arange(count) % 3 == 0, [[1], [1], [1e-3]], 1).T[:count]
    rotation /= np.linalg.norm(rotation, axis=1, keepdims=True)
    plan = lone_splats(random.normal(size=(count, 3)), scale, rotation, base, higher)
    if shown:
        item = write_splats(plan, name, scene.collection)
    else:
        item = bpy.data.objects.new(name, splat_data(plan, name))
        scene.collection.objects.link(item)
    choose(item)
    bpy.context.view_layer.update()
    return item


def choose(*items) -> None:
    """Let these be selected, the first be active."""
    bpy.ops.object.select_all(action="DESELECT")
    for item in items:
        item.select_set(True)
    bpy.context.view_layer.objects.active = items[0]


def in_world(*items) -> dict[str, np.ndarray]:
    """Positions, covariances and colours into DIRECTIONS of all splats in the world, in an order of their opacities,
    which nothing changes."""
    bpy.context.view_layer.update()
    found: dict[str, list[np.ndarray]] = {"position": [], "covariance": [], "color": [], "opacity": []}
    for item in items:
        plan, matrix = read_splats(item.data), np.array(item.matrix_world, np.float64)
        axes = matrix[:3, :3] @ (Rotation.from_quat(plan.rotation[:, [1, 2, 3, 0]]).as_matrix() * plan.scale[:, None])
        inside = DIRECTIONS @ np.linalg.inv(matrix[:3, :3]).T
        inside /= np.linalg.norm(inside, axis=1, keepdims=True)
        degree = round((len(plan.harmonics) + 1) ** 0.5) - 1
        all_of_them = np.concatenate([plan.base[None, :, :3], plan.harmonics])
        found["position"].append(plan.position @ matrix[:3, :3].T + matrix[:3, 3])
        found["covariance"].append(axes @ axes.swapaxes(1, 2))
        found["color"].append(np.tensordot(harmonics.basis(inside, degree), all_of_them, axes=1).swapaxes(0, 1))
        found["opacity"].append(plan.base[:, 3])
    order = np.argsort(np.concatenate(found["opacity"]))
    return {name: np.concatenate(arrays)[order] for name, arrays in found.items()}


def assert_same(after: dict[str, np.ndarray], before: dict[str, np.ndarray], color: bool = True) -> None:
    for name in ("position", "covariance", "opacity", *(["color"] if color else [])):
        np.testing.assert_allclose(after[name], before[name], atol=2e-5, err_msg=name)


def image(scene, tmp_path) -> np.ndarray:
    """[H,W,4] from a fixed camera beside the splats."""
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
        scene.camera.matrix_world = Matrix.Translation((0.5, -9, 0.5)) @ Matrix.Rotation(np.pi / 2, 4, "X")
    render = scene.render
    render.engine, render.film_transparent, render.resolution_x, render.resolution_y = "CYCLES", True, 48, 36
    scene.cycles.samples = 256 if has_native() else 16
    scene.cycles.use_denoising, scene.cycles.transparent_max_bounces = False, 128
    render.image_settings.file_format, render.filepath = "OPEN_EXR", str(tmp_path / "image.exr")
    bpy.ops.render.render(write_still=True)
    picture = bpy.data.images.load(render.filepath)
    pixels = np.zeros(48 * 36 * 4, np.float32)
    picture.pixels.foreach_get(pixels)
    bpy.data.images.remove(picture)
    return pixels.reshape(36, 48, 4)


def assert_looks_the_same(after: np.ndarray, before: np.ndarray) -> None:
    """But for rounding, or, where Blender's own splats let rays through by chance, in noise of its own."""
    assert before[..., 3].max() > 0.5
    difference = np.sqrt(np.mean((after - before) ** 2))
    assert difference < (0.03 if has_native() else 1e-4)


def _transform(item, matrix: np.ndarray) -> None:
    position = item.data.attributes["position"]
    values = np.zeros(3 * len(position.data), np.float32)
    position.data.foreach_get("vector", values)
    moved = values.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    position.data.foreach_set("vector", moved.astype(np.float32).ravel())
    item.data.update_tag()


PLACES: dict[str, Matrix] = {
    "turned": Matrix.Translation((0.5, 0.2, 0.4)) @ TURN,
    "even": TURN @ Matrix.Scale(1.5, 4),
    "uneven": TURN @ Matrix.Diagonal((2, 0.5, 1, 1)),
    "mirrored": TURN @ Matrix.Diagonal((-1, 1, 1, 1)),
    "flipped": Matrix.Diagonal((-1.2, -1.2, -1.2, 1)),
}


@pytest.mark.parametrize("place", PLACES)
def test_applied_transforms(scene, place):
    item = add(scene, "a", degree=2)
    item.matrix_world = PLACES[place]
    before = in_world(item)
    assert bpy.ops.object.transform_apply() == {"FINISHED"}
    assert item.matrix_world == Matrix() or np.allclose(item.matrix_world, np.eye(4))
    assert_same(in_world(item), before, color=place != "uneven")


@pytest.mark.parametrize("place", ["uneven", "mirrored"])
def test_applied_transforms_in_pictures(scene, tmp_path, place):
    item = add(scene, "a", degree=0 if place == "uneven" else 1, shown=True)
    item.matrix_world = PLACES[place]
    before = image(scene, tmp_path)
    choose(item)
    bpy.ops.object.transform_apply()
    assert_looks_the_same(image(scene, tmp_path), before)


def test_a_sheared_object_made_straight(scene):
    item = add(scene, "a", degree=0)
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    parent.scale, item.parent, item.rotation_euler = (2, 0.6, 1), parent, (0.4, 0.8, 0.2)
    before = in_world(item)
    matrix = np.array(item.matrix_world)
    item.parent, item.matrix_world = None, Matrix()
    _transform(item, matrix)
    assert_same(in_world(item), before)


def test_joined_objects_of_other_degrees(scene, tmp_path):
    """Each turned in its own way; those of lower degree have zeros for what they had not."""
    items = [add(scene, str(index), 40 + index, degree, index, shown=True) for index, degree in enumerate((0, 2, 1))]
    for item, place in zip(items, ("turned", "even", "mirrored"), strict=True):
        item.matrix_world = Matrix.Translation((0, 0, item.matrix_world[2][3])) @ PLACES[place]
    before, shown = in_world(*items), image(scene, tmp_path)
    choose(*items)
    assert bpy.ops.object.join() == {"FINISHED"}
    (joined,) = (each for each in scene.objects if each.type != "CAMERA")
    assert point_count(joined.data) == 40 + 41 + 42
    assert_same(in_world(joined), before)
    assert_looks_the_same(image(scene, tmp_path), shown)
    if not has_native():
        assert joined.modifiers[1].node_group.name == "DA3 Splats degree 2 v4"


def test_a_duplicate_moved_and_joined_again(scene):
    first = add(scene, "a")
    second = first.copy()
    second.data = first.data.copy()
    scene.collection.objects.link(second)
    second.matrix_world = PLACES["even"]
    before = in_world(first, second)
    choose(first, second)
    bpy.ops.object.join()
    after = in_world(first)
    for name in ("position", "covariance", "color"):  # two of each opacity, in any order
        pairs = [each[name].reshape(60, 2, -1) for each in (after, before)]
        np.testing.assert_allclose(np.sort(pairs[0], axis=1), np.sort(pairs[1], axis=1), atol=2e-5)


def select_in_edit_mode(item, chosen: np.ndarray) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    action = bpy.ops.mesh if item.type == "MESH" else bpy.ops.pointcloud
    action.select_all(action="DESELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    name = ".select_vert" if item.type == "MESH" else ".selection"
    attribute = item.data.attributes.get(name) or item.data.attributes.new(name, "BOOLEAN", "POINT")
    attribute.data.foreach_set("value", chosen)
    bpy.ops.object.mode_set(mode="EDIT")


EDITS: dict[str, tuple[Callable[[], object], np.ndarray]] = {
    "turned": (
        lambda: bpy.ops.transform.rotate(value=0.8, orient_axis="Y", center_override=(0, 0, 0)),
        np.array(Matrix.Rotation(-0.8, 3, "Y")),
    ),
    "stretched": (lambda: bpy.ops.transform.resize(value=(3, 1, 0.5), center_override=(0, 0, 0)), np.diag([3, 1, 0.5])),
    "mirrored": (
        lambda: bpy.ops.transform.mirror(constraint_axis=(True, False, False), center_override=(0, 0, 0)),
        np.diag([-1, 1, 1]),
    ),
    "moved": (lambda: bpy.ops.transform.translate(value=(1, 2, 3)), np.eye(3)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_vertices_moved_in_edit_mode(scene, edit):
    item = add(scene, "a", degree=1)
    before = in_world(item)
    opacity = read_splats(item.data).base[:, 3]
    chosen = np.arange(60) % 2 == 0
    select_in_edit_mode(item, chosen)
    operate, linear = EDITS[edit]
    try:
        assert operate() == {"FINISHED"}
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
    moved = in_world(item)
    mine = np.isin(before["opacity"], opacity[chosen])
    shift = np.array([1, 2, 3]) if edit == "moved" else 0
    if edit == "turned" and not np.allclose(moved["position"][mine], before["position"][mine] @ linear.T, atol=1e-5):
        linear = linear.T  # Blender has changed its mind about the sense of it
    np.testing.assert_allclose(moved["position"][mine], before["position"][mine] @ linear.T + shift, atol=2e-5)
    np.testing.assert_allclose(moved["covariance"][mine], linear @ before["covariance"][mine] @ linear.T, atol=2e-5)
    np.testing.assert_allclose(moved["covariance"][~mine], before["covariance"][~mine], atol=0)
    if edit == "moved":
        np.testing.assert_allclose(moved["color"], before["color"], atol=0)


def test_deleted_separated_and_duplicated_splats_stay_as_they_are(scene):
    item = add(scene, "a", degree=1)
    before = in_world(item)
    chosen = np.arange(60) < 20
    opacity = read_splats(item.data).base[:, 3]
    select_in_edit_mode(item, chosen)
    action = bpy.ops.mesh if item.type == "MESH" else bpy.ops.pointcloud
    action.separate(**({"type": "SELECTED"} if item.type == "MESH" else {}))
    bpy.ops.object.mode_set(mode="OBJECT")
    parts = [each for each in scene.objects if each.type == item.type]
    assert sorted(point_count(each.data) for each in parts) == [20, 40]
    assert_same(in_world(*parts), before)
    select_in_edit_mode(item, np.arange(40) < 10)
    action.delete(**({"type": "VERT"} if item.type == "MESH" else {}))
    bpy.ops.object.mode_set(mode="OBJECT")
    rest = in_world(item)
    kept = np.isin(before["opacity"], opacity[30:])
    assert_same(rest, {name: array[kept] for name, array in before.items()})


def test_undo_and_redo_bring_back_both(scene):
    item = add(scene, "a")
    name = item.name
    item.matrix_world = PLACES["uneven"]
    before = in_world(item)
    untouched = read_splats(item.data).scale
    bpy.ops.ed.undo_push(message="placed")
    bpy.ops.object.transform_apply()
    bpy.ops.ed.undo_push(message="applied")
    applied = read_splats(item.data).scale
    assert not np.allclose(applied, untouched)
    for _ in range(2):
        bpy.ops.ed.undo()
        item = bpy.data.objects[name]
        np.testing.assert_array_equal(read_splats(item.data).scale, untouched)
        assert_same(in_world(item), before)
        bpy.ops.ed.redo()
        item = bpy.data.objects[name]
        np.testing.assert_array_equal(read_splats(item.data).scale, applied)
        assert_same(in_world(item), before, color=False)


def test_unmoved_data_is_not_written(scene, monkeypatch):
    """What only looks like a change: values of modifiers, the object moved, its data tagged."""
    item = add(scene, "a", shown=True)
    monkeypatch.setattr(follow, "_map", lambda *_: pytest.fail("splats were changed"))
    item.location = (1, 2, 3)
    set_input(item.modifiers[0], "Splat Size", 0.5)
    bpy.context.view_layer.update()
    item.data.update_tag()
    bpy.context.view_layer.update()


def test_files_are_put_right_when_they_are_opened(scene, tmp_path):
    """As one that was saved by a Blender without the add-on."""
    item = add(scene, "a")
    item.matrix_world = PLACES["even"]
    before = in_world(item)
    follow.unregister()
    try:
        bpy.ops.object.transform_apply()
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    finally:
        follow.register()
    name = item.name
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert_same(in_world(bpy.data.objects[name]), before)
