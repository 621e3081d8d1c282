"""From a clip on the command line to a .blend that finds it again; what the worker would answer is a walk that is
known exactly."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from da3_blender.headless.arguments import parse_arguments
from tests.da3_blender.clips import RATE, walk, walk_eye

bpy = pytest.importorskip("bpy")

from da3_blender.headless import scene_command as headless  # noqa: E402
from da3_blender.jobs import stored_request  # noqa: E402
from da3_blender.photos import clip_row  # noqa: E402
from da3_blender.scene import find  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402
from tests.film_files import make_film  # noqa: E402

SIZE = (96, 64)


@pytest.fixture
def film(empty_scene: object, tmp_path: Path) -> Path:
    (tmp_path / "shots").mkdir()
    return make_film(tmp_path / "shots" / "a walk.mp4", frames=24, rate=round(RATE))


@pytest.fixture
def make(room: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Makes the scene of a command; returns what was asked of the worker, which answers with the walk."""

    def run(*words: str | Path, **of_walk: object) -> object:
        asked = []
        answer = walk(room, photo_size=SIZE, focal=(80.0, 80.0), detail=4, **of_walk)
        monkeypatch.setattr(headless, "answer_of", lambda _, request: asked.append(request) or answer)
        output = ("-o", tmp_path / "out" / "walk.blend", "--no-preview")
        headless.make_scene(parse_arguments([str(word) for word in (*words, *output)]))
        return asked[0]

    return run


def opened(tmp_path: Path) -> object:
    """The collection of the scene that was made, after the folder was moved elsewhere as a whole."""
    moved = tmp_path.parent / f"{tmp_path.name} moved"
    shutil.move(tmp_path, moved)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "out" / "walk.blend"))
    (collection,) = find.results(bpy.context.scene)
    return collection


def test_a_video_becomes_one_moving_camera_with_the_film_behind_it(make, film, tmp_path, capsys):
    request = make(film, "--frames", "0-23", "--step", "1")
    assert (request.photos, request.clip.name, request.clip.last) == ((), "a walk.mp4", 23)
    told = capsys.readouterr().out
    assert "clip a walk.mp4, checkpoint da3-tiny" in told and "clip: linked relative to the .blend\n" in told
    assert "made one camera over 24 frames (network), " in told
    assert "frames 0 to 23 of 96x64 at 24 a second; lens 30.00 mm" in told, "80 of 96 pixels are 30 of 36 mm"
    assert "frames placed as: placed 20, key 4; its path is " in told
    collection = opened(tmp_path)
    scene = bpy.context.scene
    (camera,) = find.objects_of(collection, "camera")
    assert scene.camera == camera and (scene.frame_start, scene.frame_end) == (1, 24)
    assert scene.render.fps / scene.render.fps_base == pytest.approx(RATE)
    (clip,) = bpy.data.movieclips
    assert clip.filepath.startswith("//") and Path(bpy.path.abspath(clip.filepath)).is_file()
    assert tuple(clip.size) == SIZE and clip.frame_duration == 24


def test_the_path_is_as_long_as_the_scene_says(make, film, tmp_path, capsys):
    make(film)
    length = float(capsys.readouterr().out.partition("its path is ")[2].partition(" long")[0])
    (camera,) = find.objects_of(opened(tmp_path), "camera")
    places = []
    for frame in range(1, 25):
        bpy.context.scene.frame_set(frame)
        places.append(np.array(camera.matrix_world.translation))
    assert length == pytest.approx(np.linalg.norm(np.diff(places, axis=0), axis=1).sum(), abs=1e-3)
    eyes = np.array([walk_eye(number) for number in range(24)])
    first, last = (np.linalg.norm(each[-1] - each[0]) for each in (eyes, np.array(places)))
    whole = np.linalg.norm(np.diff(eyes, axis=0), axis=1).sum()
    assert length / last == pytest.approx(whole / first, rel=1e-4), "the walk's own shape"


def test_a_still_camera_is_told(make, film, capsys):
    make(film, still=True)
    assert "; the camera stood still" in capsys.readouterr().out


def test_frames_of_a_folder_become_one_moving_camera(make, empty_scene, tmp_path):
    numbers = tuple(range(1001, 1013))
    for number in numbers:
        path = tmp_path / "atrium" / f"walk_{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", SIZE).save(path)
    folder = tmp_path / "atrium"
    request = make(folder, "--sequence", "--rate", "25", numbers=numbers, keys=(1001, 1006, 1012))
    assert request.clip.numbers == numbers and request.clip.rate == 25 and len(request.photos) == 12
    assert all(photo.file is not None and not photo.data for photo in request.photos)
    collection = opened(tmp_path)
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1001, 1012)
    (clip,) = bpy.data.movieclips
    assert clip.source == "SEQUENCE" and Path(bpy.path.abspath(clip.filepath)).is_file()
    assert stored_request.clip_name(collection) == "walk_#.png"


def test_the_frame_range_stays_where_that_is_asked_for(make, film):
    make(film, "--no-set-frame-range")
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == clip_row.WHOLE_RANGE and scene.camera is not None


def test_the_add_on_loads_the_clip_and_what_the_options_said(make, film, addon, tmp_path):
    make(film, "--frames", "2-20", "--step", "3", "--lens", "k1", "--no-splats")
    (collection,) = find.results(bpy.context.scene)
    settings = bpy.context.scene.da3
    assert stored_request.load_photos(collection, settings) == 0
    assert [(row.kind, row.name, row.frames) for row in settings.photos] == [("film", "a walk.mp4", 24)]
    assert stored_request.load_settings(collection, settings) == []
    assert (settings.clip_first, settings.clip_last, settings.clip_step) == (2, 20, 3)
    assert settings.lens == "k1" and not settings.make_splats and settings.set_frame_range


def test_a_preview_is_made_from_where_the_walk_begins(make, film, tmp_path, monkeypatch):
    monkeypatch.setattr(headless, "answer_of", None)
    made = []
    monkeypatch.setattr(headless, "write_preview", lambda objects, path, _: made.append((objects, path)))
    output = tmp_path / "seen.blend"
    make(film)
    options = parse_arguments([str(film), "-o", str(output)])
    headless.make_scene(options)
    ((objects, path),) = made
    assert path == tmp_path / "seen_preview.png" and len(objects.cameras) == 1


def test_an_answer_to_photos_is_none_to_a_clip(room, film, tmp_path, monkeypatch):
    options = parse_arguments([str(film), "--answer", str(film), "-o", str(tmp_path / "x.blend")])
    request = headless.make_request(options)
    for answer, fits in ((walk(room), True), (room.prediction(), False)):
        monkeypatch.setattr(headless, "read_answer", lambda _, answer=answer: answer)
        if fits:
            assert headless.answer_of(options, request) is answer
            continue
        with pytest.raises(JobError, match="is the answer to other photos"):
            headless.answer_of(options, request)
