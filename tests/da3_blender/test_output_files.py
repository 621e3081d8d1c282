"""What the command line refuses to write over, told before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from da3_blender import output_files
from da3_blender.scene_arguments import parse_arguments


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "own/kitchen.png"
    path.parent.mkdir()
    Image.new("RGB", (40, 30), (90, 120, 30)).save(path)
    return path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as end:
        parse_arguments([str(word) for word in arguments])
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_a_scene_beside_its_photo_leaves_the_photo_alone(photo: Path) -> None:
    options = parse_arguments([str(photo), "--output", str(photo.with_suffix(".blend"))])
    assert options.preview == photo.with_name("kitchen_preview.png")
    assert parse_arguments([str(photo), "--no-preview"]).preview is None


def test_a_preview_never_lands_on_a_photo(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twin = photo.with_name("kitchen_preview.png")
    photo.rename(twin)
    told = refusal(capsys, twin, "--output", photo.with_name("kitchen.blend"), "--overwrite")
    assert "kitchen_preview.png, which is read" in told


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_an_input_is_known_by_any_name(
    photo: Path, link: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    link(photo, photo.with_name("x_preview.png"))
    assert "which is read" in refusal(capsys, photo, "--output", photo.with_name("x.blend"))


def test_cameras_of_a_blend_are_not_written_over(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot = photo.with_name("shot.blend")
    shot.write_bytes(b"cameras")
    told = refusal(capsys, photo, "--blend-cameras", shot, "--output", shot, "--overwrite")
    assert "which is read" in told


def test_an_existing_blend_is_kept_unless_told_otherwise(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blend = photo.with_name("work.blend")
    blend.write_bytes(b"hours of work")
    told = refusal(capsys, photo, "--output", blend)
    assert "work.blend is there already" in told and "--overwrite" in told
    assert parse_arguments([str(photo), "--output", str(blend), "--overwrite"]).output == blend


def test_a_preview_replaces_only_previews(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blend, preview = photo.with_name("a.blend"), photo.with_name("a_preview.png")
    preview.write_bytes(photo.read_bytes())
    told = refusal(capsys, photo, "--output", blend, "--overwrite")
    assert "a_preview.png is there already and was not made by this program" in told and "--no-preview" in told
    preview.write_bytes(output_files.mark(photo.read_bytes()))
    assert parse_arguments([str(photo), "--output", str(blend)]).preview == preview


def test_a_place_that_cannot_be_written_is_refused_first(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photo.parent / "folder.blend").mkdir()
    assert "is a folder" in refusal(capsys, photo, "--output", photo.parent / "folder.blend")
    assert "kitchen.png is a file" in refusal(capsys, photo, "--output", photo / "new/a.blend")


def test_a_marked_picture_is_still_that_picture(photo: Path, tmp_path: Path) -> None:
    marked = tmp_path / "marked.png"
    marked.write_bytes(output_files.mark(photo.read_bytes()))
    assert output_files.is_marked(marked) and not output_files.is_marked(photo)
    assert not output_files.is_marked(tmp_path / "nowhere.png")
    with Image.open(marked) as opened, Image.open(photo) as original:
        assert opened.tobytes() == original.tobytes()
        assert opened.info["Software"] == "DA3 for Blender"


def test_a_free_name_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "a.blend"
    assert output_files.unclaimed(path) == path
    for name in ("a.blend", "a_2.blend"):
        (tmp_path / name).touch()
    assert output_files.unclaimed(path).name == "a_3.blend"
