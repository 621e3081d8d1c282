"""A clip is exported as its key frames with their pictures, and as one camera that moves."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract.export.formats import FORMATS, export
from tests.da3_blender.clips import walk

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from da3_blender.scene import locks, visibility, write_scene  # noqa: E402
from da3_blender.scene.exporting import seen_scene  # noqa: E402
from da3_blender.scene.projection import project_photo  # noqa: E402
from model_runtime.contract.export.scene import project  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402

SEEN = np.array([[0.0, 4.0, 1.0], [-1.0, 4.0, 0.5], [0.5, 3.0, 0.0]])


@pytest.fixture
def prediction(room):
    clip = walk(room)
    buffer = BytesIO()
    Image.new("RGB", (640, 480)).save(buffer, "JPEG")
    return replace(clip, views=tuple(replace(view, plate=buffer.getvalue()) for view in clip.views))


@pytest.fixture
def made(empty_scene, prediction):
    made = write_scene(plan_scene(prediction, "walk", settings=PlanSettings(confidence_threshold=0)), empty_scene)
    hand = Matrix.Translation((1, 2, 3)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(2, 4)
    for item in empty_scene.objects:
        if item.parent is None:
            item.matrix_world = hand @ item.matrix_world
    return made, np.array(hand)


def seen(made):
    bpy.context.view_layer.update()
    return seen_scene(made[0].collection, bpy.context.scene, bpy.context.evaluated_depsgraph_get())


def where(made, prediction):
    """SEEN in Blender's world, which tells of the plan by the cameras alone."""
    plan = plan_scene(prediction, "walk")
    frame = made[1] @ plan.motion
    return SEEN @ frame[:3, :3].T + frame[:3, 3]


def test_key_frames_see_their_points(made, prediction):
    scene = seen(made)
    assert [camera.name for camera in scene.cameras] == ["frame 0", "frame 8", "frame 16", "frame 23"]
    assert all(camera.plate[:2] == b"\xff\xd8" for camera in scene.cameras)
    for index, camera in enumerate(scene.cameras):
        pixels, depth = project(camera, scene.points.position[scene.points.view == index])
        cells = pixels * camera.map_size / camera.size
        assert len(depth) and np.abs(cells - np.floor(cells) - 0.5).max() < 5e-3 and (depth > 0).all()


def test_the_moving_camera_is_in_every_frame(made, prediction):
    track = seen(made).track
    assert track.frames.tolist() == list(range(1, 25)) and track.rate == 24
    points = where(made, prediction)
    for camera, true in zip(track.cameras, prediction.track.extrinsics, strict=True):
        image = (SEEN @ true[:3, :3].T + true[:3, 3]) @ prediction.track.intrinsics.T
        assert project(camera, points)[0] == pytest.approx(image[:, :2] / image[:, 2:], abs=0.02)


def test_files(made, tmp_path):
    scene = seen(made)
    export(scene, [FORMATS[name] for name in ("chan", "usd", "colmap", "transforms", "nuke")], tmp_path)
    rows = np.loadtxt(tmp_path / "cameras.chan")
    assert rows[:, 0].tolist() == list(range(1, 25))
    x, y, z = scene.track.cameras[7].to_world[:3, 3]
    assert rows[7, 1:4] == pytest.approx([x, z, -y], abs=1e-6)
    stage = (tmp_path / "scene.usda").read_text()
    assert "startTimeCode = 1\n" in stage and "endTimeCode = 24" in stage and "timeCodesPerSecond = 24" in stage
    samples = re.search(r"timeSamples = \{(.*?)\n            \}", stage, re.DOTALL)[1]
    found = {int(frame): row for frame, row in re.findall(r"(\d+): \( (.*) \),", samples)}
    matrix = np.array(re.findall(r"-?[\d.e-]+", found[8]), float).reshape(4, 4)
    np.testing.assert_allclose(matrix.T, scene.track.cameras[7].to_world, atol=1e-6)
    assert len(found) == 24
    assert len(list((tmp_path / "images").iterdir())) == 4


def test_what_does_not_go_with_a_clip_says_so(made):
    (camera,) = made[0].cameras
    with pytest.raises(JobError, match="moves with its clip"):
        locks.lock(camera, locks.CAMERA)
    with pytest.raises(JobError, match="of a clip"):
        project_photo(camera, [])
    before = len(seen(made).points.position)
    visibility.hide_photos(made[0].collection, [camera["da3_view"]])
    visibility.hide_photos(made[0].collection, [])
    assert len(seen(made).points.position) == before
