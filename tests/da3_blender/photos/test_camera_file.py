"""Cameras from JSON files, against cameras whose pixels are known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from da3_blender.photos.camera_file import read_cameras
from model_runtime.contract.messages import Cameras, JobError
from tests.photo_files import dng

LIVING_ROOM = Path(__file__).parents[3] / "examples/living_room"
SIZE = (80, 60)
LENS = {"fl_x": 70.0, "fl_y": 72.0, "cx": 41.0, "cy": 29.0, "w": 80, "h": 60}


def pose(number: int) -> np.ndarray:
    """[4,4] world-to-camera, OpenCV."""
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = Rotation.from_euler("xyz", (10 + number, 20, -30), degrees=True).as_matrix()
    extrinsics[:3, 3] = (0.3 * number, -0.2, 4)
    return extrinsics


def frame(number: int, **more: object) -> dict[str, object]:
    matrix = np.linalg.inv(pose(number)) @ np.diag([1, -1, -1, 1])
    return {"file_path": f"images/{number}.jpg", "transform_matrix": matrix.tolist(), **more}


def photos(folder: Path, count: int = 2, size: tuple[int, int] = SIZE, orientation: int = 1) -> list[Path]:
    """Photos of this stored size."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path in paths:
        Image.new("RGB", size).save(path, exif=exif)
    return paths


def read(folder: Path, paths: list[Path], content: object, encoding: str = "utf-8") -> Cameras:
    file = folder / "transforms.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding)
    return read_cameras(file, paths, [path.name for path in paths])


def pixels(cameras: Cameras, number: int, points: np.ndarray) -> np.ndarray:
    seen = points @ cameras.extrinsics[number, :3, :3].T + cameras.extrinsics[number, :3, 3]
    image = seen @ cameras.intrinsics[number].T
    return image[:, :2] / image[:, 2:]


POINTS = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
K = np.array([[70.0, 0, 41], [0, 72, 29], [0, 0, 1]])


def own(number: int = 0) -> dict[str, Any]:
    """An entry of cameras.json."""
    return {"photo": f"{number}.jpg", "extrinsics": pose(number).tolist(), "intrinsics": K.tolist()}


def truth(number: int) -> np.ndarray:
    """[20,2] where the stored picture of photo `number` shows POINTS."""
    return pixels(Cameras(pose(number)[None], K[None]), 0, POINTS)


def test_own_cameras_belong_to_photos_by_name() -> None:
    chosen = [LIVING_ROOM / "living_room_3.jpg", LIVING_ROOM / "living_room_1.jpg"]
    cameras = read_cameras(LIVING_ROOM / "cameras.json", chosen, [path.name for path in chosen])
    entries = {entry["photo"]: entry for entry in json.loads((LIVING_ROOM / "cameras.json").read_text())["cameras"]}
    for index, photo in enumerate(chosen):
        assert np.array_equal(cameras.extrinsics[index], entries[photo.name]["extrinsics"])
        assert np.array_equal(cameras.intrinsics[index], entries[photo.name]["intrinsics"])


def test_nerfstudios_cameras_see_what_they_saw(tmp_path: Path) -> None:
    cameras = read(tmp_path, photos(tmp_path), {**LENS, "camera_model": "OPENCV", "frames": [frame(1), frame(0)]})
    for number in (0, 1):
        np.testing.assert_allclose(pixels(cameras, number, POINTS), truth(number), atol=1e-9)


def test_a_frame_of_its_own_lens_and_one_by_its_angle(tmp_path: Path) -> None:
    lens = {"fl_x": 50.0, "fl_y": 50.0, "cx": 40.0, "cy": 30.0}
    cameras = read(tmp_path, photos(tmp_path), {**LENS, "frames": [frame(0), frame(1, **lens)]})
    assert cameras.intrinsics[0, 0, 0] == 70 and cameras.intrinsics[1, 0, 0] == 50
    # NeRF's synthetic scenes: names without ending, and nothing but the angle of view across.
    bare = {"camera_angle_x": 2 * np.arctan(40 / 65), "frames": [frame(0) | {"file_path": "./train/0"}]}
    cameras = read(tmp_path, photos(tmp_path, 1), bare)
    np.testing.assert_allclose(cameras.intrinsics[0], [[65, 0, 40], [0, 65, 30], [0, 0, 1]], atol=1e-12)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_cameras_of_stored_pixels_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    """Where the upright photo shows a point is found by turning a picture with a dot by Pillow."""
    cameras = read(tmp_path, photos(tmp_path, orientation=orientation), {**LENS, "frames": [frame(0), frame(1)]})
    turn_back = {3: 180, 6: 270, 8: 90}[orientation]
    for at, upright in zip(truth(1), pixels(cameras, 1, POINTS), strict=True):
        stored = np.zeros((60, 80), np.uint8)
        column, row = np.clip(at.astype(int), 0, (79, 59))
        stored[row, column] = 255
        shown = np.asarray(Image.fromarray(stored).rotate(turn_back, expand=True))
        found_row, found_column = np.unravel_index(shown.argmax(), shown.shape)
        if (at >= 0).all() and (at < SIZE).all():
            assert (int(upright[0]), int(upright[1])) == (found_column, found_row)


