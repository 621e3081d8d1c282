"""What is exported is what is seen: hidden photos and points, moved and scaled objects, parents, the floor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract.export.formats import FORMATS, export
from model_runtime.contract.export.scene import project
from model_runtime.contract.messages import JobError

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from da3_blender.scene import visibility, write_scene  # noqa: E402
from da3_blender.scene.exporting import seen_scene  # noqa: E402
from da3_blender.scene.meshes import set_input  # noqa: E402
from da3_blender.scene.transform import set_distance  # noqa: E402

CASES = (
    ((640, 480), (520.0, 520.0), None),
    ((480, 640), (500.0, 500.0), (230.0, 330.0)),
    ((800, 450), (620.0, 540.0), (420.5, 210.25)),
    ((450, 800), (540.0, 650.0), (240.0, 380.0)),
)


@pytest.fixture
def made(room, empty_scene, tmp_path: Path):
    """Four photos of all shapes, and their sheets."""
    views = [
        room.view(eye=(0.3 * i - 0.5, 0, 1.5), photo_size=size, focal=focal, principal=middle, name=f"photo {i}.png")
        for i, (size, focal, middle) in enumerate(CASES)
    ]
    plan = plan_scene(room.prediction(*views), "room", settings=PlanSettings(confidence_threshold=0, sheets=True))
    return write_scene(plan, empty_scene)


def seen(made):
    bpy.context.view_layer.update()
    return seen_scene(made.collection, bpy.context.scene, bpy.context.evaluated_depsgraph_get())


def assert_on_pixels(scene, within: float = 2e-3) -> None:
    """Each photo's points are seen at the centres of their depth map's pixels."""
    assert len(scene.points.position) and set(scene.points.view) == set(range(len(scene.cameras)))
    for index, camera in enumerate(scene.cameras):
        pixels, depth = project(camera, scene.points.position[scene.points.view == index])
        cells = pixels * camera.map_size / camera.size
        assert np.abs(cells - np.floor(cells) - 0.5).max() < within and (depth > 0).all()


def test_cameras_and_points_agree_in_pixels_of_the_photos(made) -> None:
    scene = seen(made)
    assert [camera.size for camera in scene.cameras] == [size for size, _, _ in CASES]
    assert [camera.map_size for camera in scene.cameras] == [(64, 48), (48, 64), (80, 45), (45, 80)]
    for camera, (size, focal, middle) in zip(scene.cameras, CASES, strict=True):
        found = [*camera.intrinsics.diagonal()[:2], *camera.intrinsics[:2, 2]]
        assert found == pytest.approx([*focal, *(middle or (size[0] / 2, size[1] / 2))], abs=1e-3)
    assert_on_pixels(scene)
    assert np.isin(scene.points.color, (180, 120, 60, 40, 90, 200)).all()


def test_hidden_photos_points_and_surfaces_stay_home(made) -> None:
    everything = seen(made)
    visibility.hide_photos(made.collection, ["photo 1.png"])
    scene = seen(made)
    assert [camera.name for camera in scene.cameras] == ["photo 0.png", "photo 2.png", "photo 3.png"]
    assert len(scene.points.position) == (everything.points.view != 1).sum()
    assert_on_pixels(scene)
    assert len(scene.mesh.triangles) < len(everything.mesh.triangles)
    set_input(made.points.modifiers[0], "Confidence", 0.5)
    sure = seen(made)
    assert len(sure.points.position) < 0.6 * len(everything.points.position)
    assert sure.points.confidence.min() >= np.median(everything.points.confidence) - 0.01
    visibility.show_part(made.collection, "points", False)
    visibility.show_part(made.collection, "sheet", False)
    bare = seen(made)
    assert not len(bare.points.position) and bare.mesh is None and len(bare.cameras) == 3


def test_hidden_cameras_are_where_they_were(made) -> None:
    before = seen(made)
    visibility.show_part(made.collection, "camera", False)
    after = seen(made)
    for one, other in zip(before.cameras, after.cameras, strict=True):
        assert np.abs(one.extrinsics - other.extrinsics).max() < 1e-5


def test_the_scenes_scale_is_in_everything(made) -> None:
    before = seen(made)
    assert not before.metric
    set_distance(made.collection, np.array([0, 0, 0.0]), np.array([0, 1.0, 0]), 2.0)
    scene = seen(made)
    assert scene.metric
    assert np.abs(scene.points.position - 2 * before.points.position).max() < 1e-4
    assert np.abs(scene.mesh.vertices - 2 * before.mesh.vertices).max() < 1e-4
    assert_on_pixels(scene)


def test_a_parents_motion_and_scale_are_in_everything(made) -> None:
    before = seen(made)
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    for item in made.collection.all_objects:
        item.parent = parent
    motion = Matrix.LocRotScale((3, -2, 1), Matrix.Rotation(1.1, 3, "X").to_quaternion(), (1.5, 1.5, 1.5))
    parent.matrix_world = motion
    scene = seen(made)
    moved = np.c_[before.points.position, np.ones(len(before.points.position))] @ np.array(motion).T
    assert np.abs(scene.points.position - moved[:, :3]).max() < 1e-4
    assert_on_pixels(scene)


def test_surfaces_face_the_cameras_also_where_they_are_mirrored(made) -> None:
    def normals(scene) -> np.ndarray:
        a, b, c = np.moveaxis(scene.mesh.vertices[scene.mesh.triangles], 1, 0)
        return np.cross(b - a, c - a)

    before = normals(seen(made)).sum(0)
    for item in made.surfaces:
        item.scale.x = -1
    assert np.abs(normals(seen(made)).sum(0) * (-1, 1, 1) - before).max() < 1e-3 * np.abs(before).max()


def test_a_camera_that_is_no_pinhole_is_told(made) -> None:
    made.cameras[2].data.type = "ORTHO"
    with pytest.raises(JobError, match="no perspective camera"):
        seen(made)


@pytest.fixture
def layered(room, empty_scene):
    """One photo, of which the lower half of the depth map, the surer one, is repeated."""
    view = room.view(name="a.png")
    repeated = np.zeros(view.depth.shape, bool)
    repeated[24:] = True
    plan = plan_scene(room.prediction(replace(view, repeated=repeated)), "room")
    return write_scene(plan, empty_scene)


def test_what_another_photo_shows_better_is_apart(layered) -> None:
    """It belongs to the photo's depth map alone, unless all is kept."""
    scene = seen(layered)
    rows = {}
    for name, points in (("points", scene.points), ("repeated", scene.repeated)):
        pixels, _ = project(scene.cameras[0], points.position)
        rows[name] = np.floor(pixels[:, 1] / 10).astype(int)
        assert set(points.view) == {0}
    assert rows["points"].max() == 23 and rows["repeated"].min() == 24
    modifier = layered.points.modifiers[0]
    everything = len(rows["points"]) + len(rows["repeated"])
    set_input(modifier, "Keep All", True)
    assert (len(seen(layered).points.position), len(seen(layered).repeated.position)) == (everything, 0)
    set_input(modifier, "Keep All", False)
    set_input(modifier, "Confidence", 1.0)
    assert not len(seen(layered).repeated.position)


def test_blender_reads_the_depth_that_was_written(made, tmp_path: Path) -> None:
    """Every pixel of the map, exactly; position in the world likewise."""
    scene = seen(made)
    export(scene, [FORMATS["depth"], FORMATS["position"]], tmp_path)
    mine = scene.points.position[scene.points.view == 2].astype(float)
    pixels, depth = project(scene.cameras[2], mine)
    column, row = np.floor(pixels / 10).astype(int).T
    for folder, truth in (("depth", np.tile(depth[:, None], 3)), ("position", mine)):
        image = bpy.data.images.load(str(tmp_path / folder / "photo 2.exr"))
        image.colorspace_settings.name = "Non-Color"
        found = np.array(image.pixels[:]).reshape(45, 80, 4)[::-1]
        assert np.abs(found[row, column, :3] - truth).max() < 1e-5
        assert found[..., 3].sum() == len(mine) and not found[found[..., 3] == 0].any()
