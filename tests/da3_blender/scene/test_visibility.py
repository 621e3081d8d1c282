"""What the viewport shows of a DA3 scene is what renders."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.plan.scene_plan import PlanSettings, plan_scene

bpy = pytest.importorskip("bpy")

from da3_blender.scene import find, visibility, write_scene  # noqa: E402
from da3_blender.scene.update import update_scene  # noqa: E402


@pytest.fixture
def made(kitchen_plan, empty_scene):
    return write_scene(kitchen_plan, empty_scene)


def drawn(collection) -> set[str]:
    """The objects that viewports show; renders have to show the same."""
    items = [item for each in find.parts_of(collection).values() for item in each]
    viewport = {item.name for item in items if item.visible_get()}
    assert viewport == {item.name for item in items if not item.hide_render}
    return viewport - {"a", "b"}


def test_splats_are_hidden_everywhere_beside_points(made):
    assert drawn(made.collection) == {"kitchen points", "a_sheet", "b_sheet"}


def test_splats_alone_are_shown(room, empty_scene):
    prediction = room.prediction(gaussians=room.gaussians(np.zeros((4, 3))))
    made = write_scene(plan_scene(prediction, "kitchen", settings=PlanSettings(points=False)), empty_scene)
    assert made.splats.visible_get() and not made.splats.hide_render


def test_parts_and_photos_are_hidden_alike(made):
    visibility.show_part(made.collection, "splats", True)
    visibility.show_part(made.collection, "points", False)
    assert drawn(made.collection) == {"kitchen splats", "a_sheet", "b_sheet"}
    visibility.hide_photos(made.collection, ["a.jpg"])
    assert drawn(made.collection) == {"kitchen splats", "b_sheet"}
    visibility.show_part(made.collection, "sheet", False)
    visibility.hide_photos(made.collection, [])
    assert drawn(made.collection) == {"kitchen splats"}
    visibility.show_part(made.collection, "sheet", True)
    assert drawn(made.collection) == {"kitchen splats", "a_sheet", "b_sheet"}


def test_what_the_eye_of_the_outliner_hides_is_shown_again(made):
    made.points.hide_set(True)
    visibility.show_part(made.collection, "points", True)
    assert "kitchen points" in drawn(made.collection)


def test_appended_splats_stay_hidden(made, tmp_path):
    path = str(tmp_path / "kitchen.blend")
    bpy.data.libraries.write(path, {made.collection})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path) as (_, wanted):
        wanted.collections = ["DA3 kitchen"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    bpy.context.view_layer.update()
    assert "kitchen splats" not in drawn(wanted.collections[0])


def test_update_keeps_what_is_hidden(made, kitchen_plan, empty_scene):
    visibility.show_part(made.collection, "splats", True)
    visibility.show_part(made.collection, "sheet", False)
    bpy.data.objects.remove(made.surfaces[0])
    update_scene(kitchen_plan, made.collection, empty_scene)
    assert drawn(made.collection) == {"kitchen points", "kitchen splats"}


def test_the_button_hides_and_shows(addon, made, empty_scene):
    assert bpy.ops.da3.show_part(result=find.identity(made.collection), role="splats") == {"FINISHED"}
    assert "kitchen splats" in drawn(made.collection) and empty_scene.cycles.transparent_max_bounces == 256
    assert bpy.ops.da3.show_part(result=find.identity(made.collection), role="splats") == {"FINISHED"}
    assert "kitchen splats" not in drawn(made.collection)
