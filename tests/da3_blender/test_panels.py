"""What the sidebar says in every state, drawn into a layout that takes notes; icons and buttons have to exist."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

import da3_blender  # noqa: E402
from da3_blender import jobs, photo_list  # noqa: E402
from da3_blender.panels import wrap  # noqa: E402
from da3_blender.scene import find  # noqa: E402
from model_runtime.messages import JobError  # noqa: E402

FAKE = Path(__file__).parent / "fake_worker.py"


@pytest.fixture
def scene(empty_scene, tmp_path, monkeypatch) -> Iterator[object]:
    monkeypatch.setattr(jobs, "worker_command", lambda: [sys.executable, str(FAKE)])
    monkeypatch.setenv("PYTHONPATH", str(FAKE.parents[2]))
    da3_blender.register()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (100, 75)).save(tmp_path / name)
    yield empty_scene
    da3_blender.unregister()


def context(width: int = 400) -> SimpleNamespace:
    return SimpleNamespace(
        scene=bpy.context.scene,
        preferences=SimpleNamespace(
            system=SimpleNamespace(ui_scale=1.0), ui_styles=[SimpleNamespace(widget=SimpleNamespace(points=11.0))]
        ),
        region=SimpleNamespace(width=width),
        space_data=SimpleNamespace(shading=SimpleNamespace(type="SOLID")),
    )


def draw(name: str) -> str:
    """Everything a panel shows, a text a line; its icons and operators are checked on the way."""
    layout = MagicMock()
    layout.panel.return_value = (layout.header, layout.body)
    getattr(bpy.types, name).draw(SimpleNamespace(layout=layout), context())
    return told(layout)


def told(layout: MagicMock) -> str:
    icons = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys()
    texts = []
    for method, arguments, options in layout.mock_calls:
        assert options.get("icon", "NONE") in icons
        last = method.rpartition(".")[2]
        if last == "operator":
            module, _, verb = arguments[0].partition(".")
            getattr(getattr(bpy.ops, module), verb).get_rna_type()
        elif last == "prop" and isinstance(arguments[0], bpy.types.PropertyGroup):
            assert arguments[1] in arguments[0].bl_rna.properties
        texts += [options["text"]] if options.get("text") else []
    return "\n".join(texts)


def test_empty(scene):
    assert "Two or more photos" in draw("DA3_PT_photos")
    assert draw("DA3_PT_run") == "Make Scene"
    draw("DA3_PT_model")
    draw("DA3_PT_make")
    draw("DA3_PT_make_details")
    assert not bpy.types.DA3_PT_results.poll(context())


def test_menu_of_images(scene, tmp_path):
    assert draw("DA3_MT_images") == "This file has no images"
    bpy.data.images.load(str(tmp_path / "a.png"))
    assert draw("DA3_MT_images") == "All Images\na.png"
    draw("DA3_MT_photos")


def test_photos_and_their_problems(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    assert "100 x 75" in draw("DA3_PT_photos") and draw("DA3_PT_run") == "Make Scene"
    (tmp_path / "a.png").unlink()
    photo_list.refresh(scene.da3)
    assert "The file is not there any more" in draw("DA3_PT_photos")
    assert draw("DA3_PT_run") == "Make Scene from 1 of 2 Photos"
    for photo in scene.da3.photos:
        layout = MagicMock()
        bpy.types.DA3_UL_photos.draw_item(bpy.types.DA3_UL_photos, context(), layout, None, photo, 0, None, "")
        assert told(layout) == (photo.name if photo.problem else f"{photo.name}\n100 x 75")


def test_no_worker(scene, monkeypatch):
    def missing():
        raise JobError("runtime-missing", "The runtime is not installed yet.", "Install it in the preferences.")

    monkeypatch.setattr(jobs, "worker_command", missing)
    told = draw("DA3_PT_run").replace("\n", " ")
    assert "The runtime is not installed yet." in told and "Make Scene" not in told


def test_running_failed_and_waiting(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model, scene.da3.scene_name = "fail", "kitchen"
    bpy.ops.da3.run()
    jobs.manager().state.fraction, jobs.manager().state.seconds_left = 0.42, 200
    assert "Making 'kitchen'\n42%, 3 min left\n" in draw("DA3_PT_run")
    assert jobs.wait(30)
    assert draw("DA3_PT_run").startswith("Make Scene\nThere is not enough memory.\nLower the detail.")
    scene.da3.model = "room"
    bpy.ops.da3.run()
    jobs.manager().file_changed()
    assert jobs.wait(30)
    assert "'kitchen' is ready. It was started in another file." in draw("DA3_PT_run").replace("\n", " ")


def test_result(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert jobs.wait(30)
    assert bpy.types.DA3_PT_results.poll(context())
    shown = draw("DA3_PT_results")
    for line in ("Cameras", "Points", "Splats", "Hide Unsure", "Point Size", "Model: room", "A note."):
        assert line in shown.split("\n")
    assert "License Apache-2.0: commercial use allowed" in shown
    assert "Cameras: Network, match error 0.50 pixels" in shown


def test_list_of_a_results_photos(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model = "room"
    for _ in range(2):
        bpy.ops.da3.run()
        assert jobs.wait(30)
    second = find.results(scene)[1]
    kind = bpy.types.DA3_UL_views
    row = SimpleNamespace(list_id=second["da3_id"], bitflag_filter_item=1)
    flags, order = kind.filter_items(row, context(), bpy.data, "objects")
    shown = sorted((order[place], item) for place, item in enumerate(bpy.data.objects) if flags[place])
    assert [item for _, item in shown] == find.objects_of(second, "camera") and len(shown) == 2
    assert sorted(order) == list(range(len(bpy.data.objects)))
    layout = MagicMock()
    kind.draw_item(row, context(), layout, None, shown[0][1], 0, None, "")
    assert told(layout) == "a.png"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("threefold", ["threefo", "ld"]),
        ("on threefold", ["on", "threefo", "ld"]),
        ("", [""]),
    ],
)
def test_lines_are_broken_between_words_and_inside_only_where_they_must(text, lines):
    assert wrap(text, 7, len) == lines
