"""What a photo's camera keeps of its lens and its match, through files and updates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.lens import BROWN, FISHEYE, Lens, named_coefficients, straight_camera

bpy = pytest.importorskip("bpy")

from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.lenses import read_lens, read_pinhole, write_lens  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

FOCAL = np.array([[1501.25, 0, 803.1], [0, 1499.5, 597.7], [0, 0, 1]])
BROWN_LENS = Lens(BROWN, (1600, 1200), FOCAL, np.array([-0.11, 0.02, 1e-4, -2e-4, 0.003]))
FISHEYE_LENS = Lens(FISHEYE, (1600, 1200), FOCAL, np.array([0.05, -0.01]))


def bent_view(room, lens: Lens, name: str = "a.jpg"):
    """A view of the straightened photo of `lens`."""
    straight = straight_camera(lens)
    focal, middle = straight.intrinsics.diagonal()[:2], straight.intrinsics[:2, 2]
    view = room.view(photo_size=straight.size, focal=tuple(focal), principal=tuple(middle), name=name, detail=40)
    return replace(view, lens=lens, match_error=0.37)


@pytest.mark.parametrize("lens", [BROWN_LENS, FISHEYE_LENS])
def test_a_file_keeps_lens_and_match(room, empty_scene, tmp_path, lens):
    write_scene(plan_scene(room.prediction(bent_view(room, lens)), "room"), empty_scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    (data,) = bpy.data.cameras
    found, straight = read_lens(data), read_pinhole(data)
    assert found is not None and straight is not None
    assert (found.model, found.size) == (lens.model, lens.size)
    np.testing.assert_array_equal(found.coefficients[: len(lens.coefficients)], lens.coefficients)
    assert not found.coefficients[len(lens.coefficients) :].any()
    np.testing.assert_array_equal(found.intrinsics, lens.intrinsics)
    assert straight.size == straight_camera(lens).size
    np.testing.assert_allclose(straight.intrinsics, straight_camera(lens).intrinsics, rtol=1e-12)
    assert data["da3_match_error"] == 0.37


def test_an_update_tells_of_the_new_lens_alone(room, empty_scene):
    made = write_scene(plan_scene(room.prediction(bent_view(room, BROWN_LENS)), "room"), empty_scene)
    (camera,) = find.objects_of(made.collection, "camera")
    camera.data["mine"] = 3
    update_scene(plan_scene(room.prediction(bent_view(room, FISHEYE_LENS)), "room"), made.collection, empty_scene)
    found = read_lens(camera.data)
    assert found is not None and named_coefficients(found) == {"k1": 0.05, "k2": -0.01, "k3": 0, "k4": 0}
    update_scene(plan_scene(room.prediction(room.view(name="a.jpg")), "room"), made.collection, empty_scene)
    assert read_lens(camera.data) is None and "da3_match_error" not in camera.data and camera.data["mine"] == 3
    straight = read_pinhole(camera.data)
    assert straight is not None and straight.size == (640, 480)
    np.testing.assert_allclose(straight.intrinsics, [[520, 0, 320], [0, 520, 240], [0, 0, 1]], rtol=1e-12)


def test_what_is_no_lens_is_none(empty_scene):
    data = bpy.data.cameras.new("a")
    assert read_lens(data) is None and read_pinhole(data) is None
    write_lens(data, BROWN_LENS)
    data["da3_lens_coefficients"] = [0.1]
    assert read_lens(data) is None
    write_lens(data, BROWN_LENS)
    data["da3_lens_size"] = "large"
    assert read_lens(data) is None
    write_lens(data, None)
    assert not list(data.keys())
