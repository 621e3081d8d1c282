"""A clip from its file to a prediction: key frames, and a camera for every frame, against those that filmed it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.messages import Clip, JobError, Photo, Prediction, Request
from model_runtime.contract.stored_files import stored
from model_runtime.prediction.predictor import Predictor
from tests.model_runtime.clips.clip_scores import scores
from tests.model_runtime.clips.made_clips import MadeClip, Room, dolly, filmed, walk
from tests.model_runtime.clips.written import Written, write_film

FRAMES, SIZE = 16, (320, 180)


def silent(stage: str, fraction: float, sentence: str) -> None:
    pass


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DA3_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("DA3_FILES", str(tmp_path / "files"))


@pytest.fixture(scope="module")
def made() -> MadeClip:
    return filmed(Room(), walk(160), FRAMES, SIZE)


@pytest.fixture(scope="module")
def film(made: MadeClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_of(made.frames, tmp_path_factory.mktemp("films") / "moved.mp4")


def film_of(frames: np.ndarray, path: Path) -> Path:
    how = Written(len(frames), SIZE, picture=lambda number, size: frames[number], options={"crf": "14"})
    return write_film(path, how)


def of_film(path: Path, **changes: int | None) -> Request:
    clip = replace(Clip(path.name, stored(path)), **changes)
    return Request((), clip=clip, gaussians=False, refine_depth="off", lens="pinhole")


def test_every_frame_of_a_film_has_the_camera_that_filmed_it(made: MadeClip, film: Path) -> None:
    prediction = Predictor().predict(of_film(film), silent)
    track = prediction.track
    assert track is not None and not track.still
    found = scores(track.extrinsics, made.extrinsics)
    assert (found.without, track.photo_size) == (0, SIZE)
    assert found.ate < 0.01 and found.most_turned < 0.2
    assert track.intrinsics[0, 0] == pytest.approx(made.intrinsics[0, 0], rel=0.03)
    np.testing.assert_array_equal(track.numbers, np.arange(FRAMES))
    np.testing.assert_allclose(track.seconds, np.arange(FRAMES) / 25)
    _check_views(prediction, made.frames)


def _check_views(prediction: Prediction, frames: np.ndarray) -> None:
    """Views are of the frames that they say, with these frames' cameras and pictures."""
    track = prediction.track
    assert track is not None and 2 <= len(prediction.views) < len(frames)
    for view in prediction.views:
        place = track.numbers.tolist().index(view.frame)
        np.testing.assert_allclose(track.extrinsics[place], view.extrinsics, atol=1e-9)
        picture = np.asarray(Image.open(io.BytesIO(view.plate)).convert("RGB"), np.float64)
        away = [np.abs(picture - frame).mean() for frame in frames.astype(np.float64)]
        assert int(np.argmin(away)) == view.frame


def test_a_part_of_a_film_keeps_its_numbers(made: MadeClip, film: Path) -> None:
    track = Predictor().predict(of_film(film, first=2, last=14, step=3), silent).track
    assert track is not None
    assert track.numbers.tolist() == [2, 5, 8, 11, 14]
    np.testing.assert_allclose(track.seconds, track.numbers / 25)
    assert scores(track.extrinsics, made.extrinsics[track.numbers]).ate < 0.02


def test_pictures_in_their_order_are_a_clip(made: MadeClip) -> None:
    numbers = tuple(number for number in range(FRAMES) if number not in (6, 7))
    photos = tuple(Photo(f"shot.{1001 + number}.png", _png(made.frames[number])) for number in numbers)
    clip = Clip("shot", numbers=tuple(1001 + number for number in numbers), rate=12.0)
    request = Request(photos, clip=clip, gaussians=False, refine_depth="off", lens="pinhole")
    prediction = Predictor().predict(request, silent)
    track = prediction.track
    assert track is not None
    assert track.numbers.tolist() == [1001 + number for number in numbers]
    assert scores(track.extrinsics, made.extrinsics[list(numbers)]).ate < 0.01
    assert {view.name for view in prediction.views} <= {photo.name for photo in photos}
    assert not any(view.plate for view in prediction.views)  # Blender has the files
    assert [f"shot.{view.frame}.png" for view in prediction.views] == [view.name for view in prediction.views]


def test_frames_that_are_the_same_file_have_the_same_camera(made: MadeClip) -> None:
    order = [0, 0, 4, 8, 12, 12, 8, 4, 0]
    pictures = [_png(made.frames[number]) for number in order]
    photos = tuple(Photo(f"back.{number}.png", picture) for number, picture in enumerate(pictures))
    request = Request(photos, clip=Clip("back.#.png"), gaussians=False, refine_depth="off", lens="pinhole")
    prediction = Predictor().predict(request, silent)
    track = prediction.track
    assert track is not None and not prediction.left_out
    assert len(track.numbers) == len(order)
    found = scores(track.extrinsics, made.extrinsics[order])
    assert (found.without, found.most_turned < 0.2) == (0, True)
    assert len(prediction.views) == len({pictures[view.frame or 0] for view in prediction.views})