def test_pixels_that_were_turned_before_stay(tmp_path: Path) -> None:
    """The camera saw the upright picture: its width and height say so."""
    upright = {**LENS, "w": 60, "h": 80, "cx": 29.0, "cy": 41.0}
    cameras = read(tmp_path, photos(tmp_path, orientation=6), {**upright, "frames": [frame(0), frame(1)]})
    np.testing.assert_allclose(cameras.intrinsics[0], [[70, 0, 29], [0, 72, 41], [0, 0, 1]])


def test_photos_may_be_copies_of_another_size(tmp_path: Path) -> None:
    cameras = read(tmp_path, photos(tmp_path, size=(160, 120)), {**LENS, "frames": [frame(0), frame(1)]})
    np.testing.assert_allclose(pixels(cameras, 1, POINTS), 2 * truth(1), atol=1e-9)


@pytest.mark.parametrize("key", ["frames", "cameras"])
def test_a_photo_without_a_camera_has_none(tmp_path: Path, key: str) -> None:
    content = {**LENS, "frames": [frame(1)]} if key == "frames" else {"cameras": [own(1)]}
    cameras = read(tmp_path, photos(tmp_path), content)
    assert np.isnan(cameras.extrinsics[0]).all() and np.isnan(cameras.intrinsics[0]).all()
    np.testing.assert_allclose(pixels(cameras, 1, POINTS), truth(1), atol=1e-9)


