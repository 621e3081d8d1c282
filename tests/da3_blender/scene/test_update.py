"""A DA3 scene that is run again changes in its own objects: what the artist made of them stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from da3_blender.plan.point_cloud import surface_mask
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from da3_blender.plan.similarity import Similarity
from da3_blender.plan.transform import transform_plan

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Euler, Matrix, Vector  # noqa: E402

from da3_blender.scene import cameras, find, projection, transform, update, visibility, write, write_scene  # noqa: E402
from da3_blender.scene.meshes import add_nodes, input_property, input_value, set_input  # noqa: E402
from da3_blender.scene.splats.native import has_native  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402

KINDS = ("collections", "objects", "meshes", "cameras", "images", "materials", "node_groups")
OTHER_WORLD = Similarity(3.0, np.array(Euler((0.2, 0.4, 1.3)).to_matrix(), np.float64), np.array([4.0, -5, 1]))
ARTIST = Matrix.LocRotScale(Vector((3, 1, -2)), Euler((0, 0, 0.7)), Vector((2, 2, 2)))


def views(room, names: str, focal: float = 520.0, detail: int = 10) -> list:
    return [
        room.view(eye=(0.6 * ord(name) - 59.0, -0.2, 1.5), name=f"{name}.jpg", focal=(focal, focal), detail=detail)
        for name in names
    ]


def splats(room, names: str, degree: int = 0):
    means = np.random.default_rng(0).normal((0, 3, 1), size=(4 * len(names), 3))
    gaussians = room.gaussians(means, degree=degree)
    return replace(gaussians, view_index=np.arange(len(means), dtype=np.int32) % len(names))


def plan(room, names: str, settings: PlanSettings | None = None, degree: int = 0, **options):
    prediction = room.prediction(*views(room, names, **options), gaussians=splats(room, names, degree))
    return plan_scene(prediction, "kitchen", settings=settings)


def datablocks() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def setting(item, name: str) -> float:
    """What the artist set on the first modifier."""
    owner, place = input_property(item.modifiers[0], name)
    return owner.value if place == "value" else owner[place[2:-2]]


def state(item) -> tuple[Any, ...]:
    """What is the artist's about an object."""
    matrix = [value for row in item.matrix_world for value in row]
    return (
        item.session_uid,
        item.name,
        item.data.name,
        item.parent,
        [modifier.name for modifier in item.modifiers],
        [material and material.name for material in item.data.materials] if item.type == "MESH" else None,
        sorted(collection.name for collection in item.users_collection),
        np.round(matrix, 4).tolist(),
        item.visible_get(),
    )


def states(collection) -> list[tuple[Any, ...]]:
    bpy.context.view_layer.update()
    return [state(item) for items in find.parts_of(collection).values() for item in items]


def reprojection(scene, collection, shown: list) -> float:
    """The farthest that a point is from the pixel it comes from, through the camera as it stands; pixels."""
    bpy.context.view_layer.update()
    (points,) = find.objects_of(collection, "points")
    mesh, worst = points.data, 0.0
    position, source = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(len(mesh.vertices), np.int32)
    mesh.attributes["position"].data.foreach_get("vector", position)
    mesh.attributes["view"].data.foreach_get("value", source)
    for index, (view, camera) in enumerate(zip(shown, find.objects_of(collection, "camera"), strict=True)):
        assert cameras.apply_camera_resolution(scene, camera) and camera["da3_view"] == view.name
        row, column = np.nonzero(surface_mask(view, 10))
        mine = position.reshape(-1, 3)[source == index]
        assert len(mine) == len(row) > 500
        expected = np.stack([column + 0.5, row + 0.5], axis=1) / view.depth.shape[::-1] * view.photo_size
        placed = [points.matrix_world @ Vector(place) for place in mine[::13]]
        seen = np.array([world_to_camera_view(scene, camera, place) for place in placed])
        pixels = np.stack([seen[:, 0] * view.photo_size[0], (1 - seen[:, 1]) * view.photo_size[1]], axis=1)
        worst = max(worst, np.abs(pixels - expected[::13]).max())
    return worst


