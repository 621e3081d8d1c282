"""Which splats are drawn, and when they are read again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from da3_blender.drawing import cloud  # noqa: E402
from da3_blender.drawing.cloud import Cloud, found_splats  # noqa: E402
from da3_blender.drawing.order_process import OrderProcess  # noqa: E402
from da3_blender.scene.meshes import set_input  # noqa: E402
from da3_blender.scene.splats.native import has_native  # noqa: E402
from tests.da3_blender.drawing.test_pictures import made  # noqa: E402
from tests.da3_blender.scene.splats.renders import stand_splats  # noqa: E402

pytestmark = pytest.mark.usefixtures("shaders")


def graph() -> bpy.types.Depsgraph:
    bpy.context.view_layer.update()
    return bpy.context.evaluated_depsgraph_get()


def owners() -> list[str]:
    return sorted(drawn.owner[0] for _, drawn, _ in found_splats(graph(), natives=True))


def test_splats_are_found_by_what_they_hold_whatever_they_are_called(scene) -> None:
    item = stand_splats(made(10, 0), scene)
    item.name = "moss"
    mesh = bpy.data.meshes.new("plain")
    mesh.vertices.add(5)
    scene.collection.objects.link(bpy.data.objects.new("plain", mesh))
    assert owners() == ["moss"]
    item.hide_set(True)
    assert owners() == []
    item.hide_set(False)
    item.hide_viewport = True
    assert owners() == []


def test_blenders_own_splats_are_left_to_it(scene) -> None:
    stand_splats(made(10, 0), scene)
    assert len(list(found_splats(graph()))) == (0 if has_native() else 1)


def test_a_collection_that_is_shown_elsewhere_is_drawn_there_too(scene) -> None:
    item = stand_splats(made(10, 0), scene)
    group = bpy.data.collections.new("group")
    group.objects.link(item)
    empty = bpy.data.objects.new("empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", group
    empty.location = (1, 2, 3)
    scene.collection.objects.link(empty)
    found = {drawn.owner[0]: drawn.matrix for _, drawn, _ in found_splats(graph(), natives=True)}
    assert set(found) == {item.name, "empty"}
    np.testing.assert_allclose(found["empty"][:3, 3], [1, 2, 3])
    assert len({key for key, _, _ in found_splats(graph(), natives=True)}) == 2


@pytest.fixture
def looked(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Cloud, OrderProcess]]:
    """A cloud that also holds Blender's own splats, so that these tests mean the same everywhere."""
    monkeypatch.setattr(cloud, "is_native", lambda data: False)
    orders = OrderProcess(parent=str(tmp_path))
    looking = Cloud()

    yield looking, orders
    orders.close()


def count(looked: tuple[Cloud, OrderProcess]) -> int:
    """How many splats the cloud has, now that it has looked again."""
    looking, orders = looked
    looking.moved = True
    looking.look(graph(), orders)
    return 0 if looking.loaded is None else looking.loaded.atlas.count


def test_only_changed_splats_are_read_again_and_matrices_always(scene, looked) -> None:
    item = stand_splats(made(100, 0), scene)
    assert count(looked) == 100
    before = looked[0].loaded
    item.location = (5, 0, 0)
    assert count(looked) == 100 and looked[0].loaded is before
    (drawn,) = looked[0].drawn.values()
    assert drawn.matrix[0, 3] == 5
    looked[0].changed.add(item.session_uid)
    assert count(looked) == 100 and looked[0].loaded is not before


def test_what_the_filter_leaves_out_is_not_drawn(scene, looked) -> None:
    item = stand_splats(made(500, 0), scene)
    set_input(item.modifiers[0], "Shown", 0.5)
    assert 150 < count(looked) < 350


def test_objects_that_are_gone_or_renamed_leave_nothing_behind(scene, looked) -> None:
    first, second = stand_splats(made(30, 0), scene), stand_splats(made(20, 0), scene)
    assert count(looked) == 50
    first.name = "renamed"
    bpy.data.objects.remove(second)
    assert count(looked) == 30
    assert [drawn.owner[0] for drawn in looked[0].drawn.values()] == ["renamed"]
    bpy.data.objects.remove(first)
    assert count(looked) == 0 and looked[0].loaded is None
