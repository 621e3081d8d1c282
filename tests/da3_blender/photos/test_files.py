"""Which files are photos, what the others are told, and what photos are called."""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from da3_blender.photos import files
from da3_blender.photos.files import find_photos, inspect_file, natural_key
from da3_blender.photos.own_pictures import mark
from model_runtime.contract.photo_names import distinct_names
from tests.photo_files import avif, dng, exr, heic


def encoded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def mpo() -> bytes:
    return encoded("MPO", save_all=True, append_images=[Image.new("RGB", (40, 30))])


def raw() -> bytes:
    """A TIFF whose first picture says that it is a small copy of another, as those of DNG, NEF and ARW do."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x00FE] = 1
    return encoded("TIFF", tiffinfo=tags)


posix = pytest.mark.skipif(os.name == "nt", reason="links need rights there, and pipes are something else")

HEIC = b"\0\0\0\x18ftypheic" + bytes(40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "photos"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.jpg", lambda: encoded("JPEG")),
        ("a.MPO", mpo),
        ("a.jpg", mpo),
        ("a.png", lambda: encoded("JPEG")),
        ("phone.heic", lambda: encoded("JPEG")),  # as some programs leave them after exporting
        ("a", lambda: encoded("PNG")),
        ("a.photo", lambda: encoded("WEBP")),
        ("a.TIF", lambda: encoded("TIFF")),
        ("camera.nef", lambda: encoded("JPEG")),
    ],
)
def test_contents_make_a_photo_whatever_it_is_called(folder: Path, name: str, make: Callable[[], bytes]) -> None:
    (folder / name).write_bytes(make())
    found = find_photos([folder])
    assert found.photos == (folder / name,) and found.left_out == ()
    header, problem = inspect_file(folder / name)
    assert header.size == (40, 30) and problem == ""


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("IMG.HEIC", HEIC, "The file is damaged; copy it again"),
        ("IMG.JPG", HEIC[:12], "The file is damaged; copy it again"),
        ("IMG.avif", b"\0\0\0\x18ftypavif" + bytes(40), "The file is damaged; copy it again"),
        ("IMG.jxl", b"\xff\x0a" + bytes(40), "JPEG XL pictures cannot be read; save it as a JPEG or PNG"),
        ("clip.jpg", b"\0\0\0\x18ftypmp42" + bytes(40), "A video makes a scene of its own; add it alone"),
        ("clip.mkv", b"\x1aE\xdf\xa3" + bytes(40), "A video makes a scene of its own; add it alone"),
        ("a.jpg", encoded("GIF"), "GIF pictures cannot be read; save it as a JPEG or PNG"),
        ("a.png", encoded("BMP"), "BMP pictures cannot be read"),
        ("a.exr", b"v/1\x01" + bytes(40), "The file is damaged; copy it again"),
        (
            "a.exr",
            exr({"Z": np.zeros((30, 40), np.float32)}),
            "The file has neither the channels R, G and B nor Y outside of its layers; save the photo in it as an EXR",
        ),
        ("a.ppm", encoded("PPM"), "PPM pictures cannot be read; save it as a JPEG or PNG"),
        ("a.png", encoded("PPM"), "PPM pictures cannot be read; save it as a JPEG or PNG"),
        ("a.ico", encoded("ICO"), "ICO pictures cannot be read; save it as a JPEG or PNG"),
        ("a", encoded("ICO"), "ICO pictures cannot be read; save it as a JPEG or PNG"),
        ("a.jpg", b"", "The file is empty; copy it again"),
        ("a.jpg", b"no photo at all", "The file is not a photo; only these are read: JPEG, PNG"),
        ("a.jpg", encoded("JPEG")[:30], "The file ends too early; copy it again"),
        ("a.jpg", encoded("JPEG")[:12], "The file ends too early; copy it again"),
        ("a.png", encoded("PNG")[:12], "The file is damaged; copy it again"),
        ("a_preview.png", mark(encoded("PNG")), "This is a preview that this program made"),
    ],
)
def test_pictures_that_cannot_be_read_are_named_with_what_to_do(
    folder: Path, name: str, content: bytes, told: str
) -> None:
    (folder / name).write_bytes(content)
    (folder / "good.jpg").write_bytes(encoded("JPEG"))
    ((path, reason),) = find_photos([folder]).left_out
    assert path == folder / name and reason.startswith(told)
    (folder / "good.jpg").unlink()
    with pytest.raises(ValueError, match="holds no photo") as error:
        find_photos([folder])
    assert f"{name}: {told}" in str(error.value)
    with pytest.raises(ValueError, match="there is no photo"):
        find_photos([folder / name])


NOISE = np.asarray(Image.effect_noise((40, 30), 50).convert("RGB"))


@pytest.mark.parametrize(
    ("name", "make", "size"),
    [
        ("IMG.HEIC", lambda: heic(Image.fromarray(NOISE)), (40, 30)),
        ("IMG.jpg", lambda: heic(Image.fromarray(NOISE), 6), (30, 40)),
        ("IMG.heic", lambda: heic(Image.fromarray(NOISE), 1, 6), (30, 40)),
        ("IMG.avif", lambda: avif(Image.fromarray(NOISE), 6, 6), (30, 40)),
        ("render.exr", lambda: exr(dict.fromkeys("RGB", np.zeros((30, 40), np.float16))), (40, 30)),
        ("camera.dng", lambda: dng(NOISE / 255), (0, 0)),
        ("renamed.tif", lambda: dng(NOISE / 255), (0, 0)),
        ("renamed.tif", raw, (0, 0)),
        ("camera.nef", lambda: encoded("TIFF"), (0, 0)),
        ("IMG.CR3", lambda: b"\0\0\0\x18ftypcrx " + bytes(40), (0, 0)),
        ("photo.png", lambda: b"FUJIFILMCCD-RAW " + bytes(40), (0, 0)),
    ],
)
def test_photos_of_phones_cameras_and_renderers_are_read(
    folder: Path, name: str, make: Callable[[], bytes], size: tuple[int, int]
) -> None:
    """Upright sizes; those of RAW photos are unknown until they are developed."""
    (folder / name).write_bytes(make())
    assert find_photos([folder]).photos == (folder / name,)
    header, problem = inspect_file(folder / name)
    assert header.size == size and problem == "" and header.raw == (size == (0, 0))


def test_a_folder_is_in_natural_order_and_a_list_in_its_own(folder: Path) -> None:
    for number in (10, 2, 1):
        (folder / f"frame_{number}.jpg").write_bytes(encoded("JPEG"))
    paths = [folder / f"frame_{number}.jpg" for number in (1, 2, 10)]
    assert find_photos([folder]).photos == tuple(paths)
    assert find_photos(paths[::-1]).photos == tuple(paths[::-1])


def test_what_is_no_picture_and_what_is_given_twice_is_named(folder: Path) -> None:
    photo = folder / "a.jpg"
    photo.write_bytes(encoded("JPEG"))
    for name in ("notes.txt", ".hidden.jpg"):
        (folder / name).touch()
    (folder / "older").mkdir()
    found = find_photos([folder, photo])
    assert found.photos == (photo,) and found.left_out == ((photo, "The same file is given twice"),)
    assert found.others == (folder / "notes.txt",)


@posix
def test_links_to_nowhere_and_pipes_are_named_with_what_they_are(folder: Path) -> None:
    (folder / "good.jpg").write_bytes(encoded("JPEG"))
    (folder / "link.jpg").symlink_to(folder / "gone.jpg")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    os.mkfifo(folder / "pipe")
    (folder / "folder.jpg").mkdir()
    found = find_photos([folder])
    assert found.photos == (folder / "good.jpg",) and found.others == (folder / "pipe",)
    told = {path.name: reason for path, reason in found.left_out}
    assert told.keys() == {"link.jpg", "loop.jpg", "pipe.jpg"}
    assert told["link.jpg"].startswith("This is a link to a file that is not there")
    assert told["loop.jpg"].startswith("The file cannot be read: ")
    assert told["pipe.jpg"] == "This is a pipe or a device, not a file"
    for name in told:
        with pytest.raises(ValueError, match=f"there is no photo .*\n  {name}: "):
            find_photos([folder / name])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")
def test_a_name_that_is_not_utf8_is_left_out_and_told_readably(folder: Path) -> None:
    (folder / "good.jpg").write_bytes(encoded("JPEG"))
    bad = folder / os.fsdecode(b"bad\xff\xe9.jpg")
    bad.write_bytes(encoded("JPEG"))
    inside = folder.parent / os.fsdecode(b"f\xff") / "a.jpg"
    inside.parent.mkdir()
    inside.write_bytes(encoded("JPEG"))
    found = find_photos([folder, inside])
    assert found.photos == (folder / "good.jpg",)
    assert [path for path, reason in found.left_out if "is not UTF-8; rename it" in reason] == [bad, inside]
    with pytest.raises(ValueError, match=r"\\xff holds no photo") as error:
        find_photos([inside.parent])
    assert find_photos([folder]).left_out[0][0] == bad and str(error.value).isascii()


@pytest.mark.parametrize("inside", [True, False])
def test_a_folder_that_cannot_be_read_stops_no_other(
    folder: Path, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, locked = folder / "good/a.jpg", folder / "locked"
    good.parent.mkdir()
    locked.mkdir()
    good.write_bytes(encoded("JPEG"))
    real = os.listdir

    def listdir(path: Path) -> list[str]:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    found = find_photos([folder] if inside else [locked, good.parent])
    assert found.photos == (good,)
    assert found.left_out == ((locked, "The folder cannot be read: Permission denied"),)


def test_folders_in_a_folder_are_looked_into_however_deep(folder: Path) -> None:
    for name in ("own.jpg", "left/1.jpg", "left/2.jpg", "left/deeper/and deeper/1.jpg", "right/1.jpg", ".hidden/1.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encoded("JPEG"))
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(40))
    (folder / "left/notes.txt").touch()
    found = find_photos([folder])
    names = ["own.jpg", "left/1.jpg", "left/2.jpg", "left/deeper/and deeper/1.jpg", "right/1.jpg"]
    assert [path.relative_to(folder).as_posix() for path in found.photos] == names
    assert sorted(found.photos, key=natural_key) == list(found.photos)
    assert distinct_names(found.photos) == ["own.jpg", "left/1.jpg", "2.jpg", "and deeper/1.jpg", "right/1.jpg"]
    assert found.left_out == ((folder / "clip.mp4", "A video makes a scene of its own; add it alone"),)
    assert found.others == (folder / "left/notes.txt",)


@posix
def test_links_between_folders_lead_to_each_once(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a/1.jpg").write_bytes(encoded("JPEG"))
    (folder / "a/back").symlink_to(folder)
    (folder / "b").symlink_to(folder / "a")
    found = find_photos([folder])
    assert found.photos == (folder / "a/1.jpg",) and found.left_out == ()


def test_a_folder_that_holds_a_whole_disk_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 4)
    for name in ("a/1.txt", "a/2.txt", "b/3.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    with pytest.raises(ValueError, match="holds more than 4 files; choose one nearer to the photos"):
        find_photos([folder])
    assert find_photos([*folder.glob("a/*"), photo(folder / "b/a.jpg")]).photos == (folder / "b/a.jpg",)


def photo(path: Path) -> Path:
    path.write_bytes(encoded("JPEG"))
    return path


def test_a_missing_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no photo or folder"):
        find_photos([tmp_path / "nowhere"])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind everybody")
def test_a_photo_without_rights_is_told(folder: Path) -> None:
    photo = folder / "a.jpg"
    photo.write_bytes(encoded("JPEG"))
    photo.chmod(0)
    assert inspect_file(photo)[1].startswith("The file cannot be read: ")


@pytest.mark.parametrize(
    ("paths", "taken", "names"),
    [
        (["/x/a.jpg", "/x/b.jpg"], (), ["a.jpg", "b.jpg"]),
        (["/x/left/1.jpg", "/x/right/1.jpg", "/x/2.jpg"], (), ["left/1.jpg", "right/1.jpg", "2.jpg"]),
        (["/a/s/1.jpg", "/b/s/1.jpg"], (), ["a/s/1.jpg", "b/s/1.jpg"]),
        (["/x/1.jpg"], ("1.jpg",), ["x/1.jpg"]),
        (["1.jpg", "1.jpg"], (), ["1.jpg", "1.jpg (2)"]),
        (["1.jpg"], ("1.jpg", "1.jpg (2)"), ["1.jpg (3)"]),
    ],
)
def test_names_are_as_short_as_tells_photos_apart(paths: list[str], taken: tuple[str, ...], names: list[str]) -> None:
    assert distinct_names([Path(path) for path in paths], taken) == names


def test_natural_order_counts_numbers_and_keeps_folders_together() -> None:
    paths = ["b10/1.jpg", "b9/2.jpg", "b9/10.jpg", "B9/1.jpg"]
    assert sorted(paths, key=natural_key) == ["B9/1.jpg", "b9/2.jpg", "b9/10.jpg", "b10/1.jpg"]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((100_000_000, 1), "The photo has 100000000 x 1 pixels, more than can be read; scale it down"),
        ((60_000, 60_000), "The photo has 60000 x 60000 pixels, more than can be read; scale it down"),
        ((20_000, 10_000), "The file claims 20000 x 10000 pixels, which it is too small to hold; copy it again"),
    ],
)
def test_photos_that_claim_too_much_are_left_out_before_the_job(folder: Path, size: tuple[int, int], told: str) -> None:
    data = bytearray(encoded("PNG"))
    struct.pack_into(">II", data, 16, *size)
    (folder / "bomb.png").write_bytes(data)
    (folder / "good.png").write_bytes(encoded("PNG"))
    found = find_photos([folder])
    assert found.photos == (folder / "good.png",) and found.left_out == ((folder / "bomb.png", told),)
