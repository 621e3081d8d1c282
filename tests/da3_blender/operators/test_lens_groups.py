"""The buttons for lens groups: data, and a node where a compositor is in use; refusals; one undo step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.lens import BROWN, Lens, straight_camera

bpy = pytest.importorskip("bpy")

from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.lens_groups import compositor_of  # noqa: E402
from tests.da3_blender.compositor import begin_compositor  # noqa: E402

SIZE = (64, 48)


@pytest.fixture
def cameras(room, empty_scene, addon):
    """Of two photos of one lens and of one that no lens bent; the first is the scene's."""
    lens = Lens(BROWN, SIZE, np.array([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]]), np.array([-0.2, 0.05]))
    size, pixels = straight_camera(lens)
    focal, middle = tuple(pixels.diagonal()[:2]), tuple(pixels[:2, 2])
    bent = room.view(photo_size=size, focal=focal, principal=middle)
    views = [replace(bent, name=name, lens=lens) for name in ("a.jpg", "b.jpg")]
    made = write_scene(plan_scene(room.prediction(*views, room.view(name="c.jpg")), "room"), empty_scene)
    empty_scene.camera = made.cameras[0]
    return made.cameras


def nodes() -> list[str]:
    return [node.node_tree.name for node in compositor_of(bpy.context.scene).nodes if node.type == "GROUP"]


def groups() -> list[str]:
    made = (tree for tree in bpy.data.node_groups if tree.bl_idname == "CompositorNodeTree")
    return sorted(tree.name for tree in made if tree != compositor_of(bpy.context.scene))


def test_cameras_of_one_lens_share_their_groups(cameras) -> None:
    for name in ("", "b", "a"):
        for way in ("DISTORT", "UNDISTORT"):
            assert bpy.ops.da3.lens_group(camera=name, way=way) == {"FINISHED"}
    assert groups() == ["DA3 Distort a v1", "DA3 Undistort a v1"]
    assert compositor_of(bpy.context.scene) is None
    assert tuple(bpy.data.images["DA3 Distort a v1"].size) == SIZE
    assert all(bpy.data.node_groups[name].use_fake_user for name in groups())


def test_another_lens_gets_a_group_of_its_own(cameras) -> None:
    bpy.ops.da3.lens_group(camera="a")
    cameras[1].data["da3_lens_coefficients"] = [-0.1, *[0.0] * 7]
    bpy.ops.da3.lens_group(camera="b")
    assert groups() == ["DA3 Distort a v1", "DA3 Distort b v1"]


def test_a_compositor_in_use_gets_one_node_unconnected(cameras) -> None:
    links = begin_compositor(bpy.context.scene).links
    assert len(links) == 1
    for _ in range(2):
        bpy.ops.da3.lens_group(camera="a")
    assert nodes() == ["DA3 Distort a v1"] and len(links) == 1


def test_one_undo_step(cameras) -> None:
    begin_compositor(bpy.context.scene)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.da3.lens_group("EXEC_DEFAULT", True, camera="a")
    bpy.ops.ed.undo()
    assert not groups() and not nodes()
    bpy.ops.ed.redo()
    assert nodes() == groups() == ["DA3 Distort a v1"] and bpy.data.images["DA3 Distort a v1"].packed_file


def test_refusals_are_told(cameras) -> None:
    with pytest.raises(RuntimeError, match=r"'c' was not straightened.*Choose a camera whose facts tell of a lens\."):
        bpy.ops.da3.lens_group(camera="c")
    with pytest.raises(RuntimeError, match="The camera 'room' is not in this scene"):
        bpy.ops.da3.lens_group(camera="room")
    assert not groups()
