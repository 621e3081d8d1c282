"""What the sidebar says in every state, drawn into a layout that takes notes; icons and buttons have to exist."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

from model_runtime.contract.lens import FISHEYE, Lens
from model_runtime.contract.messages import PROTOCOL_VERSION, Hello

bpy = pytest.importorskip("bpy")

from da3_blender import live, preferences, timer  # noqa: E402
from da3_blender.panels import wrap  # noqa: E402
from da3_blender.photos import photo_list  # noqa: E402
from da3_blender.runtime.check import RuntimeReport  # noqa: E402
from da3_blender.runtime.folder import InstalledRuntime  # noqa: E402
from da3_blender.runtime.manager import FolderState  # noqa: E402
from da3_blender.runtime.worker_command import RuntimeSettings  # noqa: E402
from da3_blender.scene import find  # noqa: E402
from da3_blender.scene.lenses import write_lens  # noqa: E402
from tests.film_files import make_film  # noqa: E402


@pytest.fixture
def scene(addon_scene, two_photos):
    """Two photos lie in tmp_path, not in the list yet."""
    return addon_scene


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
    for parent in (layout, layout.body):
        parent.panel.return_value = (parent.header, parent.body)
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
    assert draw("DA3_PT_run") == "Make Scene\nAdd photos or a video first"
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


def test_no_worker(scene, monkeypatch, tmp_path):
    settings = RuntimeSettings("installed", folder=tmp_path / "runtime")
    monkeypatch.setattr(preferences, "chosen_runtime", lambda: settings)
    told = draw("DA3_PT_run").replace("\n", " ")
    assert "is not installed yet." in told and "Make Scene" not in told


@pytest.mark.parametrize(("torch", "told"), [("", True), ("2.13.0", False)])
def test_improving_splats_without_torch_is_told_before_the_job(scene, monkeypatch, tmp_path, torch, told):
    light = InstalledRuntime("runtime-1", "1", "", "3.12", torch, "cpu", 1, True, "light", "1.32.0")
    live.runtime().state = FolderState(light, False, None, 1)
    words = "Improving splats needs the full runtime"
    scene.da3.improve_splats = True
    assert words not in draw("DA3_PT_make"), "of a worker elsewhere nothing is known"
    said = Hello(PROTOCOL_VERSION, "1", "3.12", torch, "cpu", "A CPU", 0, ())
    live.runtime().report = RuntimeReport(preferences.chosen_runtime(), said, 1.0, (), ())
    assert (words in draw("DA3_PT_make")) == told, "what a tested worker said"
    live.runtime().report = RuntimeReport(RuntimeSettings("command", command="ssh other"), said, 1.0, (), ())
    assert words not in draw("DA3_PT_make"), "another was tested"
    settings = RuntimeSettings("installed", folder=tmp_path / "runtime")
    monkeypatch.setattr(preferences, "chosen_runtime", lambda: settings)
    assert (words in draw("DA3_PT_make")) == told
    said = Hello(PROTOCOL_VERSION, "1", "3.12", "2.13.0" if told else "", "cpu", "A CPU", 0, ())
    monkeypatch.setattr(live.jobs(), "worker", SimpleNamespace(hello=said, close=lambda: None))
    assert (words in draw("DA3_PT_make")) != told, "what a running worker says counts more"
    scene.da3.improve_splats = False
    assert words not in draw("DA3_PT_make")


def test_running_failed_and_waiting(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model, scene.da3.scene_name = "fail", "kitchen"
    bpy.ops.da3.run()
    live.jobs().state.fraction, live.jobs().state.seconds_left = 0.42, 200
    assert "Making 'kitchen'\n42%, 3 min left\n" in draw("DA3_PT_run")
    assert timer.wait(30)
    assert draw("DA3_PT_run").startswith("Make Scene\nThere is not enough memory.\nLower the detail.")
    scene.da3.model = "room"
    bpy.ops.da3.run()
    live.jobs().file_changed()
    assert timer.wait(30)
    assert "'kitchen' is ready. It was started in another file." in draw("DA3_PT_run").replace("\n", " ")


def test_result(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30)
    assert bpy.types.DA3_PT_results.poll(context())
    shown = draw("DA3_PT_results")
    for line in ("Cameras", "Points", "Splats", "Hide Unsure", "Point Size", "Model: room", "A note."):
        assert line in shown.split("\n")
    assert "License Apache-2.0: commercial use allowed" in shown
    assert "Cameras: Network, match error 0.50 pixels" in shown


def test_what_is_repeated_can_be_kept_where_something_is(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30)
    assert "Keep All" not in draw("DA3_PT_results")
    (collection,) = find.results(scene)
    for role in ("points", "splats"):
        find.objects_of(collection, role)[0].data.attributes.new("repeated", "BOOLEAN", "POINT")
    shown = draw("DA3_PT_results").split("\n")
    assert "Keep All Points" in shown and "Keep All Splats" in shown


def test_list_of_a_results_photos(scene, tmp_path):
    photo_list.add_folder(scene.da3, tmp_path)
    scene.da3.model = "room"
    for _ in range(2):
        bpy.ops.da3.run()
        assert timer.wait(30)
    second = find.results(scene)[1]
    kind = bpy.types.DA3_UL_views
    row = SimpleNamespace(list_id=second["da3_id"], bitflag_filter_item=1)
    flags, order = kind.filter_items(row, context(), bpy.data, "objects")
    shown = sorted((order[place], item) for place, item in enumerate(bpy.data.objects) if flags[place])
    assert [item for _, item in shown] == find.objects_of(second, "camera") and len(shown) == 2
    assert sorted(order) == list(range(len(bpy.data.objects)))
    layout = MagicMock()
    kind.draw_item(row, context(), layout, None, shown[0][1], 0, None, "")
    assert told(layout) == "a.png\n29 mm"  # of 80 pixels before 100
    a, b = (item for _, item in shown)
    a.data["da3_match_error"], b.data["da3_match_error"] = 0.5, 1.25
    scene.da3.worst_first = True
    _, order = kind.filter_items(row, context(), bpy.data, "objects")
    assert [item for _, item in sorted(zip(order, bpy.data.objects, strict=True), key=lambda each: each[0])][:2] == [
        b,
        a,
    ]
    del b.data["da3_match_error"]
    b["da3_camera_source"] = "features"
    _, order = kind.filter_items(row, context(), bpy.data, "objects")
    assert order[bpy.data.objects.find(a.name)] == 0  # what is not known comes last
    for item, text in ((a, "a.png\n0.50 px"), (b, "b.png\nFeatures, 29 mm")):
        layout = MagicMock()
        kind.draw_item(row, context(), layout, None, item, 0, None, "")
        assert told(layout) == text


def test_all_about_the_chosen_camera(scene, tmp_path):
    """The one that was clicked on; before, the one that is looked through."""
    result = made(scene, tmp_path)
    first, second = find.objects_of(result, "camera")
    assert scene.camera == first and "a.png" in draw("DA3_PT_results")
    bpy.ops.da3.look_through(result=result["da3_id"], camera=second.name)
    second.data["da3_match_error"] = 0.7
    shown = draw("DA3_PT_results")
    for line in (
        "b.png",
        "Lens: 28.80 mm, as 27.7 mm on 35 mm film",  # 28.8 by 43.267 / 45
        "Sensor: 36.00 x 27.00 mm",
        "Size: 100 x 75 pixels",
        "Shift: 0.0000, 0.0000",
        "Camera from: Network",
        "Match error: 0.70 pixels of the photo",
        "Lock Camera",
    ):
        assert line in shown.split("\n")
    lens = Lens(FISHEYE, (90, 60), np.eye(3), np.array([0.05, 0.0, -0.25]))
    write_lens(second.data, lens)
    assert "Straightened from 90 x 60 pixels. Fisheye: k1 0.05, k3 -0.25" in draw("DA3_PT_results").replace("\n", " ")


def test_locks_are_buttons(scene, tmp_path):
    result = made(scene, tmp_path)
    first, _ = find.objects_of(result, "camera")
    lock = {"result": result["da3_id"], "photo": "a.png"}
    for what, locked in (("lens", "lens"), ("camera", "camera"), ("camera", "")):
        assert bpy.ops.da3.lock_photo(**lock, what=what) == {"FINISHED"}
        assert first.get("da3_locked", "") == locked
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.da3.lock_photo("EXEC_DEFAULT", True, **lock, what="camera")
    bpy.ops.ed.undo()
    assert "da3_locked" not in bpy.data.objects["a"]
    write_lens(bpy.data.cameras["a"], Lens(FISHEYE, (90, 60), np.eye(3), np.array([0.05])))
    with pytest.raises(RuntimeError, match="cannot be locked: its photo is straightened"):
        bpy.ops.da3.lock_photo(**lock, what="camera")


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


class Recorder:
    """A layout that notes its buttons and values, and whether they can be used: (name, usable), top down."""

    def __init__(self, parent: Recorder | None = None) -> None:
        self.parent, self.enabled, self.active = parent, True, True
        self.items: list[tuple[str, bool]] = parent.items if parent else []

    @property
    def usable(self) -> bool:
        return self.enabled and self.active and (self.parent is None or self.parent.usable)

    def row(self, *_: object, **__: object) -> Recorder:
        return Recorder(self)

    column = box = split = row

    def panel(self, *_: object, **__: object) -> tuple[Recorder, Recorder]:
        return Recorder(self), Recorder(self)

    def operator(self, name: str, **_: object) -> SimpleNamespace:
        self.items.append((name, self.usable))
        return SimpleNamespace()

    def prop_enum(self, _: object, name: str, *__: object, **options: object) -> None:
        self.items.append((str(options.get("text", name)), self.usable))

    def prop(self, _: object, name: str, **options: object) -> None:
        self.items.append((str(options.get("text", name)), self.usable))

    def __getattr__(self, name: str):
        return lambda *_, **__: None


def recorded(shading: str = "SOLID") -> dict[str, bool]:
    layout, shown = Recorder(), context()
    shown.space_data.shading.type = shading
    bpy.types.DA3_PT_results.draw(SimpleNamespace(layout=layout), shown)
    return dict(layout.items)


def made(scene, folder) -> object:
    photo_list.add_folder(scene.da3, folder)
    scene.da3.model, scene.da3.scene_name = "room", "kitchen"
    bpy.ops.da3.run()
    assert timer.wait(30)
    return find.results(scene)[0]


def test_rows_keep_their_place_and_grey_out(scene, tmp_path):
    result = made(scene, tmp_path)
    shown = recorded("SOLID")
    assert shown["Show Colors"] and not shown["da3.show_photo"]
    assert shown["Hide Unsure"] and not shown["Splats Shown"]
    bpy.ops.da3.show_part(result=find.identity(result), role="splats")
    bpy.ops.da3.show_part(result=find.identity(result), role="points")
    bpy.ops.da3.show_photo(result=find.identity(result), photo="a.png")
    changed = recorded("MATERIAL")
    assert list(changed) == list(shown)
    assert not changed["Show Colors"] and changed["da3.show_photo"]
    assert not changed["Hide Unsure"] and changed["Splats Shown"]


def test_progress_of_an_update_stands_at_its_result(scene, tmp_path):
    result = made(scene, tmp_path)
    assert "da3.update" in recorded() and "da3.cancel" not in recorded()
    bpy.ops.da3.update(result=find.identity(result))
    assert "da3.update" not in recorded() and "da3.cancel" in recorded()
    assert "Making" not in draw("DA3_PT_run")
    bpy.context.window.scene = bpy.data.scenes.new("other")
    assert "Making 'kitchen'" in draw("DA3_PT_run")
    bpy.context.window.scene = scene
    scene.da3.model = "fail"
    assert timer.wait(30)
    bpy.ops.da3.update(result=find.identity(result))
    assert timer.wait(30)
    assert "da3.dismiss_failure" in recorded() and "memory" not in draw("DA3_PT_run")


def test_results_come_first_and_the_model_is_one_line(scene):
    panels = ("DA3_PT_results", "DA3_PT_photos", "DA3_PT_model", "DA3_PT_make", "DA3_PT_run")
    orders = [getattr(bpy.types, name).bl_order for name in panels]
    assert orders == sorted(orders) and "DEFAULT_CLOSED" in bpy.types.DA3_PT_model.bl_options
    layout = MagicMock()
    bpy.types.DA3_PT_model.draw_header_preset(SimpleNamespace(layout=layout), context())
    assert told(layout) == "DA3 Tiny"


def test_the_distance_is_not_told_in_meters_where_there_are_none(scene, tmp_path):
    result = made(scene, tmp_path)
    layout = MagicMock()
    operator = SimpleNamespace(
        layout=layout, result=find.identity(result), first=(0, 0, 0), second=(0, 1.5, 0), apart=1.5
    )
    bpy.types.DA3_OT_set_distance.draw(operator, context())
    assert told(layout) == "Now 1.5 units, of no known length"
    result["da3_metric"] = True
    layout.reset_mock()
    bpy.types.DA3_OT_set_distance.draw(operator, context())
    assert told(layout) == ""


def test_photos_that_cannot_be_used_are_not_counted_as_added(scene, tmp_path):
    (tmp_path / "c.png").write_bytes(b"")
    assert photo_list.add_folder(scene.da3, tmp_path).sentence.startswith("Photos added: 2. Added in red")


def test_update_says_first_what_was_edited_by_hand(scene, tmp_path):
    result = made(scene, tmp_path)
    points = find.objects_of(result, "points")[0]
    points.data.attributes["position"].data[0].vector = (9, 9, 9)
    operator = SimpleNamespace(result=find.identity(result))
    names = bpy.types.DA3_OT_update.edited(operator, context())
    assert names == [points.name]
    layout = MagicMock()
    bpy.types.DA3_OT_update.draw(SimpleNamespace(layout=layout, by_hand=names), context())
    assert points.name in told(layout) and "kept beside it" in told(layout)


def test_a_clip_is_one_row_with_its_frames_beneath(scene, tmp_path):
    film = make_film(tmp_path / "a walk.mp4", frames=45, rate=30)
    photo_list.add_video(scene.da3, [film])
    told = draw("DA3_PT_photos")
    assert "45 frames 96 x 64 30 frames/s 1.5 s" in " ".join(told.split())
    assert "Numbered 0 to 44" in told and "Two or more photos" not in told
    assert draw("DA3_PT_run") == "Make Scene"
    layout = MagicMock()
    row = scene.da3.photos[0]
    bpy.types.DA3_UL_photos.draw_item(bpy.types.DA3_UL_photos, context(), layout, scene.da3, row, 0, scene.da3, "")
    assert told_of(layout) == "a walk.mp4 45 frames 96 x 64 30 frames/s 1.5 s"
    assert shown_settings("DA3_PT_photos") == ["clip_first", "clip_last", "clip_step", "set_frame_range"]
    film.unlink()
    photo_list.refresh(scene.da3)
    assert "The file is not there any more" in draw("DA3_PT_photos")
    assert draw("DA3_PT_run").splitlines() == ["Make Scene", "The clip cannot be used"]


def test_a_sequence_has_a_rate_that_can_be_set(scene, tmp_path):
    for number in (7, 8, 10):
        (tmp_path / f"frame_{number}.png").write_bytes((tmp_path / "a.png").read_bytes())
    photo_list.add_sequence(scene.da3, tmp_path / "frame_8.png")
    scene.da3.clip_rate = 8
    assert "3 frames 100 x 75 8 frames/s 0.5 s" in " ".join(draw("DA3_PT_photos").split()), "from 7 to 10"
    assert "clip_rate" in shown_settings("DA3_PT_photos")


def test_only_what_goes_with_the_list_can_be_added(scene, tmp_path):
    """Buttons of photos, then of clips."""
    assert enabled_buttons() == (True, True)
    photo_list.add_files(scene.da3, [tmp_path / "a.png"])
    assert enabled_buttons() == (True, False)
    photo_list.add_files(scene.da3, [make_film(tmp_path / "a walk.mp4")], replace=True)
    assert enabled_buttons() == (False, False)


def test_known_cameras_do_not_go_with_a_clip(scene, tmp_path):
    scene.da3.camera_source = "given"
    photo_list.add_files(scene.da3, [tmp_path / "a.png"])
    assert "known_cameras" in shown_settings("DA3_PT_make")
    photo_list.add_files(scene.da3, [make_film(tmp_path / "a walk.mp4")], replace=True)
    assert "Known cameras do not go with a clip" in " ".join(draw("DA3_PT_make").split("\n"))
    assert "known_cameras" not in shown_settings("DA3_PT_make")


def told_of(layout: MagicMock) -> str:
    return " ".join(told(layout).split())


def drawn(name: str) -> MagicMock:
    layout = MagicMock()
    layout.panel.return_value = (layout.header, layout.body)
    getattr(bpy.types, name).draw(SimpleNamespace(layout=layout), context())
    return layout


def shown_settings(name: str) -> list[str]:
    """The settings that a panel lets be changed, in their order."""
    calls = drawn(name).mock_calls
    return [arguments[1] for method, arguments, _ in calls if method.rpartition(".")[2] == "prop"]


def enabled_buttons() -> tuple[bool, bool]:
    rows = []
    layout = MagicMock()
    layout.row.side_effect = lambda **_: rows.append(MagicMock()) or rows[-1]
    bpy.types.DA3_PT_photos.draw(SimpleNamespace(layout=layout), context())
    return rows[0].enabled, rows[1].enabled
