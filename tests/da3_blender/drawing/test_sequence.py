"""Pictures as files: what is in them, which frames, what is never overwritten, and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.conventions import srgb_to_linear

bpy = pytest.importorskip("bpy")

import da3_blender  # noqa: E402
from da3_blender.drawing import canvas  # noqa: E402
from da3_blender.drawing.exact import start_gpu  # noqa: E402
from da3_blender.drawing.png import png_of  # noqa: E402
from da3_blender.drawing.sequence import PictureSettings, Sequence, write_picture  # noqa: E402
from da3_blender.headless.picture_command import run  # noqa: E402
from da3_blender.headless.splat_pictures import parse_arguments  # noqa: E402
from da3_blender.scene.meshes import set_input  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402
from tests.da3_blender.drawing.test_pictures import LOOKING, made, sphere  # noqa: E402
from tests.da3_blender.scene.splats.renders import stand_camera, stand_splats  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def addon() -> Iterator[None]:
    bpy.ops.wm.read_homefile(use_empty=True)
    start_gpu()
    da3_blender.register()
    yield
    da3_blender.unregister()
    canvas.forget()


@pytest.fixture
def scene() -> bpy.types.Scene:
    """One splat that moves to the right, a unit a frame, before a camera; frames 1 to 3."""
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    item = stand_splats(sphere(3.0, 0.1, 0.8, (0.9, 0.5, 0.2)), scene)
    stand_camera(LOOKING, scene)
    for frame in (1, 3):
        item.location.x = (frame - 2) * 1.0
        item.keyframe_insert("location", frame=frame)
    for curve in _curves(item):
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
    scene.frame_start, scene.frame_end = 1, 3
    scene.frame_set(2)
    return scene


def _curves(item):
    action = item.animation_data.action
    return action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves


def brightest(file: Path) -> int:
    """The column where the splat is."""
    return int(np.asarray(Image.open(file))[..., 3].max(0).argmax())


def test_a_png_has_the_very_colours_and_alpha(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 4), np.uint8)
    (tmp_path / "a.png").write_bytes(png_of(pixels))
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_colours_lie_transparent_or_over_a_background_and_linear_in_exr(tmp_path: Path) -> None:
    premultiplied = np.array([[[0.4, 0.2, 0.0, 0.5], [0, 0, 0, 0]]], np.float32)
    write_picture(premultiplied, tmp_path / "t.png", PictureSettings())
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "t.png")), [[[204, 102, 0, 128], [0, 0, 0, 0]]])
    write_picture(premultiplied, tmp_path / "b.png", PictureSettings(background=(0, 1, 0.5)))
    expected = [[[102, 179, 64, 255], [0, 255, 128, 255]]]
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.png")), expected)
    write_picture(premultiplied, tmp_path / "t.exr", PictureSettings("exr"))
    image = bpy.data.images.load(str(tmp_path / "t.exr"))
    linear = [[*(srgb_to_linear(np.array([0.8, 0.4, 0.0])) * 0.5), 0.5], [0, 0, 0, 0]]
    np.testing.assert_allclose(np.reshape(image.pixels[:], (2, 4)), linear, atol=1e-6)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["b.png", "t.exr", "t.png"]


def test_the_operator_draws_every_frame_and_goes_back(scene, tmp_path: Path) -> None:
    assert bpy.ops.da3.splat_pictures(directory=str(tmp_path), frames="all") == {"FINISHED"}
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [f"splats_000{frame}.png" for frame in (1, 2, 3)]
    assert [abs(brightest(file) - x) <= 1 for file, x in zip(files, (18, 48, 78), strict=True)] == [True] * 3
    assert scene.frame_current == 2


def test_geometry_that_changes_from_frame_to_frame_is_read_again(scene, tmp_path: Path) -> None:
    """The filter, which leaves every splat out, works in the second frame alone."""
    whole = stand_splats(made(50, 0), scene)
    stand_splats(sphere(4.0, 0.1, 0.8, (1, 1, 1)), scene)
    for frame, works in ((1, False), (2, True), (3, False)):
        set_input(whole.modifiers[0], "Shown", 0.0)
        whole.modifiers[0].show_viewport = works
        whole.modifiers[0].keyframe_insert("show_viewport", frame=frame)
    scene.objects[0].animation_data_clear()
    sequence = Sequence(scene, [1, 2, 3], tmp_path, PictureSettings())
    while sequence.step(bpy.context.view_layer):
        pass
    covered = [np.asarray(Image.open(file))[..., 3].mean() for file in sorted(tmp_path.iterdir())]
    assert covered[0] == covered[2] > 3 * covered[1] > 0


def test_files_that_are_there_stay(scene, tmp_path: Path) -> None:
    there = tmp_path / "splats_0003.png"
    there.write_text("mine")
    with pytest.raises(RuntimeError, match="is there already"):
        bpy.ops.da3.splat_pictures(directory=str(tmp_path), frames="all")
    assert there.read_text() == "mine" and len(list(tmp_path.iterdir())) == 1
    bpy.ops.da3.splat_pictures(directory=str(tmp_path), frames="all", overwrite=True)
    assert there.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_said(scene, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="cannot be written"):
        Sequence(scene, [1], tmp_path / "file" / "x", PictureSettings()).step(bpy.context.view_layer)
    scene.render.resolution_x = 60000
    with pytest.raises(JobError, match="more than this GPU can draw"):
        Sequence(scene, [1], tmp_path, PictureSettings()).step(bpy.context.view_layer)
    for item in [item for item in scene.objects if item.type != "CAMERA"]:
        item.hide_render = True
    with pytest.raises(JobError, match="No splats are shown"):
        Sequence(scene, [1], tmp_path, PictureSettings()).step(bpy.context.view_layer)
    scene.camera = None
    with pytest.raises(JobError, match="no camera"):
        Sequence(scene, [1], tmp_path, PictureSettings())


def test_the_command_line_draws_a_turntable_of_a_file(scene, tmp_path: Path, capsys) -> None:
    file, folder = tmp_path / "scene.blend", tmp_path / "turn"
    stand_splats(made(50, 0), scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    before = file.read_bytes()
    words = [str(file), str(folder), "--turntable", "4", "--resolution", "40x30", "--background", "102030"]
    assert run(parse_arguments(words)) == 0
    pictures = [np.asarray(Image.open(folder / f"splats_{number:04d}.png")) for number in (1, 2, 3, 4)]
    assert all(picture.shape == (30, 40, 4) and (picture[..., 3] == 255).all() for picture in pictures)
    assert (pictures[0] != pictures[2]).any() and (pictures[0][0, 0] != [0, 0, 0, 255]).any()
    assert "4 of 4" in capsys.readouterr().out and file.read_bytes() == before
    assert run(parse_arguments(words)) == 1 and "is there already" in capsys.readouterr().err
    assert run(parse_arguments([*words, "--camera", "Nobody"])) == 1
    assert "There is no camera Nobody" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [["--frames", "5-3"], ["--resolution", "40"], ["--background", "red"], ["--turntable", "0"], ["--format", "gif"]],
)
def test_bad_words_are_refused_before_anything_is_opened(tmp_path: Path, capsys, wrong: list[str]) -> None:
    (tmp_path / "a.blend").touch()
    with pytest.raises(SystemExit):
        parse_arguments([str(tmp_path / "a.blend"), str(tmp_path / "out"), *wrong])
    assert wrong[0] in capsys.readouterr().err
