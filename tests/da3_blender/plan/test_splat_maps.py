"""Maps found from positions before and after, against the maps that moved them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from da3_blender.plan.splat_maps import Moved, find_maps

TURN = Rotation.from_euler("xyz", (20, -50, 130), degrees=True).as_matrix()
SHEAR = np.array([[1.0, 0.8, 0.0], [0.0, 1.5, -0.3], [0.0, 0.0, 0.7]])
MAPS = {
    "turn": TURN,
    "even": 2 * TURN,
    "uneven": np.diag([3.0, 0.2, 1]),
    "mirror": TURN @ np.diag([-1, 1, 1]),
    "shear": SHEAR,
}
SHIFT = np.array([40.0, -3.0, 7.0])


def cloud(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def mapped(home: np.ndarray, linear: np.ndarray, shift: np.ndarray = SHIFT) -> np.ndarray:
    """As Blender does it, in single precision."""
    return (home @ linear.T.astype(np.float32) + shift.astype(np.float32)).astype(np.float32)


def linear_of(moved: Moved) -> np.ndarray:
    assert moved.linear is not None
    return moved.linear


@pytest.mark.parametrize("count", [4, 5, 12, 3000])
@pytest.mark.parametrize("linear", MAPS.values(), ids=MAPS)
def test_one_map_of_all(linear, count):
    home = cloud(count)
    (moved,) = find_maps(home, mapped(home, linear))
    np.testing.assert_array_equal(np.sort(moved.which), np.arange(count))
    assert moved.linear is not None
    np.testing.assert_allclose(linear_of(moved), linear, atol=3e-5)


def test_nothing_moved_and_all_moved_alike():
    home = cloud(50)
    assert find_maps(home, home) == []
    (moved,) = find_maps(home, home + np.array([1, 2, 3], np.float32))
    assert moved.linear is None and len(moved.which) == 50
    (moved,) = find_maps(home[:1], home[:1] + 1)
    assert moved.linear is None


def test_chosen_ones_moved():
    home = cloud(4000)
    chosen = np.flatnonzero(home[:, 0] > 1)
    position = home.copy()
    position[chosen] = mapped(home[chosen], SHEAR)
    (moved,) = find_maps(home, position)
    np.testing.assert_array_equal(np.sort(moved.which), chosen)
    np.testing.assert_allclose(linear_of(moved), SHEAR, atol=3e-5)


def test_what_stands_still_in_the_middle_is_mapped_too():
    home = np.concatenate([cloud(100), np.zeros((1, 3), np.float32)])
    (moved,) = find_maps(home, mapped(home, TURN, np.zeros(3)))
    assert len(moved.which) == 101


@pytest.mark.parametrize("sizes", [(700, 50, 3000, 8), tuple([100] * 20)])
def test_joined_objects_are_told_apart(sizes):
    """Each moved by a map of its own, the first not at all."""
    random = np.random.default_rng(1)
    homes = [cloud(size, index) for index, size in enumerate(sizes)]
    maps = [np.eye(3), *(random.normal(size=(3, 3)) for _ in sizes[1:])]
    positions = [homes[0], *(mapped(home, linear) for home, linear in zip(homes[1:], maps[1:], strict=True))]
    found = {
        tuple(np.sort(each.which)[[0, -1]]): each
        for each in find_maps(np.concatenate(homes), np.concatenate(positions))
    }
    ends = np.cumsum(sizes)
    for first, last, linear in zip(ends[:-1], ends[1:] - 1, maps[1:], strict=True):
        moved = found.pop((first, last))
        assert len(moved.which) == last - first + 1 and moved.linear is not None
        np.testing.assert_allclose(linear_of(moved), linear, atol=3e-4)
    assert not found


def test_two_edits_of_what_lies_mixed():
    home = cloud(3000)
    side = np.arange(3000) % 3
    position = home.copy()
    for value, linear in ((1, SHEAR), (2, 0.5 * TURN)):
        position[side == value] = mapped(home[side == value], linear)
    found = {int(side[each.which[0]]): each for each in find_maps(home, position)}
    assert found.keys() == {1, 2} and all(len(each.which) == 1000 for each in found.values())
    np.testing.assert_allclose(linear_of(found[1]), SHEAR, atol=3e-5)


def test_of_a_plane_and_of_two():
    """A similarity where there may be one; what was only stretched along a plane stays as thick as it was."""
    home = cloud(60) * np.array([1, 1, 0], np.float32)
    (moved,) = find_maps(home, mapped(home, 2 * TURN))
    np.testing.assert_allclose(linear_of(moved), 2 * TURN, atol=1e-5)
    (moved,) = find_maps(home, mapped(home, TURN @ np.diag([3, 1, 5])))
    np.testing.assert_allclose(linear_of(moved), TURN @ np.diag([3, 1, 1]), atol=1e-5)
    pair = np.array([[1, 0, 0], [3, 0, 0]], np.float32)
    (moved,) = find_maps(pair, pair * np.float32(1.5))
    np.testing.assert_allclose(linear_of(moved), 1.5 * np.eye(3), atol=1e-5)


def test_what_no_map_explains_follows_its_surroundings():
    """A bent sheet: the derivative of the bend, as far as it is constant over a cell; no change where all is noise."""
    grid = np.stack(np.meshgrid(np.linspace(0, 2, 200), np.linspace(0, 1, 100)), axis=-1).reshape(-1, 2)
    home = np.concatenate([grid, np.zeros((len(grid), 1))], axis=1).astype(np.float32)
    angle = home[:, 0].astype(np.float64)
    bent = np.stack([np.sin(angle), home[:, 1], 1 - np.cos(angle)], axis=1).astype(np.float32)
    for moved in find_maps(home, bent):
        assert moved.linear is not None and moved.linear.ndim == 3
        along = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)[moved.which]
        normal = np.stack([-np.sin(angle), 0 * angle, np.cos(angle)], axis=1)[moved.which]
        np.testing.assert_allclose(moved.linear[:, :, 0], along, atol=0.08)
        np.testing.assert_allclose(moved.linear[:, :, 2], normal, atol=0.08)


@pytest.mark.parametrize("count", [5, 7, 40, 500])
def test_what_was_each_moved_by_hand_only_moved(count):
    home = cloud(count)
    (moved,) = find_maps(home, home + cloud(count, 1))
    assert moved.linear is None and len(moved.which) == count


def test_the_homeless_only_move():
    """Vertices of an object without homes have zeros once they are joined; broken numbers are left alone."""
    home = np.concatenate([cloud(100), np.zeros((30, 3), np.float32)])
    position = home + cloud(130, 1) * (np.arange(130) >= 100)[:, None]
    (moved,) = find_maps(home, position)
    assert moved.linear is None and len(moved.which) == 30
    position = mapped(home[:100], SHEAR)
    position[3] = np.nan
    (moved,) = find_maps(home[:100], position)
    assert len(moved.which) == 99


def test_far_from_the_origin():
    """Rounding there is coarse: a map is found, as well as it can be told."""
    home = cloud(2000) + np.array([5000, 0, 0], np.float32)
    (moved,) = find_maps(home, mapped(home, TURN))
    np.testing.assert_allclose(linear_of(moved), TURN, atol=1e-3)


@pytest.mark.parametrize("scale", [1e-5, 1e-3, 1e3, 1e5])
def test_very_small_and_very_large_with_some_far_out(scale):
    """As files in millimetres that become metres, with a sky: what was small is rounded less than what it becomes."""
    home = cloud(3000)
    home[:20] *= 100
    moved = max(find_maps(home, mapped(home, scale * SHEAR, scale * SHIFT)), key=lambda each: len(each.which))
    assert len(moved.which) > 2990
    np.testing.assert_allclose(linear_of(moved) / scale, SHEAR, atol=1e-4)
