"""Sizes and lenses read from headers, against files that Pillow writes."""

from __future__ import annotations

import contextlib
import io

import pytest
from PIL import Image

from da3_blender.photos.header import HeaderError, parse_header

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")


def encode(kind: str, size=(40, 30), orientation: int | None = None, lens: int | None = None, **options) -> bytes:
    image = Image.effect_noise(size, 50).convert("RGB")
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    if lens:
        exif.get_ifd(0x8769)[0xA405] = lens
    file = io.BytesIO()
    image.save(file, kind, exif=exif, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_size(kind):
    header = parse_header(io.BytesIO(encode(kind)))
    assert header.size == (40, 30) and header.lens == 0


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_upright_size_and_lens(kind, orientation):
    header = parse_header(io.BytesIO(encode(kind, orientation=orientation, lens=26)))
    assert header.size == ((40, 30) if orientation == 3 else (30, 40))
    assert header.lens == (0 if kind == "TIFF" else 26)  # Pillow writes no Exif directory into a TIFF


@pytest.mark.parametrize("options", [{"kind": "WEBP", "lossless": True}, {"kind": "JPEG", "progressive": True}])
def test_other_encodings(options):
    assert parse_header(io.BytesIO(encode(**options))).size == (40, 30)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_cut_file_is_refused_or_has_the_right_size(kind):
    whole = encode(kind, lens=26)
    for length in range(0, min(len(whole), 700), 7):
        with contextlib.suppress(HeaderError):
            assert parse_header(io.BytesIO(whole[:length])).size == (40, 30)


def test_no_photo_is_refused():
    with pytest.raises(HeaderError, match="is not a photo"):
        parse_header(io.BytesIO(b"GIF89a" + bytes(100)))


def test_broken_exif_leaves_the_size():
    whole = (
        encode("JPEG", lens=26).replace(b"Exif\0\0MM\0*", b"Exif\0\0XX\0*").replace(b"Exif\0\0II*\0", b"Exif\0\0XX*\0")
    )
    header = parse_header(io.BytesIO(whole))
    assert header.size == (40, 30) and header.lens == 0


def test_lengths_that_cannot_be_are_damage():
    for length in (0, 1):
        with pytest.raises(HeaderError, match="is damaged"):
            parse_header(io.BytesIO(b"\xff\xd8\xff\xe0" + length.to_bytes(2, "big") + bytes(100)))


@pytest.mark.parametrize("start", [b"\xff\xd8" + b"\xff\xd0" * 3_000_000, b"\xff\xd8" + b"\xff" * 6_000_000])
def test_endless_markers_are_given_up(start):
    file = io.BytesIO(start)
    with pytest.raises(HeaderError):
        parse_header(file)
    assert file.tell() < 1_000_000


def test_fill_bytes_before_a_marker_are_skipped():
    whole = encode("JPEG")
    assert parse_header(io.BytesIO(whole[:2] + b"\xff" * 5 + whole[2:])).size == (40, 30)
