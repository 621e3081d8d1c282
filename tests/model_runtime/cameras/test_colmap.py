"""Cameras from COLMAP models that pycolmap or a hand has written."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from model_runtime.cameras.colmap import colmap_cameras
from model_runtime.contract.messages import Cameras, ColmapFile, ColmapModel, JobError, Photo, Request
from model_runtime.contract.photo_names import match_names
from model_runtime.contract.pipe import encode_frame, read_frame
from model_runtime.prediction.predictor import Predictor

SIZE = (160, 120)
NAMES = ("a.jpg", "b.jpg", "c.jpg")
INTRINSICS = np.array([[150.0, 0, 83], [0, 155, 58], [0, 0, 1]])


def photo(name: str, size: tuple[int, int] = SIZE, seed: int = 0, orientation: int = 1) -> Photo:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", exif=exif)
    return Photo(name, file.getvalue())


def poses(count: int) -> np.ndarray:
    """[count,4,4] around a middle, every one turned another way."""
    result = np.tile(np.eye(4), (count, 1, 1))
    for i, pose in enumerate(result):
        pose[:3, :3] = Rotation.from_euler("xyz", (5 * i - 3, 8 * i - 10, 2 * i), degrees=True).as_matrix()
        pose[:3, 3] = (0.4 * i - 0.3, 0.1 * i * i, 3 + 0.2 * i)
    return result


def pinhole(size: tuple[int, int] = SIZE) -> pycolmap.Camera:
    return pycolmap.Camera(model="PINHOLE", width=size[0], height=size[1], params=[150.0, 155.0, 83.0, 58.0])


def written(
    folder: Path,
    ending: str,
    names: Sequence[str] = NAMES,
    camera: pycolmap.Camera | None = None,
    points: bool = False,
) -> ColmapModel:
    """A model with as many images as names, a point, and observations of it, by pycolmap. points: whether its file of
    points comes along."""
    model = pycolmap.Reconstruction()
    camera = camera or pinhole()
    camera.camera_id = 7
    model.add_camera_with_trivial_rig(camera)
    point = model.add_point3D(np.array([0.1, 0.2, 0.3]), pycolmap.Track(), np.zeros(3, np.uint8))
    for i, (name, pose) in enumerate(zip(names, poses(len(names)), strict=True)):
        image = pycolmap.Image(name=name, camera_id=7, image_id=i + 3)
        image.points2D = pycolmap.Point2DList([pycolmap.Point2D(np.array([80.0, 60.0 + j])) for j in range(4)])
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pose[:3]))
        model.add_observation(point, pycolmap.TrackElement(i + 3, 0))
    folder.mkdir(exist_ok=True)
    (model.write_binary if ending == ".bin" else model.write_text)(folder)
    files = FILES if points else FILES[:2]
    return ColmapModel(tuple(ColmapFile(f"{n}{ending}", (folder / f"{n}{ending}").read_bytes()) for n in files))


FILES = ("cameras", "images", "points3D")


def refused(model: ColmapModel, *photos: Photo) -> JobError:
    with pytest.raises(JobError) as caught:
        colmap_cameras(model, photos)
    assert caught.value.failure.advice
    return caught.value


@pytest.mark.parametrize("ending", [".bin", ".txt"])
def test_cameras_are_those_that_were_written(tmp_path, ending):
    model = written(tmp_path, ending)
    given = colmap_cameras(model, [photo("c.jpg"), photo("a.jpg")]).cameras
    np.testing.assert_allclose(given.extrinsics, poses(3)[[2, 0]], atol=1e-12)
    np.testing.assert_allclose(given.intrinsics, [INTRINSICS] * 2, atol=1e-12)


def test_a_model_written_by_hand_for_larger_photos():
    cameras = b"# my cameras\n1 SIMPLE_PINHOLE 640 480 600 320 240\n2 PINHOLE 321 240 300 310 150 130\n"
    images = b"# id, qw qx qy qz, tx ty tz, camera, name\n5 0 1 0 0 1 2 3 1 sub/a.jpg\n\n9 1 0 0 0 -1 0 0.5 2 b.jpg\n\n"
    model = ColmapModel((ColmapFile("cameras.txt", cameras), ColmapFile("images.txt", images)))
    given = colmap_cameras(model, [photo("a.jpg"), photo("b.jpg")]).cameras
    turned = [[1, 0, 0, 1], [0, -1, 0, 2], [0, 0, -1, 3], [0, 0, 0, 1]]
    np.testing.assert_allclose(given.extrinsics, [turned, [[1, 0, 0, -1], [0, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]]])
    np.testing.assert_allclose(given.intrinsics[0], [[150, 0, 80], [0, 150, 60], [0, 0, 1]])
    across = 160 / 321  # 321 x 240 became 160 x 120, rounded
    np.testing.assert_allclose(given.intrinsics[1], [[300 * across, 0, 150 * across], [0, 155, 65], [0, 0, 1]])


def test_pixels_are_counted_as_colmap_counts_them(tmp_path):
    """COLMAP's own projection against that of the contract."""
    given = colmap_cameras(written(tmp_path, ".bin"), [photo(name) for name in NAMES]).cameras
    model = pycolmap.Reconstruction(tmp_path)
    world = np.array([0.2, -0.1, 0.4])
    for name, pose, pixels in zip(NAMES, given.extrinsics, given.intrinsics, strict=True):
        image = model.find_image_with_name(name)
        assert image is not None
        projected = image.project_point(world)
        assert projected is not None
        seen = pixels @ (pose[:3, :3] @ world + pose[:3, 3])
        np.testing.assert_allclose(seen[:2] / seen[2], projected, atol=1e-9)


