"""Photos written by Pillow in every mode and orientation, with pixels known beforehand."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

import model_runtime.photos.decode
from model_runtime.contract.messages import JobError, Photo
from model_runtime.photos.decode import BACKDROP, check_photos, decode_photo, stored_shape

RED, GREEN, BLUE, GREY = (250, 20, 10), (10, 230, 30), (20, 40, 240), (128, 128, 128)
COLOURS = np.array([[RED, GREEN, GREY], [BLUE, GREY, RED]], np.uint8)


def pattern() -> np.ndarray:
    """[32,48,3]: six flat tiles that no rotation or mirroring leaves alike."""
    return COLOURS.repeat(16, axis=0).repeat(16, axis=1)


def file_bytes(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return decode_photo(Photo("x", data))[1].astype(int)


def tiles(image: np.ndarray) -> np.ndarray:
    """The middle of each 16 px tile, away from what JPEG does at their edges."""
    return image[8::16, 8::16].astype(int)


def png_16(samples: np.ndarray, colour_type: int) -> bytes:
    """A 16-bit PNG written by hand, as Pillow writes no 16-bit colour."""
    height, width = samples.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def undo(upright: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera stores for an upright picture under each EXIF orientation (Exif 2.3, tag 0x0112)."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright.swapaxes(0, 1)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(format: str, orientation: int) -> None:
    stored = Image.fromarray(np.ascontiguousarray(undo(pattern(), orientation)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format == "JPEG" else {}
    decoded, image = decode_photo(Photo("x", file_bytes(stored, format, exif=exif, **options)))
    assert decoded.size == (48, 32)
    assert np.abs(tiles(image) - COLOURS).max() <= 5
    if orientation == 1:
        assert decoded.plate == b""
    else:
        plate = Image.open(io.BytesIO(decoded.plate))
        assert plate.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert np.abs(tiles(np.asarray(plate)) - COLOURS).max() <= 5


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled(format: str) -> None:
    samples = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    decoded = pixels(file_bytes(Image.fromarray(samples), format))
    expected = np.repeat((samples / 257.0)[..., None], 3, axis=2)
    assert np.abs(decoded - expected).max() <= 0.51


def test_16_bit_colour_and_alpha_are_scaled() -> None:
    rgb = np.random.default_rng(0).integers(0, 65536, (20, 30, 3))
    assert np.abs(pixels(png_16(rgb, 2)) - rgb / 257.0).max() <= 1.0
    rgba = np.concatenate([rgb, np.full((20, 30, 1), 32768)], axis=2)
    blended = (rgb / 257.0 + np.array(BACKDROP)) / 2
    assert np.abs(pixels(png_16(rgba, 6)) - blended).max() <= 1.5


def test_float_tiff_is_scaled_from_one() -> None:
    samples = np.linspace(-0.5, 1.5, 400).reshape(20, 20).astype(np.float32)
    decoded = pixels(file_bytes(Image.fromarray(samples), "TIFF"))
    assert np.abs(decoded[..., 0] - np.clip(samples, 0, 1) * 255).max() <= 0.51


@pytest.mark.parametrize(
    ("mode", "format"), [("L", "PNG"), ("L", "JPEG"), ("1", "PNG"), ("1", "TIFF"), ("P", "PNG"), ("RGB", "BMP")]
)
def test_modes_decode_as_pillow_converts_them(mode: str, format: str) -> None:
    image = Image.fromarray(pattern()).convert(mode)
    expected = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(tiles(pixels(file_bytes(image, format))) - tiles(expected)).max() <= 2


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_has_the_right_colours_and_a_plate(format: str) -> None:
    cmyk = Image.fromarray(255 - np.concatenate([pattern(), np.full((32, 48, 1), 255, np.uint8)], axis=2), "CMYK")
    decoded, image = decode_photo(Photo("x", file_bytes(cmyk, format)))
    assert np.abs(tiles(image) - COLOURS).max() <= 6
    assert Image.open(io.BytesIO(decoded.plate)).mode == "RGB"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_lies_on_the_backdrop(mode: str) -> None:
    grey = Image.new("L", (40, 20), 100)
    alpha = Image.new("L", (40, 20), 0)
    alpha.paste(255, (20, 0, 40, 20))
    image = Image.merge("LA", (grey, alpha))
    if mode == "RGBA":
        image = image.convert("RGBA")
    if mode == "PA":
        image = Image.new("P", (40, 20), 1)
        image.paste(0, (20, 0, 40, 20))
        image.putpalette([100, 100, 100, 9, 9, 9])
        data = file_bytes(image, "PNG", transparency=1)
    else:
        data = file_bytes(image, "PNG")
    decoded, result = decode_photo(Photo("x", data))
    assert (result[:, :20] == BACKDROP).all()
    assert (result[:, 20:] == 100).all()
    assert decoded.plate


def test_foreign_profile_is_converted_and_srgb_is_left_alone() -> None:
    image = Image.fromarray(pattern())
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain, plain_image = decode_photo(Photo("x", file_bytes(image, "PNG", icc_profile=srgb.tobytes())))
    assert plain.plate == b""
    assert (plain_image == pattern()).all()

    linear = linear_srgb(srgb.tobytes())
    converted, converted_image = decode_photo(Photo("x", file_bytes(image, "PNG", icc_profile=linear)))
    encoded = pattern() / 255.0
    expected = np.where(encoded <= 0.0031308, 12.92 * encoded, 1.055 * encoded ** (1 / 2.4) - 0.055) * 255
    assert np.abs(converted_image - expected).max() <= 2
    assert converted.plate


def linear_srgb(icc: bytes) -> bytes:
    """The sRGB profile with its tone curves replaced by the identity and another name."""
    data = bytearray(icc)
    for i in range(struct.unpack_from(">I", data, 128)[0]):
        tag, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * i)
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + size] = (b"curv" + bytes(8)).ljust(size, b"\0")
    return bytes(data).replace("sRGB".encode("utf-16-be"), "line".encode("utf-16-be"))


def test_damaged_profile_is_ignored() -> None:
    image = Image.fromarray(pattern())
    assert (pixels(file_bytes(image, "PNG", icc_profile=b"rubbish" * 40)) == pattern()).all()


def test_focal_length_is_read() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 50
    decoded, _ = decode_photo(Photo("x", file_bytes(Image.fromarray(pattern()), "JPEG", exif=exif)))
    assert decoded.focal_35mm == 50
    assert decode_photo(Photo("x", good()))[0].focal_35mm is None


@pytest.mark.parametrize("exif", [b"Exif\0\0rubbish rubbish", b"Exif\0\0MM", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_data_do_not_damn_the_photo(format: str, exif: bytes) -> None:
    image = Image.fromarray(pattern())
    decoded, shown = decode_photo(Photo("x", file_bytes(image, format, exif=exif, quality=95)))
    assert np.abs(tiles(shown) - COLOURS).max() <= 8
    assert decoded.plate == b"" and decoded.focal_35mm is None


def test_opaque_alpha_needs_no_plate() -> None:
    image = Image.fromarray(pattern()).convert("RGBA")
    decoded, shown = decode_photo(Photo("x", file_bytes(image, "PNG")))
    assert (shown == pattern()).all()
    assert decoded.plate == b""


def good() -> bytes:
    return file_bytes(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)), "PNG")


def bomb(width: int, height: int, fill: int = 0) -> bytes:
    """A PNG of a few bytes that claims so many pixels. fill: bytes behind its end."""
    data = bytearray(png_16(np.zeros((1, 1), np.uint16), 0) + bytes(fill))
    struct.pack_into(">II", data, 16, width, height)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    return bytes(data)


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(file_bytes(Image.new("RGB", (64, 64)), "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


def tiff_with_a_tile_of(side: int) -> bytes:
    """A TIFF (6.0) of 100 x 100 grey pixels in one tile that claims to be much larger."""
    tile = zlib.compress(bytes(10_000))
    place = 8 + 2 + 12 * 10 + 4
    entries = {256: 100, 257: 100, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: place, 325: len(tile)}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + tile


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello, I am no photo", "photo-unreadable"),
        (good()[:-2000], "photo-unreadable"),
        (file_bytes(Image.fromarray(pattern()).resize((400, 400)), "JPEG")[:3000], "photo-unreadable"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "photo-unreadable"),
        (bomb(60000, 60000), "photo-too-large"),
        (bomb(100_000_000, 1), "photo-too-large"),
        (bomb(65_501, 100), "photo-too-large"),
        (bomb(3000, 3000), "photo-unreadable"),
        (jpeg_claiming(13000, 13000), "photo-unreadable"),
        (tiff_with_a_tile_of(1 << 15), "photo-unreadable"),
        (file_bytes(Image.new("RGB", (300, 5)), "PNG"), "photo-too-small"),
    ],
    ids=[
        "text",
        "cut PNG",
        "cut JPEG",
        "PostScript",
        "bomb",
        "line",
        "long",
        "hollow PNG",
        "hollow JPEG",
        "tile",
        "sliver",
    ],
)
def test_bad_photos_get_a_sentence_with_their_name(data: bytes, code: str) -> None:
    with pytest.raises(JobError) as caught:
        decode_photo(Photo("holiday.png", data))
    assert caught.value.failure.code == code
    assert "holiday.png" in caught.value.failure.sentence
    assert caught.value.failure.advice


def test_photos_are_checked_before_decoding() -> None:
    cases = {"no-photos": [], "photo-name-twice": [Photo("b.png", b"1"), Photo("b.png", b"2")]}
    for code, photos in cases.items():
        with pytest.raises(JobError) as caught:
            check_photos(photos)
        assert caught.value.failure.code == code
        assert not photos or "b.png" in caught.value.failure.sentence
    photos = [Photo("a.png", b"1"), Photo("b.png", b""), Photo("c.png", b"1"), Photo("d.png", b"2")]
    empty, twin = check_photos(photos)
    assert (empty.name, empty.reason.code) == ("b.png", "photo-empty") and "b.png" in empty.reason.sentence
    assert (twin.name, twin.reason.code) == ("c.png", "photo-duplicate") and "a.png" in twin.reason.sentence


def test_a_photo_larger_than_the_memory_is_told_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Photo("panorama.png", bomb(20_000, 10_000, fill=200_000))
    monkeypatch.setattr(model_runtime.photos.decode, "available_memory", lambda: 1e9)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(JobError) as caught:
        decode_photo(photo)
    assert caught.value.failure.code == "photo-too-large"
    for told in ("panorama.png", "20000 x 10000", "3.2 GB", "1.0 GB are free"):
        assert told in caught.value.failure.sentence


def test_photos_beyond_pillows_own_limit_are_read() -> None:
    """200 million pixels, as large cameras and panoramas have; its header only, to be quick."""
    photo = Photo("panorama.jpg", jpeg_claiming(20_000, 10_000) + bytes(200_000))
    assert stored_shape(photo) == ((20_000, 10_000), 1)


def test_a_photo_that_finds_no_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MemoryError(), OSError("decoder error -9 when reading image file")):
        monkeypatch.setattr(Image.Image, "crop", raising(error))
        with pytest.raises(JobError) as caught:
            decode_photo(Photo("big.png", good()))
        assert caught.value.failure.code == "out-of-memory" and "big.png" in caught.value.failure.sentence


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail
