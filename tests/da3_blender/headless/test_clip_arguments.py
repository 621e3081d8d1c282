"""A clip on the command line: a video, or photos that are its frames; what does not go together is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from da3_blender.headless.arguments import parse_arguments
from tests.da3_blender.headless.conftest import refusal

ROOT = Path(__file__).resolve().parents[3]
MP4 = b"\0\0\0\x18ftypmp42" + bytes(40)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "set 4" / "a walk.mp4"
    path.parent.mkdir()
    path.write_bytes(MP4)
    return path


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "atrium" / f"walk_{number}.png" for number in (8, 9, 10, 13)]
    paths[0].parent.mkdir()
    for path in paths:
        Image.new("RGB", (8, 6)).save(path)
    return paths


def test_a_video_is_a_clip(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(film.parent)
    options = parse_arguments([film.name])
    clip = options.clip
    assert (clip.path, clip.frames, clip.first, clip.last, clip.step) == (Path(film.name), (), 0, None, 1)
    assert options.photos == [] and options.name == "a walk" and options.output == Path("a walk.blend")
    assert options.set_frame_range and not parse_arguments([film.name, "--no-set-frame-range"]).set_frame_range


def test_frames_are_chosen_by_their_numbers(film: Path, frames: list[Path]) -> None:
    clip = parse_arguments([str(film), "--frames", "10-99", "--step", "3", "--set-frame-range"]).clip
    assert (clip.first, clip.last, clip.step) == (10, 99, 3)
    assert parse_arguments([str(film), "--frames", "40-"]).clip.last is None
    clip = parse_arguments([str(frames[0].parent), "--sequence", "--frames", "9-12", "--rate", "23.976"]).clip
    assert clip.frames == ((9, frames[1]), (10, frames[2])) and clip.rate == 23.976
    clip = parse_arguments([str(path) for path in (*reversed(frames), "--sequence", "--step", "2")]).clip
    assert clip.numbers == (8, 10) and clip.rate == 24


def test_photos_stay_photos(frames: list[Path]) -> None:
    options = parse_arguments([str(frames[0].parent)])
    assert options.clip is None and options.photos == frames


@pytest.mark.parametrize("text", ["", "5", "-5", "a-b", "9-8-7", "1.5-2", "5 - 9", "٣-٤x"])
def test_frames_that_are_none_are_refused(film: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "are no frames: give numbers as in 0-99, or 40-" in refusal(capsys, film, f"--frames={text}")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--step=0", "'0' is no step: give 1 for every frame"),
        ("--step=-1", "'-1' is no step"),
        ("--step=1.5", "'1.5' is no step"),
        ("--rate=0", "'0' is no rate: give frames a second, such as 24"),
        ("--rate=nan", "'nan' is no rate"),
        ("--rate=inf", "'inf' is no rate"),
        ("--rate=fast", "'fast' is no rate"),
    ],
)
def test_numbers_that_are_none_are_refused(
    frames: list[Path], option: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refusal(capsys, frames[0].parent, "--sequence", option)


def test_a_range_that_holds_nothing_is_refused(
    film: Path, frames: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "The first frame, 9, comes after the last, 4" in refusal(capsys, film, "--frames", "9-4")
    told = refusal(capsys, frames[0].parent, "--sequence", "--frames", "11-12")
    assert "None of the frames has a number in this range; they are 8 to 13" in told


def test_a_clip_goes_alone(film: Path, frames: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    alone = "a video goes alone: give one video and nothing else, or photos"
    for others in ([film], frames[:1], [frames[0].parent]):
        assert alone in refusal(capsys, film, *others)
        assert alone in refusal(capsys, *others, film)
    assert "--sequence and --rate are for photos" in refusal(capsys, film, "--sequence")
    assert "--sequence and --rate are for photos" in refusal(capsys, film, "--rate", "25")


@pytest.mark.parametrize("option", ["--cameras", "--colmap", "--blend-cameras"])
def test_known_cameras_do_not_go_with_a_clip(
    film: Path, frames: list[Path], tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known"
    known.mkdir() if option == "--colmap" else known.touch()
    told = f"{option}: known cameras do not go with a clip"
    assert told in refusal(capsys, film, option, known)
    assert told in refusal(capsys, frames[0].parent, "--sequence", option, known)


@pytest.mark.parametrize("option", ["--frames=0-9", "--step=2", "--rate=25", "--set-frame-range"])
def test_photos_have_no_frames(frames: list[Path], option: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = f"{option.partition('=')[0]} is for clips: give one video, or --sequence where the photos are frames"
    assert told in refusal(capsys, frames[0].parent, option)


def test_a_clip_is_not_packed(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = "--photo-files pack: the frames of a clip stay where they are"
    assert told in refusal(capsys, film, "--photo-files", "pack")


def test_videos_that_cannot_be_read_are_refused(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone.mov"
    assert f"there is no video {gone}" in refusal(capsys, gone)
    film.write_bytes(b"")
    assert f"{film}: The file is empty; copy it again" in refusal(capsys, film)


def test_names_that_tell_no_frame_are_refused(frames: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    frames[0].rename(frames[0].with_name("kitchen.png"))
    told = refusal(capsys, frames[0].parent, "--sequence")
    assert "kitchen.png has no number in its name that would tell which frame it is" in told


def test_a_video_among_the_photos_of_a_folder_is_left_out(film: Path, frames: list[Path]) -> None:
    film.rename(frames[0].with_name("live.mov"))
    found = parse_arguments([str(frames[0].parent)]).found
    assert found.left_out == ((frames[0].with_name("live.mov"), "A video makes a scene of its own; add it alone"),)


def test_nothing_is_written_over_a_clip(
    film: Path, frames: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = film.rename(film.with_name("film.blend"))
    assert f"{odd} would be written over {odd}, which is read" in refusal(capsys, odd, "-o", odd, "--overwrite")


def test_clips_are_checked_with_the_standard_library_alone(film: Path) -> None:
    """Before anything is installed."""
    script = (
        "import sys; from da3_blender.headless.arguments import parse_arguments; "
        f"parse_arguments([{str(film)!r}]); print(sorted({{'numpy', 'bpy', 'av'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