@pytest.mark.parametrize(
    ("images", "photos", "found"),
    [
        (("rig/left/1.jpg", "rig/right/1.jpg"), ("right/1.jpg", "left/1.jpg"), (1, 0)),
        (("left/1.jpg", "right/1.jpg"), ("1.jpg", "right/1.jpg"), (0, 1)),  # the one that is left
        (("left/1.jpg", "1.jpg"), ("1.jpg",), (1,)),
        (("left\\1.jpg", "2.jpg"), ("/home/me/left/1.jpg", "/home/me/2.jpg"), (0, 1)),
    ],
)
def test_photos_are_found_by_as_much_of_their_names_as_agrees(tmp_path, images, photos, found):
    given = colmap_cameras(written(tmp_path, ".txt", images), [photo(name) for name in photos]).cameras
    np.testing.assert_allclose(given.extrinsics, poses(len(images))[list(found)], atol=1e-12)


def test_photos_that_are_there_twice_or_none_of_which_is_there_are_named(tmp_path):
    model = written(tmp_path, ".bin", ("left/1.jpg", "right/1.jpg"))
    error = refused(model, photo("1.jpg"))
    assert error.failure.code == "bad-cameras" and "several cameras for 1.jpg: left/1.jpg, right/1.jpg" in str(error)
    error = refused(model, photo("x.jpg"), photo("y.jpg"))
    assert error.failure.code == "cameras-missing" and "no camera for x.jpg, y.jpg." in str(error)


def test_a_photo_that_the_model_lacks_has_no_camera(tmp_path):
    known = colmap_cameras(written(tmp_path, ".bin"), [photo("b.jpg"), photo("x.jpg")])
    assert known.known.tolist() == [True, False]
    np.testing.assert_allclose(known.cameras.extrinsics[0], poses(3)[1], atol=1e-12)


def test_which_of_several_models_was_taken_is_told(tmp_path):
    model = replace(written(tmp_path, ".bin"), chosen="room/sparse/1")
    told = "Of several COLMAP models the one in room/sparse/1 was taken; it has 1 of 2 photos."
    assert colmap_cameras(model, [photo("b.jpg"), photo("x.jpg")]).notes == [told]


def test_points_come_with_where_photos_see_them(tmp_path):
    model = written(tmp_path, ".txt", points=True)
    sparse = colmap_cameras(model, [photo("c.jpg", (320, 240)), photo("a.jpg")]).sparse
    assert sparse is not None
    np.testing.assert_allclose(sparse.points[sparse.point], [[0.1, 0.2, 0.3]] * 2)
    assert sparse.view.tolist() == [0, 1]
    np.testing.assert_allclose(sparse.pixel, [[160, 120], [80, 60]])
    assert colmap_cameras(written(tmp_path, ".txt"), [photo("a.jpg")]).sparse is None


