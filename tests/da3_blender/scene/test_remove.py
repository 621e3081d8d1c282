"""A DA3 scene that is removed leaves nothing of its own, and everything that is the artist's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, ScenePlan, plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402

KINDS = ("collections", "objects", "meshes", "cameras", "images", "materials", "node_groups", "pointclouds", "actions")


def datablocks() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS if hasattr(bpy.data, kind)}


def plate(path) -> bytes:
    image = bpy.data.images.new("source", 8, 6)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path.read_bytes()


@pytest.fixture
def plan(room, tmp_path) -> ScenePlan:
    """Cameras with packed photos, points, splats and sheets."""
    views = [replace(room.view(name=name), plate=plate(tmp_path / "plate.png")) for name in ("a.jpg", "b.jpg")]
    prediction = room.prediction(*views, gaussians=room.gaussians(np.zeros((4, 3)), degree=1))
    return plan_scene(prediction, "kitchen", settings=PlanSettings(sheets=True))


def test_nothing_is_left(plan, empty_scene):
    before = datablocks()
    for _ in range(2):
        made = write_scene(plan, empty_scene)
        elsewhere = bpy.data.collections.new("elsewhere")
        empty_scene.collection.children.link(elsewhere)
        for home in made.cameras[0].users_collection:
            home.objects.unlink(made.cameras[0])
        elsewhere.objects.link(made.cameras[0])
        remove_scene(made.collection)
        bpy.data.collections.remove(elsewhere)
        assert datablocks() == before
        assert not empty_scene.timeline_markers and empty_scene.camera is None


def test_the_artists_own_stays(plan, empty_scene):
    made: Any = write_scene(plan, empty_scene)
    lamp, prop = (bpy.data.objects.new(name, bpy.data.meshes.new(name)) for name in ("lamp", "prop"))
    made.cameras[0].users_collection[0].objects.link(lamp)
    group, shot = bpy.data.collections.new("my group"), bpy.data.collections.new("shot")
    made.collection.children.link(group)
    group.objects.link(prop)
    empty_scene.collection.children.link(shot)
    empty_scene.collection.children.unlink(made.collection)
    shot.children.link(made.collection)
    lamp.parent, lamp.location = made.cameras[0], (1, 2, 3)
    prop.parent = lamp
    gold = bpy.data.materials.new("gold")
    made.points.data.materials.append(gold)
    lamp.data.materials.append(made.surfaces[0].data.materials[0])
    bpy.context.view_layer.update()
    places = [np.array(item.matrix_world) for item in (lamp, prop)]
    image = made.cameras[0].data.background_images[0].image
    camera = bpy.data.objects.new("own camera", bpy.data.cameras.new("own camera"))
    empty_scene.collection.objects.link(camera)
    empty_scene.timeline_markers.new("own", frame=100).camera = camera

    remove_scene(made.collection)
    bpy.context.view_layer.update()
    assert {item.name for item in bpy.data.objects} == {"lamp", "prop", "own camera"}
    assert list(shot.objects) == [lamp] and list(shot.children) == [group] and list(group.objects) == [prop]
    for item, place in zip((lamp, prop), places, strict=True):
        np.testing.assert_allclose(np.array(item.matrix_world), place, atol=1e-5)
    assert prop.parent == lamp and gold.name in bpy.data.materials
    assert lamp.data.materials[0].node_tree.nodes.active.image == image
    assert [marker.name for marker in empty_scene.timeline_markers] == ["own"] and empty_scene.camera == camera


def test_another_result_stays_whole(plan, empty_scene):
    first: Any = write_scene(plan, empty_scene)
    second = write_scene(plan, empty_scene)
    remove_scene(second.collection)
    assert find.results(empty_scene) == [first.collection]
    assert first.splats.modifiers[0].node_group and first.surfaces[0].data.materials[0]
    assert [marker.camera for marker in empty_scene.timeline_markers] == list(first.cameras)
    assert empty_scene.camera in first.cameras


def test_linked_scenes_are_refused(plan, empty_scene, tmp_path):
    made = write_scene(plan, empty_scene)
    name = made.collection.name
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {made.collection})
    remove_scene(made.collection)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.collections = [name]
    empty_scene.collection.children.link(bpy.data.collections[name])
    with pytest.raises(JobError, match="linked from another file"):
        remove_scene(find.results(empty_scene)[0])
