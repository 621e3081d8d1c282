"""Results that cannot go where they should: kept elsewhere and named; and photos that change while the job runs."""

from __future__ import annotations

import argparse
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from da3_blender.headless.arguments import parse_arguments
from da3_blender.photos import contents
from model_runtime.contract.messages import JobError, Photo, Prediction
from model_runtime.contract.stored_files import stored

bpy = pytest.importorskip("bpy")

from da3_blender.headless import blend_file, preview, recovery  # noqa: E402
from da3_blender.headless import scene_command as headless  # noqa: E402

Command = Callable[..., argparse.Namespace]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2):
        Image.effect_noise((100, 75), 40 * number).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders in which something may be kept: instead of the system's temporary one, and the home."""
    folders = [tmp_path / "temporary", tmp_path / "home"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(recovery.tempfile, "gettempdir", lambda: str(folders[0]))
    monkeypatch.setattr(recovery.Path, "home", lambda: folders[1])
    return folders


@pytest.fixture
def command(photos: list[Path], tmp_path: Path, fake_worker: list[str]) -> Command:
    """The command's options, with more words for it."""
    words = [*map(str, photos), "-o", str(tmp_path / "made/room.blend"), "--no-preview", "--checkpoint", "room"]
    return lambda *more: parse_arguments([*words, "--worker", shlex.join(fake_worker), *more])


def before_saving(monkeypatch: pytest.MonkeyPatch, what) -> None:
    """Lets `what` happen once the worker has answered."""
    answer_of = headless.answer_of

    def answer(*arguments) -> Prediction:
        prediction = answer_of(*arguments)
        what()
        return prediction

    monkeypatch.setattr(headless, "answer_of", answer)


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_scene_whose_folder_went_away_is_kept_elsewhere_and_named(
    photos: list[Path],
    command: Command,
    tmp_path: Path,
    places: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before_saving(monkeypatch, lambda: shutil.rmtree(tmp_path / "made"))
    assert headless.run(command()) == 1
    told = capsys.readouterr().err
    (place,) = kept(places[0])
    assert place.name == "room.blend"
    assert "output-unwritten: The scene cannot be written to " in told and f"It was saved as {place} instead." in told
    assert "Traceback" not in told
    bpy.ops.wm.open_mainfile(filepath=str(place))
    assert bpy.data.cameras["1"].background_images[0].image.packed_file.size == photos[0].stat().st_size


@pytest.mark.parametrize("full", ["temporary", "both"])
def test_where_the_temporary_folder_is_full_it_goes_home(
    photos: list[Path],
    command: Command,
    tmp_path: Path,
    places: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    full: str,
) -> None:
    """And where nothing takes it, neither whole nor without photos, that is said plainly."""
    write = blend_file._write

    def limited(path: Path) -> None:
        if full == "both" or places[1] not in path.parents:
            raise JobError("output-unwritten", "The scene cannot be written: No space left on device.", "Free some.")
        write(path)

    monkeypatch.setattr(blend_file, "_write", limited)
    monkeypatch.setattr(recovery.pipe, "write_frame", lambda *_: limited(Path("nowhere")))
    before_saving(monkeypatch, lambda: None)
    assert headless.run(command()) == 1
    told = capsys.readouterr().err
    if full == "both":
        assert "No other disk has room for it either, so it is lost." in told
        assert not kept(places[0]) and not kept(places[1]) and not list(places[0].iterdir())
    else:
        assert f"It was saved as {kept(places[1])[0]} instead." in told


def test_where_only_a_scene_without_its_photos_fits_they_are_linked(
    photos: list[Path], command: Command, tmp_path: Path, places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = blend_file._write

    def small(path: Path) -> None:
        if any(image.packed_file for image in bpy.data.images) or places[0] not in path.parents:
            raise JobError("output-unwritten", "No space.", "")
        write(path)

    monkeypatch.setattr(blend_file, "_write", small)
    before_saving(monkeypatch, lambda: None)
    assert headless.run(command()) == 1
    (place,) = kept(places[0])
    bpy.ops.wm.open_mainfile(filepath=str(place))
    image = bpy.data.cameras["1"].background_images[0].image
    assert Path(image.filepath) == photos[0].resolve() and tuple(image.size) == (100, 75)


@pytest.mark.parametrize("fault", [TypeError("of the program"), MemoryError(), OSError(28, "No space left")])
def test_what_was_computed_outlives_a_fault_of_the_program(
    command: Command,
    tmp_path: Path,
    places: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
) -> None:
    """A sentence, the log in a file where it is a fault, and the same scene from what was kept."""

    def breaks(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        before_saving(patch, lambda: None)
        patch.setattr(headless, "plan_scene", breaks)
        assert headless.run(command()) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    (answer,) = (path for path in kept(places[0]) if path.suffix == recovery.ANSWER_SUFFIX)
    assert f"What was computed is kept in {answer}." in told
    logs = [path for path in kept(places[0]) if path.name == "fault.txt"]
    assert len(logs) == (0 if isinstance(fault, MemoryError) else 1)
    assert all(str(log) in told and "Traceback" in log.read_text() for log in logs)

    assert headless.run(command("--answer", str(answer))) == 0
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made/room.blend"))
    assert len(bpy.data.cameras) == 2


@pytest.mark.parametrize("content", [b"", b"no frame", b"other photos"])
def test_something_else_than_an_answer_gets_a_sentence(
    photos: list[Path],
    command: Command,
    tmp_path: Path,
    places: list[Path],  # so that nothing stays in the real ones
    room: SimpleNamespace,
    content: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "room.da3"
    path.write_bytes(content)
    if content == b"other photos":
        shutil.copy(recovery.keep_answer(room.prediction(), "room") or "", path)
    assert headless.run(command("--answer", str(path))) == 1
    told = capsys.readouterr().err
    assert "answer-unreadable: " in told and "room.da3" in told and "Traceback" not in told


def test_a_failing_preview_leaves_the_scene_and_status_1(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("Error: no render engine")

    monkeypatch.setattr(preview, "_draw", fails)
    options = command()
    options.preview = tmp_path / "made/room_preview.png"
    assert headless.run(options) == 1
    said = capsys.readouterr()
    assert "scene: " in said.out and (tmp_path / "made/room.blend").is_file()
    assert "preview-unwritten: " in said.err and "no render engine" in said.err and "The scene is finished" in said.err
    assert not options.preview.exists()


@pytest.mark.parametrize("how", ["pack", "link"])
@pytest.mark.parametrize("becomes", ["gone", "another", "a folder"])
def test_a_photo_that_changes_while_the_job_runs_is_kept_as_it_was(
    photos: list[Path],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
    becomes: str,
) -> None:
    before = [photo.read_bytes() for photo in photos]

    def change() -> None:
        photos[0].unlink()
        if becomes == "another":
            Image.new("RGB", (8, 8)).save(photos[0])
        elif becomes == "a folder":
            photos[0].mkdir()

    before_saving(monkeypatch, change)
    assert headless.run(command("--photo-files", how)) == 0
    said = capsys.readouterr().out
    assert f"note: {photos[0]} is gone or changed since the job began" in said and str(photos[1]) not in said
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made/room.blend"))
    images = [bpy.data.cameras[photo.stem].background_images[0].image for photo in photos]
    assert images[0].packed_file.data == before[0]
    assert (images[1].packed_file.data == before[1]) if how == "pack" else images[1].packed_file is None
    assert all(tuple(image.size) == (100, 75) and len(image.pixels) for image in images)


@pytest.mark.parametrize("becomes", ["the same", "gone", "another"])
def test_photos_too_large_for_memory_are_named_and_linked(
    photos: list[Path],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    becomes: str,
) -> None:
    monkeypatch.setattr(contents, "IN_MEMORY", sum(photo.stat().st_size for photo in photos) - 1)
    monkeypatch.setattr(blend_file, "PACK_LIMIT", contents.IN_MEMORY)
    request = headless.make_request(command())
    assert [photo.data for photo in request.photos] == [b"", b""]
    assert [photo.file for photo in request.photos] == [stored(photo) for photo in photos]
    assert all(photo.data for photo in headless.make_request(command("--photo-files", "pack")).photos)

    def change() -> None:
        if becomes != "the same":
            photos[0].unlink()
        if becomes == "another":
            Image.new("RGB", (8, 8)).save(photos[0])

    before_saving(monkeypatch, change)
    assert headless.run(command()) == 0
    said = capsys.readouterr().out
    note = f"note: {photos[0]} is gone or changed since the job began; the scene does not have it as it was then."
    assert (note in said) == (becomes != "the same") and str(photos[1]) not in said
    assert "photos: linked relative to the .blend (0.0 MB)" in said
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made/room.blend"))
    images = [camera.background_images[0].image for camera in bpy.data.cameras if camera.background_images]
    assert images and all(image.packed_file is None for image in images)


def test_a_failed_save_leaves_images_as_they_were(photos: list[Path], tmp_path: Path) -> None:
    blend_file.empty_scene()
    image = bpy.data.images.load(str(photos[0]))
    with pytest.raises(JobError):
        blend_file.save(tmp_path / "nowhere/a.blend", {photos[0]: Photo("a", photos[0].read_bytes())})
    assert image.packed_file is None and tuple(image.size) == (100, 75)


def test_a_link_leads_the_scene_to_its_place(photos: list[Path], tmp_path: Path) -> None:
    blend_file.empty_scene()
    link, target = tmp_path / "a.blend", tmp_path / "elsewhere/b.blend"
    target.parent.mkdir()
    target.write_bytes(b"older")
    link.symlink_to(target)
    blend_file.save(link, {})
    assert link.is_symlink() and target.read_bytes() != b"older"
    assert [path.name for path in target.parent.iterdir()] == ["b.blend"]
