"""Copies of a DA3 scene are scenes of their own: what is done to one leaves the other alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from da3_blender.scene import find, visibility, write_scene  # noqa: E402
from da3_blender.scene.copies import settle_copies  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402
from da3_blender.scene.transform import set_distance  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402


@pytest.fixture
def original(kitchen_plan, empty_scene):
    collection = write_scene(kitchen_plan, empty_scene).collection
    bpy.context.view_layer.update()  # as before it is drawn
    return collection


def state(collection) -> SimpleNamespace:
    """What a result holds, as numbers."""
    parts = find.parts_of(collection)
    items = [item for each in parts.values() for item in each]
    return SimpleNamespace(
        names=[item.name for item in items],
        places=np.array([item.matrix_basis for item in items]),
        corners=np.array([item.bound_box for item in items if item.type == "MESH"]),
        metric=bool(collection["da3_metric"]),
    )


def same(a, b) -> bool:
    return (
        a.names == b.names
        and np.allclose(a.places, b.places)
        and np.allclose(a.corners, b.corners)
        and a.metric == b.metric
    )


def full_copy(scene) -> bpy.types.Scene:
    bpy.context.window.scene = scene
    bpy.ops.scene.new(type="FULL_COPY")
    bpy.context.scene.objects[0].update_tag()  # Blender tells of nothing before the first change
    bpy.context.view_layer.update()
    return bpy.context.scene


def hierarchy_copy(collection, linked: bool):
    """As the outliner's Duplicate Hierarchy: collections and objects anew, with or without their data."""
    top = collection.copy()
    for child in list(top.children):
        top.children.unlink(child)
        inside = child.copy()
        for item in list(inside.objects):
            inside.objects.unlink(item)
            fresh = item.copy()
            if not linked:
                fresh.data = item.data.copy()
            inside.objects.link(fresh)
        top.children.link(inside)
    bpy.context.scene.collection.children.link(top)
    bpy.context.view_layer.update()
    return top


def appended(collection, folder, link: bool = False):
    path = str(folder / "other.blend")
    bpy.data.libraries.write(path, {collection})
    with bpy.data.libraries.load(path, link=link) as (_, wanted):
        wanted.collections = [collection.name]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    bpy.context.view_layer.update()
    return wanted.collections[0]


@pytest.fixture(params=["full", "hierarchy", "linked hierarchy", "appended"])
def copy(request, addon, original, tmp_path):
    """The result of a copy, whichever way it was made."""
    if request.param == "full":
        return find.results(full_copy(bpy.context.scene))[0]
    if request.param == "appended":
        return appended(original, tmp_path)
    return hierarchy_copy(original, linked=request.param.startswith("linked"))


def test_a_copy_becomes_a_result_of_its_own(copy, original):
    assert find.identity(copy) != find.identity(original)
    mine, others = ({item for items in find.parts_of(each).values() for item in items} for each in (copy, original))
    assert len(mine) == len(others) == 6 and mine.isdisjoint(others)
    assert [camera.name for camera in find.objects_of(original, "camera")] == ["a", "b"]


def test_a_copy_keeps_its_identity(copy):
    """Also where undo takes back what the handler wrote, as its own step does not hold it."""
    named = find.identity(copy)
    copy["da3_id"] = next(find.identity(each) for each in bpy.data.collections if "da3_id" in each and each != copy)
    for item in copy.all_objects:
        item["da3_id"] = copy["da3_id"]
    settle_copies()
    assert find.identity(copy) == named
    assert len(find.objects_of(copy, "camera")) == 2


def test_what_is_done_to_a_copy_leaves_the_original_alone(copy, original, kitchen_plan):
    scene = next(each for each in bpy.data.scenes if copy in find.results(each))
    before = state(original)
    set_distance(copy, np.zeros(3), np.array([0, 1.0, 0]), 2.0)
    bpy.context.view_layer.update()
    assert same(state(original), before) and state(copy).metric
    assert np.allclose(state(copy).corners, 2 * before.corners, atol=1e-4)
    visibility.hide_photos(copy, {"a.jpg"})
    assert not find.objects_of(original, "camera")[0].hide_render
    assert "da3_hidden" not in find.objects_of(original, "points")[0].data.attributes
    cameras = tuple(
        replace(camera, camera=replace(camera.camera, lens=camera.camera.lens * 2)) for camera in kitchen_plan.cameras
    )
    update_scene(replace(kitchen_plan, cameras=cameras), copy, scene)
    assert same(state(original), before)
    assert find.objects_of(original, "camera")[0].data.lens == pytest.approx(kitchen_plan.cameras[0].camera.lens)
    remove_scene(copy)
    assert same(state(original), before)


def test_what_is_done_to_the_original_leaves_a_copy_alone(copy, original):
    before = state(copy)
    set_distance(original, np.zeros(3), np.array([0, 1.0, 0]), 2.0)
    bpy.context.view_layer.update()
    assert same(state(copy), before)
    remove_scene(original)
    assert same(state(copy), before)