@pytest.mark.parametrize("key", ["frames", "cameras"])
def test_two_cameras_of_one_photo_are_refused(tmp_path: Path, key: str) -> None:
    content = {**LENS, "frames": [frame(0), frame(1), frame(0)]} if key == "frames" else {"cameras": [own(), own()]}
    with pytest.raises(JobError, match=r"several cameras for 0\.jpg: .*0\.jpg, .*0\.jpg\.$"):
        read(tmp_path, photos(tmp_path), content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_files_as_other_editors_write_them(tmp_path: Path, encoding: str) -> None:
    cameras = read(tmp_path, photos(tmp_path), {**LENS, "frames": [frame(0), frame(1)]}, encoding)
    np.testing.assert_allclose(pixels(cameras, 1, POINTS), truth(1), atol=1e-9)


def of_all(**more: object) -> dict[str, object]:
    return {**LENS, "frames": [frame(0)], **more}


def of_angle(angle: object) -> dict[str, object]:
    return {"w": 80, "h": 60, "camera_angle_x": angle, "frames": [frame(0)]}


def placed(matrix: object) -> dict[str, object]:
    return of_all(frames=[frame(0, transform_matrix=matrix)])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not json", r"transforms\.json cannot be used as cameras: it is not JSON \(line 1, column 1\)"),
        ("[" * 200_000, r"transforms\.json cannot be used as cameras: its brackets are nested too deeply"),
        ("[]", "neither `cameras` nor `frames`"),
        ({"frames": None}, "`frames` is not a list"),
        ({"cameras": {"0.jpg": own()}}, "`cameras` is not a list"),
        ({"frames": [frame(0), None]}, "entry 2 of `frames` has no `file_path`"),
        ({"cameras": [own() | {"photo": None}]}, "entry 1 of `cameras` has no `photo`"),
        ({"cameras": [own() | {"photo": "b.jpg"}]}, r"no camera for 0\.jpg"),
        ({"cameras": [own() | {"extrinsics": [[1, 2], [3]]}]}, r"'extrinsics' of 0\.jpg is not 4 x 4 numbers"),
        ({"cameras": [own() | {"intrinsics": "abc"}]}, r"'intrinsics' of 0\.jpg is not 3 x 3 numbers"),
        *(
            ({"cameras": [own() | {"lens": lens}]}, r"'lens' of 0\.jpg is no `model` with a list `coefficients`: brown")
            for lens in (
                "brown",
                {"model": "brown"},
                {"model": ["brown"], "coefficients": [0.1]},
                {"model": "radial", "coefficients": [0.1]},
                {"model": "fisheye", "coefficients": [0.1] * 5},
                {"model": "brown", "coefficients": [0.1, True]},
                {"model": "brown", "coefficients": [1e10]},
            )
        ),
        ({"cameras": [{"photo": "0.jpg"}]}, r"'extrinsics' of 0\.jpg is missing"),
        ({"frames": [frame(0)]}, r"'camera_angle_x' of 0\.jpg is missing"),
        (of_all(frames=[{"file_path": "0.jpg"}]), r"'transform_matrix' of 0\.jpg is missing"),
        (of_all(w=60, h=60), "its camera saw it with 60 x 60"),
        (of_all(w=0, h=0), r"transforms\.json cannot .*: 'w' of 0\.jpg is not a number from 1 to 1e\+09"),
        (of_all(h=float("nan")), r"its line 1 says NaN where a number should be"),
        (of_all(w=float("-inf")), r"its line 1 says Infinity where a number should be"),
        (of_all(w=10**400), r"it holds a number that is too large \(100000"),
        (of_all(w=10**300), r"'w' of 0\.jpg is not a number from 1"),
        (json.dumps(of_all()).replace("70.0", "7" * 5000), r"it holds a number that is too large \(777777"),
        (json.dumps(of_all()).replace("70.0", "1e400"), r"it holds a number that is too large \(1e400\)"),
        (json.dumps(of_all()).replace('"fl_y"', '"fl_x"'), r"it says 'fl_x' twice in one place"),
        (of_all(frames=[frame(0), frame(1) | {"file_path": "\ud800.jpg"}]), "half a letter"),
        (of_all(camera_model="A" * 10_000), r"distorts in the camera file \(A{57}\.\.\.\)"),
        ({"frames": [frame(0)] * 500}, r"several cameras for 0\.jpg: (images/0\.jpg, ){4}\S+ and 495 more\.$"),
        ({"frames": [{"file_path": "0.jpg"}] * 20_001}, "20001 of its cameras are called like the photos"),
        (of_all(k1=None), r"'k1' of 0\.jpg is not a number"),
        (of_all(fl_x=0), r"The intrinsics of 0\.jpg are not those of a pinhole"),
        (of_angle(0), r"'camera_angle_x' of 0\.jpg is not a number from 1e-06 to 3\.14"),
        (of_angle(39), r"'camera_angle_x' of 0\.jpg is not a number from 1e-06 to 3\.14"),
        (of_angle(np.pi), r"The intrinsics of 0\.jpg are not those of a pinhole"),
        (placed(np.zeros((4, 4)).tolist()), r"The camera of 0\.jpg is not placed by a rotation"),
        (placed(np.full((4, 4), 1e300).tolist()), r"The camera of 0\.jpg holds numbers that are too large"),
        (of_all(camera_model="FISHEYE624"), r"The lens of 0\.jpg distorts in the camera file \(FISHEYE624\)"),
        (of_all(camera_model="OPENCV_FISHEYE", p1=0.1), r"The lens of 0\.jpg distorts .*\(OPENCV_FISHEYE\)"),
        (of_all(k1=-1e9, k4=1), r"The lens of 0\.jpg distorts .*\(OPENCV\)"),
        (of_all(k1=-200), r"The lens of 0\.jpg bends the photo beyond recognition"),
        (of_all(k1=1e8), r"The lens of 0\.jpg bends the photo beyond recognition"),
        (of_all(is_fisheye=True, latlong=1), r"The lens of 0\.jpg distorts .*\(latlong\)"),
        (of_all(frames=[frame(0, equirectangular=True)]), r"The lens of 0\.jpg distorts .*\(equirectangular\)"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_files_that_cannot_be_used_get_a_sentence(tmp_path: Path, content: object, told: str) -> None:
    with pytest.raises(JobError, match=told) as error:
        read(tmp_path, photos(tmp_path, 1), content)
    assert error.value.failure.advice


@pytest.mark.parametrize(
    ("key", "place", "number", "told"),
    [
        ("intrinsics", (0, 1), 50, r"The camera of 0\.jpg has skew, which is not supported"),
        ("intrinsics", (0, 0), 0, r"The intrinsics of 0\.jpg are not those of a pinhole"),
        ("intrinsics", (1, 1), 0.8, r"The intrinsics of 0\.jpg are not those of a pinhole"),
        ("intrinsics", (0, 0), 1e30, r"The camera of 0\.jpg holds numbers that are too large or not finite"),
        ("extrinsics", (0, 3), 1e300, r"The camera of 0\.jpg holds numbers that are too large or not finite"),
        ("extrinsics", (0, 3), 10**300, r"The camera of 0\.jpg holds numbers that are too large or not finite"),
        ("extrinsics", (0, 0), 2, r"The camera of 0\.jpg is not placed by a rotation and a translation"),
        ("extrinsics", (3, 3), 2, r"The camera of 0\.jpg is not placed by a rotation and a translation"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_cameras_that_are_no_pinholes_are_refused(
    tmp_path: Path, key: str, place: tuple[int, int], number: float, told: str
) -> None:
    camera = own()
    camera[key][place[0]][place[1]] = number
    with pytest.raises(JobError, match=told):
        read(tmp_path, photos(tmp_path, 1), {"cameras": [camera]})


def test_text_in_an_old_encoding_gets_a_sentence(tmp_path: Path) -> None:
    content = json.dumps({"cameras": [own() | {"photo": "Küche.jpg"}]}, ensure_ascii=False)
    with pytest.raises(JobError, match="save it as UTF-8"):
        read(tmp_path, photos(tmp_path, 1), content, "latin-1")


def test_the_cameras_of_a_long_film_are_read_and_more_than_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [frame(number) | {"sharpness": 0.5, "keypoints": [1.5] * 10} for number in range(6000)]
    cameras = read(tmp_path, photos(tmp_path), {**LENS, "frames": frames})
    np.testing.assert_allclose(pixels(cameras, 1, POINTS), truth(1), atol=1e-9)
    monkeypatch.setattr("da3_blender.photos.camera_file.LARGEST_FILE", 1_000_000)
    with pytest.raises(JobError, match="it has more than 1 MB"):
        read(tmp_path, photos(tmp_path), {**LENS, "frames": frames})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among its files")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "transforms.json")
    with pytest.raises(JobError, match=r"transforms\.json cannot be used as cameras: it cannot be read"):
        read_cameras(tmp_path / "transforms.json", photos(tmp_path, 1), ["0.jpg"])


def test_a_file_or_a_photo_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"folder cannot be used as cameras: it cannot be read \(.*\)"):
        read_cameras(tmp_path / "folder", photos(tmp_path, 1), ["0.jpg"])
    (tmp_path / "0.jpg").write_bytes(b"no photo")
    with pytest.raises(JobError, match=r"^0\.jpg is not a photo\.$"):
        read(tmp_path, [tmp_path / "0.jpg"], of_all())


@pytest.mark.parametrize("more", [{"is_fisheye": False}, {"w": "80", "fl_x": "70"}])
def test_what_does_not_matter_is_let_by(tmp_path: Path, more: dict[str, object]) -> None:
    cameras = read(tmp_path, photos(tmp_path, 1), of_all(**more))
    np.testing.assert_allclose(pixels(cameras, 0, POINTS), truth(0), atol=1e-9)


def test_a_lens_that_hardly_distorts_is_a_pinhole(tmp_path: Path) -> None:
    cameras = read(tmp_path, photos(tmp_path), {**LENS, "k1": 1e-4, "frames": [frame(0), frame(1)]})
    np.testing.assert_allclose(pixels(cameras, 0, POINTS), truth(0), atol=1e-9)


def test_raw_photos_have_no_size_that_a_camera_could_be_scaled_to(tmp_path: Path) -> None:
    (tmp_path / "0.dng").write_bytes(dng(np.zeros((60, 80, 3))))
    with pytest.raises(JobError, match=r"How large 0\.dng is shows only when it is developed") as caught:
        read(tmp_path, [tmp_path / "0.dng"], {**LENS, "frames": [frame(0) | {"file_path": "0.dng"}]})
    assert caught.value.failure.code == "bad-cameras" and caught.value.failure.advice