def test_points_that_cannot_be_read_are_done_without(tmp_path):
    model = written(tmp_path, ".bin", points=True)
    broken = cut(model, "points3D.bin", 20)
    known = colmap_cameras(broken, [photo(name) for name in NAMES])
    assert known.sparse is None and "points of the COLMAP model cannot be read" in known.notes[0]
    np.testing.assert_allclose(known.cameras.extrinsics, poses(3), atol=1e-12)
    assert colmap_cameras(model, [photo("a.jpg")]).notes == []


def test_photos_of_another_shape_are_refused(tmp_path):
    model = written(tmp_path, ".bin")
    assert "a.jpg has 160 x 100 pixels, but COLMAP saw it with 160 x 120" in str(
        refused(model, photo("a.jpg", (160, 100)))
    )


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_photos_that_colmap_saw_unturned_are_turned_with_their_cameras(tmp_path, orientation):
    """What COLMAP projects into the stored picture, turned upright as Pillow turns pictures."""
    known = colmap_cameras(written(tmp_path, ".bin", points=True), [photo("b.jpg", orientation=orientation)])
    model = pycolmap.Reconstruction(tmp_path)
    image = model.find_image_with_name("b.jpg")
    assert image is not None
    pose, pixels = known.cameras.extrinsics[0], known.cameras.intrinsics[0]
    width, height = SIZE
    for world in np.random.default_rng(1).normal(size=(9, 3)) * 0.2:
        stored = image.project_point(world)
        assert stored is not None
        x, y = stored
        upright = {3: (width - x, height - y), 6: (height - y, x), 8: (y, width - x)}[orientation]
        seen = pixels @ (pose[:3, :3] @ world + pose[:3, 3])
        np.testing.assert_allclose(seen[:2] / seen[2], upright, atol=1e-9)
    assert known.sparse is not None
    x, y = 80.0, 60.0
    upright = {3: (width - x, height - y), 6: (height - y, x), 8: (y, width - x)}[orientation]
    np.testing.assert_allclose(known.sparse.pixel, [upright])


def test_pixels_that_were_turned_for_colmap_stay(tmp_path):
    camera = pycolmap.Camera(model="PINHOLE", width=120, height=160, params=[150.0, 155.0, 58.0, 83.0])
    known = colmap_cameras(written(tmp_path, ".bin", camera=camera), [photo("a.jpg", orientation=6)])
    np.testing.assert_allclose(known.cameras.extrinsics[0], poses(1)[0], atol=1e-12)
    np.testing.assert_allclose(known.cameras.intrinsics[0], [[150, 0, 58], [0, 155, 83], [0, 0, 1]])


def cut(model: ColmapModel, name: str, size: int) -> ColmapModel:
    return ColmapModel(tuple(replace(f, data=f.data[:size]) if f.name == name else f for f in model.files))