@pytest.fixture
def kitchen(room, empty_scene):
    """A scene of three photos that an artist has gone over."""
    made: Any = write_scene(plan(room, "abc"), empty_scene)
    own = bpy.data.collections.new("my props")
    empty_scene.collection.children.link(own)
    own.objects.link(made.points)
    made.points.name, made.points.data.name = "dust", "dust data"
    made.points.data.materials.append(bpy.data.materials.new("gold"))
    made.points.modifiers.new("my smooth", "SMOOTH")
    set_input(made.points.modifiers[0], "Confidence", 0.42)
    set_input(made.splats.modifiers[0], "Splat Size", 0.7)
    made.cameras[1].name, made.cameras[1].data.name = "hero", "hero lens"
    made.collection.name = "my kitchen"
    parent = bpy.data.objects.new("handle", None)
    empty_scene.collection.objects.link(parent)
    parent.matrix_world = ARTIST
    for item in made.collection.all_objects:
        item.parent = parent
    bpy.context.view_layer.update()
    return made


def test_the_same_objects_with_other_data(room, empty_scene, kitchen):
    before, count = states(kitchen.collection), datablocks()
    points = len(kitchen.points.data.vertices)
    moved = transform_plan(plan(room, "abc", focal=500.0, detail=8), OTHER_WORLD)
    made = update_scene(moved, kitchen.collection, empty_scene)
    assert made.points == kitchen.points and made.cameras == kitchen.cameras and made.collection == kitchen.collection
    assert len(kitchen.points.data.vertices) > 1.3 * points
    assert kitchen.cameras[0].data.lens == pytest.approx(500 * 36 / 640)
    assert [row[:-2] for row in states(kitchen.collection)] == [row[:-2] for row in before]
    for row, old in zip(states(kitchen.collection), before, strict=True):
        np.testing.assert_allclose(row[-2], old[-2], atol=1e-3)
        assert row[-1] == old[-1]
    assert datablocks() == count
    assert setting(kitchen.points, "Confidence") == pytest.approx(0.42)
    assert reprojection(empty_scene, kitchen.collection, views(room, "abc", focal=500.0, detail=8)) < 0.1


def test_what_the_artist_moved_by_hand_stays_moved(room, empty_scene):
    """All parts turned and scaled together, without a parent; again and again."""
    made: Any = write_scene(plan(room, "abc"), empty_scene)
    for item in made.collection.all_objects:
        item.matrix_world = ARTIST @ item.matrix_basis
    for names in ("abc", "abcd", "bcd"):
        update_scene(transform_plan(plan(room, names), OTHER_WORLD), made.collection, empty_scene)
        assert reprojection(empty_scene, made.collection, views(room, names)) < 0.1
        assert np.linalg.norm(made.points.matrix_world.col[0]) == pytest.approx(2)


def test_more_photos(room, empty_scene, kitchen):
    kept = {camera["da3_view"]: camera for camera in kitchen.cameras}
    frames = {marker.camera.name: marker.frame for marker in empty_scene.timeline_markers}
    moved = transform_plan(plan(room, "daebc"), OTHER_WORLD)
    made = update_scene(moved, kitchen.collection, empty_scene)
    assert [camera["da3_view"][0] for camera in made.cameras] == list("daebc")
    assert all(camera == kept[camera["da3_view"]] for camera in made.cameras if camera["da3_view"] in kept)
    assert made.cameras[0].parent == kitchen.points.parent
    assert made.cameras[0].users_collection == kept["a.jpg"].users_collection
    assert reprojection(empty_scene, kitchen.collection, views(room, "daebc")) < 0.1
    after = {marker.camera.name: marker.frame for marker in empty_scene.timeline_markers}
    assert {name: after[name] for name in frames} == frames and sorted(after.values()) == [1, 2, 3, 4, 5]
    assert {item["da3_id"] for item in kitchen.collection.all_objects} == {kitchen.collection["da3_id"]}


