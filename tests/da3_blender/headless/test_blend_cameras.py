"""Known cameras from a command line: those of a .blend, and a COLMAP folder."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from da3_blender.headless.arguments import parse_arguments
from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.lens import BROWN, Lens, straight_camera
from model_runtime.contract.messages import JobError

bpy = pytest.importorskip("bpy")

from da3_blender.headless import blend_cameras  # noqa: E402
from da3_blender.headless import scene_command as headless  # noqa: E402
from da3_blender.scene import find, write_scene  # noqa: E402


def save_photo(path: Path) -> None:
    image = bpy.data.images.new("photo", 100, 75)
    image.save(filepath=str(path))
    bpy.data.images.remove(image)


@pytest.fixture
def folder(empty_scene, tmp_path: Path) -> Path:
    """Two photos, and a .blend with a camera for each: one shows its photo, the other is called like it."""
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(("a.png", "b.png")):
        path = tmp_path / "photos" / name
        save_photo(path)
        camera = bpy.data.objects.new(("first", "B")[number], bpy.data.cameras.new("lens"))
        empty_scene.collection.objects.link(camera)
        camera.location, camera.rotation_euler = (3.0 + number, -7.0, 1.7), (1.3, 0.0, 0.1 * number)
        if number == 0:
            camera.data.background_images.new().image = bpy.data.images.load(str(path))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "cameras.blend"))
    return tmp_path


def cameras_of_file() -> dict[str, np.ndarray]:
    return {item.name: np.array(item.matrix_world) for item in bpy.context.scene.objects if item.type == "CAMERA"}


def test_the_scene_stands_at_the_cameras_of_the_blend(folder: Path, fake_worker: list[str]) -> None:
    true = cameras_of_file()
    output = folder / "made.blend"
    words = [folder / "photos", "--blend-cameras", folder / "cameras.blend", "-o", output, "--no-preview"]
    words += ["--checkpoint", "room", "--worker", shlex.join(fake_worker)]
    assert headless.run(parse_arguments([str(word) for word in words])) == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    (made,) = find.results(bpy.context.scene)
    cameras = {item["da3_view"]: np.array(item.matrix_world) for item in find.objects_of(made, "camera")}
    np.testing.assert_allclose(cameras["a.png"], true["first"], atol=1e-6)
    np.testing.assert_allclose(cameras["b.png"], true["B"], atol=1e-6)
    assert made["da3_camera_source"] == "given"


def test_lenses_of_the_blends_cameras_come_along(folder: Path, room) -> None:
    """Straightened photos of a scene made before: their cameras are known with what they were taken with."""
    pixels = np.array([[90.0, 0, 50], [0, 90, 37.5], [0, 0, 1]])
    lens = Lens(BROWN, (100, 75), pixels, np.array([-0.1, 0.02]))
    straight = straight_camera(lens)
    focal, principal = straight.intrinsics[[0, 1], [0, 1]], straight.intrinsics[:2, 2]
    view = room.view(name="c.png", photo_size=straight.size, focal=tuple(focal), principal=tuple(principal))
    write_scene(plan_scene(room.prediction(replace(view, lens=lens)), "room"), bpy.context.scene)
    save_photo(folder / "photos/c.png")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "bent.blend"))
    photos = [folder / "photos/a.png", folder / "photos/c.png"]
    known = blend_cameras.read_blend_cameras(folder / "bent.blend", photos)
    assert known.lenses[0] is None and known.lenses[1] is not None
    np.testing.assert_array_equal(known.intrinsics[1], pixels)
    np.testing.assert_allclose(known.lenses[1].coefficients[:2], [-0.1, 0.02])
    assert known.lenses[1].size == (100, 75)


def test_a_blend_without_the_cameras_gets_a_sentence(folder: Path) -> None:
    other = folder / "photos/c.png"
    save_photo(other)
    with pytest.raises(JobError, match=r"No camera is known for c\.png"):
        blend_cameras.read_blend_cameras(folder / "cameras.blend", [folder / "photos/a.png", other])
    (folder / "broken.blend").write_bytes(b"no blend")
    with pytest.raises(JobError, match=r"broken\.blend cannot be opened"):
        blend_cameras.read_blend_cameras(folder / "broken.blend", [other])


def pretend(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Lets the process that opens the .blend do something else."""
    code = code.replace("{", "{{").replace("}", "}}")
    monkeypatch.setattr(blend_cameras, "READ", f"folder = {{folder!r}}\n{code}\n# {{folders}} {{package}} {{path}}")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "Blender ends while it opens the file"),
        ("open(folder + '/cameras.json', 'w').write('[')", "Blender ends while it opens the file"),
        ("open(folder + '/cameras.json', 'w').write('[1, 2]')", "its cameras are no numbers"),
        ("import time; time.sleep(60)", "not done with it after 0 seconds"),
    ],
    ids=["crashes", "half an answer", "another answer", "never ends"],
)
def test_a_blend_that_takes_blender_down_gets_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    pretend(monkeypatch, code)
    with pytest.raises(JobError, match=rf"cameras\.blend cannot be read: .*{told}") as error:
        seconds = 0.2 if "sleep" in code else 60
        blend_cameras.read_blend_cameras(folder / "cameras.blend", [folder / "photos/a.png"], seconds)
    assert error.value.failure.code == "cameras-unreadable" and error.value.failure.advice