def test_a_sequence_of_few_flat_pictures_has_cameras() -> None:
    levels = (0, 0, 255, 255, 90)
    pictures = [_png(np.full((90, 160, 3), level, np.uint8)) for level in levels]
    photos = tuple(Photo(f"flat.{number}.png", picture) for number, picture in enumerate(pictures))
    request = Request(photos, clip=Clip("flat.#.png"), gaussians=False, refine_depth="off", lens="pinhole")
    prediction = Predictor().predict(request, silent)
    assert prediction.track is not None and not prediction.left_out
    assert np.isfinite(prediction.track.extrinsics).all()
    assert [view.frame for view in prediction.views] == [0, 2, 4]


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_camera_that_hardly_moves_turns_in_one_place(tmp_path: Path) -> None:
    made = filmed(Room(), dolly(FRAMES, 0.03), FRAMES, SIZE)
    prediction = Predictor().predict(of_film(film_of(made.frames, tmp_path / "slow.mp4")), silent)
    track = prediction.track
    assert track is not None
    assert len(prediction.views) == 1
    assert set(track.sources) <= {"key", "turned", "still"}
    rotations = track.extrinsics[:, :3, :3]
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), rotations.shape), atol=1e-9
    )
    turned = rotations @ rotations[0].T
    assert np.degrees(np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1))).max() < 2


def test_what_is_filmed_elsewhere_after_a_cut_is_not_laid_over_the_scene(made: MadeClip, tmp_path: Path) -> None:
    elsewhere = filmed(Room(4), walk(160), 6, SIZE).frames
    cut = film_of(np.concatenate((made.frames, elsewhere)), tmp_path / "cut.mp4")
    prediction = Predictor().predict(of_film(cut), silent)
    track = prediction.track
    assert track is not None
    assert scores(track.extrinsics[:FRAMES], made.extrinsics).ate < 0.01
    assert set(track.sources[FRAMES:]) == {"between"}
    assert max(view.frame or 0 for view in prediction.views) < FRAMES
    assert any("6 of the 22 frames" in note for note in prediction.notes)


def test_a_still_film_has_one_camera(tmp_path: Path) -> None:
    frame = filmed(Room(), dolly(FRAMES, 0.03), 1, SIZE).frames[0]
    prediction = Predictor().predict(of_film(film_of(np.stack([frame] * 6), tmp_path / "still.mp4")), silent)
    track = prediction.track
    assert track is not None and track.still
    assert set(track.sources) == {"still"}
    assert np.array_equal(track.extrinsics, np.broadcast_to(prediction.views[0].extrinsics, (6, 4, 4)))
    assert any("stood still" in note for note in prediction.notes)


def test_a_film_that_shows_nothing_has_cameras_all_the_same(tmp_path: Path) -> None:
    grey = np.full((6, SIZE[1], SIZE[0], 3), 90, np.uint8)
    grey += np.arange(6, dtype=np.uint8)[:, None, None, None] * 8
    track = Predictor().predict(of_film(film_of(grey, tmp_path / "grey.mp4")), silent).track
    assert track is not None
    assert np.isfinite(track.extrinsics).all()


@pytest.mark.parametrize("source", ["network", "rays"])
def test_the_network_sees_a_film_through_one_lens(source: str, film: Path) -> None:
    prediction = Predictor().predict(replace(of_film(film, last=6), camera_source=source), silent)
    track = prediction.track
    assert track is not None and len(prediction.views) > 2
    for view in prediction.views:
        assert np.array_equal(view.intrinsics, track.intrinsics)
    assert np.isfinite(track.extrinsics).all()


def test_known_cameras_do_not_go_with_a_clip(film: Path) -> None:
    from model_runtime.contract.messages import Cameras

    request = replace(of_film(film), cameras=Cameras(np.eye(4)[None], np.eye(3)[None]))
    with pytest.raises(JobError, match="whose camera moves"):
        Predictor().predict(request, silent)


def test_a_second_job_looks_at_no_frame_again(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Predictor().predict(of_film(film, last=5), silent)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("Features are looked for again.")

    monkeypatch.setattr("model_runtime.clips.watching.extract_each", fail)
    again = Predictor().predict(of_film(film, last=5), silent)
    assert first.track is not None and again.track is not None
    assert np.array_equal(first.track.extrinsics, again.track.extrinsics)
