"""Which files of a folder are a COLMAP model, and what the others are told."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from da3_blender.photos import colmap_folder
from da3_blender.photos.colmap_folder import read_colmap
from model_runtime.contract.messages import JobError

posix = pytest.mark.skipif(os.name == "nt", reason="links need rights there, and pipes are something else")


def model(folder: Path, ending: str = ".bin") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("cameras", "images", "points3D"):
        (folder / f"{name}{ending}").write_bytes(name.encode())


def refused(folder: Path) -> JobError:
    with pytest.raises(JobError) as caught:
        read_colmap(folder)
    assert caught.value.failure.advice
    return caught.value


@posix
@pytest.mark.parametrize("odd", ["pipe", "loop", "device", "folder"])
def test_what_is_no_file_is_passed_by_and_never_waited_for(tmp_path: Path, odd: str) -> None:
    for name in ("cameras.bin", "points3D.txt"):
        file = tmp_path / name
        if odd == "pipe":
            os.mkfifo(file)
        elif odd == "folder":
            file.mkdir()
        else:
            file.symlink_to(file if odd == "loop" else "/dev/zero")
    (tmp_path / "images.bin").write_bytes(b"x")
    assert refused(tmp_path).failure.code == "cameras-missing"
    for name in ("cameras.txt", "images.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [file.name for file in read_colmap(tmp_path).files] == ["cameras.txt", "images.txt"]


@posix
def test_a_folder_that_leads_to_itself_holds_no_model(tmp_path: Path) -> None:
    (tmp_path / "sparse").symlink_to(tmp_path, target_is_directory=True)
    assert refused(tmp_path).failure.code == "cameras-missing"
    model(tmp_path / "0")
    assert len(read_colmap(tmp_path).files) == 3


@posix
def test_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xff"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this system takes no such names")
    told = str(refused(folder))
    assert told.isascii() and "m\\xff" in told
    model(folder)
    assert len(read_colmap(folder).files) == 3


def test_a_model_of_many_gigabytes_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model(tmp_path)
    with (tmp_path / "points3D.bin").open("r+b") as file:
        file.truncate(colmap_folder.LARGEST)  # without data: it takes no room on the disk
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read"))
    error = refused(tmp_path)
    assert error.failure.code == "cameras-unreadable" and "has 4.3 GB; up to 4.3 are read" in str(error)


def test_a_folder_that_cannot_be_looked_into_holds_no_model(tmp_path: Path) -> None:
    assert refused(tmp_path / ("x" * 5000)).failure.code == "cameras-missing"
    assert refused(tmp_path / "nul\0").failure.code == "cameras-missing"


def numbered(folder: Path, names: tuple[str, ...], ending: str = ".txt") -> None:
    """A model whose images have these names."""
    folder.mkdir(parents=True, exist_ok=True)
    if ending == ".txt":
        images = "".join(f"{i + 1} 1 0 0 0 0 0 0 1 {name}\n\n" for i, name in enumerate(names)).encode()
    else:
        pose = struct.pack("<7dI", 1, 0, 0, 0, 0, 0, 0, 1)
        entries = (
            struct.pack("<I", i) + pose + name.encode() + b"\0" + struct.pack("<Q", 0) for i, name in enumerate(names)
        )
        images = struct.pack("<Q", len(names)) + b"".join(entries)
    (folder / f"images{ending}").write_bytes(images)
    (folder / f"cameras{ending}").write_bytes(b"cameras of " + folder.name.encode())


def cameras_in(folder: Path, *photos: str) -> tuple[bytes, str]:
    """What says which model was taken, and what it is called where there were several."""
    found = read_colmap(folder, photos)
    return found.files[0].data, found.chosen


@pytest.mark.parametrize("place", ["sparse/0", "sparse", "colmap/sparse/0", "0", "."])
def test_a_model_is_found_in_the_folder_of_its_project(tmp_path: Path, place: str) -> None:
    numbered(tmp_path / place, ("a.jpg",))
    (tmp_path / "images").mkdir()
    data, chosen = cameras_in(tmp_path, "a.jpg")
    assert data == b"cameras of " + (tmp_path / place).name.encode() and chosen == ""


@pytest.mark.parametrize("ending", [".bin", ".txt"])
def test_of_several_models_that_with_most_of_the_photos_is_taken(tmp_path: Path, ending: str) -> None:
    project = tmp_path / "project"
    numbered(project / "sparse/0", tuple(f"left/{i}.jpg" for i in range(9)), ending)
    numbered(project / "sparse/2", ("right/c.jpg",), ending)
    numbered(project / "sparse/10", ("right/a.jpg", "right/b.jpg"), ending)
    assert cameras_in(project, "a.jpg", "b.jpg", "c.jpg") == (b"cameras of 10", str(Path("project/sparse/10")))
    assert cameras_in(project / "sparse", "c.jpg") == (b"cameras of 2", str(Path("sparse/2")))
    assert cameras_in(project, "x.jpg") == (b"cameras of 0", str(Path("project/sparse/0")))
    assert cameras_in(project / "sparse/2", "a.jpg") == (b"cameras of 2", "")  # what somebody chose


def test_a_damaged_model_beside_another_is_not_taken(tmp_path: Path) -> None:
    numbered(tmp_path / "sparse/0", ("a.jpg", "b.jpg"), ".bin")
    (tmp_path / "sparse/0/images.bin").write_bytes(b"\xff" * 200)
    numbered(tmp_path / "sparse/1", ("a.jpg",))
    assert cameras_in(tmp_path, "a.jpg", "b.jpg")[0] == b"cameras of 1"
