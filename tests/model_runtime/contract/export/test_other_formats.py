"""Exports as other programs' libraries read them: points lie on the pixels of their photos."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from model_runtime.contract.export import depth, glb, npz, nuke, point_cloud, transforms, usd
from model_runtime.contract.export.formats import FORMATS, export
from model_runtime.contract.export.scene import ExportPoints, project
from model_runtime.contract.export.settings import ORIGINAL, ExportSettings
from model_runtime.contract.lens import distort
from model_runtime.contract.messages import JobError

Y_UP = Rotation.from_euler("x", -90, degrees=True)
"""As artists turn a scene with z up, in a program with y up."""


def of(seen, index: int) -> tuple[np.ndarray, np.ndarray]:
    """[M,3] the points of a photo, and the pixels [M,2] that show them."""
    mine = seen.scene.points.view == index
    return seen.scene.points.position[mine].astype(float), seen.pixels[mine]


def test_transforms_json_by_nerfstudios_conventions(seen, tmp_path: Path) -> None:
    export(seen.scene, [transforms.write], tmp_path)
    content = json.loads((tmp_path / "transforms.json").read_text())
    for index, frame in enumerate(content["frames"]):
        assert (frame["w"], frame["h"]) == seen.scene.cameras[index].size
        assert (tmp_path / frame["file_path"]).read_bytes() == seen.scene.cameras[index].photo.read_bytes()
        position, pixels = of(seen, index)
        local = (np.linalg.inv(frame["transform_matrix"]) @ np.c_[position, np.ones(len(position))].T)[:3]
        x = frame["fl_x"] * local[0] / -local[2] + frame["cx"]
        y = frame["fl_y"] * -local[1] / -local[2] + frame["cy"]
        assert (local[2] < 0).all() and np.abs(np.stack((x, y), -1) - pixels).max() < 1e-3
    assert len(trimesh.load(tmp_path / content["ply_file_path"]).vertices) == 100


def test_transforms_json_has_one_kind_of_lens(bent, tmp_path: Path) -> None:
    straight = export(bent.scene, [transforms.write], tmp_path / "straight")
    content = json.loads(next(path for path in straight if path.suffix == ".json").read_text())
    assert content["camera_model"] == "OPENCV" and not any("k1" in frame for frame in content["frames"])
    with pytest.raises(JobError, match="several"):
        export(bent.scene, [transforms.write], tmp_path / "bent", ExportSettings(ORIGINAL))
    assert not list((tmp_path / "bent").iterdir())
    rational, fisheye = (type(bent.scene)(bent.scene.cameras[i : i + 1]) for i in (1, 2))
    with pytest.raises(JobError, match="k4 to k6"):
        export(rational, [transforms.write], tmp_path / "bent", ExportSettings(ORIGINAL))
    export(fisheye, [transforms.write], tmp_path / "bent", ExportSettings(ORIGINAL))
    content = json.loads((tmp_path / "bent" / "transforms.json").read_text())
    assert content["camera_model"] == "OPENCV_FISHEYE"
    assert [content["frames"][0][key] for key in ("k1", "k2", "k3", "k4")] == [0.02, -0.01, 0.002, 0.0]


READ_USD = """
import json, sys
from pxr import Usd, UsdGeom
stage = Usd.Stage.Open(sys.argv[1])
cameras = [UsdGeom.Camera(prim).GetCamera(0).frustum for prim in stage.Traverse() if prim.IsA(UsdGeom.Camera)]
points = UsdGeom.Points(stage.GetPrimAtPath("/DA3/Points"))
mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/DA3/Mesh"))
print(json.dumps({
    "up": str(UsdGeom.GetStageUpAxis(stage)),
    "unit": UsdGeom.GetStageMetersPerUnit(stage),
    "cameras": [[list(row) for row in c.ComputeViewMatrix() * c.ComputeProjectionMatrix()] for c in cameras],
    "points": [list(each) for each in points.GetPointsAttr().Get()],
    "widths": list(points.GetWidthsAttr().Get()),
    "colors": [list(each) for each in points.GetDisplayColorAttr().Get()],
    "corners": list(mesh.GetFaceVertexIndicesAttr().Get()),
    "vertices": [list(each) for each in mesh.GetPointsAttr().Get()],
}))
"""
"""Away from Blender, which has another OpenUSD: the two do not get along in one process."""


def test_usd_cameras_see_each_point_at_its_pixel(seen, tmp_path: Path) -> None:
    (path,) = export(seen.scene, [usd.write], tmp_path)
    told = json.loads(subprocess.check_output([sys.executable, "-c", READ_USD, str(path)]))
    assert (told["up"], told["unit"]) == ("Z", 1)
    for index, matrix in enumerate(told["cameras"]):
        position, pixels = of(seen, index)
        clip = np.c_[position, np.ones(len(position))] @ matrix  # USD's vectors are rows
        found = (clip[:, :2] / clip[:, 3:] * (1, -1) + 1) / 2 * seen.scene.cameras[index].size
        assert np.abs(found - pixels).max() < 1e-3
    assert len(told["cameras"]) == 4
    assert np.abs(np.array(told["points"]) - seen.scene.points.position).max() < 1e-6
    assert np.abs(np.array(told["colors"]) - ((seen.scene.points.color / 255 + 0.055) / 1.055) ** 2.4).max() < 0.01
    position, camera = of(seen, 0)[0], seen.scene.cameras[0]
    depth = position @ camera.extrinsics[2, :3] + camera.extrinsics[2, 3]
    assert told["widths"][:25] == pytest.approx(1.5 * depth * 4 / 100, rel=1e-5)
    assert told["corners"] == seen.scene.mesh.triangles.ravel().tolist()
    assert np.array_equal(told["vertices"], seen.scene.mesh.vertices)


def test_glb_as_trimesh_reads_it(seen, tmp_path: Path) -> None:
    (path,) = export(seen.scene, [glb.write], tmp_path)
    loaded = trimesh.load(path)
    turned = Y_UP.apply(seen.scene.points.position)
    assert np.abs(loaded.geometry["Points"].vertices - turned).max() < 1e-5
    mesh = loaded.geometry["Mesh"]
    assert mesh.is_watertight and mesh.volume == pytest.approx(1 / 6)
    size = int.from_bytes(path.read_bytes()[12:16], "little")
    content = json.loads(path.read_bytes()[20 : 20 + size])
    camera, node = content["cameras"][0]["perspective"], content["nodes"][2]  # wide.png, which is centred
    position, pixels = of(seen, 0)
    local = np.linalg.inv(np.reshape(node["matrix"], (4, 4)).T) @ np.c_[Y_UP.apply(position), np.ones(25)].T
    tall = np.tan(camera["yfov"] / 2)
    shares = np.stack((local[0] / -local[2] / tall / camera["aspectRatio"], local[1] / local[2] / tall), -1)
    assert np.abs((shares + 1) / 2 * (120, 80) - pixels).max() < 1e-3


def test_ply_as_trimesh_reads_it(seen, tmp_path: Path) -> None:
    (path,) = export(seen.scene, [point_cloud.write], tmp_path)
    loaded = trimesh.load(path)
    assert np.array_equal(loaded.vertices, seen.scene.points.position)
    assert np.array_equal(loaded.colors[:, :3], seen.scene.points.color)
    data = loaded.metadata["_ply_raw"]["vertex"]["data"]
    assert np.array_equal(data["confidence"].ravel(), seen.scene.points.confidence)
    assert np.array_equal(data["view"].ravel(), seen.scene.points.view)


def channels(path: Path) -> dict[str, np.ndarray]:
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def test_depth_and_position_lie_at_the_pixels_of_the_map(seen, tmp_path: Path) -> None:
    export(seen.scene, [depth.write_depth, depth.write_position], tmp_path)
    for index, camera in enumerate(seen.scene.cameras):
        name = Path(camera.name).with_suffix(".exr")
        found, where = channels(tmp_path / "depth" / name), channels(tmp_path / "position" / name)
        assert found["Z"].shape == camera.map_size[::-1] and found["Z"].dtype == np.float32
        assert found["A"].sum() == 25 and not found["Z"][found["A"] == 0].any()
        position, pixels = of(seen, index)
        column, row = np.floor(pixels * camera.map_size / camera.size).astype(int).T
        axis = camera.extrinsics[2]
        assert np.abs(found["Z"][row, column] - (position @ axis[:3] + axis[3])).max() < 1e-5
        assert all(np.array_equal(found[letter], found["Z"]) for letter in "RGB")
        for i, letter in enumerate("RGB"):
            assert np.array_equal(where[letter][row, column], position[:, i].astype(np.float32))


def test_depth_is_whole_where_another_photo_shows_the_place_better(seen, tmp_path: Path) -> None:
    points = tuple(vars(seen.scene.points).values())
    first, others = (ExportPoints(*(each[half] for each in points)) for half in (slice(50), slice(50, None)))
    for name, scene in (("whole", seen.scene), ("parts", replace(seen.scene, points=first, repeated=others))):
        export(scene, [depth.write_depth], tmp_path / name)
    for path in (tmp_path / "whole").rglob("*.exr"):
        assert path.read_bytes() == (tmp_path / "parts" / path.relative_to(tmp_path / "whole")).read_bytes()


def test_exr_of_any_size_is_what_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for shape in ((1, 1), (16, 3), (33, 70)):
        arrays = {"Z": rng.normal(size=shape), "P.X": np.full(shape, 0.25), "A": rng.integers(0, 2, shape)}
        depth.write_exr(tmp_path / "a.exr", arrays)
        for name, values in channels(tmp_path / "a.exr").items():
            assert np.array_equal(values, np.float32(arrays[name]))


def knobs(script: str, kind: str) -> list[dict[str, str]]:
    """The knobs of all nodes of a kind; values without braces."""
    nodes = re.findall(rf"^{kind} {{\n(.*?)^}}", script, re.MULTILINE | re.DOTALL)
    return [dict(re.findall(r"^ (\S+) {?(.*?)}?$", node, re.MULTILINE)) for node in nodes]


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), float)


def test_nukes_cameras_see_each_point_at_its_pixel(seen, tmp_path: Path) -> None:
    """As nukescripts projects points: film, then window; y up, from the lower left."""
    export(seen.scene, [nuke.write_script], tmp_path)
    cameras = knobs((tmp_path / "scene.nk").read_text(), "Camera2")
    for index, (node, camera) in enumerate(zip(cameras, seen.scene.cameras, strict=True)):
        position, pixels = of(seen, index)
        x, y, z = numbers(node["rotate"])
        turn = Rotation.from_euler("zxy", [z, x, y], degrees=True)  # about fixed axes, z first
        local = turn.inv().apply(Y_UP.apply(position) - numbers(node["translate"]))
        lens = 2 * float(node["focal"]) / float(node["haperture"])
        film = lens * local[:, :2] / -local[:, 2:]
        window = (film - numbers(node["win_translate"])) / numbers(node["win_scale"])
        width, height = camera.size
        found = np.array([width / 2, height / 2]) + window * width / 2
        assert np.abs(np.stack((found[:, 0], height - found[:, 1]), -1) - pixels).max() < 1e-3
    plates = [node["file"].split("]]/")[1].strip('"') for node in knobs((tmp_path / "scene.nk").read_text(), "Read")]
    assert all((tmp_path / plate).is_file() for plate in plates) and len(plates) == 4


def test_nuke_keeps_straightened_photos_beside_original_ones(bent, tmp_path: Path) -> None:
    """In either order: what has the lens names the photos as they were taken, Nuke's plates fit its cameras."""
    for number, writers in enumerate(([FORMATS["colmap"], nuke.write_script], [nuke.write_script, FORMATS["colmap"]])):
        folder = tmp_path / str(number)
        export(bent.scene, writers, folder, ExportSettings(ORIGINAL))
        plates = [node for node in knobs((folder / "scene.nk").read_text(), "Read") if "/straightened/" in node["file"]]
        assert len(plates) == len(bent.scene.cameras)
        camera, plate = bent.scene.cameras[0], plates[0]["file"].split("]]/")[1].strip('"')
        assert (folder / plate).read_bytes() == camera.plate
        assert (folder / "images" / Path(plate).name).read_bytes() == camera.photo.read_bytes()


