"""The whole scene: one collection, and nothing left behind when it cannot be made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.prediction_checks import PlanError
from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.headless.scene_command import report  # noqa: E402
from da3_blender.scene import visibility, write, write_scene  # noqa: E402
from da3_blender.scene.splats.stand_ins import splats_group  # noqa: E402


def datablocks() -> dict[str, int]:
    kinds = ("collections", "objects", "meshes", "cameras", "images", "materials", "node_groups")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def test_collections(room, empty_scene):
    prediction = room.prediction(room.view(), room.view(), gaussians=room.gaussians(np.zeros((4, 3))))
    made = write_scene(plan_scene(prediction, "kitchen"), empty_scene)
    assert made.collection.name == "DA3 kitchen"
    assert made.collection.name in empty_scene.collection.children
    inside = {child.name: list(child.objects) for child in made.collection.children}
    assert inside == {"Cameras": list(made.cameras), "Points": [made.points], "Splats": [made.splats]}
    assert made.collection["da3_checkpoint"] == "da3-tiny"
    assert made.collection["da3_licence"] == "Apache-2.0"
    assert made.collection["da3_commercial_use"] == "yes"
    assert made.collection["da3_camera_source"] == "network"
    assert "da3_match_error" not in made.collection


def test_every_camera_tells_where_it_comes_from(room, empty_scene):
    views = [replace(room.view(name=source), camera_source=source) for source in ("features", "network")]
    prediction = replace(room.prediction(*views, source="features"), match_error=0.75)
    made = write_scene(plan_scene(prediction, "kitchen"), empty_scene)
    assert [camera["da3_camera_source"] for camera in made.cameras] == ["features", "network"]
    assert made.collection["da3_camera_source"] == "features"
    assert made.collection["da3_match_error"] == 0.75
    told = report(prediction, made)
    assert any("match error 0.75 pixels" in line for line in told)
    assert [line.split()[-1] for line in told[-2:]] == ["features", "network"]


def test_parts_are_marked(room, empty_scene):
    prediction = room.prediction(room.view(name="a.jpg"), room.view(name="b.jpg"), gaussians=room.gaussians((0, 0, 0)))
    prediction = replace(prediction, match_error=0.75, notes=("First.", "Second."))
    made = write_scene(plan_scene(prediction, "kitchen"), empty_scene)
    other = write_scene(plan_scene(prediction, "kitchen"), empty_scene)
    identity = made.collection["da3_id"]
    assert identity != other.collection["da3_id"]
    assert {item["da3_id"] for item in made.collection.all_objects} == {identity}
    assert [(item["da3_role"], item["da3_view"]) for item in made.cameras] == [("camera", "a.jpg"), ("camera", "b.jpg")]
    assert made.points["da3_role"] == "points"
    assert made.splats is not None and made.splats["da3_role"] == "splats"
    assert made.collection["da3_match_error"] == 0.75
    assert made.collection["da3_notes"] == "First.\nSecond."


def test_prediction_without_splats(room, empty_scene):
    assert write_scene(plan_scene(room.prediction(), "kitchen"), empty_scene).splats is None


def test_refused_prediction_leaves_nothing(room, empty_scene):
    before = datablocks()
    view = room.view()
    view.depth[3, 4] = np.nan
    with pytest.raises(PlanError, match="1 of 3072 depths"):
        write_scene(plan_scene(room.prediction(view), "kitchen"), empty_scene)
    assert datablocks() == before


def test_failure_midway_leaves_nothing(room, empty_scene, monkeypatch):
    before = datablocks()
    plan = plan_scene(room.prediction(room.view(), gaussians=room.gaussians((0, 0, 0))), "kitchen")

    def fail(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(write, "write_splats", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        write_scene(plan, empty_scene)
    after = datablocks()
    for kind in ("collections", "objects", "meshes", "cameras", "images"):
        assert after[kind] == before[kind]
    assert len(empty_scene.timeline_markers) == 0 and empty_scene.camera is None


def test_no_points_where_none_are_wanted(room, empty_scene):
    made = write_scene(plan_scene(room.prediction(), "kitchen", settings=PlanSettings(points=False)), empty_scene)
    assert made.points is None
    assert [item["da3_role"] for item in made.collection.all_objects] == ["camera"]


def test_photos_are_hidden_with_their_points_and_splats(room, empty_scene):
    gaussians = replace(room.gaussians(np.zeros((4, 3))), view_index=np.int32([0, 0, 1, 1]))
    prediction = room.prediction(room.view(name="a.jpg"), room.view(name="b.jpg"), gaussians=gaussians)
    made = write_scene(plan_scene(prediction, "kitchen", settings=PlanSettings(confidence_threshold=0)), empty_scene)
    assert made.splats is not None

    def shown() -> int:
        graph = bpy.context.evaluated_depsgraph_get()
        graph.update()
        clouds = [i.object.data for i in graph.object_instances if i.object.original == made.points]
        return sum(len(cloud.points) for cloud in clouds if isinstance(cloud, bpy.types.PointCloud))

    every = shown()
    visibility.hide_photos(made.collection, ["b.jpg"])
    assert shown() == every / 2
    assert visibility.hidden_photos(made.collection) == {"b.jpg"}
    assert [camera.hide_viewport for camera in made.cameras] == [False, True]
    assert [point.value for point in made.splats.data.attributes["da3_hidden"].data] == [False, False, True, True]
    visibility.hide_photos(made.collection, ["a.jpg", "b.jpg"])
    assert shown() == 0
    visibility.hide_photos(made.collection, [])
    assert shown() == every and "da3_hidden" not in made.points.data.attributes


def test_nothing_is_evaluated_while_a_scene_is_placed(room, empty_scene):
    """Blender does that once, before it draws; the scene is at its first camera's frame even so."""
    empty_scene.frame_set(7)
    plan = plan_scene(room.prediction(room.view(), room.view(), gaussians=room.gaussians((0, 0, 0))), "kitchen")
    evaluated = []
    moments = (bpy.app.handlers.frame_change_post, bpy.app.handlers.depsgraph_update_post)

    def seen(*_: object) -> None:
        evaluated.append(True)

    for moment in moments:
        moment.append(seen)
    try:
        made = write_scene(plan, empty_scene)
        assert not evaluated
        assert empty_scene.frame_current == 1 and empty_scene.camera == made.cameras[0]
        empty_scene.frame_set(2)
        assert evaluated and empty_scene.camera == made.cameras[1]
    finally:
        for moment in moments:
            moment.remove(seen)


@pytest.mark.parametrize("degree", [0, 1, 2, 4])
def test_node_groups_hold_no_nodes_that_lead_nowhere(degree, empty_scene):
    tree = splats_group(degree)
    leading = {node.name for node in tree.nodes if node.bl_idname == "NodeGroupOutput"}
    links = [(link.from_node.name, link.to_node.name) for link in tree.links]
    while more := {before for before, after in links if after in leading} - leading:
        leading |= more
    assert leading == {node.name for node in tree.nodes}
    columns = {node.name: node.location[0] for node in tree.nodes}
    assert all(columns[before] < columns[after] for before, after in links)
    assert len({tuple(node.location) for node in tree.nodes}) == len(tree.nodes)
