"""Photos in, .blend out, with a real worker and with workers that do one thing only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from da3_blender.headless.arguments import parse_arguments
from da3_blender.headless.output_files import preview_of
from da3_blender.photos.own_pictures import is_marked
from model_runtime.contract.messages import Failure, JobError, LeftOut, Photo, Progress
from model_runtime.contract.splat_files.axes import to_z_up
from model_runtime.contract.splat_files.files import read_splats

bpy = pytest.importorskip("bpy")

from da3_blender.headless import blend_file, preview  # noqa: E402
from da3_blender.headless import scene_command as headless  # noqa: E402
from da3_blender.plan.scene_plan import PlanSettings, plan_scene  # noqa: E402
from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.meshes import read_values  # noqa: E402

ROOT = Path(__file__).parents[3]
LIVING_ROOM = ROOT / "examples/living_room"
WORKER_PYTHON = os.environ.get("DA3_WORKER_PYTHON", sys.executable)

WORKER = """
import sys
from model_runtime.contract import pipe
from model_runtime.contract.messages import PROTOCOL_VERSION, Failure, Hello, Progress

source, sink = sys.stdin.buffer, sys.stdout.buffer
pipe.write_frame(sink, "", Hello(PROTOCOL_VERSION, "1", "3", "none", "cpu", "cpu", 1, ()))
job, request = pipe.read_frame(source)
pipe.write_frame(sink, job, Progress("network", 0.5, "Half way."))
{rest}
"""
FAILS = 'pipe.write_frame(sink, job, Failure("out-of-memory", "Too little memory.", "Lower the resolution."))'
DIES = 'print("something broke", file=sys.stderr, flush=True); sys.exit(3)'

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two small photos of the living room, in a folder of their own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2):
        image = Image.open(LIVING_ROOM / f"living_room_{number}.jpg").resize((160, 120), Image.Resampling.BOX)
        image.save(folder / f"room_{number}.png")
    return sorted(folder.iterdir())


def contents(photos: list[Path]) -> dict[Path, Photo]:
    return {photo: Photo(photo.name, photo.read_bytes()) for photo in photos}


def scripted(tmp_path: Path, rest: str) -> str:
    """The command of a worker that says hello, takes a job, tells progress, and goes on with `rest`."""
    script = tmp_path / "scripted_worker.py"
    script.write_text(WORKER.format(rest=rest))
    return f'"{sys.executable}" "{script}"'


def run_headless(*arguments: str | Path, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "da3_blender.headless", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        timeout=600,
    )


# The whole way


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A scene of two photos by the bundled checkpoint, made by one run of the command for all tests here."""
    folder = tmp_path_factory.mktemp("finished")
    photo_folder = folder / "photos"
    photo_folder.mkdir()
    for number in (1, 2):
        image = Image.open(LIVING_ROOM / f"living_room_{number}.jpg").resize((160, 120), Image.Resampling.BOX)
        image.save(photo_folder / f"room_{number}.png")
    output = folder / "made/room.blend"
    splats = [part for name in ("room.ply", "room.spz") for part in ("--splats", folder / "made" / name)]
    options = ("-o", output, "--resolution", 112, "--python", WORKER_PYTHON, "--name", "room", *splats)
    run = run_headless(photo_folder, *options)
    assert run.returncode == 0, run.stderr
    yield SimpleNamespace(output=output, photos=sorted(photo_folder.iterdir()), run=run)


def test_the_scene_holds_cameras_points_and_splats(finished: SimpleNamespace) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(finished.output))
    top = bpy.data.collections["DA3 room"]
    assert {child.name for child in top.children} == {"Cameras", "Points", "Splats"}
    cameras = sorted(item.name for item in top.children["Cameras"].objects)
    assert cameras == ["room_1", "room_2"]
    scene = bpy.context.scene
    assert scene.camera.name == "room_1"
    assert (scene.render.resolution_x, scene.render.resolution_y) == (160, 120)
    points = top.children["Points"].objects[0].data
    assert 0.3 * 2 * 112 * 84 < len(points.vertices) <= 2 * 112 * 84
    assert len(top.children["Splats"].objects[0].data.attributes["position"].data) > 0
    assert top["da3_checkpoint"] == "da3-tiny"