def test_photos_of_one_lens_share_nukes_maps(bent, tmp_path: Path) -> None:
    first, other = bent.scene.cameras[:2]
    second = replace(first, name="second.png", extrinsics=other.extrinsics)
    export(replace(bent.scene, cameras=(first, second, other)), [nuke.write_script], tmp_path)
    files = [node["file"].strip('"') for node in knobs((tmp_path / "scene.nk").read_text(), "Read")]
    maps = [Path(file).name for file in files if "/stmaps/" in file]
    assert len(maps) == 6 and maps[:2] == maps[2:4] and len({*maps}) == 4
    assert {file.name for file in (tmp_path / "stmaps").iterdir()} == {*maps}


def test_nukes_lens_maps_lead_from_one_picture_to_the_other(bent, tmp_path: Path) -> None:
    export(bent.scene, [nuke.write_script], tmp_path)
    script = (tmp_path / "scene.nk").read_text()
    assert len(knobs(script, "STMap")) == 8
    camera = bent.scene.cameras[0]
    straighten, bend = (channels(tmp_path / "stmaps" / f"wide_{kind}.exr") for kind in ("straighten", "bend"))
    assert straighten["R"].shape == camera.size[::-1] and bend["R"].shape == camera.lens.size[::-1]
    row, column = 30, 50  # of the straightened picture
    plane = (np.array([column + 0.5, row + 0.5]) - camera.intrinsics[:2, 2]) / camera.intrinsics.diagonal()[:2]
    x, y = distort(camera.lens, plane)
    width, height = camera.lens.size
    found = np.array([straighten["R"][row, column] * width, (1 - straighten["G"][row, column]) * height])
    assert np.abs(found - (x, y)).max() < 1e-4
    # There and back again: the bent picture looks there where it was looked for.
    i, j = int(y), int(x)
    back = np.array([bend["R"][i, j] * camera.size[0], (1 - bend["G"][i, j]) * camera.size[1]])
    assert np.abs(back - (column + 0.5, row + 0.5)).max() < 1.5 and bend["A"].all()


