"""Photos behind the cameras: all of a result at once, and kept by its updates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from da3_blender.plan.scene_plan import plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.copies import settle_copies  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402


@pytest.fixture
def plan(room, tmp_path):
    """photos: their names -> a plan whose cameras have them behind."""

    def made(names: str):
        for name in names:
            Image.new("RGB", (64, 48)).save(tmp_path / f"{name}.jpg")
        views = [room.view(name=f"{name}.jpg", detail=40) for name in names]
        return plan_scene(room.prediction(*views), "room", [tmp_path / view.name for view in views])

    return made


def shown(cameras) -> list[tuple[float, str]]:
    backgrounds = [camera.data.background_images[0] for camera in cameras]
    return [(round(each.alpha, 6), each.display_depth) for each in backgrounds]


def test_all_cameras_at_once_and_kept(plan, empty_scene, addon):
    first, second = (write_scene(plan("ab"), empty_scene) for _ in range(2))
    result = first.collection.da3
    assert result.plate_opacity == 0.5 and result.plate_depth == "FRONT"
    result.plate_opacity, result.plate_depth = 0.25, "BACK"
    assert result.plate_opacity == 0.25 and result.plate_depth == "BACK"
    assert shown(first.cameras) == [(0.25, "BACK")] * 2 and shown(second.cameras) == [(0.5, "FRONT")] * 2
    first.cameras[0].data.background_images[0].alpha = 1.0  # the artist's own, for one photo
    first.cameras[1].data.background_images.new().alpha = 0.75  # and a picture of theirs
    updated = update_scene(plan("abc"), first.collection, empty_scene)
    assert shown(updated.cameras) == [(1.0, "BACK"), (0.25, "BACK"), (0.25, "BACK")]
    result.plate_opacity = 0.5
    assert shown(updated.cameras) == [(0.5, "BACK")] * 3
    assert first.cameras[1].data.background_images[1].alpha == 0.75


def test_a_photo_that_was_missing_shows_as_the_others(plan, empty_scene, addon, tmp_path):
    made = write_scene(
        replace(plan("ab"), cameras=tuple(replace(c, photo_path=None) for c in plan("ab").cameras)), empty_scene
    )
    made.collection.da3.plate_opacity = 0.25
    assert not made.cameras[0].data.background_images
    update_scene(plan("a"), made.collection, empty_scene)
    assert shown(made.cameras[:1]) == [(0.25, "FRONT")]


def test_a_copy_that_shares_cameras_is_left_alone(plan, empty_scene, addon):
    made = write_scene(plan("a"), empty_scene)
    copy = made.cameras[0].copy()  # with the same data, as Duplicate Linked makes it
    other = bpy.data.collections.new("copy")
    empty_scene.collection.children.link(other)
    other["da3_id"] = made.collection["da3_id"]
    other.objects.link(copy)
    settle_copies()
    made.collection.da3.plate_opacity = 0.1
    assert shown([made.cameras[0], copy]) == [(0.1, "FRONT"), (0.5, "FRONT")]


def test_files_keep_it(plan, empty_scene, addon, tmp_path):
    made = write_scene(plan("a"), empty_scene)
    made.collection.da3.plate_opacity, made.collection.da3.plate_depth = 0.75, "BACK"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    (collection,) = (each for each in bpy.data.collections if "da3_id" in each)
    assert collection.da3.plate_opacity == 0.75 and collection.da3.plate_depth == "BACK"