@pytest.mark.parametrize("ending", [".bin", ".txt"])
def test_damaged_models_get_a_sentence(tmp_path, ending):
    model = written(tmp_path, ending)
    images, cameras = f"images{ending}", f"cameras{ending}"
    lengths = {file.name: len(file.data) for file in model.files}
    one_image = (lengths[images] - 8) // 3
    damaged = [
        cut(model, cameras, 0),
        cut(model, images, 0),
        cut(model, cameras, lengths[cameras] // 2),
        ColmapModel(model.files[:1]),
        ColmapModel(()),
        ColmapModel(tuple(ColmapFile(file.name, b"\xff" * 200) for file in model.files)),
    ]
    if ending == ".bin":
        damaged += [cut(model, images, lengths[images] - cut_off) for cut_off in (1, 100, one_image - 10, one_image)]
    for each in damaged:
        error = refused(each, photo("a.jpg"))
        assert error.failure.code == "cameras-unreadable"
        assert str(error).removeprefix("The COLMAP model cannot be read: ") in REASONS


REASONS = {
    "cameras.txt is damaged, or not COLMAP's, after 0 entries.",
    "cameras.txt has a camera of an unknown model, or with too few or many parameters.",
    "it has no camera for its image a.jpg.",
    "its lists of cameras and images are not both there.",
    "it has no images.",
    *(f"{name}.bin ends too early." for name in ("cameras", "images")),
}


CAMERA = "1 PINHOLE 160 120 150 155 83 58\n"
IMAGE = "5 1 0 0 0 1 2 3 1 a.jpg\n\n"


@pytest.mark.parametrize(
    ("camera", "image", "told"),
    [
        (CAMERA.replace("150 155", "0 0"), IMAGE, "The intrinsics of a.jpg are not those of a pinhole camera."),
        (CAMERA.replace("150", "1e30"), IMAGE, "The camera of a.jpg holds numbers that are too large or not finite."),
        (CAMERA.replace("160 120", "320 0"), IMAGE, "a.jpg has 160 x 120 pixels, but COLMAP saw it with 320 x 0."),
        (CAMERA, IMAGE.replace("2", "1e300"), "The camera of a.jpg holds numbers that are too large or not finite."),
        (CAMERA, IMAGE + IMAGE.replace("5", "6"), "There are several cameras for a.jpg: a.jpg, a.jpg."),
    ],
)
@pytest.mark.filterwarnings("error")
def test_cameras_that_cannot_be_used_are_named(camera, image, told):
    model = ColmapModel((ColmapFile("cameras.txt", camera.encode()), ColmapFile("images.txt", image.encode())))
    error = refused(model, photo("a.jpg"))
    assert (error.failure.code, str(error)) == ("bad-cameras", told)


@pytest.mark.filterwarnings("error")
def test_cameras_that_are_not_numbers_are_named(tmp_path):
    camera = pycolmap.Camera(model="PINHOLE", width=160, height=120, params=[np.nan, 155.0, 83.0, 58.0])
    error = refused(written(tmp_path, ".bin", camera=camera), photo("b.jpg"))
    assert str(error) == "The camera of b.jpg holds numbers that are too large or not finite."


def text_model(cameras: str | bytes, images: str | bytes, points: str | bytes = b"") -> ColmapModel:
    lists = {"cameras.txt": cameras, "images.txt": images, "points3D.txt": points}
    return ColmapModel(tuple(ColmapFile(k, v if isinstance(v, bytes) else v.encode()) for k, v in lists.items()))


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (text_model(CAMERA, f"{IMAGE}hello\n"), "images.txt is damaged, or not COLMAP's, after 1 entries"),
        (text_model(CAMERA + CAMERA, IMAGE), "cameras.txt lists number 1 twice"),
        (text_model(CAMERA, IMAGE.replace("\n\n", "\n1 2 3 4\n")), "images.txt is damaged at the points of a.jpg"),
        (
            text_model(CAMERA.replace("1", "9" * 5000, 1), IMAGE),
            "cameras.txt is damaged, or not COLMAP's, after 0 entries",
        ),
    ],
)
def test_where_a_model_is_damaged_is_told(model, told):
    error = refused(model, photo("a.jpg"))
    assert (error.failure.code, str(error)) == ("cameras-unreadable", f"The COLMAP model cannot be read: {told}.")


@pytest.mark.parametrize("count", [1 << 20, 1 << 40, 1 << 63, (1 << 64) - 1])
def test_counts_that_no_file_can_hold_are_refused_at_once(tmp_path, count):
    model = written(tmp_path, ".bin", points=True)
    claim = struct.pack("<Q", count)
    for name in ("cameras.bin", "images.bin"):
        files = tuple(replace(f, data=claim + f.data[8:]) if f.name == name else f for f in model.files)
        assert str(refused(ColmapModel(files), photo("a.jpg"))).endswith(f"{name} ends too early.")
    cameras, images, points = model.files
    observed = images.data.index(b"a.jpg\0") + 6
    images = replace(images, data=images.data[:observed] + claim + images.data[observed + 8 :])
    assert "images.bin ends too early" in str(refused(ColmapModel((cameras, images)), photo("a.jpg")))
    for at in (0, 8 + 43):  # of points, and of the images that see the first one
        data = points.data[:at] + claim + points.data[at + 8 :]
        known = colmap_cameras(ColmapModel((*model.files[:2], replace(points, data=data))), [photo("a.jpg")])
        assert known.sparse is None and "cannot be read" in known.notes[0]


