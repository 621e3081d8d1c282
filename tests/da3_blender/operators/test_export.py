"""The button Export writes what scripts write, changes nothing in the file, and says what is in the way."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.conventions import any_blender_camera, from_blender_camera
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract.export.scene import ExportCamera, ExportScene, project
from model_runtime.contract.lens import BROWN, Lens, straight_camera
from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files.axes import to_z_up
from model_runtime.contract.splat_files.files import read_splats

bpy = pytest.importorskip("bpy")

from da3_blender.jobs.export import export_result, writers  # noqa: E402
from da3_blender.operators.export import FORMATS  # noqa: E402
from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.exporting import seen_scene  # noqa: E402
from da3_blender.scene.marks import ID  # noqa: E402

CASES = (
    ((64, 48), (52.0, 52.0), None),
    ((48, 64), (50.0, 50.0), (23.0, 33.0)),
    ((80, 45), (62.0, 54.0), (42.5, 21.25)),
)
SPLATS = ("splats_ply", "splats_spz", "splats_glb", "splats_usda")
"""Formats of what the photos' scene does not have."""

KINDS = ("objects", "meshes", "cameras", "collections", "materials", "images", "node_groups", "scenes")


def png(size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 90)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def made(room, addon_scene, tmp_path: Path):
    """Photos of three shapes, whose files are in the folder `photos`, and a sheet for each."""
    (tmp_path / "photos").mkdir()
    views, paths = [], []
    for i, (size, focal, middle) in enumerate(CASES):
        paths.append(tmp_path / "photos" / f"photo {i}.png")
        paths[-1].write_bytes(png(size))
        eye = (0.3 * i - 0.3, 0, 1.5)
        views.append(room.view(eye, photo_size=size, focal=focal, principal=middle, name=paths[-1].name, detail=2))
    settings = PlanSettings(confidence_threshold=0, sheets=True)
    return write_scene(plan_scene(room.prediction(*views), "room", paths, settings), addon_scene)


def seen(made) -> ExportScene:
    return seen_scene(made.collection, bpy.context.scene, bpy.context.evaluated_depsgraph_get())


def counts() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def press(made, folder: Path, formats: set[str], **options: object) -> set[str]:
    return bpy.ops.da3.export(result=made.collection[ID], directory=str(folder), formats=formats, **options)


def test_the_button_offers_every_format(made) -> None:
    assert {name for name, _, _ in FORMATS} == writers(made.collection).keys()


def test_every_format_at_once_leaves_the_file_as_it_was(made, tmp_path: Path) -> None:
    made.cameras[1].select_set(True)
    bpy.context.view_layer.objects.active = made.cameras[2]
    names, before = sorted(item.name for item in bpy.data.objects), counts()
    assert press(made, tmp_path / "out", {name for name, _, _ in FORMATS} - {"stmap", *SPLATS}) == {"FINISHED"}
    assert counts() == before and sorted(item.name for item in bpy.data.objects) == names
    assert bpy.context.selected_objects == [made.cameras[1]]
    assert bpy.context.view_layer.objects.active == made.cameras[2]
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert {"scene.abc", "scene.fbx", "scene.glb", "scene.usda", "scene.npz", "scene.nk", "cameras.chan"} <= files
    assert {"points.ply", "transforms.json", "depth/photo 0.exr", "position/photo 2.exr"} <= files
    assert {"sparse/0/cameras.bin", "sparse/0/images.bin", "sparse/0/points3D.bin", "images/photo 1.png"} <= files


def test_splats_are_written_where_they_stand(room, addon_scene, tmp_path: Path) -> None:
    gaussians = room.gaussians(np.array([[0, 0, 2], [0, 1, 3]]), colors=(0.2, 0.4, 0.9))
    plan = plan_scene(room.prediction(room.view(), gaussians=gaussians), "room", settings=PlanSettings())
    made = write_scene(plan, addon_scene)
    made.splats.location = (5, 0, 1)
    made.splats.hide_viewport = False
    bpy.context.view_layer.update()
    assert press(made, tmp_path, set(SPLATS)) == {"FINISHED"}
    assert {path.name for path in tmp_path.iterdir()} == {"splats.ply", "splats.spz", "splats.glb", "splats.usda"}
    for name in ("splats.ply", "splats.spz"):
        found = read_splats(tmp_path / name)
        places = to_z_up(found.splats, found.axes).means
        np.testing.assert_allclose(places, plan.splats.position + np.array((5, 0, 1)), atol=1e-4)
    made.splats.hide_set(True)
    with pytest.raises(RuntimeError, match="No splats are shown"):
        press(made, tmp_path / "none", {"splats_ply"})


