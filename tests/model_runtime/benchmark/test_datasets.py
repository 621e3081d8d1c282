"""Readers of published data sets, on small folders in their layout with cameras and depths known beforehand."""

import json
from pathlib import Path

import numpy as np
import pycolmap
import pytest
import trimesh
from PIL import Image
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from model_runtime.benchmark.datasets import DATASETS, read_dataset
from model_runtime.benchmark.datasets.scene import TruthScene, evenly_chosen, read_photos, undistorted
from model_runtime.contract.messages import JobError

SIZE = 40, 30
"""Width, height."""


def pose(seed: int) -> np.ndarray:
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    extrinsics[:3, 3] = np.random.default_rng(seed).normal(size=3)
    return extrinsics


def save_photo(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*SIZE[::-1], 3), np.uint8)).save(path)


def save_depth_png(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint16)).save(path)


def save_box(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.creation.box((2, 2, 2)).export(path)


def words(matrix: np.ndarray) -> str:
    return "\n".join(" ".join(repr(float(value)) for value in row) for row in matrix)


def depth_of(scene: TruthScene, view: int) -> np.ndarray:
    read = scene.views[view].depth
    assert read is not None
    return read()


def surface_of(scene: TruthScene) -> np.ndarray:
    assert scene.surface is not None
    return scene.surface()


def test_rendered_rooms(tmp_path):
    intrinsics = [[35.0, 0, 20], [0, 35, 15], [0, 0, 1]]
    entries = []
    for i in range(2):
        save_photo(tmp_path / "attic" / f"photo_{i}.jpg", i)
        np.save(tmp_path / "attic" / f"depth_{i}.npy", np.full(SIZE[::-1], 2.0, np.float32))
        camera = {"photo": f"photo_{i}.jpg", "depth": f"depth_{i}.npy", "extrinsics": pose(i).tolist()}
        entries.append(camera | {"intrinsics": intrinsics})
    (tmp_path / "attic" / "cameras.json").write_text(json.dumps({"walls": "plain", "cameras": entries}))
    [scene] = read_dataset("rooms", tmp_path)
    assert (scene.name, scene.group) == ("attic", "plain")
    assert np.allclose(scene.extrinsics[1], pose(1))
    points = surface_of(scene)
    assert points.shape == (2 * 40 * 30, 3)
    seen = points[1200:] @ pose(1)[:3, :3].T + pose(1)[:3, 3]
    assert np.allclose(seen[:, 2], 2, atol=1e-6)
    assert np.allclose(seen[0], ((0.5 - 20) / 35 * 2, (0.5 - 15) / 35 * 2, 2), atol=1e-6)
    assert [photo.name for photo in read_photos(scene.views)] == ["001 photo_0.jpg", "002 photo_1.jpg"]


def test_eth3d(tmp_path):
    folder = tmp_path / "relief"
    extrinsics = {name: pose(i) for i, name in enumerate(("DSC_0426", "DSC_0427", "DSC_0440"))}
    lines = ["# Image list with two lines of data per image:"]
    for i, (name, matrix) in enumerate(extrinsics.items(), 1):
        x, y, z, w = Rotation.from_matrix(matrix[:3, :3]).as_quat()
        numbers = " ".join(repr(float(v)) for v in (w, x, y, z, *matrix[:3, 3]))
        lines += [f"{i} {numbers} 7 dslr_images/{name}.JPG", "1.5 2.5 -1 3.5 4.5 12"]
        save_photo(folder / "images" / "dslr_images" / f"{name}.JPG", i)
    calibration = folder / "dslr_calibration_jpg"
    calibration.mkdir()
    (calibration / "images.txt").write_text("\n".join(lines) + "\n")
    (calibration / "cameras.txt").write_text(
        "# Camera list\n7 THIN_PRISM_FISHEYE 40 30 35 36 20.5 15.5 0 0 0 0 0 0 0 0\n"
    )
    depth = np.full(SIZE[::-1], 4.0, np.float32)
    depth[0, 0] = np.inf
    (folder / "ground_truth_depth" / "dslr_images").mkdir(parents=True)
    depth.tofile(folder / "ground_truth_depth" / "dslr_images" / "DSC_0440.JPG")
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[1, 1] = 1
    (folder / "masks_for_images" / "dslr_images").mkdir(parents=True)
    Image.fromarray(mask).save(folder / "masks_for_images" / "dslr_images" / "DSC_0440.png")
    save_box(folder / "combined_mesh.ply")

    [scene] = read_dataset("eth3d", tmp_path)
    assert [view.photo.stem for view in scene.views] == ["DSC_0426", "DSC_0440"]  # 427 is excluded by the protocol
    assert np.allclose(scene.extrinsics[1], extrinsics["DSC_0440"])
    assert np.allclose(scene.intrinsics[0], [[35, 0, 20.5], [0, 36, 15.5], [0, 0, 1]])
    read = depth_of(scene, 1)
    assert (read[0, 0], read[1, 1], read[2, 2]) == (0, 0, 4)
    assert np.allclose(np.abs(surface_of(scene)).max(1), 1)
    assert scene.protocol.threshold == 0.25


def test_eth3d_prefers_undistorted_cameras(tmp_path):
    for name, focal in (("dslr_calibration_jpg", 35), ("dslr_calibration_undistorted", 37)):
        (tmp_path / "pipes" / name).mkdir(parents=True)
        (tmp_path / "pipes" / name / "cameras.txt").write_text(f"0 SIMPLE_PINHOLE 40 30 {focal} 20 15\n")
        (tmp_path / "pipes" / name / "images.txt").write_text("1 1 0 0 0 1 2 3 0 DSC_1.JPG\n\n")
    save_photo(tmp_path / "pipes" / "images" / "DSC_1.JPG")
    [scene] = read_dataset("eth3d", tmp_path)
    assert scene.intrinsics[0, 0, 0] == scene.intrinsics[0, 1, 1] == 37


def test_scannetpp(tmp_path):
    merged = tmp_path / "09c1414f1b" / "merge_dslr_iphone"
    extrinsics = [pose(5), pose(6)]
    model = merged / "colmap" / "sparse_render_rgb"
    model.mkdir(parents=True)
    lines = []
    for i, (name, matrix) in enumerate(zip(("iphone/frame_000010.jpg", "dslr/DSC1.JPG"), extrinsics, strict=True), 1):
        x, y, z, w = Rotation.from_matrix(matrix[:3, :3]).as_quat()
        numbers = " ".join(repr(float(v)) for v in (w, x, y, z, *matrix[:3, 3]))
        lines += [f"{i} {numbers} 1 {name}", ""]
        save_photo(merged / "images" / name, i)
    (model / "images.txt").write_text("\n".join(lines) + "\n")
    (model / "cameras.txt").write_text("1 OPENCV 40 30 35 36 20 15 0.1 -0.02 0.001 0.002\n")
    (model / "points3D.txt").write_text("")
    pycolmap.Reconstruction(str(model)).write_binary(str(model))
    for path in model.glob("*.txt"):
        path.unlink()
    save_depth_png(merged / "render_depth" / "frame_000010.png", np.full(SIZE[::-1], 2500))
    save_box(tmp_path / "09c1414f1b" / "scans" / "mesh_aligned_0.05.ply")

    [scene] = read_dataset("scannetpp", tmp_path)
    assert [view.photo.name for view in scene.views] == ["frame_000010.jpg"]
    assert np.allclose(scene.extrinsics[0], extrinsics[0])
    assert np.allclose(scene.intrinsics[0], [[35, 0, 20], [0, 36, 15], [0, 0, 1]])
    assert np.allclose(scene.views[0].distortion, (0.1, -0.02, 0.001, 0.002))
    assert depth_of(scene, 0)[3, 3] == pytest.approx(2.5)
    assert scene.judge is not None
    ours, theirs = scene.judge(np.array([(0.0, 0, 1.05), (0, 0, 1.2)]), surface_of(scene))
    assert ours.tolist() == [True, False]
    assert theirs.all()
    with Image.open(scene.views[0].photo) as photo:
        assert not np.array_equal(np.asarray(photo), np.asarray(Image.open(_bytes(read_photos(scene.views)[0].data))))


def _bytes(data: bytes):
    import io

    return io.BytesIO(data)


def test_undistorting_moves_a_point_where_the_model_says():
    """A dot drawn where Brown's model puts the ray (0.3, 0.2) ends up where a pinhole puts it."""
    intrinsics = np.array([[100.0, 0, 60], [0, 110, 50], [0, 0, 1]])
    k1, k2, p1, p2 = distortion = np.array((0.12, -0.05, 0.01, -0.008))
    x, y = 0.3, 0.2
    square = x * x + y * y
    radial = 1 + k1 * square + k2 * square**2
    moved = (
        x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
        y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
    )
    u, v = moved[0] * 100 + 60, moved[1] * 110 + 50
    column, row = np.meshgrid(np.arange(120) + 0.5, np.arange(100) + 0.5)
    dot = np.exp(-((column - u) ** 2 + (row - v) ** 2) / 8)
    picture = np.repeat(np.round(255 * dot).astype(np.uint8)[..., None], 3, 2)
    weight = undistorted(picture, intrinsics, distortion)[..., 0].astype(float)
    found = (weight * column).sum() / weight.sum(), (weight * row).sum() / weight.sum()
    assert found == pytest.approx((x * 100 + 60, y * 110 + 50), abs=0.1)


def test_seven_scenes(tmp_path):
    root = tmp_path / "7Scenes"
    for scene, sequence in (("chess", "seq-01"), ("stairs", "seq-02")):
        for i in range(2):
            frame = root / scene / sequence / f"frame-{i:06d}"
            save_photo(frame.with_name(frame.name + ".color.png"))
            depth = np.full(SIZE[::-1], 1500)
            depth[0, 0] = 65535
            save_depth_png(frame.with_name(frame.name + ".depth.png"), depth)
            np.savetxt(frame.with_name(frame.name + ".pose.txt"), np.linalg.inv(pose(i)))
    save_box(root / "meshes" / "chess.ply")
    chess, stairs = read_dataset("7scenes", tmp_path)
    assert (chess.name, stairs.name) == ("chess", "stairs")
    assert np.allclose(chess.extrinsics[1], pose(1))
    assert chess.intrinsics[0, 0, 0] == 585
    read = depth_of(stairs, 0)
    assert (read[0, 0], read[1, 1]) == (0, pytest.approx(1.5))
    assert np.allclose(np.abs(surface_of(chess)).max(1), 1)
    assert stairs.surface is None


def test_hiroom(tmp_path):
    path = "828738/2/room_7"
    folder = tmp_path / "data" / path
    save_photo(folder / "image" / "12.jpg")
    (folder / "pose").mkdir()
    np.save(folder / "pose" / "12.npy", pose(3))
    np.save(folder / "cam_K.npy", np.array([[35.0, 0, 20], [0, 35, 15], [0, 0, 1]]))
    save_depth_png(folder / "depth" / "12.png", np.full(SIZE[::-1], 6553.5))
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[2, 3] = 255
    (folder / "aliasing_mask").mkdir()
    Image.fromarray(mask).save(folder / "aliasing_mask" / "12.png")
    cloud = np.random.default_rng(0).normal(size=(50, 3))
    (tmp_path / "fused_pcd").mkdir()
    trimesh.PointCloud(cloud).export(tmp_path / "fused_pcd" / "828738-2-room_7.ply")
    [without_list] = read_dataset("hiroom", tmp_path)
    (tmp_path / "selected_scene_list_val.txt").write_text(path + "\n")
    [scene] = read_dataset("hiroom", tmp_path)
    assert scene.name == without_list.name == path
    assert np.allclose(scene.extrinsics[0], pose(3))
    read = depth_of(scene, 0)
    assert read[0, 0] == pytest.approx(10, abs=2e-3)
    assert read[2, 3] == 0
    assert np.allclose(surface_of(scene), cloud, atol=1e-6)


def save_dtu_camera(path: Path, extrinsics: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    intrinsics = np.array([[2892.33, 0, 823.2], [0, 2883.18, 619.07], [0, 0, 1]])
    path.write_text(f"extrinsic\n{words(extrinsics)}\n\nintrinsic\n{words(intrinsics)}\n\n425.0 2.5\n")


def test_dtu_with_49_photos(tmp_path):
    for i in range(49):
        save_photo(tmp_path / "Rectified" / "scan9" / f"rect_{i + 1:03}_3_r5000.png", i)
        save_dtu_camera(tmp_path / "Cameras" / f"{i:08}_cam.txt", pose(i))
    depth = tmp_path / "depth_raw" / "Depths" / "scan9" / "depth_map_0033.pfm"
    depth.parent.mkdir(parents=True)
    rows = np.arange(6, dtype="<f4").reshape(2, 3)
    depth.write_bytes(b"Pf\n3 2\n-1.0\n" + rows[::-1].tobytes())
    (tmp_path / "Points" / "stl").mkdir(parents=True)
    cloud = np.array([(0.0, 0, -1), (0, 0, 5)])
    trimesh.PointCloud(cloud).export(tmp_path / "Points" / "stl" / "stl009_total.ply")
    masks = tmp_path / "SampleSet" / "mvs_data" / "ObsMask"
    masks.mkdir(parents=True)
    seen = np.zeros((3, 3, 3), np.uint8)
    seen[1, 1, 1] = 1
    savemat(masks / "ObsMask9_10.mat", {"ObsMask": seen, "BB": np.array([(0.0, 0, 0), (20, 20, 20)]), "Res": 10.0})
    savemat(masks / "Plane9.mat", {"P": np.array([[0.0], [0], [1], [0]])})

    [scene] = read_dataset("dtu", tmp_path)
    assert len(scene.views) == 49
    assert scene.views[0].photo.name == "rect_034_3_r5000.png"  # the reference view comes first
    assert np.allclose(scene.extrinsics[0], pose(33))
    assert np.allclose(scene.extrinsics[1], pose(0))
    assert scene.intrinsics[0, 1, 1] == 2883.18
    assert np.array_equal(depth_of(scene, 0), rows)
    assert scene.judge is not None
    ours, theirs = scene.judge(np.array([(10.0, 10, 10), (0, 0, 0), (90, 0, 0)]), surface_of(scene))
    assert ours.tolist() == [True, False, False]
    assert theirs.tolist() == [False, True]


def test_dtu_with_64_photos(tmp_path):
    for i in range(3):
        save_photo(tmp_path / "scan105" / "image" / f"{i:08}.png", i)
        save_dtu_camera(tmp_path / "Cameras" / f"{i:08}_cam.txt", pose(i))
    [scene] = read_dataset("dtu", tmp_path)
    assert (scene.name, len(scene.views), scene.surface) == ("scan105", 3, None)
    assert np.allclose(scene.extrinsics[2], pose(2))
    assert [view.photo.name for view in evenly_chosen(scene, 2).views] == ["00000000.png", "00000002.png"]


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_that_is_something_else_is_named(name, tmp_path):
    with pytest.raises(JobError) as error:
        read_dataset(name, tmp_path)
    assert str(tmp_path) in error.value.failure.sentence
    assert error.value.failure.advice
