"""From a clip in the list to the request of it, and back from what a result tells it was made from; from the button to
one moving camera, through a worker that needs no torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

from da3_blender import live, timer  # noqa: E402
from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.jobs import stored_request  # noqa: E402
from da3_blender.photos import photo_list  # noqa: E402
from da3_blender.plan.clip_plan import ClipFiles  # noqa: E402
from da3_blender.scene import find, locks, write_scene  # noqa: E402
from da3_blender.scene.movie_clips import clip_behind  # noqa: E402
from model_runtime.contract.messages import Clip, JobError, StoredFile  # noqa: E402
from tests.film_files import make_film  # noqa: E402


@pytest.fixture
def settings(addon):
    return bpy.context.scene.da3


@pytest.fixture
def film(addon, tmp_path) -> Path:
    (tmp_path / "set 4").mkdir()
    return make_film(tmp_path / "set 4" / "a walk.mp4", rate=24)


@pytest.fixture
def frames(tmp_path) -> list[Path]:
    paths = [tmp_path / "atrium" / "frames" / f"walk_{number}.png" for number in (8, 9, 10, 13)]
    paths[0].parent.mkdir(parents=True)
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(path)
    return paths


@pytest.fixture
def made(settings, film, kitchen_plan):
    """A result that tells it was made from the film's frames 2 to 8; the list is empty."""
    photo_list.add_video(settings, [film])
    settings.clip_first, settings.clip_last, settings.clip_step, settings.lens = 2, 8, 2, "k1"
    collection = write_scene(kitchen_plan, bpy.context.scene).collection
    collection[stored_request.REQUEST] = job_request.make_job(bpy.context.scene)[1].request_text
    photo_list.clear(settings)
    settings.clip_first, settings.clip_last, settings.clip_step, settings.lens = 0, 0, 1, "auto"
    return collection


def stored(path: Path) -> StoredFile:
    data = path.read_bytes()
    return StoredFile(hashlib.sha256(data).hexdigest(), len(data), str(path))


def refused(collection_id: str = "") -> JobError:
    with pytest.raises(JobError) as error:
        job_request.make_job(bpy.context.scene, collection_id=collection_id)
    return error.value


def test_a_films_job_names_the_file_and_the_frames(settings, film):
    photo_list.add_video(settings, [film])
    settings.clip_first, settings.clip_last, settings.clip_step, settings.set_frame_range = 3, 10, 2, True
    settings.lens, settings.make_mesh = "brown", "fused"
    read, target = job_request.make_job(bpy.context.scene)
    request = read()
    assert request.photos == () and request.clip == Clip("a walk.mp4", stored(film), 3, 10, 2)
    assert (request.lens, request.camera_source, request.cameras) == ("brown", "auto", None) and request.mesh
    assert target.name == "a walk" and target.clip == ClipFiles(film) and target.set_frame_range
    assert target.photo_names == target.photo_paths == ()
    settings.clip_last = 0
    assert job_request.make_job(bpy.context.scene)[0]().clip.last is None


def test_a_sequences_job_has_its_frames_as_photos(settings, frames):
    bpy.context.scene.render.fps = 25
    photo_list.add_sequence(settings, frames[3])
    settings.clip_first = 9
    read, target = job_request.make_job(bpy.context.scene)
    request = read()
    assert [(photo.name, photo.file) for photo in request.photos] == [(path.name, stored(path)) for path in frames[1:]]
    assert request.clip == Clip("walk_#.png", numbers=(9, 10, 13), rate=25)
    assert target.clip == ClipFiles(None, tuple(frames[1:]), (9, 10, 13))
    assert target.name == "atrium", "as frames tells nothing"


def test_a_reading_that_fails_says_which_file(settings, frames):
    photo_list.add_sequence(settings, frames[0])
    read, _ = job_request.make_job(bpy.context.scene)
    frames[2].unlink()
    with pytest.raises(JobError, match=r"walk_10\.png cannot be read: No such file") as error:
        read()
    assert error.value.failure.advice == "Check the file, or choose other frames."