def test_numbers_from_the_other_process_are_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intrinsics = [[[float("nan"), 0, 1], [0, 5, 1], [0, 0, 1]]]
    answer = json.dumps({"extrinsics": [np.eye(4).tolist()], "intrinsics": intrinsics, "lenses": []})
    pretend(monkeypatch, f"open(folder + '/cameras.json', 'w').write({answer!r})")
    with pytest.raises(JobError, match=r"camera of a\.png holds numbers that are too large or not finite"):
        blend_cameras.read_blend_cameras(folder / "cameras.blend", [folder / "photos/a.png"])


def test_the_other_blender_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = folder / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    photos = [folder / "photos/a.png", folder / "photos/b.png"]
    blend_cameras.read_blend_cameras(folder / "cameras.blend", photos)
    assert list(temporary.iterdir()) == []


def test_scripts_of_the_blend_do_not_run(folder: Path) -> None:
    """Neither a registered text nor an expression of a driver."""
    trace = folder / "trace"
    text = bpy.data.texts.new("register.py")
    text.use_module = True
    text.write(f"open({str(trace)!r}, 'w')")
    driver = bpy.context.scene.objects["first"].driver_add("location", 0).driver
    driver.expression = f"len(repr(open({str(trace)!r}, 'w')))"
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "cameras.blend"))
    trace.unlink(missing_ok=True)
    photos = [folder / "photos/a.png", folder / "photos/b.png"]
    assert blend_cameras.read_blend_cameras(folder / "cameras.blend", photos).extrinsics.shape == (2, 4, 4)
    assert not trace.exists()


def test_a_colmap_folder_goes_into_the_request(folder: Path) -> None:
    model = folder / "sparse/0"
    model.mkdir(parents=True)
    for name in ("cameras.bin", "images.bin"):
        (model / name).write_bytes(name.encode())
    request = headless.make_request(parse_arguments([str(folder / "photos"), "--colmap", str(folder)]))
    assert request.colmap is not None and request.cameras is None
    assert [(file.name, file.data) for file in request.colmap.files] == [
        ("cameras.bin", b"cameras.bin"),
        ("images.bin", b"images.bin"),
    ]


def test_arguments_that_cannot_be_used_get_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str | Path) -> str:
        with pytest.raises(SystemExit):
            parse_arguments([str(folder / "photos"), *map(str, words)])
        return capsys.readouterr().err

    assert "--colmap: there is no folder" in refused("--colmap", folder / "nowhere")
    assert "--blend-cameras: there is no file" in refused("--blend-cameras", folder / "nowhere.blend")
    assert "--rays and --colmap: choose one source of cameras" in refused("--rays", "--colmap", folder)
