"""Which files are a clip, which of its frames are wanted, and what of them goes into a request. No Blender."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from da3_blender.photos.clips import USUAL_RATE, film_source, numbered, sequence_name, sequence_source, siblings
from da3_blender.photos.contents import read_clip
from da3_blender.photos.files import film_problem, find_photos, is_film
from model_runtime.contract.messages import Clip, JobError, StoredFile

MP4 = b"\0\0\0\x18ftypmp42" + bytes(40)


def frames(folder: Path, *names: str) -> list[Path]:
    """Photos of a few pixels, each with a colour of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        Image.new("RGB", (8, 6), (index, 0, 0)).save(folder / name, format="PNG")
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip.mp4", MP4),
        ("clip", MP4),
        ("IMG.jpg", b"\0\0\0\x14ftypqt  " + bytes(40)),
        ("old.mov", b"\0\0\0\x08wide\0\0\0\0mdat" + bytes(40)),
        ("old", b"\0\0\x10\x00moov" + bytes(40)),
        ("clip.dat", b"\x1aE\xdf\xa3" + bytes(40)),
        ("clip.dat", b"RIFF\0\0\1\0AVI LIST" + bytes(40)),
        ("Ampère 動画.MTS", b"\0\0\0\0G@" + bytes(40)),
    ],
)
def test_films_are_known_by_their_contents_or_else_their_names(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert is_film(path) and film_problem(path) == ""


def test_a_photo_is_no_film_whatever_it_is_called(tmp_path: Path) -> None:
    (photo,) = frames(tmp_path, "clip.mp4")
    assert not is_film(photo)
    assert film_problem(photo) == "The file is not a video; only these are read: MP4, MOV, MKV, WebM, AVI"
    assert find_photos([tmp_path]).photos == (photo,)


def test_what_is_wrong_with_a_film_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    assert film_problem(tmp_path / "empty.mp4") == "The file is empty; copy it again"
    assert film_problem(tmp_path / "folder.mp4") == "This is a folder, not a file"
    assert film_problem(tmp_path / "gone.mp4") == "The file is not there any more"
    assert is_film(tmp_path / "gone.mp4") and not is_film(tmp_path / "folder.mp4")


def test_a_sequence_has_the_numbers_of_its_names_gaps_and_all(tmp_path: Path) -> None:
    names = ("walk_8.png", "walk_9.png", "walk_10.png", "walk_0012.png", "walk_100.png")
    frames(tmp_path, *names, "walk_8.jpg", "walk_8_left.png", "other_8.png", "walk.png", "walk_9.txt", "awalk_11.png")
    found = siblings(tmp_path / "walk_10.png")
    assert found == tuple((number, tmp_path / name) for number, name in zip((8, 9, 10, 12, 100), names, strict=True))
    assert siblings(tmp_path / "walk_77.png") == found, "of one that is gone, too"


@pytest.mark.parametrize(
    ("name", "other", "called"),
    [
        ("shot.0001.png", "shot.0002.png", "shot.#.png"),
        ("IMG_0001.PNG", "IMG_0002.png", "IMG_#.PNG"),
        ("2026-11-03 cam2 7 left.png", "2026-11-03 cam2 8 left.png", "2026-11-03 cam2 # left.png"),
        ("Küche 動画 1.png", "Küche 動画 2.png", "Küche 動画 #.png"),
        ("0001", "0002", "#"),
    ],
)
def test_the_last_number_of_a_name_counts(tmp_path: Path, name: str, other: str, called: str) -> None:
    frames(tmp_path, name, other)
    first, second = siblings(tmp_path / other)
    assert second[0] == first[0] + 1 and (first[1].name, second[1].name) == (name, other)
    assert sequence_name(tmp_path / name) == called


def test_names_that_tell_no_order_are_refused(tmp_path: Path) -> None:
    frames(tmp_path, "kitchen.png", "a1.png", "a01.png", f"b{2**31}.png")
    with pytest.raises(ValueError, match=r"^kitchen\.png has no number in its name"):
        siblings(tmp_path / "kitchen.png")
    with pytest.raises(ValueError, match=r"^a0?1\.png and a0?1\.png have the same frame number"):
        siblings(tmp_path / "a1.png")
    with pytest.raises(ValueError, match=r"^b2147483648\.png has a number larger than 2147483647"):
        siblings(tmp_path / f"b{2**31}.png")
    with pytest.raises(ValueError, match="has no number"):
        numbered([tmp_path / "a1.png", tmp_path / "kitchen.png"])


def test_range_and_step_choose_among_the_frames_that_there_are(tmp_path: Path) -> None:
    found = [(number, tmp_path / f"{number}.png") for number in (3, 5, 6, 10, 11, 20)]
    assert sequence_source(found).numbers == (3, 5, 6, 10, 11, 20)
    assert sequence_source(found, 5, 11).numbers == (5, 6, 10, 11)
    assert sequence_source(found, 4, None, 2).numbers == (5, 10, 20)
    assert sequence_source(found, 5, 11, 3).path == tmp_path / "5.png"
    with pytest.raises(ValueError, match=r"^None of the frames has a number in this range; they are 3 to 20$"):
        sequence_source(found, 12, 19)
    with pytest.raises(ValueError, match=r"^The first frame, 9, comes after the last, 4$"):
        film_source(tmp_path / "clip.mp4", 9, 4)


def test_a_film_is_named_by_its_hash_and_place(tmp_path: Path) -> None:
    path = tmp_path / "Übung 1.mov"
    path.write_bytes(MP4 * 1000)
    digest = hashlib.sha256(MP4 * 1000).hexdigest()
    photos, clip = read_clip(film_source(path, 10, 99, 2))
    assert photos == ()
    assert clip == Clip(path.name, StoredFile(digest, 1000 * len(MP4), str(path)), first=10, last=99, step=2)


def test_a_sequence_is_photos_with_numbers(tmp_path: Path) -> None:
    paths = frames(tmp_path, "f_7.png", "f_9.png", "f_10.png")
    photos, clip = read_clip(sequence_source(siblings(paths[0]), 8, rate=25))
    assert clip == Clip("f_#.png", numbers=(9, 10), rate=25)
    for photo, path in zip(photos, paths[1:], strict=True):
        data = path.read_bytes()
        stored = StoredFile(hashlib.sha256(data).hexdigest(), len(data), str(path))
        assert (photo.name, photo.data, photo.file) == (path.name, b"", stored)
    assert Clip("").rate == USUAL_RATE


def test_frames_of_several_folders_have_names_of_their_own(tmp_path: Path) -> None:
    paths = [*frames(tmp_path / "left", "x_1.png"), *frames(tmp_path / "right", "x_2.png"), tmp_path / "z/x_1.png"]
    frames(tmp_path / "z", "x_3.png")
    source = sequence_source(numbered([*paths[:2], tmp_path / "z/x_3.png"]))
    assert source.frame_names == ("x_1.png", "x_2.png", "x_3.png") and source.numbers == (1, 2, 3)
    with pytest.raises(ValueError, match="have the same frame number"):
        numbered(paths)


def test_a_film_that_went_is_told_when_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"gone\.mp4 cannot be read: No such file") as error:
        read_clip(film_source(tmp_path / "gone.mp4"))
    assert error.value.failure.code == "photo-unreadable"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")
def test_names_that_no_text_can_hold_can_be_said(tmp_path: Path) -> None:
    name = os.fsdecode(b"walk\xff_1.png")
    frames(tmp_path, name)
    assert sequence_source(siblings(tmp_path / name)).name == r"walk\xff_#.png"
