"""Update from the button to the changed scene, through a worker that needs no torch; what a scene was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.lens import BROWN, Lens

bpy = pytest.importorskip("bpy")

from da3_blender import live, timer  # noqa: E402
from da3_blender.headless.arguments import parse_arguments  # noqa: E402
from da3_blender.headless.scene_command import panel_settings  # noqa: E402
from da3_blender.jobs import placing, stored_request  # noqa: E402
from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.photos import photo_list  # noqa: E402
from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.meshes import point_count  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402


@pytest.fixture
def scene(addon_scene, two_photos):
    """A scene with a list of two photos and the fake worker behind the button."""
    photo_list.add_folder(addon_scene.da3, two_photos)
    addon_scene.da3.model, addon_scene.da3.scene_name = "room", "kitchen"
    return addon_scene


def photo(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (100, 75)).save(path)
    return path


@pytest.fixture
def made(scene):
    """The result of a first run."""
    bpy.ops.da3.run()
    assert timer.wait(30)
    (collection,) = find.results(scene)
    return collection


def update(collection) -> None:
    bpy.ops.da3.update(result=collection["da3_id"])
    assert timer.wait(30)
    assert live.jobs().state.failure is None and live.jobs().state.waiting is None


def photos_of(collection) -> list[str]:
    return [camera["da3_view"] for camera in find.objects_of(collection, "camera")]


def test_other_settings_change_the_same_objects(scene, made):
    objects = {item.session_uid: item.name for item in made.all_objects}
    (points,) = find.objects_of(made, "points")
    points.name, count = "dust", len(points.data.vertices)
    scene.da3.own_resolution, scene.da3.resolution = True, 112
    assert bpy.ops.da3.update(result=made["da3_id"]) == {"FINISHED"} and not bpy.ops.da3.update.poll()
    assert timer.wait(30)
    assert find.results(scene) == [made] and live.jobs().state.placed == made["da3_id"]
    assert {item.session_uid for item in made.all_objects} == objects.keys() and points.name == "dust"
    assert len(points.data.vertices) > 10 * count


def test_photos_that_the_worker_leaves_out_turn_red_and_the_others_keep_theirs(scene, tmp_path):
    """A file with a good header, broken further on: nothing but the worker can tell."""
    photo_list.add_files(scene.da3, [photo(tmp_path / "a_broken.png")])
    photo_list.move(scene.da3, 2, -2)
    bpy.ops.da3.run()
    assert timer.wait(30) and live.jobs().state.failure is None
    (collection,) = find.results(scene)
    assert photos_of(collection) == ["a.png", "b.png"]
    shown = [camera.data.background_images[0].image.filepath for camera in find.objects_of(collection, "camera")]
    assert [Path(path).name for path in shown] == ["a.png", "b.png"]
    problems = {row.name: row.problem for row in scene.da3.photos}
    assert problems == {"a_broken.png": "This photo cannot be decoded.", "a.png": "", "b.png": ""}
    assert collection["da3_notes"].splitlines() == [
        "This photo cannot be decoded. It is left out. Copy it again.",
        "A note.",
        "Nothing tells how large this is: its longest side was made 5 units. Set Distance changes it.",
    ]
    update(collection)
    assert photos_of(collection) == ["a.png", "b.png"]


def test_more_photos_then_fewer_then_parts_off(scene, made, tmp_path):
    cameras = find.objects_of(made, "camera")
    photo_list.add_files(scene.da3, [photo(tmp_path / "c.png")])
    photo_list.move(scene.da3, 2, -1)
    update(made)
    assert photos_of(made) == ["a.png", "c.png", "b.png"]
    assert [camera for camera in find.objects_of(made, "camera") if camera["da3_view"] != "c.png"] == cameras
    photo_list.remove(scene.da3, 0)
    scene.da3.make_points = scene.da3.make_splats = False
    update(made)
    assert photos_of(made) == ["c.png", "b.png"] and len(made.all_objects) == 2


def test_photos_keep_their_names_among_others_called_the_same(scene, made, tmp_path):
    """A new photo of the same name comes first, and does not take the place of the one that was there."""
    first = find.camera_of(made, "a.png")
    photo_list.add_files(scene.da3, [photo(tmp_path / "other" / "a.png")])
    photo_list.move(scene.da3, 2, -1)
    photo_list.move(scene.da3, 1, -1)
    update(made)
    assert photos_of(made) == ["other/a.png", "a.png", "b.png"] and find.camera_of(made, "a.png") == first
    update(made)
    assert photos_of(made) == ["other/a.png", "a.png", "b.png"]


def test_an_empty_list_takes_the_scenes_own_photos(scene, made):
    photo_list.clear(scene.da3)
    scene.da3.make_splats = False
    update(made)
    assert photos_of(made) == ["a.png", "b.png"] and not find.objects_of(made, "splats")
    assert [row.name for row in scene.da3.photos] == ["a.png", "b.png"]


def test_photos_of_another_scene_are_refused(scene, made, tmp_path):
    photo_list.clear(scene.da3)
    photo_list.add_files(scene.da3, [photo(tmp_path / "z.png")])
    with pytest.raises(RuntimeError, match="None of the photos in the list belongs to this DA3 scene"):
        bpy.ops.da3.update(result=made["da3_id"])
    with pytest.raises(JobError, match="not there any more"):
        job_request.make_job(scene, collection_id="gone")


def test_photos_and_settings_come_back(scene, made, tmp_path):
    settings = scene.da3
    settings.edge_angle, settings.camera_source, settings.make_splats = 33, "rays", False
    settings.refine_depth = "on"
    photo_list.set_reference(settings, 1)
    update(made)
    asked = json.loads(made[stored_request.REQUEST])
    assert [row["name"] for row in asked["photos"]] == ["b.png", "a.png"] and asked["settings"]["edge_angle"] == 33
    asked["settings"] |= {"of_a_later_version": 1, "make_mesh": "of a later version"}
    made[stored_request.REQUEST] = json.dumps(asked)
    photo_list.clear(settings)
    photo_list.add_files(settings, [photo(tmp_path / "z.png")])
    settings.edge_angle, settings.camera_source, settings.make_splats = 5, "auto", True
    settings.refine_depth = "off"
    (tmp_path / "a.png").unlink()
    bpy.ops.da3.load_request(result=made["da3_id"])
    assert [(row.name, row.reference, bool(row.problem)) for row in settings.photos] == [
        ("b.png", True, False),
        ("a.png", False, True),
    ]
    assert (settings.edge_angle, settings.camera_source, settings.make_splats) == (33, "rays", False)
    assert settings.make_mesh == "none" and settings.refine_depth == "on"


def test_a_scene_that_does_not_tell_has_the_photos_behind_its_cameras(scene, made):
    """As those of the command line."""
    del made[stored_request.REQUEST]
    find.objects_of(made, "camera")[0].data.background_images[0].image.pack()
    photo_list.clear(scene.da3)
    update(made)
    assert photos_of(made) == ["a.png", "b.png"] and len(made.all_objects) == 4
    assert [bool(row.path) for row in scene.da3.photos] == [False, True]
    del made[stored_request.REQUEST]
    for camera in find.objects_of(made, "camera"):
        camera.data.background_images.clear()
    with pytest.raises(RuntimeError, match="does not tell which photos"):
        bpy.ops.da3.load_request(result=made["da3_id"])


def test_a_scene_of_the_command_line_tells_its_settings(scene, made, tmp_path):
    words = [
        str(tmp_path),
        "--mesh",
        "fused",
        "--lens",
        "fisheye",
        "--no-splats",
        "--improve-splats",
        "--resolution",
        "336",
    ]
    options = parse_arguments([*words, "--colmap", str(tmp_path)])
    made[stored_request.REQUEST] = stored_request.describe_settings(panel_settings(options))
    bpy.ops.da3.load_request(result=made["da3_id"])
    assert [row.name for row in scene.da3.photos] == ["a.png", "b.png"]
    names = ("model", "make_mesh", "lens", "make_splats", "own_resolution", "resolution", "refine_depth")
    assert [getattr(scene.da3, name) for name in names] == ["da3-tiny", "fused", "fisheye", False, True, 336, "auto"]
    assert scene.da3.improve_splats
    assert (scene.da3.camera_source, scene.da3.known_cameras) == ("given", "colmap")
    assert Path(scene.da3.colmap_folder) == tmp_path


def test_a_straightened_photo_is_not_taken_for_the_one_that_was_taken(addon_scene, room, two_photos):
    """As a command line makes scenes: the lens would be solved anew of what has none any more."""
    lens = Lens(BROWN, (100, 75), np.array([[80.0, 0, 50], [0, 80, 37.5], [0, 0, 1]]), np.array([-0.1]))
    straight = replace(room.view(name="a.png"), lens=lens, plate=(two_photos / "a.png").read_bytes())
    plan = plan_scene(room.prediction(straight), "room", [two_photos / "a.png"])
    collection = write_scene(plan, addon_scene).collection
    bpy.ops.da3.load_request(result=collection["da3_id"])
    assert photos_of(collection) == ["a.png"]
    assert [(photo.path, photo.image) for photo in addon_scene.da3.photos] == [(str(two_photos / "a.png"), None)]
    del find.objects_of(collection, "camera")[0].data["da3_photo_file"]
    with pytest.raises(RuntimeError, match="does not tell which photos it was made from"):
        bpy.ops.da3.load_request(result=collection["da3_id"])


def asked_with(made, **changes: object) -> str:
    """The stored request with other values."""
    return json.dumps(json.loads(made[stored_request.REQUEST]) | changes)


UNREADABLE = (
    "rubbish",
    "[" * 100_000,
    '{"photos": NaN}',
    '{"photos": [], "photos": []}',
    '{"photos": "\\ud800"}',
    "[]",
    "null",
    " " * 17_000_000,
    5,
    b"{}",
    [1, 2],
    {"photos": "inside"},
)


@pytest.mark.parametrize("stored", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_request_that_cannot_be_read_leaves_the_photos_behind_the_cameras(scene, made, stored, capsys):
    made[stored_request.REQUEST] = stored
    scene.da3.edge_angle = 33
    assert bpy.ops.da3.load_request(result=made["da3_id"]) == {"FINISHED"}
    assert [row.name for row in scene.da3.photos] == ["a.png", "b.png"] and scene.da3.edge_angle == 33
    assert "Warning: What this scene was made with cannot be read" in capsys.readouterr().out
    update(made)
    assert photos_of(made) == ["a.png", "b.png"]


def test_rows_that_are_none_are_left_out_and_told(scene, made, capsys):
    good = json.loads(made[stored_request.REQUEST])["photos"][1]
    bad = (
        None,
        [],
        "a.png",
        {},
        {"name": "a.png"},
        good | {"path": 5},
        good | {"path": "a\0b"},
        good | {"path": "x" * 5000},
        good | {"name": ["a.png"]},
        good | {"name": ""},
        good | {"camera": {}},
        good | {"reference": "yes"},
        good | {"path": "", "image": None},
    )
    made[stored_request.REQUEST] = asked_with(made, photos=[*bad, good])
    bpy.ops.da3.load_request(result=made["da3_id"])
    assert [row.name for row in scene.da3.photos] == ["b.png"]
    assert f"nothing usable is known of them: {len(bad)}" in capsys.readouterr().out
    made[stored_request.REQUEST] = asked_with(made, photos=list(bad))
    with pytest.raises(RuntimeError, match="does not tell which photos"):
        bpy.ops.da3.load_request(result=made["da3_id"])
    assert [row.name for row in scene.da3.photos] == ["b.png"]


@pytest.mark.parametrize(
    ("key", "value", "label"),
    [
        ("edge_angle", 90, "Edge Filter"),
        ("edge_angle", True, "Edge Filter"),
        ("edge_angle", "5", "Edge Filter"),
        ("confidence", -0.1, "Hide Unsure"),
        ("resolution", 10**17, "Detail"),
        ("resolution", 504.5, "Detail"),
        ("make_splats", 1, "Splats"),
        ("make_splats", None, "Splats"),
        ("make_mesh", ["fused"], "Mesh"),
        ("make_mesh", "unknown", "Mesh"),
        ("model", 5, "Model"),
        ("model", "a\0b", "Model"),
        ("checkpoint_path", "x" * 5000, "Own Checkpoint"),
        ("photos", [1], ""),
        ("bl_rna", "x", ""),
        ("only_commercial", "x", ""),
    ],
)
def test_settings_that_are_none_stay_as_they_are_and_are_told(scene, made, capsys, key, value, label):
    settings = json.loads(made[stored_request.REQUEST])["settings"]
    made[stored_request.REQUEST] = asked_with(made, settings=settings | {"upright": False, key: value})
    before = getattr(scene.da3, key)
    assert bpy.ops.da3.load_request(result=made["da3_id"]) == {"FINISHED"}
    assert not scene.da3.upright and (not label or getattr(scene.da3, key) == before)
    told = f"Warning: Settings that cannot be used and stay as they are: {label}\n"
    assert (told in capsys.readouterr().out) == bool(label)
    made[stored_request.REQUEST] = asked_with(made, settings=[5])
    assert bpy.ops.da3.load_request(result=made["da3_id"]) == {"FINISHED"}


def test_an_empty_marked_as_a_camera_has_no_photo_behind_it(scene, made):
    camera = find.objects_of(made, "camera")[0]
    empty = bpy.data.objects.new("odd", None)
    made.objects.link(empty)
    for key in ("da3_part", "da3_view"):
        if key in camera:
            empty[key] = camera[key]
    made[stored_request.REQUEST] = "rubbish"
    bpy.ops.da3.load_request(result=made["da3_id"])
    assert [row.name for row in scene.da3.photos] == ["a.png", "b.png"]


def test_images_of_the_file_come_back(scene, tmp_path):
    photo_list.clear(scene.da3)
    image = bpy.data.images.load(str(photo(tmp_path / "packed.png")))
    image.pack()
    photo_list.add_images(scene.da3, [image])
    bpy.ops.da3.run()
    assert timer.wait(30)
    (made,) = find.results(scene)
    photo_list.clear(scene.da3)
    update(made)
    assert scene.da3.photos[0].image == image and not scene.da3.photos[0].problem


def test_a_scene_removed_meanwhile(scene, made):
    bpy.ops.da3.update(result=made["da3_id"])
    bpy.ops.da3.remove(result=made["da3_id"])
    assert timer.wait(30) and find.results(scene) == []
    assert live.jobs().state.waiting.reason == "The DA3 scene that it should update is not there any more."
    bpy.ops.da3.place_result()
    (placed,) = find.results(scene)
    assert photos_of(placed) == ["a.png", "b.png"] and stored_request.REQUEST in placed


def test_a_failed_job_changes_nothing(scene, made):
    before = [(item.session_uid, item.data.session_uid) for item in made.all_objects]
    scene.da3.model = "fail"
    bpy.ops.da3.update(result=made["da3_id"])
    assert timer.wait(30) and live.jobs().state.failure is not None
    assert [(item.session_uid, item.data.session_uid) for item in made.all_objects] == before


def test_update_while_a_part_is_edited(scene, made):
    """Points have no Edit Mode worth having, but an artist may be in it."""
    (points,) = find.objects_of(made, "points")
    bpy.context.view_layer.objects.active = points
    bpy.ops.object.mode_set(mode="EDIT")
    scene.da3.own_resolution, scene.da3.resolution = True, 112
    update(made)
    assert points.mode == "EDIT"
    bpy.ops.da3.remove(result=made["da3_id"])
    assert find.results(scene) == [] and bpy.context.mode == "OBJECT"


def test_the_part_that_is_edited_goes(scene, made):
    bpy.context.view_layer.objects.active = find.objects_of(made, "points")[0]
    bpy.ops.object.mode_set(mode="EDIT")
    scene.da3.make_points = False
    update(made)
    assert not find.objects_of(made, "points") and bpy.context.mode == "OBJECT"


class NotInBackground:
    """bpy as it is where there is a window, and with it undo."""

    app = SimpleNamespace(background=False, is_job_running=bpy.app.is_job_running)

    def __getattr__(self, name: str) -> object:
        return getattr(bpy, name)


def everything() -> list[tuple[Any, ...]]:
    """Of the open file's only result; nothing is held across undo."""
    (collection,) = find.results(bpy.context.scene)
    objects = [
        (item.session_uid, item.name, item.data.name, point_count(item.data), item.get("da3_view"))
        for items in find.parts_of(collection).values()
        for item in items
    ]
    return [*objects, *((marker.name, marker.frame) for marker in bpy.context.scene.timeline_markers)]


def test_update_and_remove_are_one_undo_step_each(scene, made, monkeypatch, tmp_path):
    monkeypatch.setattr(placing, "bpy", NotInBackground())
    scene.da3.own_resolution, scene.da3.resolution = True, 112
    photo_list.remove(scene.da3, 0)
    photo_list.add_files(scene.da3, [photo(tmp_path / "c.png")])
    bpy.ops.ed.undo_push(message="Photos")
    first = everything()
    update(made)
    second = everything()
    assert second != first
    bpy.ops.da3.remove("EXEC_DEFAULT", True, result=made["da3_id"])
    assert not bpy.data.objects
    bpy.ops.ed.undo()
    assert everything() == second
    bpy.ops.ed.undo()
    assert everything() == first
    bpy.ops.ed.redo()
    assert everything() == second
    update(find.results(bpy.context.scene)[0])
    assert everything() == second


def test_remove_leaves_nothing(scene, made):
    kinds = ("objects", "collections", "meshes", "cameras", "materials", "node_groups", "images")
    bpy.ops.da3.remove(result=made["da3_id"])
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == dict.fromkeys(kinds, 0)
    assert bpy.ops.da3.remove(result="gone") == {"CANCELLED"}
