"""Project Photo from the buttons: which camera, undone as one step, and refusals."""

from __future__ import annotations

import pytest
from PIL import Image

from da3_blender.plan.scene_plan import plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.scene import write_scene  # noqa: E402


@pytest.fixture
def cameras(room, empty_scene, addon, tmp_path):
    """Two cameras with their photos, and a selected cube."""
    names = ("a.jpg", "b.jpg")
    for name in names:
        Image.new("RGB", (64, 48)).save(tmp_path / name)
    views = [room.view(name=name, detail=40) for name in names]
    made = write_scene(plan_scene(room.prediction(*views), "room", [tmp_path / name for name in names]), empty_scene)
    bpy.ops.mesh.primitive_cube_add()
    return made.cameras


def shown() -> str | None:
    slots = bpy.data.objects["Cube"].material_slots
    return slots[0].material and slots[0].material.name if slots else None


def test_the_active_camera_or_else_the_scenes(cameras):
    assert bpy.ops.da3.project_photo() == {"FINISHED"} and shown() == "DA3 Projection a"
    bpy.context.view_layer.objects.active = cameras[1]
    cameras[1].select_set(True)
    bpy.ops.da3.project_photo()
    assert shown() == "DA3 Projection b"
    bpy.ops.da3.project_photo(camera="a")
    assert shown() == "DA3 Projection a"
    assert bpy.ops.da3.take_projection_off() == {"FINISHED"} and shown() is None


def test_one_undo_step(cameras):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.da3.project_photo("EXEC_DEFAULT", True)
    assert shown() == "DA3 Projection a"
    bpy.ops.ed.undo()
    assert shown() is None
    bpy.ops.ed.redo()
    assert shown() == "DA3 Projection a"
    assert bpy.data.materials["DA3 Projection a"].node_tree.nodes["Image Texture"].image.name == "a.jpg"


def test_refusals_are_told(cameras, capsys):
    with pytest.raises(
        RuntimeError, match=r"No camera of a DA3 scene is chosen to project its photo\. Make one active"
    ):
        bpy.ops.da3.project_photo(camera="Cube")
    assert bpy.ops.da3.take_projection_off() == {"CANCELLED"}
    assert "No photo is projected on the selected objects" in capsys.readouterr().out
    bpy.ops.object.select_all(action="DESELECT")
    assert not bpy.ops.da3.project_photo.poll() and not bpy.ops.da3.take_projection_off.poll()
