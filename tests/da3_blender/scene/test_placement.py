"""Where the add-on put an object, and what the artist did to it since."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix  # noqa: E402

from da3_blender.scene.placement import frame_to_world, own_change, put, written  # noqa: E402

PLACE, OTHER, MOVE = np.eye(4), np.eye(4), np.eye(4)
PLACE[:3, :3] = Euler((1.4, 0.17, -0.52)).to_matrix()
PLACE[:3, 3] = (1, -2, 3)
OTHER[:3, :3] = Euler((-0.35, 1.05, 2.62)).to_matrix()
OTHER[:3, 3] = (-4, 0.5, 2)
MOVE[:3, :3] = 2.5 * np.array(Euler((0.26, -0.7, 1.75)).to_matrix())
MOVE[:3, 3] = (7, 8, -9)


@pytest.fixture
def item(empty_scene):
    item = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    item["da3_role"] = "camera"
    empty_scene.collection.objects.link(item)
    return item


def test_untouched_objects_have_no_change_of_their_own(item):
    put(item, PLACE, change=np.eye(4))
    np.testing.assert_allclose(np.array(item.matrix_basis), PLACE, atol=1e-6)
    np.testing.assert_array_equal(written(item), PLACE)
    np.testing.assert_array_equal(own_change(item), np.eye(4))
    put(item, OTHER)
    np.testing.assert_allclose(np.array(item.matrix_basis), OTHER, atol=1e-6)


def test_what_the_artist_did_stays_on_top(item):
    put(item, PLACE, change=np.eye(4))
    item.matrix_basis = Matrix((MOVE @ PLACE).tolist())
    np.testing.assert_allclose(own_change(item), MOVE, atol=1e-5)
    for _ in range(20):
        put(item, OTHER)
        put(item, PLACE)
    np.testing.assert_allclose(np.array(item.matrix_basis), MOVE @ PLACE, atol=1e-4)
    np.testing.assert_array_equal(written(item), PLACE)


def test_a_small_move_counts(item):
    put(item, PLACE, change=np.eye(4))
    item.location.x += 1e-3
    np.testing.assert_allclose(own_change(item)[:3, 3], (1e-3, 0, 0), atol=1e-6)


def test_objects_without_the_note(item):
    """Cameras count as standing where they were put, everything else as lying in the scene's frame."""
    item.matrix_basis = Matrix(PLACE.tolist())
    np.testing.assert_allclose(written(item), PLACE, atol=1e-6)
    item["da3_role"] = "points"
    np.testing.assert_array_equal(written(item), np.eye(4))
    np.testing.assert_allclose(own_change(item), PLACE, atol=1e-6)


@pytest.mark.parametrize("hidden", [False, True])
def test_the_frame_follows_parents_and_moves(item, empty_scene, hidden):
    grandparent, parent = (bpy.data.objects.new(name, None) for name in ("grandparent", "parent"))
    for empty in (grandparent, parent):
        empty_scene.collection.objects.link(empty)
    put(item, PLACE, change=np.eye(4))
    item.matrix_basis = Matrix((MOVE @ PLACE).tolist())
    item.parent, parent.parent = parent, grandparent
    item.matrix_parent_inverse = Matrix(OTHER.tolist())
    grandparent.location, parent.rotation_euler = (1, 2, 3), (0.3, 0.2, 0.1)
    item.hide_viewport = hidden
    bpy.context.view_layer.update()
    stands = np.array(parent.matrix_world) @ OTHER @ MOVE
    np.testing.assert_allclose(frame_to_world(item), stands, atol=1e-4)
    if not hidden:
        np.testing.assert_allclose(np.array(item.matrix_world), stands @ PLACE, atol=1e-4)