def test_what_is_there_stays_until_replacing_is_asked_for(made, tmp_path: Path) -> None:
    (tmp_path / "points.ply").write_text("mine")
    with pytest.raises(RuntimeError, match=r"points\.ply is there already"):
        press(made, tmp_path, {"ply"})
    assert (tmp_path / "points.ply").read_text() == "mine"
    assert press(made, tmp_path, {"ply"}, overwrite=True) == {"FINISHED"}
    with pytest.raises(RuntimeError, match="at least one format"):
        press(made, tmp_path, set())


def imported(path: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".abc":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    elif path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    bpy.context.view_layer.update()


@pytest.mark.parametrize("name", ["alembic", "fbx", "glb"])
def test_points_lie_on_their_pixels_in_what_blender_writes(made, name: str, tmp_path: Path) -> None:
    """For each camera that comes back, whatever its photo's shape; glTF has no off-centre principal points."""
    scene = seen(made)
    (path,) = export_result(made.collection, bpy.context.scene, [name], tmp_path / "out")
    imported(path)
    cameras = {item.name: item for item in bpy.data.objects if item.type == "CAMERA"}
    assert sorted(cameras) == ["photo_0_camera", "photo_1_camera", "photo_2_camera"]
    for index, (size, focal, middle) in enumerate(CASES):
        item = cameras[f"photo_{index}_camera"]
        lens = item.data
        aspect = (1.0, focal[0] / focal[1]) if focal[0] >= focal[1] else (focal[1] / focal[0], 1.0)
        fit = lens.sensor_fit if name == "glb" else "HORIZONTAL"
        sensor, shift = (lens.sensor_width, lens.sensor_height), (lens.shift_x, lens.shift_y)
        pinhole = any_blender_camera(np.array(item.matrix_world), lens.lens, shift, fit, sensor, size, aspect)
        extrinsics, intrinsics = from_blender_camera(pinhole)
        points = scene.points.position[scene.points.view == index]
        found = project(ExportCamera("", size, intrinsics, extrinsics), points)[0]
        off = np.subtract(middle or np.array(size) / 2, np.array(size) / 2) if name == "glb" else 0
        assert np.abs(found + off - project(scene.cameras[index], points)[0]).max() < 1e-3
    points = next(item for item in bpy.data.objects if item.name == "points")
    position = np.array([points.matrix_world @ vertex.co for vertex in points.data.vertices])
    assert np.abs(np.sort(position, axis=0) - np.sort(scene.points.position, axis=0)).max() < 1e-4


@pytest.mark.parametrize("name", ["fbx", "glb"])
def test_surfaces_keep_their_photos(made, name: str, tmp_path: Path) -> None:
    for camera in made.cameras:
        camera.data.background_images[0].image.pack()
    (path,) = export_result(made.collection, bpy.context.scene, [name], tmp_path / "out")
    imported(path)
    sheets = [item for item in bpy.data.objects if "surface" in item.name]
    assert len(sheets) == 3
    for item in sheets:
        nodes = item.data.materials[0].node_tree.nodes
        (image,) = {node.image for node in nodes if node.type == "TEX_IMAGE"}
        assert tuple(image.size) in {size for size, _, _ in CASES} and len(item.data.uv_layers) == 1
        assert np.allclose(image.pixels[:3], np.array([200, 30, 90]) / 255, atol=1e-3)


def test_a_lens_comes_along_with_the_photo_as_it_was_taken(room, addon_scene, tmp_path: Path) -> None:
    path = tmp_path / "bent.png"
    path.write_bytes(png((64, 48)))
    lens = Lens(BROWN, (64, 48), np.array([[50.0, 0, 30], [0, 50, 25], [0, 0, 1]]), np.array([-0.2, 0.03, 0, 0]))
    straight = straight_camera(lens)
    focal, middle = tuple(straight.intrinsics.diagonal()[:2]), tuple(straight.intrinsics[:2, 2])
    view = room.view(photo_size=straight.size, focal=focal, principal=middle, name="bent.png", detail=2)
    view = replace(view, lens=lens, plate=png(straight.size))
    made = write_scene(plan_scene(room.prediction(view), "room", [path]), addon_scene)
    made.collection["da3_request"] = json.dumps({"photos": [{"name": "bent.png", "path": str(path)}]})
    for pictures, bend, size in (("straight", None, straight.size), ("original", -0.2, (64, 48))):
        assert press(made, tmp_path / pictures, {"transforms"}, pictures=pictures) == {"FINISHED"}
        (frame,) = json.loads((tmp_path / pictures / "transforms.json").read_text())["frames"]
        assert (frame.get("k1"), frame["w"], frame["h"]) == (bend, *size)
        assert Image.open(tmp_path / pictures / "images" / "bent.png").size == size


def test_nothing_is_exported_while_something_is_edited(made, tmp_path: Path) -> None:
    bpy.context.view_layer.objects.active = made.surfaces[0]
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(JobError, match="being edited"):
        export_result(made.collection, bpy.context.scene, ["ply"], tmp_path / "out")
    bpy.ops.object.mode_set(mode="OBJECT")
    assert not (tmp_path / "out").exists()
