"""What of the command line can be seen to be wrong before any work is refused; any name a file may have works."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from da3_blender.headless.arguments import parse_arguments
from model_runtime.contract.messages import BACKENDS, LENSES, REFINE_DEPTH, Request
from tests.da3_blender.headless.conftest import refusal

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")
posix = pytest.mark.skipif(os.name == "nt", reason="scripts start otherwise there")
BAD = os.fsdecode(b"\xff")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("ssh 'gpubox", "The worker's command cannot be read: No closing quotation. Write it as in a terminal"),
        ("", "The worker's command is empty. Write it as in a terminal"),
        ("  ", "The worker's command is empty."),
        ("''", "The worker's command is empty."),
        ("no-such-program worker", "there is no program no-such-program"),
        (f"{BAD} worker", r"there is no program \xff"),
    ],
)
def test_a_worker_that_cannot_be_started_is_refused(
    photo: Path, command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"--worker: {told}" in refusal(capsys, photo, "--worker", command)


def test_a_worker_that_is_there_is_taken(photo: Path) -> None:
    command = f'"{sys.executable}" -m model_runtime worker'
    assert parse_arguments([str(photo), "--worker", command]).worker == command


@posix
@pytest.mark.parametrize(
    ("content", "mode"), [(b"", 0o755), (b"#!/bin/sh\necho 3", 0o755), (b"#!/bin/sh\nexit 1", 0o755), (b"text", 0o644)]
)
def test_a_python_that_is_none_is_refused(
    photo: Path, tmp_path: Path, content: bytes, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_bytes(content)
    python.chmod(mode)
    assert f"--python: {python} is no Python that starts" in refusal(capsys, photo, "--python", python)
    assert "--python: there is no file" in refusal(capsys, photo, "--python", tmp_path)


def test_this_python_is_one(photo: Path) -> None:
    assert parse_arguments([str(photo), "--python", sys.executable]).python == Path(sys.executable)


def test_depth_is_refined_as_requests_say_it(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments([str(photo)]).refine_depth == Request(()).refine_depth
    for word in REFINE_DEPTH:
        assert parse_arguments([str(photo), "--refine-depth", word]).refine_depth == word
    assert "invalid choice: 'maybe'" in refusal(capsys, photo, "--refine-depth", "maybe")


def test_splats_are_improved_where_that_is_asked_for(photo: Path) -> None:
    assert parse_arguments([str(photo)]).improve_splats is Request(()).improve_splats
    assert parse_arguments([str(photo), "--improve-splats"]).improve_splats


def test_lenses_are_as_requests_say_them(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments([str(photo)]).lens == Request(()).lens
    for word in LENSES:
        assert parse_arguments([str(photo), "--lens", word]).lens == word
    assert "invalid choice: 'wide'" in refusal(capsys, photo, "--lens", "wide")


def test_backends_are_as_requests_say_them(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments([str(photo)]).backend == Request(()).backend
    for word in BACKENDS:
        assert parse_arguments([str(photo), "--backend", word]).backend == word
    assert "invalid choice: 'tensorrt'" in refusal(capsys, photo, "--backend", "tensorrt")


def test_files_of_splats_are_asked_for_before_the_work(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.ply").write_bytes(b"mine")
    options = parse_arguments([str(photo), "--splats", "a.ply", "--splats", "b.spz"])
    assert options.splats == [Path("a.ply"), Path("b.spz")]
    assert "does not end in .ply, .spz, .glb, .usda" in refusal(capsys, photo, "--splats", "a.sog")
    assert "is there already: choose another --splats" in refusal(capsys, photo, "--splats", tmp_path / "there.ply")
    assert "choose one" in refusal(capsys, photo, "--splats", "a.ply", "--no-splats")
    assert parse_arguments([str(photo), "--splats", str(tmp_path / "there.ply"), "--overwrite"]).splats


@pytest.mark.parametrize("option", ["--cameras", "--blend-cameras", "--colmap", "--answer", "--python", "--worker"])
@pytest.mark.parametrize("name", ["a" * 5000, "a\nb", BAD])
def test_a_name_of_nothing_is_refused_whatever_it_is(
    photo: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refusal(capsys, photo, option, name)
    assert "there is no" in told or told == "b" or told.startswith("b: ")  # the name's own second line


@linux
@pytest.mark.parametrize("option", ["--checkpoint", "--device"])
def test_words_that_go_into_the_scene_are_text(photo: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rf"{option} \xff is not UTF-8" in refusal(capsys, photo, option, BAD)


@linux
def test_files_to_read_may_have_any_name(photo: Path, tmp_path: Path) -> None:
    for name in (BAD, "-a", "a\nb"):
        cameras, model = tmp_path / f"{name}.json", tmp_path / f"{name}.model"
        cameras.touch()
        model.mkdir()
        assert parse_arguments([str(photo), "--cameras", str(cameras)]).cameras == cameras
        assert parse_arguments([str(photo), "--colmap", str(model)]).colmap == model
        assert parse_arguments([str(photo), "--answer", str(cameras)]).answer == cameras


@linux
def test_photos_and_scenes_may_begin_with_a_dash(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)
    photo.rename("-a.png")
    options = parse_arguments(["--output=-x.blend", "./-a.png"])
    assert options.photos == [Path("-a.png")] and options.output == Path("-x.blend")
    assert parse_arguments(["--", "-a.png"]).photos == [Path("-a.png")]
    assert "error: " in refusal(capsys, "-a.png")


@pytest.mark.parametrize(("name", "called"), [("  ", "own"), ("a\nb", "a\nb"), (BAD, r"\xff")])
def test_a_scene_has_a_name_that_can_be_written(photo: Path, name: str, called: str) -> None:
    assert parse_arguments([str(photo), "--output", "x.blend", "--name", name]).name == called