def test_what_cannot_be_made_is_refused_before_anything_is_read(settings, film, frames):
    photo_list.add_sequence(settings, frames[0])
    settings.clip_first, settings.clip_last = 11, 12
    error = refused()
    told = ("bad-request", "None of the frames has a number in this range; they are 8 to 13.")
    assert (error.failure.code, error.failure.sentence) == told
    settings.clip_last = 10
    assert refused().failure.sentence == "The first frame, 11, comes after the last, 10."
    photo_list.clear(settings)
    photo_list.add_video(settings, [film])
    settings.camera_source = "given"
    for settings.known_cameras in ("blender", "colmap"):
        assert refused().failure.sentence == "Known cameras do not go with a clip."
    settings.camera_source = "auto"
    film.rename(film.with_name("away.mp4"))
    error = refused()
    assert error.failure.code == "no-photos"
    assert error.failure.sentence == "a walk.mp4 cannot be used: The file is not there any more."
    assert settings.photos[0].problem == "The file is not there any more", "the list shows it, too"


def test_the_clip_comes_back_with_its_frames(settings, made, film):
    assert stored_request.clip_name(made) == "a walk.mp4"
    assert stored_request.load_photos(made, settings) == 0
    (row,) = settings.photos
    assert (row.kind, row.name, row.path, row.frames) == ("film", "a walk.mp4", str(film), 12)
    assert (settings.clip_first, settings.clip_last, settings.clip_step) == (2, 8, 2)
    assert settings.lens == "auto", "that is a setting, and comes with the settings"
    assert stored_request.load_settings(made, settings) == [] and settings.lens == "k1"


def test_an_update_asks_for_the_same_clip_again(settings, made, film):
    stored_request.load_photos(made, settings)
    read, target = job_request.make_job(bpy.context.scene, collection_id=made["da3_id"])
    assert read().clip == Clip("a walk.mp4", stored(film), 2, 8, 2) and target.collection_id == made["da3_id"]
    assert json.loads(target.request_text)["photos"] == json.loads(made[stored_request.REQUEST])["photos"]


def test_a_film_that_moved_is_found_where_it_is_added_again(settings, made, film, tmp_path):
    moved = tmp_path / "archive" / film.name
    moved.parent.mkdir()
    film.rename(moved)
    stored_request.load_photos(made, settings)
    error = refused(made["da3_id"])
    assert error.failure.sentence == "a walk.mp4 cannot be used: The file is not there any more."
    assert error.failure.advice == "Add the clip from where it is now, under the same name."
    photo_list.add_files(settings, [moved], replace=True)
    read, _ = job_request.make_job(bpy.context.scene, collection_id=made["da3_id"])
    assert read().clip.file == stored(moved)


def test_results_are_updated_with_their_own_only(settings, made, film, frames, kitchen_plan):
    photo_list.add_video(settings, [make_film(film.with_name("another.mp4"))])
    error = refused(made["da3_id"])
    assert error.failure.code == "other-photos"
    assert error.failure.sentence == "This DA3 scene was not made from the clip in the list."
    of_photos = write_scene(kitchen_plan, bpy.context.scene).collection
    assert refused(of_photos["da3_id"]).failure.code == "other-photos"
    assert refused("gone").failure.code == "scene-gone"
    photo_list.add_files(settings, frames, replace=True)
    assert refused(made["da3_id"]).failure.code == "other-photos"


def test_a_locked_camera_is_not_moved_by_an_update(settings, made):
    stored_request.load_photos(made, settings)
    camera = find.objects_of(made, "camera")[0]
    locks.lock(camera, locks.CAMERA)
    assert refused(made["da3_id"]).failure.sentence == "A clip's camera is found anew, so it cannot stay locked."
    locks.lock(camera, "")
    job_request.make_job(bpy.context.scene, collection_id=made["da3_id"])


def make_clip(scene) -> object:
    """Press the button; the result that comes of it."""
    before = find.results(scene)
    assert bpy.ops.da3.run() == {"FINISHED"} and timer.wait(30)
    assert live.jobs().state.failure is None and live.jobs().state.waiting is None
    (made,) = set(find.results(scene)) - set(before)
    return made


