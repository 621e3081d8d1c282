"""Photos as phones, cameras and renderers write them: HEIC, AVIF, RAW and OpenEXR, with pixels known beforehand."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.messages import JobError, Photo
from model_runtime.contract.progress import Span
from model_runtime.photos import decode
from model_runtime.photos.decode import BACKDROP, decode_photo, stored_shape
from model_runtime.photos.prepare import prepare_photos
from model_runtime.photos.raw_file import raw_exif
from tests.model_runtime.photos.test_decode import COLOURS, file_bytes, pattern, png_16, tiles, undo
from tests.photo_files import avif, dng, exif_block, exr, heic, srgb

LINEAR = np.array(
    [[(0.6, 0.1, 0.1), (0.1, 0.5, 0.1), (0.3, 0.3, 0.3)], [(0.1, 0.1, 0.7), (0.8, 0.8, 0.2), (0.0, 0.2, 0.4)]]
)


def linear() -> np.ndarray:
    """[64,96,3]: six flat tiles of 32 pixels."""
    return LINEAR.repeat(32, axis=0).repeat(32, axis=1)


def failure(data: bytes, name: str = "holiday.heic") -> JobError:
    with pytest.raises(JobError) as caught:
        decode_photo(Photo(name, data))
    assert name in caught.value.failure.sentence and caught.value.failure.advice
    return caught.value


@pytest.mark.parametrize("write", [heic, avif])
@pytest.mark.parametrize(("box_turn", "exif_turn"), [(1, 1), (6, 1), (1, 6), (6, 6), (3, 8), (1, 3), (1, 5), (8, 8)])
def test_heif_is_turned_by_its_boxes_else_by_exif_and_never_twice(
    write: Callable[..., bytes], box_turn: int, exif_turn: int
) -> None:
    counts = box_turn if box_turn != 1 else exif_turn
    stored = Image.fromarray(np.ascontiguousarray(undo(pattern(), counts)))
    data = write(stored, box_turn, exif_turn)
    assert (b"irot" in data) == (box_turn != 1)
    known, pixels = decode_photo(Photo("a", data))
    assert known.size == (48, 32)
    assert np.abs(tiles(pixels) - COLOURS).max() <= 12
    plate = Image.open(io.BytesIO(known.plate))
    assert plate.format == "JPEG" and plate.size == (48, 32) and plate.getexif().get(0x0112, 1) == 1
    assert decode.upright_size(*stored_shape(Photo("a", data))) == (48, 32)


@pytest.mark.parametrize("write", [heic, avif])
def test_heif_tells_its_camera(write: Callable[..., bytes]) -> None:
    data = write(Image.fromarray(pattern()), 6, Make="Maker", Model="Phone", FocalLengthIn35mmFilm=26)
    known, _ = decode_photo(Photo("a", data))
    assert known.focal_35mm == 26 and known.camera == "Maker Phone"


@pytest.mark.parametrize("write", [heic, avif])
def test_transparent_heif_lies_on_the_backdrop(write: Callable[..., bytes]) -> None:
    image = Image.fromarray(pattern())
    alpha = np.zeros((32, 48), np.uint8)
    alpha[:, 16:] = 255
    image.putalpha(Image.fromarray(alpha))
    known, pixels = decode_photo(Photo("a", write(image)))
    assert known.alpha is not None and (known.alpha[8::16, 8::16] == [0, 255, 255]).all()
    assert (pixels[8::16, 8] == BACKDROP).all()
    assert np.abs(tiles(pixels)[:, 1:] - COLOURS[:, 1:]).max() <= 12


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_raw_is_developed_upright_by_the_cameras_white_balance(orientation: int) -> None:
    stored = np.ascontiguousarray(undo(linear(), orientation))
    exif = {0x920A: ("R", [26.0]), 0xA20E: ("R", [96 / 36]), 0xA210: ("H", [4])}
    known, pixels = decode_photo(Photo("a.dng", dng(stored, orientation, exif)))
    assert known.size == (96, 64) and stored_shape(Photo("a.dng", dng(stored, orientation))) == ((96, 64), 1)
    assert np.abs(pixels[16::32, 16::32] - srgb(LINEAR)).max() <= 1.5
    assert np.abs(np.asarray(Image.open(io.BytesIO(known.plate)))[16::32, 16::32] - srgb(LINEAR)).max() <= 5
    assert known.camera == "Maker Model X 26.0"
    assert known.focal_35mm == pytest.approx(26 * np.hypot(36, 24) / np.hypot(36, 24), rel=1e-3)


def test_raw_is_known_by_its_contents_whatever_it_is_called() -> None:
    for name in ("a.dng", "a.tif", "a.heic", "a"):
        assert decode_photo(Photo(name, dng(linear())))[0].size == (96, 64)
    assert decode_photo(Photo("camera.nef", file_bytes(Image.fromarray(pattern()), "JPEG")))[0].size == (48, 32)


def test_dark_raw_stays_dark_beside_others_of_its_exposure() -> None:
    _, pixels = decode_photo(Photo("a.dng", dng(linear() / 8)))
    assert np.abs(pixels[16::32, 16::32] - srgb(LINEAR / 8)).max() <= 1.5


def test_raw_of_other_makers_tells_its_camera() -> None:
    told = exif_block(Make="Maker", Model="R", FocalLengthIn35mmFilm=35)
    jpeg = file_bytes(Image.fromarray(pattern()), "JPEG", exif=told)
    fuji = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 200, len(jpeg))
    main, inside = exif_block(Make="Maker", Model="R")[6:], Image.Exif()
    inside[0xA405] = 35  # Canon's second block has the Exif directory as its main one
    boxes = {b"CMT1": main, b"CMT2": inside.tobytes()[6:]}
    canon = b"".join(struct.pack(">I4s", 8 + len(block), name) + block for name, block in boxes.items())
    olympus = b"MMOR" + told[10:]
    for data in (fuji.ljust(200, b"\0") + jpeg, b"\0\0\0\x18ftypcrx " + bytes(12) + canon, olympus):
        exif = raw_exif(data, (40, 30))
        assert (exif.camera, exif.focal_35mm, exif.orientation) == ("Maker R", 35, 1)
    assert raw_exif(b"FUJIFILM", (40, 30)).camera == ""


@pytest.mark.parametrize("kind", ["float16", "float32"])
@pytest.mark.parametrize("names", ["RGB", "Y"])
def test_exr_is_encoded_from_linear_and_its_file_is_the_plate(kind: str, names: str) -> None:
    colors = linear() * 2
    known, pixels = decode_photo(Photo("a.exr", exr({n: colors[..., i].astype(kind) for i, n in enumerate(names)})))
    expected = srgb(colors.clip(0, 1)) if names == "RGB" else srgb(colors[..., :1].clip(0, 1))
    assert known.size == (96, 64) and known.plate == b"" and known.alpha is None
    assert np.abs(pixels - expected).max() <= 0.6


def test_exr_with_alpha_and_numbers_that_are_none() -> None:
    red = np.full((64, 96), 0.25, np.float32)  # which is 0.5 at an alpha of one half
    alpha = np.full((64, 96), 0.5, np.float32)
    red[0, :4], alpha[32:] = (np.nan, np.inf, -np.inf, -3), 0
    known, pixels = decode_photo(Photo("a.exr", exr({"R": red, "G": red, "B": red, "A": alpha, "diffuse.R": red})))
    half = (srgb(np.array(0.5)) + 255) / 2
    assert known.plate == b"" and known.alpha is not None and (known.alpha[[0, 40], 50] == [128, 0]).all()
    assert (pixels[40] == 255).all() and np.abs(pixels[1:32].astype(float) - half).max() <= 1
    assert np.abs(pixels[0, :4, 0].astype(int) - [127, 255, 127, 127]).max() <= 1


def test_exr_is_the_display_window_whatever_pixels_there_are() -> None:
    green = np.full((20, 30), 1.0, np.float32)
    for corners, inside in (
        (((10, 5), (39, 24)), (slice(5, 25), slice(10, 40))),
        (((-9, -4), (20, 15)), (slice(16), slice(21))),
    ):
        windows = {"dataWindow": corners, "displayWindow": ((0, 0), (49, 39))}
        known, pixels = decode_photo(Photo("a.exr", exr({"R": 0 * green, "G": green, "B": 0 * green}, **windows)))
        expected = np.full((40, 50, 3), BACKDROP)
        expected[inside] = (0, 255, 0)
        assert known.size == (50, 40) and (pixels == expected).all()
        assert known.alpha is not None and ((known.alpha == 255) == (pixels[..., 0] == 0)).all()
        assert Image.open(io.BytesIO(known.plate)).size == (50, 40)


def several_parts() -> bytes:
    import OpenEXR

    parts = [OpenEXR.Part({"name": name}, {"R": np.zeros((20, 20), np.float32)}) for name in "ab"]
    file = io.BytesIO()
    OpenEXR.File(parts).write(file)
    return file.getvalue()


ZEROS = np.zeros((64, 96), np.float32)
GOOD_EXR = exr(dict.fromkeys("RGB", np.random.default_rng(0).random((64, 96)).astype(np.float16)))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (several_parts(), "has several parts"),
        (GOOD_EXR[:4] + struct.pack("<I", 0x802) + GOOD_EXR[8:], "has deep pixels"),
        (exr({"Z": ZEROS}), "has neither the channels R, G and B nor Y"),
        (exr({"view.R": ZEROS, "view.G": ZEROS, "view.B": ZEROS}), "has neither the channels R, G and B nor Y"),
        (exr(dict.fromkeys("RGB", np.zeros((64, 96), np.uint32))), "has whole numbers"),
        (GOOD_EXR[:-3000], "cannot be decoded"),
        (GOOD_EXR[:200], "is damaged"),
        (GOOD_EXR[:4], "is damaged"),
        (heic(Image.fromarray(pattern()))[:-300], "cannot be decoded"),
        (heic(Image.fromarray(pattern()))[:100], "cannot be decoded"),
        (avif(Image.fromarray(pattern()))[:-100], "cannot be decoded"),
        (dng(linear())[:3000], "cannot be developed: Input/output error"),
        (b"FUJIFILMCCD-RAW " + bytes(1000), "is a RAW photo of a camera that LibRaw does not know"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "is a JPEG XL picture"),
    ],
)
def test_what_is_not_read_or_damaged_gets_a_sentence(data: bytes, told: str) -> None:
    error = failure(data)
    assert error.failure.code == "photo-unreadable" and f"holiday.heic {told}" in error.failure.sentence


def test_a_bad_one_of_any_kind_leaves_the_others() -> None:
    picture = Image.fromarray(pattern())
    good = {"a.heic": heic(picture), "b.dng": dng(linear()), "c.heic": file_bytes(picture, "PNG"), "d.exr": GOOD_EXR}
    bad = {"e.heic": heic(picture)[:-300], "f.nef": b"II*\0" + bytes(200), "g.exr": GOOD_EXR[:-3000]}
    photos = [Photo(name, data) for name, data in (bad | good).items()]
    prepared, left_out = prepare_photos(photos, 56, Span(lambda *_: None))
    assert [photo.name for photo in prepared] == list(good)
    assert [photo.name for photo in left_out] == list(bad)
    assert {photo.reason.code for photo in left_out} == {"photo-unreadable"}


def test_jpeg_xl_is_read_where_pillow_can(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = Image.fromarray(pattern())
    monkeypatch.setitem(Image.OPEN, "JXL", (lambda *_: decoded, lambda start: start.startswith(b"\xff\x0a")))
    known, pixels = decode_photo(Photo("a.jxl", b"\xff\x0a" + bytes(40)))
    assert known.size == (48, 32) and known.plate and (pixels == pattern()).all()


@pytest.mark.parametrize(("package", "data"), [("rawpy", dng(linear())), ("OpenEXR", GOOD_EXR)])
def test_a_worker_without_the_package_says_so(package: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert f"needs the package {package}, which the worker's Python has not" in failure(data).failure.sentence


def test_a_raw_name_on_a_plain_tiff_is_told() -> None:
    assert "LibRaw does not know" in failure(file_bytes(Image.fromarray(pattern()), "TIFF"), "a.nef").failure.sentence


@pytest.mark.parametrize(
    "data", [heic(Image.fromarray(pattern())), avif(Image.fromarray(pattern())), dng(linear()), GOOD_EXR]
)
def test_memory_is_looked_at_before_anything_is_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "available_memory", lambda: 1e4)
    monkeypatch.setattr(Image.Image, "frombytes", lambda *_: pytest.fail("decoded"))
    assert failure(data).failure.code == "photo-too-large"


def test_sizes_are_looked_at_before_anything_is_decoded() -> None:
    window = GOOD_EXR.index(b"displayWindow")
    for corner, code in (
        ((99_999, 63), "photo-too-large"),
        ((19_999, 19_999), "photo-unreadable"),
        ((5, 5), "photo-too-small"),
    ):
        data = bytearray(GOOD_EXR)
        struct.pack_into("<2i", data, window + len("displayWindow\0box2i\0....") + 8, *corner)
        assert failure(bytes(data)).failure.code == code
    data = bytearray(heic(Image.new("RGB", (128, 128))))
    for place in (i for i in range(len(data)) if data[i : i + 4] == b"ispe"):
        struct.pack_into(">II", data, place + 8, 99_999, 20)
    assert failure(bytes(data)).failure.code == "photo-too-large"


@pytest.mark.parametrize(
    "write", [lambda: png_16(deep(), 2), lambda: file_bytes(grey(), "PNG"), lambda: file_bytes(grey(), "TIFF")]
)
def test_16_bit_files_stay_the_plate(write: Callable[[], bytes]) -> None:
    known, _ = decode_photo(Photo("a", write()))
    assert known.plate == b""


def deep() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, (20, 30, 3))


def grey() -> Image.Image:
    return Image.fromarray(deep()[..., 0].astype(np.uint16))


@pytest.mark.parametrize(
    ("tags", "focal"),
    [
        # Canon EOS 5D: 4368 pixels on 35.8 mm
        ({"FocalLength": 50.0, "FocalPlaneXResolution": 4368 / 35.8, "FocalPlaneResolutionUnit": 4}, 50.0 / 35.8 * 36),
        # APS-C, in inches, the photo a tenth of what was taken
        (
            {
                **{"FocalLength": 23.0, "FocalPlaneXResolution": 6000 / 23.5 * 25.4, "FocalPlaneResolutionUnit": 2},
                **{"ExifImageWidth": 6000, "ExifImageHeight": 4000},
            },
            23.0 / 23.5 * 36,
        ),
        ({"FocalLength": 23.0, "FocalLengthIn35mmFilm": 35, "FocalPlaneXResolution": 1.0}, 35),
        ({"FocalLength": 23.0}, None),
        ({"FocalLength": 23.0, "FocalPlaneXResolution": 72.0, "FocalPlaneResolutionUnit": 2}, None),
        ({"FocalLength": 23.0, "FocalPlaneXResolution": 4368 / 35.8, "FocalPlaneResolutionUnit": 1}, None),
        ({"FocalLength": 0.0, "FocalPlaneXResolution": 4368 / 35.8, "FocalPlaneResolutionUnit": 4}, None),
        (
            {
                **{"FocalLength": 50.0, "FocalPlaneXResolution": 4368 / 35.8, "FocalPlaneResolutionUnit": 4},
                **{"ExifImageWidth": 4000, "ExifImageHeight": 4000},  # cropped, and the tags kept
            },
            None,
        ),
    ],
)
def test_focal_length_follows_from_the_sensors_size(tags: dict[str, Any], focal: float | None) -> None:
    from da3_blender.photos.header import parse_header

    image = Image.new("RGB", (4368 // 4 * 4, 2912), "grey")
    data = file_bytes(image, "JPEG", exif=exif_block(**tags))
    known, _ = decode_photo(Photo("a.jpg", data))
    assert known.focal_35mm == (None if focal is None else pytest.approx(focal, rel=1e-3))
    assert parse_header(io.BytesIO(data)).lens == pytest.approx(focal or 0, rel=1e-3)


def test_decoders_are_loaded_only_when_such_a_photo_comes() -> None:
    code = (
        "import io, sys; from PIL import Image; from model_runtime.contract.messages import Photo; "
        "from model_runtime.photos.decode import decode_photo; "
        "file = io.BytesIO(); Image.new('RGB', (20, 20)).save(file, 'PNG'); decode_photo(Photo('a', file.getvalue())); "
        "print({'OpenEXR', 'rawpy', 'pillow_heif'} & set(sys.modules))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env={**os.environ}, check=True
    )
    assert done.stdout.strip() == "set()"