def test_fewer_photos(room, empty_scene, kitchen):
    lamp = bpy.data.objects.new("lamp", None)
    empty_scene.collection.objects.link(lamp)
    lamp.parent, lamp.location = kitchen.cameras[0], (1, 2, 3)
    bpy.context.view_layer.update()
    place = np.array(lamp.matrix_world)
    assert empty_scene.camera == kitchen.cameras[0]
    made = update_scene(plan(room, "bc"), kitchen.collection, empty_scene)
    assert made.cameras == kitchen.cameras[1:]
    assert len(bpy.data.cameras) == len(empty_scene.timeline_markers) == 2
    assert empty_scene.camera in made.cameras
    bpy.context.view_layer.update()
    np.testing.assert_allclose(np.array(lamp.matrix_world), place, atol=1e-5)
    assert reprojection(empty_scene, kitchen.collection, views(room, "bc")) < 0.1


def test_parts_that_come_and_go(room, empty_scene, kitchen):
    count = datablocks()
    bare = replace(plan(room, "abc", PlanSettings(points=False)), splats=None)
    made = update_scene(bare, kitchen.collection, empty_scene)
    assert made.points is None and made.splats is None
    assert "dust" not in bpy.data.objects and "gold" in bpy.data.materials and len(bpy.data.meshes) == 0
    made = update_scene(plan(room, "abc", PlanSettings(sheets=True)), kitchen.collection, empty_scene)
    assert made.points is not None and made.splats is not None and len(made.surfaces) == 3
    assert made.points.parent == made.surfaces[0].parent == kitchen.cameras[0].parent
    assert not made.splats.visible_get() and made.points.visible_get()
    assert made.points.users_collection[0]["da3_part"] == "Points"
    assert reprojection(empty_scene, kitchen.collection, views(room, "abc")) < 0.1
    update_scene(plan(room, "abc"), kitchen.collection, empty_scene)
    assert datablocks() == {**count, "collections": count["collections"] + 1}  # the empty one of the sheets


def test_photos_all_others(room, empty_scene, kitchen):
    made = update_scene(plan(room, "def"), kitchen.collection, empty_scene)
    assert [camera["da3_view"][0] for camera in made.cameras] == list("def") and made.points == kitchen.points
    assert empty_scene.camera == made.cameras[0] and len(empty_scene.timeline_markers) == 3
    assert reprojection(empty_scene, kitchen.collection, views(room, "def")) < 0.1


def test_a_scaled_scene_keeps_its_size(room, empty_scene):
    made = write_scene(plan(room, "abc"), empty_scene)
    first, second = (np.array(camera.location) for camera in made.cameras[:2])
    transform.set_distance(made.collection, first, second, 7.5)
    moved = transform_plan(plan(room, "abc", detail=8), OTHER_WORLD)
    update_scene(moved, made.collection, empty_scene)
    distance = (made.cameras[0].location - made.cameras[1].location).length
    assert distance == pytest.approx(7.5, rel=1e-4)
    assert made.collection["da3_metric"] is True
    assert made.collection["da3_depth"] == pytest.approx(moved.typical_depth * 7.5 / (3 * 0.6), rel=1e-4)
    assert reprojection(empty_scene, made.collection, views(room, "abc", detail=8)) < 0.1


def test_a_metric_model_on_a_scene_that_is_not(room, empty_scene):
    made = write_scene(plan(room, "abc"), empty_scene)
    moved = transform_plan(plan(room, "abc"), OTHER_WORLD)
    moved = replace(moved, provenance={**moved.provenance, "metric": True})
    update_scene(moved, made.collection, empty_scene)
    assert not made.collection["da3_metric"]
    assert made.collection["da3_notes"].endswith("it is 3 times as large.")


