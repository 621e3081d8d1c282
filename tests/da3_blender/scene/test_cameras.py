"""Cameras in Blender: points land on their pixels, photos lie in the frame, resolutions follow the timeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import da3_blender
from da3_blender.plan.point_cloud import surface_mask
from da3_blender.plan.scene_plan import plan_scene

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Vector  # noqa: E402

from da3_blender.scene import cameras, write_scene  # noqa: E402
from model_runtime.contract.export.exr import write_exr  # noqa: E402
from tests.photo_files import exr  # noqa: E402


def mixed_views(room) -> list:
    """Landscape, portrait, square; off-centre; fx above and below fy; as large as real photos."""
    tilt = np.eye(4)
    tilt[:3, :3] = room.rotation_about((1, 0.4, -0.3), 105)
    tilt[:3, 3] = (0.3, -1, 2)
    cases = [
        ((6000, 4000), (4800.0, 4800.0), None),
        ((3024, 4032), (3100.0, 3100.0), (1400.0, 2150.0)),
        ((1920, 1080), (1500.0, 1320.0), (1010.5, 500.25)),
        ((1080, 1920), (1300.0, 1560.0), (600.0, 900.0)),
        ((1000, 1000), (900.0, 900.0), (300.0, 800.0)),
    ]
    return [
        room.view(
            eye=(0.4 * index - 0.8, 0.1 * index, 1.5),
            target=(0.2, 4, 0.6),
            photo_size=size,
            focal=focal,
            principal=principal,
            world=tilt,
            name=f"photo {index}",
            detail=max(size) / 60,
        )
        for index, (size, focal, principal) in enumerate(cases)
    ]


def points_of(made) -> tuple[np.ndarray, np.ndarray]:
    """[P,3] where the points are, [P] the views they come from."""
    mesh = made.points.data
    position, source = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(len(mesh.vertices), np.int32)
    mesh.attributes["position"].data.foreach_get("vector", position)
    mesh.attributes["view"].data.foreach_get("value", source)
    return position.reshape(-1, 3), source


def test_points_land_on_their_pixels(room, empty_scene):
    views = mixed_views(room)
    made = write_scene(plan_scene(room.prediction(*views), "room"), empty_scene)
    position, source = points_of(made)
    for index, (view, camera) in enumerate(zip(views, made.cameras, strict=True)):
        assert cameras.apply_camera_resolution(empty_scene, camera)
        bpy.context.view_layer.update()
        width, height = view.photo_size
        row, column = np.nonzero(surface_mask(view, 10))
        assert np.count_nonzero(source == index) == len(row) > 1000
        expected = np.stack([column + 0.5, row + 0.5], axis=1) / view.depth.shape[::-1] * view.photo_size
        seen = np.array([world_to_camera_view(empty_scene, camera, Vector(p)) for p in position[source == index][::7]])
        pixels = np.stack([seen[:, 0] * width, (1 - seen[:, 1]) * height], axis=1)
        assert np.abs(pixels - expected[::7]).max() < 0.1
        np.testing.assert_allclose(seen[:, 2], view.depth[row, column][::7], rtol=1e-4)


def test_without_the_add_on_photos_of_other_shapes_still_lie_behind_their_points(room, empty_scene):
    """The frame keeps the first photo's shape; a background image fitted into it lies in its middle."""
    views = mixed_views(room)
    made = write_scene(plan_scene(room.prediction(*views), "room"), empty_scene)
    position, source = points_of(made)
    render = empty_scene.render
    bpy.context.view_layer.update()
    # The first frame, and one that somebody made wider still: there the photo that was as wide is cut.
    for frame, indices in (((6000, 4000), range(5)), ((3000, 1500), (1, 3, 4))):
        render.resolution_x, render.resolution_y = frame
        for index in indices:
            view, camera = views[index], made.cameras[index]
            points = position[source == index][::7]
            seen = np.array([world_to_camera_view(empty_scene, camera, Vector(p))[:2] for p in points])
            aspect = camera.data[cameras.PIXEL_ASPECT]
            photo = np.array(view.photo_size) * (aspect[0], aspect[1])
            fitted = photo * (np.array(frame) / photo).min()
            row, column = np.nonzero(surface_mask(view, 10))
            in_photo = np.stack([column + 0.5, row + 0.5], axis=1)[::7] / view.depth.shape[::-1] - 0.5
            expected = in_photo * (1, -1) * fitted
            assert np.abs((seen - 0.5) * frame - expected).max() < 0.1, (index, frame)


def test_scene_takes_camera_and_resolution_of_the_first_view(room, empty_scene):
    views = mixed_views(room)[2:4]
    made = write_scene(plan_scene(room.prediction(*views), "room"), empty_scene)
    render = empty_scene.render
    assert empty_scene.camera == made.cameras[0]
    assert (render.resolution_x, render.resolution_y, render.resolution_percentage) == (1920, 1080, 100)
    assert render.pixel_aspect_x == 1
    assert render.pixel_aspect_y == pytest.approx(1500 / 1320)


