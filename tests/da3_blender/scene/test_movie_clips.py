"""Behind a clip's camera is, at every frame, the picture that its key is for: read back from what Blender shows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.clip_plan import ClipFiles
from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.lens import BROWN, FISHEYE, Lens, distort, to_plane
from tests.da3_blender.clips import walk, walk_eye
from tests.da3_blender.compositor import begin_compositor, write_exrs

bpy = pytest.importorskip("bpy")

from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.film_turns import quarter_turns  # noqa: E402
from da3_blender.scene.movie_clips import clip_behind  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402

SIZE = (128, 96)


@pytest.fixture
def films():
    """The tests' writer of films; skips where there is no PyAV, as beside other Blenders."""
    pytest.importorskip("av")
    from tests.model_runtime.clips import written

    return written


class Shown:
    """What Blender shows of a movie clip, through a strip of its own, which goes the way that backgrounds go.

    straight: as its lens straightens it.
    """

    def __init__(self, clip, size, folder, straight=False):
        self.scene = bpy.data.scenes.new("shown")
        self.file = str(folder / "shown.png")
        render = self.scene.render
        render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
        render.image_settings.file_format, render.filepath = "PNG", self.file
        self.scene.view_settings.view_transform = "Standard"
        editor = self.scene.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences
        strip = strips.new_clip("clip", clip, 1, clip.frame_start)
        strip.undistort = straight
        bpy.context.window.scene = self.scene

    def __call__(self, frame):
        """[h,w,3] 0..255."""
        self.scene.frame_set(frame)
        bpy.ops.render.render(write_still=True, scene=self.scene.name)
        return np.asarray(Image.open(self.file).convert("RGB"))


class Composited:
    """The same through the compositor: strips end with the first picture that is missing, backgrounds do not."""

    def __init__(self, clip, size, folder):
        self.scene = bpy.data.scenes.new("composited")
        self.folder = folder / "composited"
        render = self.scene.render
        render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
        render.engine, self.scene.cycles.samples = "CYCLES", 1
        self.scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.scene.collection.objects.link(self.scene.camera)
        tree = begin_compositor(self.scene)
        for layers in [node for node in tree.nodes if node.type == "R_LAYERS"]:
            layers.scene = self.scene  # not the clip's, which is slow to render
        node = tree.nodes.new("CompositorNodeMovieClip")
        node.clip = clip
        write_exrs(tree, node.outputs["Image"], self.folder)
        bpy.context.window.scene = self.scene

    def __call__(self, frame):
        """[h,w,3] 0..255."""
        self.scene.frame_set(frame)
        bpy.ops.render.render(scene=self.scene.name)
        file = max(self.folder.iterdir(), key=lambda each: each.stat().st_mtime_ns)
        image = bpy.data.images.load(str(file))
        pixels = np.array(image.pixels).reshape(image.size[1], image.size[0], 4)[::-1, :, :3]
        return np.clip(pixels, 0, 1) * 255


def camera_of(room, scene, files, rate=25.0, seconds=None, **of_walk):
    prediction = walk(room, photo_size=SIZE, focal=(104.0, 104.0), detail=4, **of_walk)
    track = prediction.track
    assert track is not None
    track = replace(track, rate=rate, seconds=track.numbers / rate if seconds is None else seconds)
    prediction = replace(prediction, track=track)
    plan = plan_scene(prediction, "walk", clip=files)
    (camera,) = write_scene(plan, scene).cameras
    return camera, plan