def test_what_made_it_is_told_anew(room, empty_scene):
    first = plan_scene(replace(room.prediction(*views(room, "ab")), match_error=0.5, settings={"refine": True}), "a")
    made = write_scene(first, empty_scene)
    assert "da3_match_error" in made.collection and "da3_setting_refine" in made.collection
    made.collection["da3_distance_set"] = 2.0
    update_scene(plan(room, "ab"), made.collection, empty_scene)
    other = write_scene(plan(room, "ab"), empty_scene)
    assert set(made.collection.keys()) == {*other.collection.keys(), "da3_distance_set"}


def test_animated_cameras_keep_their_keyframes(room, empty_scene):
    made = write_scene(plan(room, "ab"), empty_scene)
    made.cameras[1].keyframe_insert("location", frame=1)
    made.cameras[1].animation_data.action.name = "my move"
    update_scene(plan(room, "ab"), made.collection, empty_scene)
    assert made.cameras[1].animation_data.action.name == "my move"
    assert "keep their keyframes" in made.collection["da3_notes"]
    made.cameras[1].animation_data_clear()
    update_scene(plan(room, "ab"), made.collection, empty_scene)
    assert "keyframes" not in made.collection["da3_notes"]


def test_hidden_photos_stay_hidden(room, empty_scene, kitchen):
    visibility.hide_photos(kitchen.collection, ["b.jpg"])
    kitchen.cameras[2].hide_viewport = True
    made = update_scene(plan(room, "dabc", PlanSettings(sheets=True)), kitchen.collection, empty_scene)
    assert visibility.hidden_photos(kitchen.collection) == {"b.jpg"}
    assert [camera.hide_viewport for camera in made.cameras] == [False, False, True, True]
    assert [sheet.hide_render for sheet in made.surfaces] == [False, False, True, False]
    hidden = [point.value for point in kitchen.splats.data.attributes["da3_hidden"].data]
    assert hidden == [False, False, True, False] * 4


def test_splats_of_another_degree(room, empty_scene, kitchen):
    twin = kitchen.splats.copy()
    empty_scene.collection.objects.link(twin)
    for degree in (2, 0, 1):
        update_scene(plan(room, "abc", degree=degree), kitchen.collection, empty_scene)
        names = [modifier.node_group.name for modifier in kitchen.splats.modifiers]
        stand_ins = [] if has_native() else [f"DA3 Splats degree {degree} v4"]
        assert names == ["DA3 Splat Filter v1", *stand_ins]
        assert [modifier.node_group.name for modifier in twin.modifiers] == names
        assert setting(kitchen.splats, "Splat Size") == pytest.approx(0.7)
    assert sum("Splats degree" in group.name for group in bpy.data.node_groups) == (not has_native())


def as_by_an_older_version(item) -> None:
    """Let `item` show through a group without the last input, under the name that it had then."""
    group = item.modifiers[0].node_group.copy()
    group.interface.remove(group.interface.items_tree["Keep All"])
    group.name = "DA3 Points v2"
    item.modifiers[0].node_group = group


def with_one_group(splats) -> None:
    """Let `splats` have the one modifier that filtered and showed them before version 4, with values and animation."""
    splats.modifiers.clear()
    group = bpy.data.node_groups.new("DA3 Splats degree 0 v3", "GeometryNodeTree")
    kinds = {"Shown": "Float", "Splat Size": "Float", "Face Camera": "Bool", "Keep All": "Bool"}
    for name, kind in {"Geometry": "Geometry", **kinds}.items():
        group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
        if name == "Geometry":
            group.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketGeometry")
    modifier = add_nodes(splats, group)
    for name, value in (("Shown", 1.0), ("Splat Size", 0.7), ("Face Camera", False), ("Keep All", True)):
        set_input(modifier, name, value)
    owner, place = input_property(modifier, "Shown")
    for frame, value in ((1, 1.0), (11, 0.5)):
        set_input(modifier, "Shown", value)
        owner.keyframe_insert(place, frame=frame)


