"""`da3-runtime export`: what `predict` kept becomes files for other software, points at their pixels."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image

from model_runtime.commands.command_line import main
from model_runtime.commands.export import read_scene
from model_runtime.contract.lens import BROWN, Lens, straight_camera
from model_runtime.contract.messages import CheckpointInfo, Prediction, View
from model_runtime.prediction.answer_file import arrays

SIZE, SHAPE = (80, 60), (15, 20)


def png(size: tuple[int, int] = SIZE) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (9, 8, 7)).save(file, "PNG")
    return file.getvalue()


def view(name: str, **more: object) -> View:
    """A slope, whose pixels count up their colours; the first row is sky, the last pixels are repeated."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    extrinsics = np.eye(4)
    extrinsics[:3, 3] = (0.5, -0.25, 1)
    made = View(
        name=name,
        photo_size=SIZE,
        depth=(2 + 0.01 * columns).astype(np.float32),
        confidence=(1 + rows / 10 + columns / 1000).astype(np.float32),
        sky=rows == 0,
        color=np.stack((rows, columns, rows + columns), -1).astype(np.uint8),
        extrinsics=extrinsics,
        intrinsics=np.array([[70.0, 0, 38], [0, 66, 31], [0, 0, 1]]),
        repeated=(rows == SHAPE[0] - 1),
    )
    return replace(made, **more)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """What `predict` keeps of two photos."""
    return kept(tmp_path, view("a.png"), view("b.png", match_error=0.25))


def kept(folder: Path, *views: View) -> Path:
    prediction = Prediction(views, None, CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True), "features")
    np.savez(folder / "result.npz", **arrays(prediction))
    return folder / "result.npz"


def test_a_result_becomes_a_colmap_model_at_the_photos_size(result: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(png())
    out = tmp_path / "out"
    main(["export", str(result), "--to", "colmap", "ply", "--output", str(out), "--photos", str(tmp_path / "photos")])
    model = pycolmap.Reconstruction(out / "sparse" / "0")
    image = model.image(1)
    assert (image.name, image.camera.width, image.camera.height) == ("a.png", *SIZE)
    assert model.num_points3D() == round(2 * 13 * 20 * 0.9)  # neither sky nor repeated, and a tenth unsure
    for observation in image.points2D:
        point = model.point3D(observation.point3D_id)
        row, column = map(int, point.color[:2])
        truth = np.array([(column + 0.5) * 4, (row + 0.5) * 4])
        assert np.abs(image.project_point(point.xyz) - truth).max() < 1e-3
    assert (out / "images" / "b.png").read_bytes() == png()
    assert (out / "points.ply").is_file()


def test_the_world_has_z_up_and_points_are_chosen(result: Path) -> None:
    scene = read_scene(result, hide_unsure=0, keep_all=True)
    assert len(scene.points.position) == 2 * 14 * 20
    index = next(i for i, color in enumerate(scene.points.color.tolist()) if color == [7, 9, 16])
    depth = 2.09
    x, y = ((9.5 * 4 - 38) / 70 * depth, (7.5 * 4 - 31) / 66 * depth)
    assert np.abs(scene.points.position[index] - (x - 0.5, depth - 1, -(y + 0.25))).max() < 1e-5
    once = read_scene(result, hide_unsure=0)
    assert (len(once.points.position), len(once.repeated.position)) == (2 * 13 * 20, 2 * 20)
    assert set(once.repeated.color[:, 0]) == {14} and not len(scene.repeated.position)
    half = read_scene(result, hide_unsure=0.5, keep_all=True)
    assert len(half.points.position) == 14 * 20
    assert half.points.confidence.min() > np.median(scene.points.confidence) - 1e-6
    assert [camera.match_error for camera in scene.cameras] == [None, 0.25]


def test_a_lens_and_its_plate_come_along(tmp_path: Path) -> None:
    lens = Lens(BROWN, SIZE, view("a.png").intrinsics, np.array([-0.1, 0.01, 0.001, 0.002]))
    straight = straight_camera(lens)
    bent = view("a.png", lens=lens, plate=png(straight.size), photo_size=straight.size, intrinsics=straight.intrinsics)
    result = kept(tmp_path, bent)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png())
    for pictures, model, size in (("straight", "PINHOLE", straight.size), ("original", "OPENCV", SIZE)):
        out = tmp_path / pictures
        photos = ["--photos", str(tmp_path / "photos"), "--pictures", pictures]
        main(["export", str(result), "--to", "colmap", "--output", str(out), *photos])
        image = pycolmap.Reconstruction(out / "sparse" / "0").image(1)
        assert (image.camera.model_name, image.camera.width, image.camera.height) == (model, *size)
        assert Image.open(out / "images" / "a.png").size == size


def test_an_export_is_exported_again(result: Path, tmp_path: Path) -> None:
    main(["export", str(result), "--to", "npz", "--output", str(tmp_path / "one")])
    again = read_scene(tmp_path / "one" / "scene.npz")
    before = read_scene(result)
    assert np.array_equal(again.points.position, before.points.position)
    assert np.array_equal(again.cameras[1].extrinsics, before.cameras[1].extrinsics)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"not an archive"])
def test_what_is_no_result_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(SystemExit, match=r"a\.npz cannot be read as a result.*da3-runtime predict"):
        main(["export", str(tmp_path / "a.npz"), "--to", "ply", "--output", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_photos_that_are_missing_are_named(result: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(SystemExit, match=r"a\.png is not in"):
        main(["export", str(result), "--to", "ply", "--output", str(tmp_path), "--photos", str(tmp_path / "photos")])
