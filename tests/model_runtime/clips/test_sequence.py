"""Photos in their order as a clip."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_runtime.clips.choose import open_clip
from model_runtime.clips.sequence import PhotoSequence, sequence_source
from model_runtime.contract.messages import Clip, JobError, Photo, Request
from model_runtime.contract.stored_files import stored
from tests.model_runtime.clips.written import numbered, read_number, write_film


def photo(number: int, size: tuple[int, int] = (128, 96), focal: int | None = None) -> Photo:
    exif = Image.Exif()
    if focal is not None:
        exif[0x0110] = "A Camera"
        exif.get_ifd(0x8769)[0xA405] = focal
    file = io.BytesIO()
    Image.fromarray(numbered(number, size)).save(file, "PNG", exif=exif)
    return Photo(f"shot_{number:04d}.png", file.getvalue())


def shown(source: PhotoSequence) -> dict[int, int]:
    return {place: read_number(picture) for place, picture in source.pictures()}


def test_photos_have_the_clips_numbers_and_rate() -> None:
    photos = [photo(number, focal=35) for number in (11, 12, 15)]
    source = sequence_source(photos, Clip("shot", numbers=(1011, 1012, 1015), rate=50.0))
    assert (source.size, source.rate, source.focal_35mm) == ((128, 96), 50.0, 35.0)
    assert source.camera.startswith("A Camera")
    assert source.numbers.tolist() == [1011, 1012, 1015]
    np.testing.assert_allclose(source.seconds, [0, 0.02, 0.08])
    assert shown(source) == {0: 11, 1: 12, 2: 15}
    assert [place for place, _ in source.pictures([2, 0])] == [0, 2]
    assert source.frame_name(1) == "shot_0012.png" and not source.notes


def test_photos_without_numbers_count_from_0() -> None:
    assert sequence_source([photo(1), photo(2)], Clip("shot")).numbers.tolist() == [0, 1]


def test_frames_that_cannot_be_read_or_have_another_size_are_left_out_and_told() -> None:
    broken = Photo("broken.png", photo(4).data[:60])
    photos = [broken, photo(1), photo(2, (64, 48)), photo(3), Photo("empty.png")]
    source = sequence_source(photos, Clip("shot"))
    assert source.size == (128, 96)
    assert shown(source) == {1: 1, 3: 3}
    assert shown(source) == {1: 1, 3: 3}  # and told once
    assert source.notes == (
        "Frames that cannot be read are left out: broken.png, empty.png.",
        "Frames of another size than 128 x 96 are left out: shot_0002.png.",
    )
    with pytest.raises(JobError, match=r"broken\.png"):
        list(source.pictures([0, 2]))


@pytest.mark.parametrize(
    ("photos", "clip", "code"),
    [
        ((), Clip("shot"), "no-photos"),
        ((photo(1), photo(2)), Clip("shot", numbers=(1,)), "bad-request"),
        ((photo(1), photo(2)), Clip("shot", numbers=(2, 1)), "bad-request"),
        ((photo(1), photo(2)), Clip("shot", rate=0.0), "bad-request"),
        ((Photo("a.png", b"no picture"), Photo("b.png", b"nor this")), Clip("shot"), "photo-unreadable"),
    ],
)
def test_what_is_no_sequence_is_refused(photos: tuple[Photo, ...], clip: Clip, code: str) -> None:
    with pytest.raises(JobError) as error:
        sequence_source(photos, clip)
    assert error.value.failure.code == code


def test_a_requests_clip_is_its_film_or_its_photos(tmp_path: Path) -> None:
    photos = (photo(1), photo(2))
    assert shown_by(Request(photos, clip=Clip("shot"))) == [1, 2]
    film = stored(write_film(tmp_path / "film.mp4"))
    assert shown_by(Request((), clip=Clip("film.mp4", film, first=17))) == [17, 18, 19]
    with pytest.raises(JobError, match="no clip"):
        open_clip(Request(photos))


def shown_by(request: Request) -> list[int]:
    return [read_number(picture) for _, picture in open_clip(request).pictures()]