def test_the_splats_are_in_their_files_as_in_the_scene(finished: SimpleNamespace) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(finished.output))
    item = bpy.data.collections["DA3 room"].children["Splats"].objects[0]
    assert item.hide_viewport
    repeated = read_values(item.data.attributes["repeated"], "value", 1, bool).ravel()
    places = read_values(item.data.attributes["position"], "vector", 3)[~repeated]
    for name in ("room.ply", "room.spz"):
        path = finished.output.with_name(name)
        found = read_splats(path)
        splats = to_z_up(found.splats, found.axes)
        np.testing.assert_allclose(splats.means, places, atol=1e-4)
        assert f"splats: {path} ({len(places):,})" in finished.run.stdout


def test_the_command_tells_what_it_made(finished: SimpleNamespace) -> None:
    said = finished.run.stdout
    bpy.ops.wm.open_mainfile(filepath=str(finished.output))
    count = len(bpy.data.collections["DA3 room"].children["Points"].objects[0].data.vertices)
    for part in (
        "made 2 cameras",
        f"{count:,} points",
        "licence",
        "room_2.png",
        str(finished.output),
        "preview",
        "[  0%] photos",
    ):
        assert part in said, part


def test_a_moved_blend_keeps_its_photos(finished: SimpleNamespace, tmp_path: Path) -> None:
    moved = shutil.copy(finished.output, tmp_path / "elsewhere.blend")
    bpy.ops.wm.open_mainfile(filepath=str(moved))
    for number in (1, 2):
        background = bpy.data.cameras[f"room_{number}"].background_images[0]
        image = background.image
        assert image.packed_file is not None
        assert tuple(image.size) == (160, 120)
        shown = np.array(image.pixels[:]).reshape(120, 160, 4)[::-1, :, :3]
        truth = np.asarray(Image.open(finished.photos[number - 1]).convert("RGB")) / 255
        assert np.abs(shown - truth).max() < 1e-3


def test_the_preview_shows_the_photo_and_points_that_agree_with_it(finished: SimpleNamespace) -> None:
    assert not finished.output.with_suffix(".png").exists()
    sheet = np.asarray(Image.open(preview_of(finished.output)).convert("RGB"), float) / 255
    assert is_marked(preview_of(finished.output))
    height = preview.PANEL_HEIGHT
    width = round(height * 160 / 120)
    assert sheet.shape == (height, 3 * width + 2 * preview.GAP, 3)
    photo = sheet[:, :width]
    truth = Image.open(finished.photos[0]).convert("RGB").resize((width, height))
    assert np.abs(photo - np.asarray(truth, float) / 255).mean() < 0.03
    points = sheet[:, width + preview.GAP :][:, :width]
    middle = np.s_[40:-40, 40:-40]
    # Points of the first photo lie on the rays of its pixels whatever their depth, so colours must agree.
    assert np.corrcoef(photo[middle].ravel(), points[middle].ravel())[0, 1] > 0.7


def test_what_was_saved_there_meanwhile_stays(photos: list[Path], tmp_path: Path) -> None:
    """The job takes minutes; an artist who saves under that name then loses nothing, and neither is the result."""
    output = photos[0].with_suffix(".blend")
    asked = parse_arguments([str(photos[0]), "-o", str(output)])
    output.write_bytes(b"hours of work")
    preview_of(output).write_bytes(b"a picture of somebody's")
    before = [file.read_bytes() for file in photos]
    asked.python, asked.resolution = Path(WORKER_PYTHON), 56
    headless.make_scene(asked)
    assert output.read_bytes() == b"hours of work" and preview_of(output).read_bytes() == b"a picture of somebody's"
    made = {file.name for file in output.parent.iterdir()} - {file.name for file in (output, *photos)}
    assert made == {"room_1_preview.png", "room_1_2.blend", "room_1_preview_2.png"}
    assert [file.read_bytes() for file in photos] == before
    bpy.ops.wm.open_mainfile(filepath=str(output.with_name("room_1_2.blend")))
    assert "DA3 photos" in bpy.data.collections


@linux
def test_names_that_the_terminal_cannot_show_end_nothing(photos: list[Path], tmp_path: Path) -> None:
    photos[0].rename(photos[0].with_name("K\N{LATIN SMALL LETTER U WITH DIAERESIS}che \N{SNOWMAN}.png"))
    photos[1].with_name(os.fsdecode(b"bad\xff.png")).write_bytes(photos[1].read_bytes())
    output = tmp_path / "\N{SNOWMAN}.blend"
    for encoding in ("ascii", "utf-8:strict"):
        run = run_headless(
            photos[0].parent, "-o", output, "--no-preview", "--worker", scripted(tmp_path, FAILS), encoding=encoding
        )
        assert run.returncode == 1 and "Traceback" not in run.stderr
        assert "bad\\xff.png is left out: The name of the file" in run.stdout
        assert "out-of-memory" in run.stderr