@pytest.mark.skipif(has_native(), reason="older versions made vertices, which become a point cloud: test_convert.py")
def test_what_an_older_version_made_gets_todays_groups(room, empty_scene, kitchen):
    set_input(kitchen.points.modifiers[0], "Only Photo", 2)
    as_by_an_older_version(kitchen.points)
    with_one_group(kitchen.splats)
    kitchen.splats.modifiers.new("mine", "SMOOTH")
    update_scene(plan(room, "abc"), kitchen.collection, empty_scene)
    filters, shows, mine = kitchen.splats.modifiers
    names = [each.node_group.name for each in (kitchen.points.modifiers[0], filters, shows)]
    assert names == ["DA3 Points v3", "DA3 Splat Filter v1", "DA3 Splats degree 0 v4"] and mine.name == "mine"
    assert filters.show_viewport and filters.show_render and shows.show_render and not shows.show_viewport
    assert setting(kitchen.points, "Confidence") == pytest.approx(0.42) and setting(kitchen.points, "Only Photo") == 2
    assert setting(kitchen.splats, "Splat Size") == pytest.approx(0.7) and setting(kitchen.splats, "Keep All")
    assert not input_value(shows, "Face Camera")
    kitchen.splats.hide_viewport = False  # what is hidden is not animated
    empty_scene.frame_set(6)
    assert setting(kitchen.splats, "Shown") == pytest.approx(0.75)
    assert not any(old in group.name for group in bpy.data.node_groups for old in ("Points v2", "degree 0 v3"))


def test_keep_all_and_own_groups_stay(room, empty_scene, kitchen):
    set_input(kitchen.points.modifiers[0], "Keep All", True)
    own = kitchen.splats.modifiers[0].node_group = kitchen.splats.modifiers[0].node_group.copy()
    own.name = "my splats"
    update_scene(plan(room, "abc", degree=1), kitchen.collection, empty_scene)
    assert setting(kitchen.points, "Keep All") and kitchen.splats.modifiers[0].node_group == own


def image(path, color: float) -> bytes:
    made = bpy.data.images.new("source", 64, 48)
    made.pixels.foreach_set(np.tile(np.array([color, color, color, 1], np.float32), 64 * 48))
    made.filepath_raw, made.file_format = str(path), "PNG"
    made.save()
    bpy.data.images.remove(made)
    return path.read_bytes()


def test_plates_and_materials_of_sheets(room, empty_scene, tmp_path):
    def packed(names: str, color: float):
        data, shown = image(tmp_path / "plate.png", color), plan(room, names, PlanSettings(sheets=True))
        return replace(shown, cameras=tuple(replace(camera, plate=data) for camera in shown.cameras))

    made = write_scene(packed("ab", 0.2), empty_scene)
    gold = bpy.data.materials.new("gold")
    made.surfaces[0].data.materials[0] = gold
    made.surfaces[1].name = "my sheet"
    background = made.cameras[1].data.background_images[0]
    background.alpha = 0.9
    count = datablocks()
    update_scene(packed("ba", 0.8), made.collection, empty_scene)
    assert {**datablocks(), "materials": 0} == {**count, "materials": 0}
    assert background.image.pixels[0] == pytest.approx(0.8, abs=0.01) and background.image.name == "b.jpg"
    assert background.alpha == pytest.approx(0.9) and len(made.cameras[1].data.background_images) == 1
    assert made.surfaces[0].data.materials[0] == gold and made.surfaces[0]["da3_view"] == "a.jpg"
    nodes = made.surfaces[1].data.materials[0].node_tree.nodes
    assert nodes.active.image == background.image and made.surfaces[1].name == "my sheet"