def test_the_button_makes_one_moving_camera_of_a_film(addon_scene, film):
    scene, settings = addon_scene, addon_scene.da3
    photo_list.add_video(settings, [film])
    settings.model, settings.clip_first, settings.clip_last, settings.clip_step = "room", 2, 11, 3
    made = make_clip(scene)
    (camera,) = find.objects_of(made, "camera")
    assert made.name == "DA3 a walk" and clip_behind(camera).filepath == str(film)
    assert (scene.frame_start, scene.frame_end) == (3, 12), "Blender's frame 1 shows the film's frame 0"
    assert scene.camera == camera

    def place(frame: int) -> float:
        scene.frame_set(frame)
        return camera.matrix_world.translation.x

    steps = [place(frame) - place(frame - 3) for frame in (6, 9, 12)]
    assert steps[0] > 0 and steps == pytest.approx([steps[0]] * 3, rel=1e-4), "evenly to the right"
    bpy.ops.da3.clear_photos()
    settings.clip_first = settings.clip_last = 0
    assert bpy.ops.da3.update(result=made["da3_id"]) == {"FINISHED"} and timer.wait(30)
    assert live.jobs().state.failure is None and find.results(scene) == [made]
    assert find.objects_of(made, "camera") == [camera] and [row.name for row in settings.photos] == ["a walk.mp4"]
    assert (settings.clip_first, settings.clip_last) == (2, 11) and place(12) - place(9) == pytest.approx(steps[0])


def test_the_scenes_frames_are_left_alone_where_that_is_asked_for(addon_scene, film):
    photo_list.add_video(addon_scene.da3, [film])
    addon_scene.da3.model, addon_scene.da3.set_frame_range = "room", False
    make_clip(addon_scene)
    assert (addon_scene.frame_start, addon_scene.frame_end, addon_scene.render.fps) == (1, 250, 24)
    assert not addon_scene.timeline_markers


def test_the_button_makes_one_moving_camera_of_a_sequence(addon_scene, frames):
    addon_scene.render.fps = 25
    photo_list.add_sequence(addon_scene.da3, frames[0])
    addon_scene.da3.model = "room"
    made = make_clip(addon_scene)
    (camera,) = find.objects_of(made, "camera")
    assert made.name == "DA3 atrium" and (addon_scene.frame_start, addon_scene.frame_end) == (8, 13)
    assert Path(clip_behind(camera).filepath).parent == frames[0].parent
    assert addon_scene.render.fps / addon_scene.render.fps_base == pytest.approx(25)


def test_a_film_that_is_gone_is_told_where_the_button_is(addon_scene, film):
    photo_list.add_video(addon_scene.da3, [film])
    addon_scene.da3.model = "room"
    made = make_clip(addon_scene)
    film.unlink()
    with pytest.raises(RuntimeError, match=r"a walk\.mp4 cannot be used: The file is not there any more"):
        bpy.ops.da3.update(result=made["da3_id"])
    assert live.jobs().state.failure.code == "no-photos" and find.results(addon_scene) == [made]


def test_what_a_stranger_wrote_is_no_clip(settings, made):
    asked = json.loads(made[stored_request.REQUEST])
    for change in (
        {"kind": "hologram"},
        {"kind": ["film"]},
        {"kind": None},
        {"path": ""},
        {"path": "", "image": "a.png"},
        {"path": "a\0b"},
        {"path": 7},
        {"name": ""},
    ):
        made[stored_request.REQUEST] = json.dumps({**asked, "photos": [asked["photos"][0] | change]})
        assert stored_request.clip_name(made) == ""
        with pytest.raises(JobError, match="does not tell which photos"):
            stored_request.load_photos(made, settings)


def test_a_clip_is_alone_whatever_a_stranger_wrote_beside_it(settings, made):
    asked = json.loads(made[stored_request.REQUEST])
    asked["photos"] = [{"name": "b.png", "path": "/b.png"}, *asked["photos"], *asked["photos"]]
    asked["settings"] |= {"clip_step": 0, "clip_first": "2", "clip_rate": float("1e9")}
    made[stored_request.REQUEST] = json.dumps(asked)
    assert stored_request.load_photos(made, settings) == 2
    assert [row.kind for row in settings.photos] == ["film"]
    assert (settings.clip_first, settings.clip_last, settings.clip_step, settings.clip_rate) == (0, 8, 1, 24)
    assert set(stored_request.load_settings(made, settings)) == {"Step", "First Frame", "Frame Rate"}
