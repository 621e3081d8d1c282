"""What is made for photos has names that other programs take, in every result of a file; photos keep theirs."""

from __future__ import annotations

import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.photos.known_cameras import CameraPhoto, match_cameras  # noqa: E402
from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

PHOTOS = ("left/1.jpg", "right/1.jpg", "IMG 2.JPG", "IMG_2.png")
NAMES = (["left_1", "right_1", "IMG_2", "IMG_2_2"], ["left_1_2", "right_1_2", "IMG_2_3", "IMG_2_4"])


def plan(room, *photos: str):
    return plan_scene(
        room.prediction(*(room.view(name=name, detail=40) for name in photos)),
        "room",
        settings=PlanSettings(sheets=True),
    )


def names(items) -> list[tuple[str, str]]:
    return [(item.name, item.data.name) for item in items]


def test_names_are_plain_and_differ_between_results(room, empty_scene):
    first, second = (write_scene(plan(room, *PHOTOS), empty_scene) for _ in range(2))
    for made, expected in zip((first, second), NAMES, strict=True):
        assert names(made.cameras) == [(name, name) for name in expected]
        assert [camera["da3_view"] for camera in made.cameras] == list(PHOTOS)
    sheets = [item.name for made in (first, second) for item in made.surfaces]
    assert len(set(sheets)) == 8 and not any(set(". /") & set(name) for name in sheets)


def test_scenes_with_names_of_before_keep_them_and_take_new_photos(room, empty_scene):
    made = write_scene(plan(room, "a.jpg", "b.jpg"), empty_scene)
    for item in (*made.cameras, *made.surfaces):
        item.name = item.data.name = item["da3_view"] + (" sheet" if item.type == "MESH" else "")
    old = names((*made.cameras, *made.surfaces))
    updated = update_scene(plan(room, "a.jpg", "c.jpg", "b.jpg"), made.collection, empty_scene)
    a, c, b = updated.cameras
    assert names((a, b)) == old[:2] and names((c,)) == [("c", "c")]
    assert names(updated.surfaces) == [old[2], ("c_sheet", "c_sheet"), old[3]]
    again = update_scene(plan(room, "a.jpg", "c.jpg", "b.jpg"), made.collection, empty_scene)
    assert again.cameras == updated.cameras and names((c,)) == [("c", "c")]


def test_cameras_are_matched_to_photos_of_other_names(room, empty_scene):
    made = write_scene(plan(room, "My photo-1.jpg", "b.jpg"), empty_scene)
    for camera in made.cameras:
        del camera["da3_view"]
    photos = [CameraPhoto("b.jpg"), CameraPhoto("My photo-1.jpg"), CameraPhoto("c.jpg")]
    assert match_cameras(photos, made.cameras) == [made.cameras[1], made.cameras[0], None]
    assert find.camera_of(made.collection, "b.jpg") is None
