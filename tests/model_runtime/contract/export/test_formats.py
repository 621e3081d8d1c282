"""Writing several formats: whole or not at all, nothing overwritten unasked, in any order the same."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.export import colmap, glb, point_cloud, transforms
from model_runtime.contract.export.formats import FORMATS, export
from model_runtime.contract.export.pictures import identifiers, picture_names
from model_runtime.contract.export.scene import ExportScene, no_points
from model_runtime.contract.export.settings import ORIGINAL, ExportSettings
from model_runtime.contract.messages import JobError


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def frozen(scene: ExportScene) -> ExportScene:
    """The scene, whose arrays cannot be changed."""
    arrays = [value for each in (scene.points, scene.mesh, *scene.cameras) for value in vars(each).values()]
    arrays += [value for camera in scene.cameras if camera.lens for value in vars(camera.lens).values()]
    for array in arrays:
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return scene


def test_any_order_of_formats_writes_the_same(bent, tmp_path: Path) -> None:
    """A writer that changed what it gets would change what the next one writes."""
    scene = frozen(bent.scene)
    writers = [write for name, write in FORMATS.items() if name != "npz"]  # a zip tells its time
    export(scene, writers, tmp_path / "one")
    export(scene, reversed(writers), tmp_path / "other")
    one = hashes(tmp_path / "one")
    assert one == hashes(tmp_path / "other") and len(one) > 20
    assert {"transforms.json", "scene.nk", "scene.glb", "scene.usda", "points.ply", "cameras.chan"} <= one.keys()


def test_what_is_there_is_replaced_only_when_asked(seen, tmp_path: Path) -> None:
    (tmp_path / "points.ply").write_text("mine")
    with pytest.raises(JobError, match=r"points\.ply is there already") as caught:
        export(seen.scene, [glb.write, point_cloud.write], tmp_path)
    assert caught.value.failure.code == "output-exists"
    assert (tmp_path / "points.ply").read_text() == "mine" and not (tmp_path / "scene.glb").exists()
    assert len(export(seen.scene, [glb.write, point_cloud.write], tmp_path, overwrite=True)) == 2
    assert (tmp_path / "points.ply").read_bytes().startswith(b"ply")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "points.ply", "scene.glb"]


def test_a_second_format_finds_the_pictures_of_the_first(seen, tmp_path: Path) -> None:
    export(seen.scene, [colmap.write], tmp_path / "out")
    export(seen.scene, [transforms.write], tmp_path / "out")
    assert len(list((tmp_path / "out" / "images").rglob("*.png"))) == 4


def test_a_photo_is_never_written_over(seen, tmp_path: Path) -> None:
    """Not even where the photos lie in the folder that the export makes, with another's picture of the same name."""
    shutil.copytree(tmp_path / "photos", tmp_path / "out" / "images")
    (tmp_path / "out" / "images" / "wide.png").write_bytes(seen.picture((120, 80), 99))
    before = hashes(tmp_path / "out")
    with pytest.raises(JobError, match=r"wide\.png is there already"):
        export(seen.scene, [colmap.write], tmp_path / "out")
    assert hashes(tmp_path / "out") == before


def test_what_cannot_be_exported_is_told(seen, bent, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="No photo is shown"):
        export(ExportScene(()), [colmap.write], tmp_path)
    with pytest.raises(JobError, match="No points are shown"):
        export(replace(seen.scene, points=no_points()), [FORMATS["depth"]], tmp_path)
    unknown = replace(seen.scene.cameras[0], map_size=(0, 0))
    with pytest.raises(JobError, match="how large the depth map"):
        export(replace(seen.scene, cameras=(unknown,)), [FORMATS["depth"]], tmp_path)
    turned = replace(bent.scene.cameras[0], turned=True)
    with pytest.raises(JobError, match="stored turned"):
        export(replace(bent.scene, cameras=(turned,)), [colmap.write], tmp_path, ExportSettings(ORIGINAL))
    lost = replace(seen.scene.cameras[0], photo=tmp_path / "lost.png")
    with pytest.raises(JobError, match=r"lost\.png cannot be read"):
        export(replace(seen.scene, cameras=(lost,)), [colmap.write], tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="cannot be written"):
        export(seen.scene, [colmap.write], tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "photos"]


def test_every_format_does_without_points_and_surface_but_depth(seen, tmp_path: Path) -> None:
    bare = ExportScene(seen.scene.cameras)
    export(
        bare, [write for name, write in FORMATS.items() if name not in ("depth", "position", "stmap")], tmp_path / "out"
    )
    assert not (tmp_path / "out" / "depth").exists()


def test_pictures_have_names_that_every_system_takes(seen) -> None:
    camera, jpeg, linear = seen.scene.cameras[0], b"\xff\xd8plate", b"v/1\x01plate"
    names = ("a.JPG", "A.jpg", "../../etc/x.jpg", "C:\\shots\\b?.png", "IMG.HEIC", "", "ф.png", "b.exr", "c")
    plates = (b"", b"", b"", b"", jpeg, jpeg, b"", linear, linear)
    cameras = [replace(camera, name=n, plate=p, photo=None) for n, p in zip(names, plates, strict=True)]
    found = picture_names(ExportScene(tuple(cameras)), ExportSettings())
    assert found[:4] == ["a.JPG", "A_2.jpg", "etc/x.jpg", "C_/shots/b_.png"]
    assert found[4:] == ["IMG.HEIC.jpg", "photo.jpg", "ф.png", "b.exr", "c.exr"]
    assert identifiers(found) == ["a", "A_2", "x", "b", "IMG_HEIC", "photo", "photo_2", "b_2", "c"]