def test_the_photo_itself_stays_where_a_plate_takes_its_place(room, empty_scene, tmp_path):
    """Straightened since: the artist's own image, all that the artist shows it with, and another result keep it."""
    image(tmp_path / "own.png", 0.2)
    own = bpy.data.images.load(str(tmp_path / "own.png"))
    own.pack()
    (tmp_path / "own.png").unlink()
    prediction = room.prediction(room.view(name="own.png"))
    shown = plan_scene(prediction, "kitchen", settings=PlanSettings(sheets=True), photo_images=[own.session_uid])
    made, other = (write_scene(shown, empty_scene) for _ in range(2))
    use = bpy.data.materials.new("artist")
    use.use_nodes = True
    node = use.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = own
    (camera,), (sheet,) = made.cameras, made.surfaces
    wall = bpy.data.objects.new("wall", bpy.data.meshes.new("wall"))
    projection.project_photo(camera, [wall])
    plate = replace(shown.cameras[0], plate=image(tmp_path / "plate.png", 0.8))
    count = datablocks()
    update_scene(replace(shown, cameras=(plate,)), made.collection, empty_scene)

    def brightness(material) -> float:
        return material.node_tree.nodes.active.image.pixels[0]

    assert node.image == own and own.pixels[0] == pytest.approx(0.2, abs=0.01) and own.use_fake_user
    assert other.cameras[0].data.background_images[0].image == own
    assert brightness(other.surfaces[0].data.materials[0]) == pytest.approx(0.2, abs=0.01)
    assert camera.data.background_images[0].image.pixels[0] == pytest.approx(0.8, abs=0.01)
    assert brightness(sheet.data.materials[0]) == pytest.approx(0.8, abs=0.01)
    assert brightness(wall.material_slots[0].material) == pytest.approx(0.8, abs=0.01)
    update_scene(shown, made.collection, empty_scene)
    assert camera.data.background_images[0].image == own and datablocks() == count


@pytest.mark.parametrize("broken", ["write_splats", "write_surfaces"])
def test_failure_midway_changes_nothing(room, empty_scene, kitchen, monkeypatch, broken):
    def fail(*_):
        raise RuntimeError("no memory")

    before, count = states(kitchen.collection), datablocks()
    points = len(kitchen.points.data.vertices)
    monkeypatch.setattr(write, broken, fail)
    with pytest.raises(RuntimeError, match="no memory"):
        update_scene(plan(room, "bcd", detail=8), kitchen.collection, empty_scene)
    assert states(kitchen.collection) == before and datablocks() == count
    assert len(kitchen.points.data.vertices) == points and len(empty_scene.timeline_markers) == 3


def test_refused_in_edit_mode(room, empty_scene, kitchen):
    bpy.context.view_layer.objects.active = kitchen.points
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(JobError, match="being edited"):
        update_scene(plan(room, "abc"), kitchen.collection, empty_scene)
    bpy.ops.object.mode_set(mode="OBJECT")


def test_copies_and_conversions_of_the_artist(room, empty_scene, kitchen):
    copy = kitchen.points.copy()
    empty_scene.collection.objects.link(copy)
    converted = kitchen.splats
    curve = bpy.data.objects.new("splats as text", bpy.data.curves.new("text", "FONT"))
    for key in ("da3_id", "da3_role"):
        curve[key] = converted[key]
    bpy.data.objects.remove(converted)
    empty_scene.collection.objects.link(curve)
    made = update_scene(plan(room, "abc", detail=8), kitchen.collection, empty_scene)
    assert copy.data == kitchen.points.data
    assert "da3_id" not in curve and made.splats is not None and made.splats.type in ("MESH", "POINTCLOUD")


def test_unmoved_plan_is_taken_as_it_is(room, empty_scene):
    wanted = plan(room, "ab")
    made = write_scene(wanted, empty_scene)
    same = update.brought_in_place(wanted, made.collection)
    assert same.points is wanted.points and same.splats is wanted.splats