def test_operators_act_on_the_result_of_their_own_scene(addon, original):
    scene = bpy.context.scene
    before = state(original)
    copied = full_copy(scene)
    # Without the handler's new identity: files of earlier versions hold such copies.
    result = find.results(copied)[0]
    for block in (result, *result.all_objects):
        block["da3_id"] = original["da3_id"]
    assert bpy.ops.da3.set_distance(result=original["da3_id"], first=(0, 0, 0), second=(0, 1, 0), distance=3) == {
        "FINISHED"
    }
    assert same(state(original), before)
    assert bpy.ops.da3.remove(result=find.identity(result)) == {"FINISHED"}
    assert same(state(original), before) and not find.results(copied) and find.results(scene) == [original]


def test_parts_moved_elsewhere_stay_parts_in_their_own_scene(addon, original):
    scene = bpy.context.scene
    camera = find.objects_of(original, "camera")[0]
    for home in camera.users_collection:
        home.objects.unlink(camera)
    scene.collection.objects.link(camera)
    result = find.results(full_copy(scene))[0]
    assert len(find.objects_of(result, "camera")) == len(find.objects_of(original, "camera")) == 2
    assert camera in find.objects_of(original, "camera") and camera not in find.objects_of(result, "camera")


def test_removing_from_a_linked_copy_takes_it_out_of_that_scene_alone(addon, original):
    scene = bpy.context.scene
    bpy.ops.scene.new(type="LINK_COPY")
    copied = bpy.context.scene
    before = state(original)
    assert find.results(copied) == [original]
    assert bpy.ops.da3.remove(result=find.identity(original)) == {"FINISHED"}
    assert not find.results(copied) and not copied.timeline_markers and copied.camera is None
    assert same(state(original), before) and len(scene.timeline_markers) == 2


def test_a_linked_result_beside_its_own_original(addon, original, tmp_path):
    linked = appended(original, tmp_path, link=True)
    assert linked.library is not None and find.identity(linked) != find.identity(original)
    scene = bpy.context.scene
    assert find.result(scene, find.identity(linked)) == linked
    assert find.result(scene, find.identity(original)) == original
    with pytest.raises(RuntimeError, match="linked from another file"):
        bpy.ops.da3.remove(result=find.identity(linked))
    assert bpy.ops.da3.remove(result=find.identity(original)) == {"FINISHED"}
    assert find.results(scene) == [linked] and len(find.objects_of(linked, "camera")) == 2


def test_a_result_inside_another_stays_when_that_is_removed(addon, original, kitchen_plan):
    scene = bpy.context.scene
    inner = write_scene(kitchen_plan, scene).collection
    scene.collection.children.unlink(inner)
    original.children.link(inner)
    before = state(inner)
    children = [child.name for child in inner.children]
    remove_scene(original)
    assert same(state(inner), before) and [child.name for child in inner.children] == children
    assert find.results(scene) == [inner]


def test_a_copy_that_lies_inside_the_original_has_its_own_parts(addon, original, tmp_path):
    copied = appended(original, tmp_path)
    bpy.context.scene.collection.children.unlink(copied)
    original.children.link(copied)
    for block in (copied, *find.members(copied)):
        block["da3_id"] = original["da3_id"]
    settle_copies()
    assert len(find.objects_of(copied, "camera")) == len(find.objects_of(original, "camera")) == 2


def test_a_shallow_copy_leaves_the_collections_of_the_original(addon, original):
    before, shallow = state(original), original.copy()
    bpy.context.scene.collection.children.link(shallow)
    bpy.context.view_layer.update()
    remove_scene(shallow)
    assert same(state(original), before) and len(original.children) == 4


def test_a_result_that_scenes_share_by_the_artists_collection_is_not_removed_from_both(addon, original):
    scene = bpy.context.scene
    scans = bpy.data.collections.new("Scans")
    scene.collection.children.link(scans)
    scene.collection.children.unlink(original)
    scans.children.link(original)
    bpy.ops.scene.new(type="LINK_COPY")
    with pytest.raises(RuntimeError, match="in another scene, too"):
        bpy.ops.da3.remove(result=find.identity(original))
    assert len(find.objects_of(original, "camera")) == 2


def test_the_linked_photo_is_looked_through_and_not_its_namesake(addon, original, tmp_path):
    linked = appended(original, tmp_path, link=True)
    camera = find.objects_of(linked, "camera")[0]
    assert bpy.ops.da3.look_through(camera=camera.name, result=find.identity(linked)) == {"FINISHED"}
    assert bpy.context.scene.camera == camera and camera.library is not None
    with pytest.raises(RuntimeError, match="linked from another file"):
        bpy.ops.da3.show_part(result=find.identity(linked), role="points")
