"""What the command line refuses to write over, told before anything is computed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from da3_blender.headless import output_files
from da3_blender.headless.arguments import parse_arguments
from da3_blender.photos.own_pictures import mark
from tests.da3_blender.headless.conftest import refusal

posix = pytest.mark.skipif(os.name == "nt", reason="links need rights there, and pipes are something else")


def test_a_scene_beside_its_photo_leaves_the_photo_alone(photo: Path) -> None:
    options = parse_arguments([str(photo), "--output", str(photo.with_suffix(".blend"))])
    assert options.preview == photo.with_name("kitchen_preview.png")
    assert parse_arguments([str(photo), "--no-preview"]).preview is None


def test_a_preview_never_lands_on_a_photo(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twin = photo.with_name("kitchen_preview.png")
    photo.rename(twin)
    told = refusal(capsys, twin, "--output", photo.with_name("kitchen.blend"), "--overwrite")
    assert "kitchen_preview.png, which is read" in told


@posix
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
    preview.write_bytes(mark(photo.read_bytes()))
    assert parse_arguments([str(photo), "--output", str(blend)]).preview == preview


def test_a_place_that_cannot_be_written_is_refused_first(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photo.parent / "folder.blend").mkdir()
    assert "is a folder" in refusal(capsys, photo, "--output", photo.parent / "folder.blend")
    assert "kitchen.png is not a folder" in refusal(capsys, photo, "--output", photo / "new/a.blend")


@pytest.mark.parametrize(("letters", "refused"), [(260, ".blend"), (247, "_preview.png"), (200, "")])
def test_a_name_that_is_too_long_is_refused_first(
    photo: Path, letters: int, refused: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (photo.parent, photo.parent / "new"):
        words = [str(photo), "--output", str(folder / f"{'a' * letters}.blend")]
        if refused:
            assert f"a{refused} cannot be written: " in refusal(capsys, *words)
        else:
            parse_arguments(words)


@posix
@pytest.mark.parametrize(
    ("link", "target", "told"),
    [
        ("a.blend", "notes.txt", "notes.txt, which is no .blend file"),
        ("a.blend", "b.heic", "b.heic, which is no .blend file"),
        ("a.blend", "a.blend", "leads to itself"),
        ("a.blend", "none/b.blend", "there is no such folder"),
        ("a_preview.png", "notes.txt", "notes.txt, which is no .png file"),
        ("a_preview.png", "none/b.png", "there is no such folder"),
    ],
)
def test_a_link_leads_only_to_where_its_kind_may_be_written(
    photo: Path, link: str, target: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    photo.with_name(link).symlink_to(photo.parent / target)
    for name in ("notes.txt", "b.heic"):
        photo.with_name(name).write_bytes(b"precious")
    assert told in refusal(capsys, photo, "--output", photo.with_name("a.blend"), "--overwrite")


@posix
def test_a_link_to_a_scene_is_a_scene(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link, scene = photo.with_name("a.blend"), photo.with_name("b.blend")
    link.symlink_to(scene)
    parse_arguments([str(photo), "--output", str(link)])
    scene.touch()
    assert "is there already" in refusal(capsys, photo, "--output", link)


@posix
def test_a_pipe_is_refused(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(photo.with_name("a.blend"))
    assert "is a pipe" in refusal(capsys, photo, "--output", photo.with_name("a.blend"), "--overwrite")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")
def test_a_blend_whose_name_is_not_utf8_is_refused(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blend = photo.with_name(os.fsdecode(b"\xff.blend"))
    assert "not written in UTF-8" in refusal(capsys, photo, "--output", blend)
    blend.touch()
    assert r"\xff.blend is not UTF-8: rename" in refusal(capsys, photo, "--blend-cameras", blend)


def test_files_of_a_colmap_model_and_left_out_photos_are_read(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = photo.parent / "sparse"
    model.mkdir()
    output = photo.with_name("a.blend")
    for original in (model / "points3D.bin", photo.with_name("b.heic")):
        original.write_bytes(b"precious")
        os.link(original, output)
        told = refusal(capsys, photo.parent, "--colmap", model, "--output", output, "--overwrite")
        assert f"{original.name}, which is read" in told
        output.unlink()


def test_a_command_can_be_given_again_where_its_scene_lies_beside_the_photos(photo: Path) -> None:
    blend, preview = photo.with_name("a.blend"), photo.with_name("a_preview.png")
    blend.touch()
    preview.write_bytes(mark(photo.read_bytes()))
    options = parse_arguments([str(photo.parent), "--output", str(blend), "--overwrite"])
    assert options.photos == [photo] and options.preview == preview
    assert options.found.left_out == ((preview, "This is a preview that this program made"),)


def test_what_goes_wrong_while_writing_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 249}.blend"
    path.write_bytes(b"older")
    with pytest.raises(OSError, match="full"), output_files.replacing(path) as part:
        part.write_bytes(b"half")
        raise OSError("full")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"older"]
    with output_files.replacing(path) as part:
        part.write_bytes(b"newer")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"newer"]


def test_a_free_name_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "a.blend"
    assert output_files.unclaimed(path) == path
    for name in ("a.blend", "a_2.blend"):
        (tmp_path / name).touch()
    assert output_files.unclaimed(path).name == "a_3.blend"