def frame_of(camera, plan, scene, frame):
    """The number of the film's frame whose place the camera has at a frame of the scene."""
    scene.frame_set(frame)
    eyes = np.array([walk_eye(number) for number in plan.track.numbers]) @ plan.motion[:3, :3].T + plan.motion[:3, 3]
    off = np.linalg.norm(eyes - np.array(camera.matrix_world.translation), axis=1)
    assert off.min() < 1e-4
    return int(plan.track.numbers[off.argmin()])


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001)])
def test_a_film_is_behind_its_camera(empty_scene, room, films, tmp_path, rate):
    films.write_film(tmp_path / "walk.mp4", films.Written(frames=24, rate=rate, unit=1 / rate))
    camera, plan = camera_of(room, empty_scene, ClipFiles(path=tmp_path / "walk.mp4"), float(rate))
    shown = Shown(clip_behind(camera), SIZE, tmp_path)
    for frame in (1, 2, 9, 24):
        assert films.read_number(shown(frame)) == frame_of(camera, plan, empty_scene, frame) == frame - 1
    render = empty_scene.render
    assert render.fps / render.fps_base == pytest.approx(float(rate), rel=1e-6)


def test_a_film_comes_and_goes_with_its_result(empty_scene, room, films, tmp_path):
    films.write_film(tmp_path / "walk.mp4", films.Written(frames=24))
    camera, plan = camera_of(room, empty_scene, ClipFiles(path=tmp_path / "walk.mp4"))
    made = find.results(empty_scene)[0]
    camera.data.background_images[0].alpha = 0.2
    update_scene(plan, made, empty_scene)
    assert list(bpy.data.movieclips) == [clip_behind(camera)] and clip_behind(camera).users == 1
    assert [each.alpha for each in camera.data.background_images] == pytest.approx([0.2])
    remove_scene(made)
    assert not len(bpy.data.movieclips)


def test_a_film_whose_frames_do_not_last_alike(empty_scene, room, films, tmp_path):
    random = np.random.default_rng(0)
    lasts = np.where(random.random(24) < 0.25, 2, 1) / 30 + random.normal(0, 0.003, 24)
    ticks = np.round(np.concatenate([[0], np.cumsum(lasts)[:-1]]) * 90_000).astype(int)
    how = films.Written(frames=24, rate=30, unit=Fraction(1, 90_000), times=ticks.tolist())
    films.write_film(tmp_path / "phone.mp4", how)
    camera, plan = camera_of(room, empty_scene, ClipFiles(path=tmp_path / "phone.mp4"), 30.0, ticks / 90_000)
    shown = Shown(clip_behind(camera), SIZE, tmp_path)
    first, last = empty_scene.frame_start, clip_behind(camera).frame_duration
    assert 26 < last <= empty_scene.frame_end
    for frame in range(first, last + 1):
        assert films.read_number(shown(frame)) == frame_of(camera, plan, empty_scene, frame)


def numbered_pictures(films, folder, numbers):
    files = tuple(folder / f"shot_{number:04}.png" for number in numbers)
    for number, file in zip(numbers, files, strict=True):
        Image.fromarray(films.numbered(number % 256, SIZE)).save(file)
    return ClipFiles(files=files, numbers=tuple(numbers))


def test_pictures_with_gaps_are_behind_their_camera(empty_scene, room, films, tmp_path):
    numbers = (1001, 1002, 1005, 1006, 1010)
    files = numbered_pictures(films, tmp_path, numbers)
    camera, plan = camera_of(room, empty_scene, files, numbers=numbers[1:], keys=(1002, 1010))
    shown = Composited(clip_behind(camera), SIZE, tmp_path)
    for frame in numbers[1:]:
        assert films.read_number(shown(frame)) == frame % 256
        assert frame_of(camera, plan, empty_scene, frame) == frame
    assert (empty_scene.frame_start, empty_scene.frame_end) == (1002, 1010)
    assert plan.cameras[0].photo_path == files.files[1]


