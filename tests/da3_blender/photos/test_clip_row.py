"""A clip in the list of photos: what its row tells, by Blender's own reading of films that Blender made; that nothing
stands beside it; and that no list is lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

from da3_blender.operators import photos as photo_operators  # noqa: E402
from da3_blender.operators.photos import BOTH_FILTER, FILTER, VIDEO_FILTER  # noqa: E402
from da3_blender.photos import clip_row, photo_list, thumbnails  # noqa: E402
from model_runtime.contract.photo_kinds import VIDEO_SUFFIXES  # noqa: E402
from tests.film_files import make_film, turned  # noqa: E402


@pytest.fixture
def settings(addon):
    return bpy.context.scene.da3


@pytest.fixture
def film(addon, tmp_path) -> Path:
    return make_film(tmp_path / "a walk.mp4")


@pytest.fixture
def frames(tmp_path) -> list[Path]:
    paths = [tmp_path / "frames" / f"walk_{number}.png" for number in (8, 9, 10, 13)]
    paths[0].parent.mkdir()
    for path in paths:
        Image.new("RGB", (40, 30)).save(path)
    return paths


def rows(settings) -> list[tuple[str, str]]:
    return [(row.kind, row.name) for row in settings.photos]


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("a.mp4", "MPEG4", "H264"),
        ("a.mov", "QUICKTIME", "H264"),
        ("a.mkv", "MKV", "H264"),
        ("a.webm", "WEBM", "WEBM"),
        ("a.avi", "AVI", "MPEG4"),
    ],
)
def test_a_films_row_tells_frames_size_and_rate(settings, tmp_path, name: str, container: str, codec: str):
    film = make_film(tmp_path / name, container, codec, frames=9, rate=25)
    assert photo_list.add_files(settings, [film]).sentence == f"Clip added: {name}."
    (row,) = settings.photos
    assert (row.kind, row.name, row.problem) == ("film", name, "")
    assert (row.frames, row.first_frame, row.last_frame) == (9, 0, 8)
    assert (row.width, row.height) == (96, 64) and row.rate == pytest.approx(25)
    assert not bpy.data.movieclips


def test_a_film_that_was_held_upright_is_upright(settings, film, tmp_path):
    photo_list.add_video(settings, [turned(film, tmp_path / "turned.mp4")])
    assert (settings.photos[0].width, settings.photos[0].height) == (64, 96)


def test_what_blender_cannot_decode_is_not_told(settings, tmp_path):
    """The worker may read it."""
    path = tmp_path / "raw.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(400))
    photo_list.add_video(settings, [path])
    (row,) = settings.photos
    assert (row.frames, row.width, row.rate, row.problem) == (0, 0, 0, "") and not bpy.data.movieclips


def test_a_film_that_goes_and_comes_back(settings, film):
    photo_list.add_video(settings, [film])
    film.rename(film.with_suffix(".away"))
    assert photo_list.refresh(settings) == 1
    row = settings.photos[0]
    assert row.problem == "The file is not there any more" and row.frames == 0
    film.with_suffix(".away").rename(film)
    assert photo_list.refresh(settings) == 0 and row.frames == 12


def test_a_sequences_row_tells_what_is_there(settings, frames):
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.001
    assert photo_list.add_sequence(settings, frames[2]).sentence == "Clip added: walk_#.png."
    (row,) = settings.photos
    assert (row.kind, row.frames, row.first_frame, row.last_frame) == ("sequence", 4, 8, 13)
    assert (row.width, row.height, row.problem) == (40, 30, "")
    assert settings.clip_rate == pytest.approx(29.97003)
    frames[2].unlink()
    assert photo_list.refresh(settings) == 0 and row.frames == 3, "the others are there"
    frames[0].write_bytes(b"")
    photo_list.refresh(settings)
    assert row.problem == "The first frame cannot be used: The file is empty; copy it again"
    for path in (frames[0], frames[1], frames[3]):
        path.unlink()
    photo_list.refresh(settings)
    assert row.problem == "The file is not there any more"
    frames[0].parent.rmdir()
    photo_list.refresh(settings)
    assert row.problem == "The folder cannot be read: No such file or directory"


@pytest.mark.filterwarnings("ignore:DA3_Photo.path. does not support blend relative")
def test_paths_relative_to_the_blend_are_found(settings, film, frames, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shots" / ".." / "shot.blend"))
    settings = bpy.context.scene.da3
    photo_list.add_files(settings, ["//a walk.mp4"])
    assert settings.photos[0].frames == 12
    settings.photos[0].path = "//a walk.mp4"
    photo_list.refresh(settings)
    assert settings.photos[0].frames == 12
    assert clip_row.source_of(settings.photos[0], settings).path == film
    photo_list.clear(settings)
    photo_list.add_sequence(settings, "//frames/walk_9.png")
    assert settings.photos[0].frames == 4


def test_a_film_is_added_by_its_contents_and_whatever_its_name(settings, film, tmp_path):
    odd = tmp_path / "Küche 動画"
    film.rename(odd)
    photo_list.add_files(settings, [odd])
    assert rows(settings) == [("film", "Küche 動画")] and settings.photos[0].frames == 12


ALONE = "A clip goes alone; choose one video and nothing else, or photos only"
HAS_CLIP = "The list holds a clip, and nothing goes beside it; remove the clip first"
HAS_PHOTOS = "The list holds photos, and a clip goes alone; remove the photos first"


def test_nothing_stands_beside_a_clip_and_no_list_is_lost(settings, film, frames):
    image = bpy.data.images.load(str(frames[0]))
    for add, told in (
        (lambda: photo_list.add_files(settings, frames), HAS_CLIP),
        (lambda: photo_list.add_files(settings, [film]), HAS_CLIP),
        (lambda: photo_list.add_folder(settings, frames[0].parent), HAS_CLIP),
        (lambda: photo_list.add_images(settings, [image]), HAS_CLIP),
        (lambda: photo_list.add_sequence(settings, frames[0]), HAS_CLIP),
        (lambda: photo_list.add_video(settings, [film]), HAS_CLIP),
        (lambda: photo_list.add_files(settings, [film, *frames]), ALONE),
        (lambda: photo_list.add_files(settings, [film, *frames], replace=True), ALONE),
    ):
        photo_list.clear(settings)
        photo_list.add_video(settings, [film])
        settings.clip_first = 3
        with pytest.raises(ValueError) as refused:
            add()
        assert str(refused.value) == told
        assert rows(settings) == [("film", "a walk.mp4")] and settings.clip_first == 3


def test_no_clip_comes_to_photos(settings, film, frames):
    photo_list.add_files(settings, frames[:2])
    for add in (
        lambda: photo_list.add_files(settings, [film]),
        lambda: photo_list.add_video(settings, [film]),
        lambda: photo_list.add_sequence(settings, frames[0]),
    ):
        with pytest.raises(ValueError, match=f"^{HAS_PHOTOS}$"):
            add()
    assert rows(settings) == [("photo", "walk_8.png"), ("photo", "walk_9.png")]
    photo_list.add_files(settings, [film], replace=True)
    assert rows(settings) == [("film", "a walk.mp4")]
    photo_list.add_files(settings, frames[:1], replace=True)
    assert rows(settings) == [("photo", "walk_8.png")]


def test_films_among_the_photos_of_a_folder_are_left_out_with_the_reason(settings, film, frames):
    """As phones leave them there beside photos."""
    film.rename(frames[0].with_name("walk.mov"))
    photo_list.add_folder(settings, frames[0].parent)
    assert {row.kind for row in settings.photos} == {"photo"}
    problems = {row.name: row.problem for row in settings.photos if row.problem}
    assert problems == {"walk.mov": "A video makes a scene of its own; add it alone"}


def test_what_is_no_clip_is_refused_and_the_list_stays_empty(settings, film, frames):
    (frames[0].parent / "kitchen.png").write_bytes(frames[0].read_bytes())
    for add, told in (
        (lambda: photo_list.add_video(settings, [film, film]), "Choose one video: a scene is made from one clip"),
        (lambda: photo_list.add_sequence(settings, film), "This is a video; add it as one"),
        (lambda: photo_list.add_sequence(settings, frames[0].parent / "kitchen.png"), "has no number in its name"),
    ):
        with pytest.raises(ValueError, match=told):
            add()
        assert not settings.photos
    photo_list.add_video(settings, frames[:1])
    assert settings.photos[0].problem.startswith("The file is not a video; only these are read: MP4")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")
def test_a_film_whose_name_no_row_can_hold_is_refused_before_the_list_is_emptied(settings, film, frames):
    bad = film.with_name(os.fsdecode(b"bad\xff.mp4"))
    film.rename(bad)
    photo_list.add_files(settings, frames)
    with pytest.raises(ValueError, match=r"^The name bad\\xff\.mp4, or that of a folder around it, is not UTF-8"):
        photo_list.add_files(settings, [bad], replace=True)
    assert len(settings.photos) == 4


def test_a_new_clip_is_whole_and_sets_the_range_of_a_scene_that_nobody_set(settings, film):
    scene = bpy.context.scene
    settings.clip_first, settings.clip_last, settings.clip_step = 5, 9, 3
    photo_list.add_video(settings, [film])
    assert (settings.clip_first, settings.clip_last, settings.clip_step) == (0, 0, 1) and settings.set_frame_range

    def anew() -> bool:
        photo_list.clear(settings)
        photo_list.add_video(settings, [film])
        return settings.set_frame_range

    scene.timeline_markers.new("cut", frame=40)
    assert not anew()
    scene.timeline_markers.clear()
    assert anew()
    scene.frame_end = 100
    assert not anew()
    scene.frame_end = 250
    item = bpy.data.objects.new("cube", None)
    item.keyframe_insert("location", frame=1)
    assert not anew()


def test_operators_do_the_same_and_report_why_not(settings, film, frames):
    folder = str(film.parent)
    assert bpy.ops.da3.add_video(directory=folder, files=[{"name": film.name}]) == {"FINISHED"}
    with pytest.raises(RuntimeError, match=HAS_CLIP):
        bpy.ops.da3.add_photos(directory=str(frames[0].parent), files=[{"name": frames[0].name}])
    with pytest.raises(RuntimeError, match=HAS_CLIP):
        bpy.ops.da3.add_photo_folder(directory=str(frames[0].parent))
    assert rows(settings) == [("film", film.name)]
    assert not bpy.ops.da3.set_reference.poll() and not bpy.ops.da3.match_cameras.poll()
    bpy.ops.da3.remove_photo()
    assert bpy.ops.da3.add_sequence(filepath=str(frames[1])) == {"FINISHED"}
    assert rows(settings) == [("sequence", "walk_#.png")]
    done = bpy.ops.da3.import_photos(directory=folder, files=[{"name": film.name}], run=False, scene_name="walk")
    assert done == {"FINISHED"} and rows(settings) == [("film", film.name)] and settings.scene_name == "walk"
    with pytest.raises(RuntimeError, match=ALONE):
        bpy.ops.da3.import_photos(directory=folder, files=[{"name": film.name}, {"name": "b.png"}], run=False)
    assert rows(settings) == [("film", film.name)]
    bpy.ops.da3.clear_photos()
    assert bpy.ops.da3.add_video() == {"CANCELLED"} and bpy.ops.da3.add_sequence() == {"CANCELLED"}


def test_what_is_dropped_on_a_viewport_goes_to_the_operator_that_takes_it():
    photos, videos = photo_operators.DA3_FH_photos, photo_operators.DA3_FH_videos
    assert videos.bl_import_operator == photo_operators.DA3_OT_add_video.bl_idname
    assert videos.bl_file_extensions.split(";") == list(VIDEO_SUFFIXES)
    assert set(videos.bl_file_extensions.split(";")).isdisjoint(photos.bl_file_extensions.split(";"))
    assert VIDEO_FILTER.split(";") == [f"*{suffix}" for suffix in VIDEO_SUFFIXES]
    assert {*FILTER.split(";"), "*.mp4", "*.mov", "*.mkv"} == set(BOTH_FILTER.split(";")) and len(BOTH_FILTER) < 256


def test_a_film_has_a_picture_in_the_list(film, monkeypatch):
    """In the background Blender makes none."""
    made = SimpleNamespace(get=lambda key: None, load=lambda *asked: SimpleNamespace(icon_id=asked[1:]))
    monkeypatch.setattr(thumbnails, "_previews", [made])
    assert thumbnails.icon(str(film)) == (str(film), "MOVIE")
    assert thumbnails.icon(str(film.with_name("gone.mp4"))) == 0