@pytest.mark.parametrize("name", [b"\xff\xfe.jpg", b"new\nline.jpg", b"x" * 1_000_000, b"", b"../../a\x1b[2J"])
def test_one_odd_name_of_an_image_spoils_no_other(tmp_path, name):
    model = written(tmp_path, ".bin")
    odd = tuple(replace(f, data=f.data.replace(b"b.jpg", name)) for f in model.files)
    known = colmap_cameras(ColmapModel(odd), [photo("a.jpg"), photo("c.jpg"), photo("b.jpg")])
    assert known.known.tolist() == [True, True, False]
    np.testing.assert_allclose(known.cameras.extrinsics[:2], poses(3)[[0, 2]], atol=1e-12)


def test_names_with_spaces_and_other_line_ends_and_comments():
    images = "\ufeff# list\r\n5 1 0 0 0 1 2 3 1 my photos/a b.jpg\r\n1 2 -1 3 4 8\r\n"
    model = text_model(f"# cameras\r\n\r\n{CAMERA.strip()}\r\n", images, "8 1 2 3 0 0 0 0.5 5 1\r\n")
    known = colmap_cameras(model, [photo("a b.jpg")])
    assert known.known.all() and known.sparse is not None
    assert known.sparse.points.tolist() == [[1, 2, 3]] and known.sparse.pixel.tolist() == [[3, 4]]


def test_points_that_are_not_numbers_are_left_out():
    points = "8 1 2 3 0 0 0 0.5 5 1\n9 nan 2 3 0 0 0 0.5 5 1\n7 1 1e999 3 0 0 0 0.5 5 1\n"
    images = "5 1 0 0 0 1 2 3 1 a.jpg\n1 2 9 3 4 7 5 6 8 nan 6 8\n"
    sparse = colmap_cameras(text_model(CAMERA, images, points), [photo("a.jpg")]).sparse
    assert sparse is not None
    assert sparse.points.tolist() == [[1, 2, 3]] and sparse.pixel.tolist() == [[5, 6]]


def test_a_list_of_points_with_a_number_too_large_is_done_without():
    known = colmap_cameras(text_model(CAMERA, IMAGE, f"{1 << 63} 1 2 3 0 0 0 0.5 5 1\n"), [photo("a.jpg")])
    assert known.known.all() and known.sparse is None and "cannot be read" in known.notes[0]


def test_many_images_and_photos_are_matched_in_no_time():
    entries = [f"rig/{i % 7}/{i}.jpg" for i in range(20_000)]
    started = time.process_time()
    assert match_names([entry.removeprefix("rig/") for entry in entries[:5000]], entries) == entries[:5000]
    assert time.process_time() - started < 5.0


def test_files_go_nowhere_but_to_their_folder(tmp_path):
    model = written(tmp_path / "model", ".bin")
    stray = ColmapFile("../../stray.txt", b"stray")
    given = colmap_cameras(ColmapModel((*model.files, stray)), [photo("a.jpg")]).cameras
    assert given.extrinsics.shape == (1, 4, 4)


def test_cameras_come_out_of_a_job_as_they_went_in(tiny_checkpoint, tmp_path):
    photos = tuple(photo(name, seed=i) for i, name in enumerate(NAMES))
    asked = Request(photos, str(tiny_checkpoint), colmap=written(tmp_path, ".bin"), gaussians=False)
    frame = io.BytesIO(b"".join(encode_frame("1", asked)))
    answer = read_frame(frame)
    assert answer is not None and isinstance(answer[1], Request)
    prediction = Predictor().predict(answer[1], lambda *_: None)
    assert prediction.camera_source == "given"
    for view, pose in zip(prediction.views, poses(3), strict=True):
        np.testing.assert_allclose(view.extrinsics, pose, atol=1e-12)
        np.testing.assert_allclose(view.intrinsics, INTRINSICS, atol=1e-12)


def test_a_model_beside_other_cameras(tiny_checkpoint, tmp_path):
    given = Cameras(poses(1), INTRINSICS[None])
    asked = Request((photo("a.jpg"),), str(tiny_checkpoint), colmap=written(tmp_path, ".bin"), gaussians=False)
    with pytest.raises(JobError, match="cameras and a COLMAP model"):
        Predictor().predict(replace(asked, cameras=given), lambda *_: None)
    prediction = Predictor().predict(replace(asked, camera_source="network"), lambda *_: None)
    assert prediction.camera_source == "network"
    assert "The given cameras were not used; the camera source asked for others." in prediction.notes
