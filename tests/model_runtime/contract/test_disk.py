"""Files come into their place as a whole; free space is that of a folder's disk, whether the folder is there or not."""

import os
import shutil
from pathlib import Path

import pytest

from model_runtime.contract.disk import free_bytes, put_in_place, write_file


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_file(path, b"a longer text")
    write_file(path, b"short")
    assert path.read_bytes() == b"short" and os.listdir(tmp_path) == ["record.json"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    write_file(path, b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"after")
    assert path.read_bytes() == b"before"


def test_what_was_never_written_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scene.blend"
    path.write_bytes(b"before")
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "part.blend", path)
    assert path.read_bytes() == b"before" and os.listdir(tmp_path) == ["scene.blend"]


def test_a_folder_that_is_not_there_yet_has_the_space_of_its_disk(tmp_path: Path) -> None:
    free = free_bytes(tmp_path / "not" / "there")
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert free_bytes(Path("not there")) > 0
