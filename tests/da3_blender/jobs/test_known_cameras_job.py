"""Known cameras from the panel: chosen, matched, sent, and come back where they stand; COLMAP folders found."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from da3_blender import live, timer  # noqa: E402
from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.jobs import stored_request  # noqa: E402
from da3_blender.photos import known_cameras, photo_list  # noqa: E402
from da3_blender.scene import find  # noqa: E402
from model_runtime.contract.messages import JobError, Request  # noqa: E402


@pytest.fixture
def scene(addon_scene, two_photos):
    """Two photos, a camera called like each, and known cameras asked for."""
    for number, name in enumerate("ab"):
        item = bpy.data.objects.new(name, bpy.data.cameras.new("lens"))
        addon_scene.collection.objects.link(item)
        item.location, item.rotation_euler = (3.0 + number, -7.0, 1.7), (1.3, 0.0, 0.1 * number)
        item.data.sensor_fit, item.data.sensor_height, item.data.lens = "VERTICAL", 20.0, 30.0 + number
    photo_list.add_folder(addon_scene.da3, two_photos)
    settings = addon_scene.da3
    settings.model, settings.camera_source = "room", "given"
    return addon_scene


def draw_panel() -> list[tuple[object, ...]]:
    layout = MagicMock()
    bpy.types.DA3_PT_make.draw(SimpleNamespace(layout=layout), bpy.context)
    return [(method.rpartition(".")[2], *arguments[-1:]) for method, arguments, _ in layout.mock_calls if arguments]


def test_the_panel_asks_for_what_is_needed(scene):
    shown = draw_panel()
    assert ("operator", "da3.match_cameras") in shown and ("prop", "colmap_folder") not in shown
    scene.da3.known_cameras = "colmap"
    shown = draw_panel()
    assert ("prop", "colmap_folder") in shown and ("operator", "da3.match_cameras") not in shown
    scene.da3.camera_source = "auto"
    assert ("prop", "known_cameras") not in draw_panel()


def test_what_is_made_stands_at_the_scenes_own_cameras(scene):
    assert bpy.ops.da3.match_cameras() == {"FINISHED"}
    assert [photo.camera.name for photo in scene.da3.photos] == ["a", "b"]
    photo_list.set_reference(scene.da3, 1)  # is sent first
    bpy.ops.da3.run()
    assert timer.wait(30) and live.jobs().state.failure is None
    (made,) = find.results(scene)
    assert made["da3_camera_source"] == "given"
    bpy.context.view_layer.update()
    world = np.random.default_rng(1).uniform((-1, -1, -5), (1, 1, -2), (9, 3))
    for photo in scene.da3.photos:
        own, theirs = find.camera_of(made, photo.name), photo.camera
        assert own is not None
        np.testing.assert_allclose(own.matrix_world, theirs.matrix_world, atol=1e-6)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        first, second = (
            np.array(item.calc_matrix_camera(depsgraph, x=100, y=75))[:2] @ np.c_[world, np.ones(9)].T
            for item in (own, theirs)
        )
        np.testing.assert_allclose(first, second, atol=1e-5)
    points = find.objects_of(made, "points")[0]
    place = np.array([vertex.co for vertex in points.data.vertices])
    seen = np.c_[place, np.ones(len(place))] @ np.linalg.inv(scene.da3.photos[0].camera.matrix_world).T
    assert np.isclose(seen[:, 2], -2, atol=1e-5).sum() >= len(place) / 2  # the wall before its camera


def test_photos_keep_the_camera_that_was_chosen_for_them(scene, capsys):
    first, second = known_cameras.scene_cameras(scene)
    scene.collection.objects.link(bpy.data.objects.new("c", bpy.data.cameras.new("c")))
    scene.da3.photos[0].camera = second
    assert known_cameras.match_list(scene) == ["b.png"]
    assert bpy.ops.da3.match_cameras() == {"FINISHED"}
    assert "Photos without a camera: b.png" in capsys.readouterr().out
    with pytest.raises(JobError, match=r"No camera is known for b\.png"):
        job_request.make_job(scene)
    scene.da3.photos[1].camera = first
    given = job_request.blender_cameras(scene)
    assert np.linalg.inv(given.extrinsics[0])[:3, 3] == pytest.approx(second.location)


def test_the_cameras_are_remembered_with_the_result(scene):
    known_cameras.match_list(scene)
    bpy.ops.da3.run()
    assert timer.wait(30)
    (made,) = find.results(scene)
    scene.da3.photos.clear()
    scene.da3.camera_source = "auto"
    stored_request.load_photos(made, scene.da3)
    stored_request.load_settings(made, scene.da3)
    assert [photo.camera.name for photo in scene.da3.photos] == ["a", "b"]
    assert job_request.uses_blender_cameras(scene.da3)


def test_an_update_stands_at_the_cameras_wherever_they_are_by_now(scene):
    known_cameras.match_list(scene)
    bpy.ops.da3.run()
    assert timer.wait(30)
    (made,) = find.results(scene)
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    for item in made.all_objects:
        item.parent = parent
    parent.location, parent.rotation_euler, parent.scale = (1, 2, 3), (0.1, 0.2, 0.3), (2, 2, 2)
    first, second = (photo.camera for photo in scene.da3.photos)
    first.location, second.location, second.rotation_euler = (8, -7, 2), (11, -6, 1), (1.2, 0.2, 0.4)
    bpy.ops.da3.update(result=made["da3_id"])
    assert timer.wait(30) and live.jobs().state.failure is None
    bpy.context.view_layer.update()
    for photo in scene.da3.photos:
        own = find.camera_of(made, photo.name)
        assert own is not None and own.parent == parent
        place, turn, _ = own.matrix_world.decompose()
        np.testing.assert_allclose(place, photo.camera.matrix_world.translation, atol=1e-5)
        assert turn.rotation_difference(photo.camera.matrix_world.to_quaternion()).angle < 1e-3
    points = find.objects_of(made, "points")[0]
    world = points.matrix_world
    place = np.array([world @ vertex.co for vertex in points.data.vertices])
    seen = np.c_[place, np.ones(len(place))] @ np.linalg.inv(first.matrix_world).T
    assert np.isclose(seen[:, 2], -2, atol=1e-4).sum() >= len(place) / 2
    parent.scale = (1, 2, 1)
    bpy.ops.da3.update(result=made["da3_id"])
    assert timer.wait(30)
    failure = live.jobs().state.failure
    assert failure is not None and "scaled unevenly" in failure.sentence


def write_model(folder: Path, ending: str) -> None:
    folder.mkdir(parents=True)
    for name in ("cameras", "images"):
        (folder / f"{name}{ending}").write_bytes(name.encode() + ending.encode())


def read(scene) -> Request:
    return job_request.make_job(scene)[0]()


@pytest.mark.parametrize("place", ["model", "model/sparse/0", "model/sparse"])
def test_a_colmap_folder_is_found_and_sent(scene, tmp_path, place):
    scene.da3.known_cameras, scene.da3.colmap_folder = "colmap", str(tmp_path / "model")
    scene.da3.photos[0].camera = known_cameras.scene_cameras(scene)[0]  # is not asked for
    write_model(tmp_path / place, ".txt")
    request = read(scene)
    assert request.colmap is not None and request.cameras is None and request.camera_source == "given"
    assert {file.name: file.data for file in request.colmap.files} == {
        "cameras.txt": b"cameras.txt",
        "images.txt": b"images.txt",
    }
    assert not job_request.plan_settings(scene.da3).in_world  # COLMAP's world is nobody's


def test_a_colmap_folder_that_is_none_gets_a_sentence(scene, tmp_path):
    scene.da3.known_cameras = "colmap"
    with pytest.raises(JobError, match="No COLMAP folder is chosen"):
        job_request.make_job(scene)
    scene.da3.colmap_folder = str(tmp_path / "model")
    with pytest.raises(JobError, match="There is no COLMAP model in the folder"):
        read(scene)
    write_model(tmp_path / "model", ".bin")
    (tmp_path / "model/images.bin").unlink()
    with pytest.raises(JobError, match="There is no COLMAP model in the folder"):
        read(scene)