def test_pictures_that_are_no_sequence_are_told(room, films, tmp_path):
    files = numbered_pictures(films, tmp_path, (1, 2, 3))
    files = replace(files, numbers=(1, 2, 4))
    plan = plan_scene(walk(room, numbers=(1, 2, 4), keys=(1,)), "walk", clip=files)
    assert any("as a sequence" in note for note in plan.notes)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_film_stored_turned_covers_its_camera_upright(empty_scene, room, films, tmp_path, turns):
    file = films.write_film(tmp_path / "phone.mp4", films.Written(frames=3, rotation=(-90.0 * turns, False, False)))
    assert quarter_turns(file) == turns
    size = (96, 128) if turns % 2 else SIZE
    prediction = walk(room, numbers=(0, 1, 2), keys=(0,), photo_size=size, detail=4)
    (camera,) = write_scene(plan_scene(prediction, "walk", clip=ClipFiles(path=file)), empty_scene).cameras
    clip, background = clip_behind(camera), camera.data.background_images[0]
    shown = films.corners(Shown(clip, tuple(clip.size), tmp_path)(1))
    upright = {1: ("b", "r", "w", "g"), 2: ("w", "b", "g", "r"), 3: ("g", "w", "r", "b")}[turns]
    made = round(background.rotation / (np.pi / 2))
    assert turned(shown, made) == upright
    assert background.scale == pytest.approx(128 / 96 if made % 2 else 1.0)


def turned(corners, quarters):
    """Top left, top right, bottom left, bottom right after clockwise quarter turns."""
    for _ in range(quarters % 4):
        a, b, c, d = corners
        corners = (c, a, d, b)
    return corners


def test_a_bent_clip_is_straightened_as_its_camera_sees(empty_scene, room, tmp_path):
    size = (640, 480)
    intrinsics = np.array([[520.0, 0, 331.5], [0, 520.0, 228.25], [0, 0, 1]])
    lens = Lens(BROWN, size, intrinsics, np.array([-0.18, 0.05, 0.004, -0.006, 0.01]))
    straight = np.stack(np.meshgrid(np.arange(60, 600, 80.0), np.arange(50, 440, 80.0)), -1).reshape(-1, 2)
    rows, columns = np.mgrid[: size[1], : size[0]] + 0.5
    picture = np.zeros(rows.shape)
    for x, y in distort(lens, to_plane(intrinsics, straight)):
        picture += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / 3**2)
    file = tmp_path / "dots_0001.png"
    Image.fromarray(np.uint8(np.clip(picture * 250, 0, 255))).convert("RGB").save(file)
    prediction = walk(room, numbers=(1, 2), keys=(1,), photo_size=size, focal=(520, 520), principal=(331.5, 228.25))
    prediction = replace(prediction, track=replace(prediction.track, lens=lens))
    plan = plan_scene(prediction, "walk", clip=ClipFiles(files=(file,), numbers=(1,)))
    (camera,) = write_scene(plan, empty_scene).cameras
    assert camera.data.background_images[0].clip_user.use_render_undistorted
    seen = Shown(clip_behind(camera), size, tmp_path, straight=True)(1).astype(float)[..., 0]
    off = []
    for x, y in straight:
        around = np.s_[int(y) - 12 : int(y) + 13, int(x) - 12 : int(x) + 13]
        weight = seen[around] ** 2
        off.append([np.average(columns[around], weights=weight) - x, np.average(rows[around], weights=weight) - y])
    assert np.abs(off).max() < 0.15


def test_a_lens_that_blender_does_not_know_is_told(empty_scene, room):
    lens = Lens(FISHEYE, (640, 480), np.array([[300.0, 0, 320], [0, 300, 240], [0, 0, 1]]), np.zeros(4))
    made = write_scene(plan_scene(walk(room, lens=lens), "walk"), empty_scene)
    assert "stays bent" in made.collection["da3_notes"]


def test_broken_films_are_not_turned(tmp_path):
    for number, data in enumerate((b"", b"\0\0\0\x08moov", b"\xff" * 64, b"\0\0\0\x10moov\0\0\0\x50trak")):
        (file := Path(tmp_path / f"{number}.mp4")).write_bytes(data)
        assert quarter_turns(file) == 0
