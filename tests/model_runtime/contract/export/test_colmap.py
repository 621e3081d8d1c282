"""COLMAP models as pycolmap reads them: points lie on the pixels of their photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from model_runtime.contract.export import colmap
from model_runtime.contract.export.formats import export
from model_runtime.contract.export.settings import ORIGINAL, ExportSettings
from model_runtime.contract.quaternions import quaternion_from_matrix


def read(folder: Path) -> pycolmap.Reconstruction:
    return pycolmap.Reconstruction(folder / "sparse" / "0")


def test_pycolmap_sees_each_point_at_its_pixel_of_the_full_size_photo(seen, tmp_path: Path) -> None:
    export(seen.scene, [colmap.write], tmp_path / "out")
    model = read(tmp_path / "out")
    assert model.num_images() == 4 and model.num_points3D() == len(seen.pixels) == 100
    for number, camera in enumerate(seen.scene.cameras, start=1):
        image = model.image(number)
        assert image.name == camera.name and (image.camera.width, image.camera.height) == camera.size
        assert image.camera.model == pycolmap.CameraModelId.PINHOLE
        assert len(image.points2D) == 25
        for observation in image.points2D:
            index = observation.point3D_id - 1
            point = model.point3D(observation.point3D_id)
            assert np.abs(image.project_point(point.xyz) - seen.pixels[index]).max() < 1e-3
            assert np.abs(observation.xy - seen.pixels[index]).max() < 1e-3
            assert point.color.tolist() == seen.scene.points.color[index].tolist()
            (element,) = point.track.elements
            assert element.image_id == number


def test_the_pictures_lie_beside_under_the_models_names(seen, tmp_path: Path) -> None:
    export(seen.scene, [colmap.write], tmp_path / "out")
    for image in read(tmp_path / "out").images.values():
        photo = next(camera.photo for camera in seen.scene.cameras if camera.name == image.name)
        assert (tmp_path / "out" / "images" / image.name).read_bytes() == photo.read_bytes()


def test_straightened_photos_are_pinholes_and_their_plates_go_along(bent, tmp_path: Path) -> None:
    export(bent.scene, [colmap.write], tmp_path / "out")
    for number, camera in enumerate(bent.scene.cameras, start=1):
        image = read(tmp_path / "out").image(number)
        assert (image.camera.width, image.camera.height) == camera.size and image.camera.model_name == "PINHOLE"
        assert (tmp_path / "out" / "images" / image.name).read_bytes() == camera.plate


def test_original_photos_have_their_lenses(seen, bent, tmp_path: Path) -> None:
    """COLMAP's own models bend each point to where the lens does."""
    export(bent.scene, [colmap.write], tmp_path / "out", ExportSettings(ORIGINAL))
    model = read(tmp_path / "out")
    names = [model.image(number).camera.model_name for number in (1, 2, 3, 4)]
    assert names == ["OPENCV", "FULL_OPENCV", "OPENCV_FISHEYE", "OPENCV"]
    moved = []
    for number, camera in enumerate(bent.scene.cameras, start=1):
        image = model.image(number)
        assert (image.camera.width, image.camera.height) == camera.lens.size
        assert (tmp_path / "out" / "images" / image.name).read_bytes() == camera.photo.read_bytes()
        for observation in image.points2D:
            position = model.point3D(observation.point3D_id).xyz
            assert np.abs(image.project_point(position) - observation.xy).max() < 1e-3
            moved.append(np.abs(observation.xy - seen.pixels[observation.point3D_id - 1]).max())
    assert len(moved) > 60 and max(moved) > 1


def test_photos_of_one_camera_share_it(seen, tmp_path: Path) -> None:
    scene = seen.scene
    twice = type(scene)((scene.cameras[0], type(scene.cameras[0])(**{**vars(scene.cameras[0]), "name": "b.png"})))
    export(twice, [colmap.write], tmp_path / "out")
    assert (read(tmp_path / "out").num_cameras(), read(tmp_path / "out").num_images()) == (1, 2)


def test_a_point_beside_its_photo_or_of_none_is_there_without_observation(seen, tmp_path: Path) -> None:
    points = seen.scene.points
    view = points.view.copy()
    view[:3] = -1
    scene = type(seen.scene)(seen.scene.cameras, type(points)(points.position, points.color, points.confidence, view))
    export(scene, [colmap.write], tmp_path / "out")
    model = read(tmp_path / "out")
    assert model.num_points3D() == 100 and [model.point3D(i).track.length() for i in (1, 2, 3, 4)] == [0, 0, 0, 1]


@pytest.mark.parametrize("angle", [0, 90, 180])
def test_quaternions_are_those_of_scipy(angle: int) -> None:
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_rotvec(np.radians(angle) * np.array([1.0, -2, 2]) / 3)
    wxyz = np.roll(rotation.as_quat(), 1)
    assert abs(abs(quaternion_from_matrix(rotation.as_matrix()) @ wxyz) - 1) < 1e-12
