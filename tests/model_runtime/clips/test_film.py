"""Films of several kinds against what was written into them: frames, times, how they are turned, what is damaged."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from model_runtime.clips import film
from model_runtime.clips.film import Film, film_facts, film_source
from model_runtime.clips.frame_table import FrameTable
from model_runtime.clips.opened_film import OpenedFilm
from model_runtime.contract.messages import Clip, JobError
from tests.model_runtime.clips.written import Written, corners, numbered, read_number, write_film

ROOT = Path(__file__).parents[3]
KINDS = {
    "film.mp4": Written(frames=40),
    "film.mkv": Written(frames=40, codec="libx265", options={"x265-params": "log-level=none"}),
    "film.webm": Written(frames=40, codec="libvpx-vp9"),
    "h264.avi": Written(frames=40),
    "film.ts": Written(frames=40),
    "film.mpg": Written(frames=40, codec="mpeg2video"),
    "film.mov": Written(frames=40, codec="prores_ks", pixels="yuv422p10le"),
    "old.webm": Written(frames=40, codec="libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "16"}),
}


def source_of(path: Path, how: Written | None = None, clip: Clip | None = None) -> Film:
    return film_source(write_film(path, how), clip or Clip(path.name))


def shown(source: Film, places: Sequence[int] | None = None) -> dict[int, int]:
    """Place -> the number that its picture shows."""
    return {place: read_number(picture) for place, picture in source.pictures(places)}


@pytest.mark.parametrize("name", KINDS)
def test_each_frame_has_its_number_whether_all_are_asked_for_or_some(name: str, tmp_path: Path) -> None:
    source = source_of(tmp_path / name, KINDS[name])
    assert len(source) == 40 and source.size == (128, 96) and source.rate == 25
    np.testing.assert_allclose(source.seconds, np.arange(40) / 25, atol=1e-3)
    assert shown(source) == {place: place for place in range(40)}
    some = [38, 3, 20, 21, 33]
    assert list(shown(source, some).items()) == [(place, place) for place in sorted(some)]
    assert not source.notes


def test_a_film_is_told_by_what_it_holds_and_not_by_its_name(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mkv")
    assert len(film_source(path.rename(tmp_path / "film of: 100 %.jpg"), Clip("film"))) == 20


def test_only_the_chosen_frames_are_decoded_and_keep_their_numbers(tmp_path: Path) -> None:
    source = source_of(tmp_path / "film.mp4", clip=Clip("film.mp4", first=3, last=17, step=4))
    assert source.numbers.tolist() == [3, 7, 11, 15]
    np.testing.assert_allclose(source.seconds, np.array([3, 7, 11, 15]) / 25)
    assert shown(source) == {0: 3, 1: 7, 2: 11, 3: 15}
    assert source.frame_name(2) == "film frame 11"


def test_sparse_frames_are_sought_at_key_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = Written(frames=200, key_every=10, size=(64, 48))
    source = source_of(tmp_path / "film.mp4", how)
    decoded = []
    monkeypatch.setattr("model_runtime.clips.film._numbered", counting(decoded))
    assert list(source.pictures([0, 101, 195]))
    assert len(decoded) <= 12  # and not 196


def counting(decoded: list[int]) -> Callable[..., Iterator[tuple[int, av.VideoFrame]]]:
    real = film._numbered

    def count(opened: OpenedFilm, table: FrameTable) -> Iterator[tuple[int, av.VideoFrame]]:
        for number, frame in real(opened, table):
            decoded.append(number)
            yield number, frame

    return count


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (Clip("film.mp4", first=20), "has the frames 0 to 19; there is none from 20 on"),
        (Clip("film.mp4", first=12, last=4), "none of them lies from 12 to 4"),
        (Clip("film.mp4", step=0), "step from frame to frame of film.mp4 is 0"),
    ],
)
def test_a_range_without_frames_is_refused(chosen: Clip, told: str, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=told) as error:
        source_of(tmp_path / "film.mp4", clip=chosen)
    assert error.value.failure.code == "bad-request"


TURNS = [(angle, mirrored, False) for angle in (0, 90, 180, 270) for mirrored in (False, True)]


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_turned_and_mirrored_films_are_upright(rotation: tuple[float, bool, bool], ending: str, tmp_path: Path) -> None:
    path = write_film(tmp_path / f"film.{ending}", Written(frames=4, rotation=rotation))
    source = film_source(path, Clip("film"))
    angle, mirrored, _ = rotation
    upright = np.rot90(numbered(0), round(angle / 90))  # as the display matrix, against the clock
    upright = np.fliplr(upright) if mirrored else upright
    ((_, first),) = source.pictures([0])
    assert source.size == first.shape[1::-1] == upright.shape[1::-1]
    assert corners(first) == corners(upright)
    facts = film_facts(path)
    assert facts.size == source.size and facts.mirrored == mirrored and facts.frames == 4
    assert facts.rotation % 180 == angle % 180


def test_a_phones_portrait_film_stands_upright(tmp_path: Path) -> None:
    """Phones store it lying, with the matrix that turns it a quarter with the clock."""
    path = write_film(tmp_path / "phone.mov", Written(frames=2, rotation=(-90, False, False), size=(160, 90)))
    source = film_source(path, Clip("phone"))
    assert source.size == (90, 160) and film_facts(path).rotation == 90
    ((_, first),) = source.pictures([0])
    assert corners(first) == ("b", "r", "w", "g")


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (171, 96)), (Fraction(8, 9), (128, 108))])
def test_pixels_become_square(aspect: Fraction, size: tuple[int, int], tmp_path: Path) -> None:
    source = source_of(tmp_path / "film.mp4", Written(frames=2, aspect=aspect))
    ((_, first),) = source.pictures([0])
    assert source.size == first.shape[1::-1] == size
    assert corners(first) == ("r", "g", "b", "w")


def test_odd_sizes_are_kept(tmp_path: Path) -> None:
    source = source_of(tmp_path / "film.mkv", Written(frames=3, codec="ffv1", size=(101, 67), pixels="yuv444p"))
    assert source.size == (101, 67)
    for place, picture in source.pictures():
        assert np.abs(picture.astype(int) - numbered(place, (101, 67))).max() <= 3


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_times_of_frames_that_do_not_last_alike_are_kept(ending: str, tmp_path: Path) -> None:
    lasting = np.array([33, 34, 33, 100, 33, 34, 33, 33, 500, 34, 33, 33, 34, 33, 33])
    times = [0, *np.cumsum(lasting).tolist()]
    how = Written(frames=len(times), times=times, unit=Fraction(1, 1000), rate=30)
    source = source_of(tmp_path / f"film.{ending}", how)
    np.testing.assert_allclose(source.seconds, np.array(times) / 1000, atol=1e-3)
    assert source.rate == pytest.approx(30, rel=0.02)
    assert shown(source) == {place: place for place in range(len(times))}
    assert any("variable frame rate" in note for note in source.notes)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
def test_usual_rates_are_told_as_they_are(rate: Fraction, tmp_path: Path) -> None:
    source = source_of(tmp_path / "film.mkv", Written(frames=90, rate=rate, unit=1 / rate, size=(64, 48)))
    assert source.rate == pytest.approx(float(rate), rel=1e-5) and not source.notes


def test_frames_that_are_damaged_are_left_out_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mov", Written(codec="mjpeg", pixels="yuvj420p"))
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in (4, 5, 11):
        start, size = places[number]
        assert start is not None
        data[start : start + size] = bytes(size)
    path.write_bytes(data)
    source = film_source(path, Clip("film.mov"))
    assert not source.notes
    assert shown(source) == {place: place for place in range(20) if place not in (4, 5, 11)}
    assert source.notes == (
        "3 of 20 frames of film.mov cannot be decoded, or differ in size from its first one; the first of them is "
        "frame 4.",
    )
    with pytest.raises(JobError, match="none of its chosen frames"):
        list(source.pictures([4, 5]))


def test_a_film_that_was_cut_off_gives_the_frames_that_it_has(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mkv", Written(frames=60))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = film_source(path, Clip("film.mkv"))
    assert 10 < len(source) < 60
    assert shown(source) == {place: place for place in range(len(source))}


def test_frames_that_an_edit_list_cuts_off_do_not_count(tmp_path: Path) -> None:
    """A phone that trims a film keeps the frames before the cut, from the key frame on, and says not to show them."""
    path, cut = tmp_path / "film.mp4", 5
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled", "use_editlist": "1"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        pictures = [av.VideoFrame.from_ndarray(numbered(number), "rgb24") for number in range(20)]
        for frame in (*pictures, None):
            for packet in stream.encode(frame):
                assert packet.pts is not None and packet.dts is not None
                earlier = int(Fraction(cut, 25) / packet.time_base)
                packet.pts, packet.dts = packet.pts - earlier, packet.dts - earlier
                container.mux(packet)
    source = film_source(path, Clip("film"))
    assert shown(source) == {place: place + cut for place in range(20 - cut)}
    assert shown(source, [2, 14]) == {2: 2 + cut, 14: 14 + cut}
    assert source.seconds[0] == 0


def test_the_larger_of_two_films_in_one_file_is_read(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream, (width, height) in zip(streams, [(64, 48), (128, 96)], strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(5):
            for stream in streams:
                picture = numbered(number, (stream.width, stream.height))
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts = number
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    source = film_source(tmp_path / "two.mkv", Clip("two"))
    assert source.size == (128, 96) and shown(source) == {place: place for place in range(5)}


def test_frames_of_another_size_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for number in range(6):
            size = (64, 48) if number in (2, 3) else (128, 96)
            frame = av.VideoFrame.from_ndarray(numbered(number, size), "rgb24").reformat(format="yuvj420p")
            coder = av.CodecContext.create("mjpeg", "w")
            coder.width, coder.height, coder.pix_fmt, coder.time_base = *size, "yuvj420p", Fraction(1, 25)
            frame.pts = number
            for packet in [*coder.encode(frame), *coder.encode(None)]:
                packet.stream = stream
                container.mux(packet)
    source = film_source(path, Clip("film"))
    assert shown(source) == {place: place for place in (0, 1, 4, 5)}
    assert "2 of 6 frames of film cannot be decoded, or differ in size" in source.notes[0]


def test_interlaced_films_are_told(tmp_path: Path) -> None:
    how = Written(frames=4, options={"x264-params": "tff=1:interlaced=1"})
    assert "interlaced" in source_of(tmp_path / "film.mp4", how).notes[0]


def test_the_camera_is_told_by_the_metadata_of_phones(tmp_path: Path) -> None:
    apple = {
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 15",
        "com.apple.quicktime.camera.focal_length.35mm_equivalent": "26",
    }
    source = source_of(tmp_path / "apple.mov", Written(frames=2, metadata=apple))
    assert (source.focal_35mm, source.camera) == (26.0, "Apple iPhone 15 26 mm")
    android = {"com.android.manufacturer": "Google", "com.android.model": "Pixel 8"}
    source = source_of(tmp_path / "android.mp4", Written(frames=2, metadata=android))
    assert (source.focal_35mm, source.camera) == (None, "Google Pixel 8")
    wrong = {"com.apple.quicktime.camera.focal_length.35mm_equivalent": "nan"}
    assert source_of(tmp_path / "wrong.mov", Written(frames=2, metadata=wrong)).focal_35mm is None


def no_film(folder: Path, kind: str) -> Path:
    path = folder / "film.mp4"
    if kind == "sound":
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, 8000, 8000, "NONE", ""))
            sound.writeframes(bytes(16000))
    elif kind == "sound in mkv":
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream("pcm_s16le", rate=8000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            frame.rate = 8000
            container.mux(stream.encode(frame))
    elif kind == "sound with a cover":
        with av.open(str(path), "w") as container:
            sound, cover = container.add_stream("aac", rate=44100), container.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = 128, 96, "yuvj420p"
            cover.disposition = Disposition.attached_pic
            container.mux([*cover.encode(av.VideoFrame.from_ndarray(numbered(1), "rgb24")), *cover.encode()])
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.rate = 44100
            container.mux([*sound.encode(frame), *sound.encode()])
    elif kind == "half an mp4":
        write_film(path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif kind == "playlist":
        write_film(folder / "other.ts")
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n{folder / 'other.ts'}\n#EXT-X-ENDLIST\n")
    elif kind == "list of files":
        write_film(folder / "other.mp4")
        path.write_text(f"ffconcat version 1.0\nfile {folder / 'other.mp4'}\n")
    elif kind != "nowhere":
        path.write_bytes({"nothing": b"", "text": b"not a film at all\n" * 100}[kind])
    return path


KINDS_OF_NOTHING = (
    *("nothing", "nowhere", "text", "sound", "sound in mkv", "sound with a cover"),
    *("half an mp4", "playlist", "list of files"),
)


@pytest.mark.parametrize("kind", KINDS_OF_NOTHING)
def test_what_is_no_film_is_refused_with_a_sentence(kind: str, tmp_path: Path) -> None:
    path = no_film(tmp_path, kind)
    for read in (lambda: film_source(path, Clip("walk.mp4")), lambda: film_facts(path, "walk.mp4")):
        with pytest.raises(JobError, match=r"^walk\.mp4 .*\.$") as error:
            read()
        assert error.value.failure.code == "clip-unreadable" and error.value.failure.advice
        assert "Invalid argument" not in error.value.failure.sentence
        assert ("holds sound alone" in error.value.failure.sentence) == kind.startswith("sound ")


def test_a_film_that_claims_to_be_vast_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.avi", Written(frames=2, codec="ffv1", size=(640, 480)))
    data = path.read_bytes()
    small, vast = (b"".join(side.to_bytes(4, "little") for side in size) for size in ((640, 480), (15000, 15000)))
    assert data.count(small) >= 1
    path.write_bytes(data.replace(small, vast))
    with pytest.raises(JobError, match="15000 x 15000 pixels") as error:
        film_source(path, Clip("film.avi"))
    assert error.value.failure.code == "photo-too-large"


def test_small_films_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="only 12 x 8 pixels") as error:
        source_of(tmp_path / "film.mkv", Written(codec="ffv1", size=(12, 8)))
    assert error.value.failure.code == "photo-too-small"


@pytest.mark.parametrize("count", [21, pytest.param(600, marks=pytest.mark.fuzz)])
def test_damaged_films_neither_crash_nor_hang(count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.model_runtime.clips.damaged", "1000", str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30 + count,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert len(told) == count
    for outcome in ("clip-unreadable", "with their numbers"):
        assert any(outcome in line for line in told)