# Where writing fails


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """Lets no file grow beyond `size` bytes, as a full disk does; this test's report may go to a file, too."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("missing", [1000, 20_000, 0.5, 0.999])
def test_a_scene_that_the_disk_cannot_hold_leaves_the_one_before(
    photos: list[Path], room: SimpleNamespace, tmp_path: Path, missing: float
) -> None:
    write_scene(plan_scene(room.prediction(), "room"), blend_file.empty_scene())
    output = tmp_path / "made/room.blend"
    output.parent.mkdir()
    blend_file.save(output, contents(photos))
    size = output.stat().st_size
    output.write_bytes(b"older")
    room_left = size - round(missing if missing >= 1 else missing * size)
    told = r"The scene cannot be written to .*room\.blend: "
    with small_disk(room_left), pytest.raises(JobError, match=told) as error:
        blend_file.save(output, contents(photos))
    assert error.value.failure.code == "output-unwritten"
    assert [file.read_bytes() for file in output.parent.iterdir()] == [b"older"]


@pytest.mark.parametrize("kept", [0, 10, 1000, -1000, -30, -1])
def test_a_cut_file_is_not_whole(photos: list[Path], tmp_path: Path, kept: int) -> None:
    blend_file.empty_scene()
    blend_file.save(tmp_path / "a.blend", contents(photos))
    whole = (tmp_path / "a.blend").read_bytes()
    (tmp_path / "cut.blend").write_bytes(whole[:kept])
    with pytest.raises(OSError, match="cut short"):
        blend_file._check_whole(tmp_path / "cut.blend")


@pytest.mark.parametrize("size", [1000, 20_000, 150_000])
def test_a_preview_that_the_disk_cannot_hold_is_told_and_leaves_nothing(
    room: SimpleNamespace, tmp_path: Path, size: int
) -> None:
    objects = write_scene(plan_scene(room.prediction(), "room"), blend_file.empty_scene())
    with small_disk(size), pytest.raises(JobError, match=r"The preview cannot be written to .*room_preview\.png: "):
        preview.write_preview(objects, tmp_path / "room_preview.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["part.blend", "part.blend@", "part.blend1", "blend@", "blend1"])
def test_files_beside_the_scene_stay(photos: list[Path], tmp_path: Path, ending: str) -> None:
    blend_file.empty_scene()
    beside = tmp_path / f"room.{ending}"
    beside.write_bytes(b"precious")
    blend_file.save(tmp_path / "room.blend", contents(photos))
    assert beside.read_bytes() == b"precious"
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {beside.name, "room.blend"}


# Keeping photos


def test_linked_photos_are_found_when_blend_and_photos_move_together(
    photos: list[Path], room: SimpleNamespace, tmp_path: Path
) -> None:
    views = [room.view(photo_size=(160, 120), focal=(130.0, 130.0), name=photo.name) for photo in photos]
    write_scene(plan_scene(room.prediction(*views), "room", photos), blend_file.empty_scene())
    (tmp_path / "made").mkdir()
    told = blend_file.save(tmp_path / "made/room.blend", contents(photos), "link")
    assert "linked" in told
    for photo in photos:  # the open file, too, for the preview
        assert bpy.data.cameras[photo.stem].background_images[0].image.size[0] == 160
    new_home = tmp_path / "moved"
    new_home.mkdir()
    shutil.move(tmp_path / "photos", new_home / "photos")
    shutil.move(tmp_path / "made", new_home / "made")
    bpy.ops.wm.open_mainfile(filepath=str(new_home / "made/room.blend"))
    for photo in photos:
        image = bpy.data.cameras[photo.stem].background_images[0].image
        assert image.packed_file is None
        assert tuple(image.size) == (160, 120)
        assert len(image.pixels) == 160 * 120 * 4


def test_many_megabytes_of_photos_are_linked_and_few_are_packed(
    photos: list[Path], room: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_scene(room.prediction(room.view(name=photos[0].name)), "room", photos[:1])
    write_scene(plan, blend_file.empty_scene())
    monkeypatch.setattr(blend_file, "PACK_LIMIT", photos[0].stat().st_size - 1)
    assert "linked" in blend_file.save(tmp_path / "a.blend", contents(photos[:1]))
    monkeypatch.setattr(blend_file, "PACK_LIMIT", photos[0].stat().st_size)
    assert "packed" in blend_file.save(tmp_path / "b.blend", contents(photos[:1]))


def test_the_new_viewpoint_goes_around_what_the_first_camera_sees(room: SimpleNamespace) -> None:
    scene = blend_file.empty_scene()
    objects = write_scene(plan_scene(room.prediction(), "room", settings=PlanSettings(edge_angle=0)), scene)
    first = objects.cameras[0]
    bpy.context.view_layer.update()
    camera = preview.new_viewpoint(first, objects.points)
    bpy.context.view_layer.update()
    depth = float(np.median(room.view().depth))
    old, new = np.array(first.matrix_world), np.array(camera.matrix_world)
    pivot = old[:3, 3] - depth * old[:3, 2]
    assert np.linalg.norm(new[:3, 3] - pivot) == pytest.approx(depth, rel=1e-3)
    toward = (pivot - new[:3, 3]) / depth
    assert toward @ -new[:3, 2] == pytest.approx(1, abs=1e-4)
    assert new[2, 3] > old[2, 3] + 0.1
    sideways, up = np.radians(preview.NEW_VIEW)
    assert new[:3, 2] @ old[:3, 2] == pytest.approx(np.cos(sideways) * np.cos(up), abs=1e-4)


# Jobs that go wrong


@pytest.mark.parametrize(
    ("rest", "sentences"),
    [
        (FAILS, ("out-of-memory: Too little memory.", "Lower the resolution.")),
        (DIES, ("worker-died", "something broke")),
    ],
)
def test_a_failed_job_is_told_and_writes_nothing(
    photos: list[Path], tmp_path: Path, rest: str, sentences: tuple[str, ...]
) -> None:
    output = tmp_path / "made.blend"
    run = run_headless(*photos, "-o", output, "--worker", scripted(tmp_path, rest))
    assert run.returncode == 1
    assert "[ 50%] network: Half way." in run.stdout
    for sentence in sentences:
        assert sentence in run.stderr
    assert "Traceback" not in run.stderr
    assert not output.exists()


# Arguments, photos, cameras


def test_names_come_from_the_folder(photos: list[Path], tmp_path: Path) -> None:
    options = parse_arguments([str(tmp_path / "photos")])
    assert options.name == "photos"
    assert options.output == Path("photos.blend")


def test_requests_say_how_depth_is_refined(photos: list[Path], tmp_path: Path) -> None:
    options = parse_arguments([str(tmp_path / "photos"), "--refine-depth", "off"])
    assert headless.make_request(options).refine_depth == "off"


def test_what_is_left_out_is_told(photos: list[Path], tmp_path: Path, room: SimpleNamespace) -> None:
    """By the command line before the job, by the worker after it; and all of it in the scene's notes."""
    (tmp_path / "photos/IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    (tmp_path / "photos/notes.txt").touch()
    options = parse_arguments([str(tmp_path / "photos")])
    assert options.photos == photos
    lost = LeftOut(photos[0].name, Failure("photo-unreadable", "room_1.png cannot be decoded.", "Copy it again."))
    answer = replace(room.prediction(room.view(name=photos[1].name)), left_out=(lost,))
    made = headless.build_scene(answer, options)
    (camera,) = made.cameras
    assert camera.data.background_images[0].image.filepath.endswith("room_2.png")
    assert made.collection["da3_notes"].splitlines() == [
        "IMG_1.HEIC is left out: The file is damaged; copy it again.",
        "Left out, since they are no photos: notes.txt.",
        "room_1.png cannot be decoded. It is left out. Copy it again.",
        "Nothing tells how large this is: its longest side was made 5 units. Set Distance changes it.",
    ]


def test_progress_is_told_once_per_stage_and_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    tell = headless.ProgressLines()
    for percent in range(101):
        tell(Progress("photos" if percent < 10 else "network", percent / 100, "Working."))
    lines = capsys.readouterr().out.splitlines()
    assert 10 <= len(lines) <= 13
    assert lines[0] == "[  0%] photos: Working."
    assert lines[-1] == "[100%] network: Working."


def test_views_keep_their_network_and_licence_in_the_report(room: SimpleNamespace) -> None:
    prediction = replace(room.prediction(), metric=True)
    objects = write_scene(plan_scene(prediction, "room"), blend_file.empty_scene())
    text = "\n".join(headless.report(prediction, objects))
    assert "licence Apache-2.0, commercial use allowed" in text
    assert "no splats; the scene is in metres" in text
    assert "640x480" in text