def test_timeline_brings_up_each_camera_with_its_resolution(room, empty_scene):
    views = mixed_views(room)
    made = write_scene(plan_scene(room.prediction(*views), "room"), empty_scene)
    da3_blender.register()
    try:
        for frame in (2, 5, 1, 3, 4):
            empty_scene.frame_set(frame)
            assert empty_scene.camera == made.cameras[frame - 1]
            size = (empty_scene.render.resolution_x, empty_scene.render.resolution_y)
            assert size == views[frame - 1].photo_size
    finally:
        da3_blender.unregister()
    empty_scene.frame_set(2)
    assert empty_scene.render.resolution_x == views[3].photo_size[0]
    assert not any("follow_marker" in handler.__name__ for handler in bpy.app.handlers.frame_change_post)


def test_second_scene_continues_the_timeline(room, empty_scene):
    write_scene(plan_scene(room.prediction(room.view(), room.view()), "a"), empty_scene)
    second = write_scene(plan_scene(room.prediction(room.view()), "b"), empty_scene)
    bound = {marker.frame: marker.camera for marker in empty_scene.timeline_markers}
    assert sorted(bound) == [1, 2, 3]
    assert bound[3] == second.cameras[0] == empty_scene.camera
    assert empty_scene.frame_current == 3


def write_image(path, size) -> bytes:
    image = bpy.data.images.new("source", *size)
    image.pixels.foreach_set(np.linspace(0, 1, size[0] * size[1] * 4, dtype=np.float32))
    image.filepath_raw = str(path)
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path.read_bytes()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("focal", [(80.0, 80.0), (80.0, 70.0), (70.0, 80.0)])
def test_photo_covers_the_camera_frame(room, empty_scene, tmp_path, packed, focal):
    size = (48, 64)
    data = write_image(tmp_path / "photo.png", size)
    view = room.view(photo_size=size, focal=focal, principal=(20, 40), detail=1)
    if packed:
        view = room.view(photo_size=size, focal=focal, detail=1)
        view.__dict__["plate"] = data
    made = write_scene(plan_scene(room.prediction(view), "room", [tmp_path / "photo.png"]), empty_scene)
    camera = made.cameras[0].data
    background = camera.background_images[0]
    image = background.image
    assert camera.show_background_images and background.show_background_image
    assert (background.frame_method, background.rotation, background.scale) == ("FIT", 0, 1)
    assert tuple(background.offset) == (0, 0) and not background.use_flip_x and not background.use_flip_y
    assert 0 < background.alpha < 1
    assert tuple(image.size) == size and image.source == "FILE"
    assert image.colorspace_settings.name == "sRGB"
    assert (image.packed_file is not None) == packed
    # FIT keeps the image's aspect: the frame's own, so nothing is left over on any side.
    render = empty_scene.render
    frame = render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)
    aspect = image.display_aspect
    assert image.size[0] * aspect[0] / (image.size[1] * aspect[1]) == pytest.approx(frame, rel=1e-6)
    pixels = np.zeros(size[0] * size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    assert pixels.max() > 0.9


@pytest.mark.parametrize("packed", [False, True])
def test_open_exr_behind_a_camera_stays_linear(room, empty_scene, tmp_path, packed):
    data = exr(dict.fromkeys("RGB", np.full((64, 48), 4.0, np.float32)))
    (tmp_path / "render.exr").write_bytes(data)
    view = room.view(photo_size=(48, 64), detail=1)
    view.__dict__["plate"] = memoryview(data) if packed else b""
    made = write_scene(plan_scene(room.prediction(view), "room", [tmp_path / "render.exr"]), empty_scene)
    image = made.cameras[0].data.background_images[0].image
    assert image.colorspace_settings.name == "Linear Rec.709" and (image.packed_file is not None) == packed
    image.reload()
    assert image.is_float and image.pixels[0] == 4.0 and image.colorspace_settings.name == "Linear Rec.709"


def test_a_straightened_open_exr_behind_a_camera_has_the_files_own_numbers(room, empty_scene, tmp_path):
    """Colors are multiplied by alpha, in the file as in Blender, and nothing is outside of the photo."""
    pixels = np.random.default_rng(0).uniform(-1, 20, (64, 48, 4)).astype(np.float32)
    pixels[..., 3] = np.linspace(0, 1, 48)
    pixels[:8] = 0
    write_exr(tmp_path / "straight.exr", dict(zip("RGBA", np.moveaxis(pixels, 2, 0), strict=True)))
    view = replace(room.view(photo_size=(48, 64), detail=1), plate=memoryview((tmp_path / "straight.exr").read_bytes()))
    made = write_scene(plan_scene(room.prediction(view), "room"), empty_scene)
    image = made.cameras[0].data.background_images[0].image
    for _ in range(2):
        shown = np.zeros(pixels.size, np.float32)
        image.pixels.foreach_get(shown)
        assert (shown.reshape(pixels.shape)[::-1] == pixels).all()
        image.reload()


def test_camera_without_photo_has_no_background(room, empty_scene):
    made = write_scene(plan_scene(room.prediction(), "room"), empty_scene)
    assert len(made.cameras[0].data.background_images) == 0
    assert not cameras.apply_camera_resolution(empty_scene, bpy.data.objects.new("empty", None))