def test_chan_has_a_row_for_each_photo(seen, tmp_path: Path) -> None:
    (path,) = export(seen.scene, [nuke.write_chan], tmp_path)
    rows = np.loadtxt(path)
    assert rows.shape == (4, 8) and rows[:, 0].tolist() == [1, 2, 3, 4]
    position, pixels = of(seen, 0)
    _, *place, x, y, z, angle = rows[0]
    local = Rotation.from_euler("zxy", [z, x, y], degrees=True).inv().apply(Y_UP.apply(position) - place)
    focal = 40 / np.tan(np.radians(angle / 2))
    found = np.array([60, 40]) + focal * local[:, :2] * (1, -1) / -local[:, 2:]
    assert np.abs(found - pixels).max() < 1e-3


@pytest.mark.parametrize("x", [-90.0, 90.0])
def test_cameras_that_look_straight_down_have_angles(x: float) -> None:
    rotation = Rotation.from_euler("zxy", [30, x, 20], degrees=True)
    angles = nuke.rotate_zxy(rotation.as_matrix())
    again = Rotation.from_euler("zxy", angles[[2, 0, 1]], degrees=True)
    assert (rotation.inv() * again).magnitude() < 1e-6


def test_npz_is_the_scene_again(bent, tmp_path: Path) -> None:
    (path,) = export(bent.scene, [npz.write], tmp_path)
    with np.load(path) as archive:
        named = dict(archive)
    again = npz.scene_of(named, json.loads(str(named["meta"])))
    assert len(again.cameras) == 4 and again.points.position.tobytes() == bent.scene.points.position.tobytes()
    for camera, before in zip(again.cameras, bent.scene.cameras, strict=True):
        assert (camera.name, camera.size, camera.map_size) == (before.name, before.size, before.map_size)
        assert (camera.photo, camera.plate, camera.lens.model) == (before.photo, before.plate, before.lens.model)
        assert np.array_equal(camera.lens.coefficients, before.lens.coefficients)
        point = bent.scene.points.position[:5]
        assert np.array_equal(project(camera, point)[1], project(before, point)[1])
