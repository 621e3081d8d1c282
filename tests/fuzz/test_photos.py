"""Damaged photos of every format: each is read or told in a sentence, soon, and in little memory."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from da3_blender.photos.files import inspect_file
from da3_blender.photos.header import HeaderError, parse_header
from model_runtime.contract.messages import JobError, Photo
from model_runtime.photos.decode import decode_photo, stored_shape
from tests.fuzz.mutations import ROUNDS, damaged
from tests.photo_files import avif, dng, exr, heic

SECONDS, BYTES = 5.0, 400_000_000
"""What one damaged file of a kilobyte may take at most."""

CODES = {"photo-unreadable", "photo-too-large", "photo-too-small"}


def samples() -> list[bytes]:
    """Small photos of each format, with Exif data and a colour profile where that can be."""
    coarse = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    colour = Image.fromarray(coarse).resize((40, 30))
    deep = Image.fromarray(np.asarray(colour.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 26
    told = {"exif": exif, "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    transparent = colour.copy()
    transparent.putalpha(colour.convert("L"))
    return [
        *(_file(colour, kind, **told) for kind in ("JPEG", "PNG", "WEBP", "TIFF")),
        *(_file(colour, "JPEG", **options) for options in ({"progressive": True}, {"subsampling": 0})),
        _file(colour.convert("CMYK"), "JPEG"),
        _file(colour, "MPO", save_all=True, append_images=[colour]),
        *(_file(image, "PNG") for image in (transparent, colour.quantize(16), deep)),
        _file(colour, "PNG", save_all=True, append_images=[colour.rotate(180)]),
        *(_file(transparent, "WEBP", lossless=lossless) for lossless in (True, False)),
        _file(colour, "WEBP", save_all=True, append_images=[colour.rotate(180)]),
        *(_file(image, "TIFF") for image in (deep, transparent, colour.convert("1"), colour.convert("F"))),
        *(_file(colour, "TIFF", compression=kind) for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")),
        _file(colour, "TIFF", compression="tiff_lzw", tiffinfo={322: 16, 323: 16}),
        *(write(colour, 6, 6, FocalLengthIn35mmFilm=26) for write in (heic, avif)),
        *(write(transparent, 1, 8) for write in (heic, avif)),
        dng(np.asarray(colour) / 255, 6),
        *(exr(dict.fromkeys(names, np.asarray(colour)[..., 0] / np.float32(200))) for names in ("RGBA", "Y")),
    ]


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@contextmanager
def bounded(data: bytes) -> Iterator[None]:
    """Fails where what is inside takes too long, or more memory than anything before it by too much."""
    before, started = _most_memory(), time.process_time()
    yield
    assert time.process_time() - started < SECONDS, data.hex()
    assert _most_memory() - before < BYTES, data.hex()


def _most_memory() -> int:
    """Bytes that this process has had at most; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii", errors="replace").splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@ROUNDS
def test_damaged_photos_are_decoded_or_told(count: int, seed: int) -> None:
    decoded = 0
    for data in damaged(samples(), count, seed):
        photo = Photo("holiday.jpg", data)
        with bounded(data):
            try:
                stored_shape(photo)
                known, pixels = decode_photo(photo)
            except JobError as error:
                assert error.failure.code in CODES and "holiday.jpg" in error.failure.sentence, data.hex()
                assert error.failure.advice
                continue
        assert pixels.dtype == np.uint8 and pixels.shape == (*known.size[::-1], 3)
        decoded += 1
    assert count // 20 < decoded < count  # the faults are neither all fatal nor all harmless


@ROUNDS
def test_damaged_photos_have_a_header_or_a_sentence(tmp_path: Path, count: int, seed: int) -> None:
    file = tmp_path / "holiday.jpg"
    for data in damaged(samples(), count, seed):
        with bounded(data):
            try:
                header = parse_header(io.BytesIO(data))
                assert header.raw or min(header.size) >= 1, data.hex()
                assert 1 <= header.orientation <= 8, data.hex()
            except HeaderError:
                pass
        file.write_bytes(data)
        with bounded(data):
            header, problem = inspect_file(file)
        assert problem or header.raw or min(header.size) >= 1, data.hex()


@pytest.mark.parametrize("data", samples(), ids=range(len(samples())))
def test_undamaged_photos_are_read(data: bytes) -> None:
    known, _ = decode_photo(Photo("a", data))
    header = parse_header(io.BytesIO(data))
    assert header.raw or known.size == header.size
