"""An even choice of splats: for each cell of space, not for each photo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import KDTree

from model_runtime.contract.messages import View
from model_runtime.depth.tsdf import unproject
from model_runtime.splats.even import EvenChoice, even_choice


def wall(x: float, z: float, side: int = 60, photo: int = 60) -> View:
    """A view of a plane at depth z, from a camera at (x, 0, 0)."""
    extrinsics = np.eye(4)
    extrinsics[0, 3] = -x
    intrinsics = np.array([[photo, 0, photo / 2], [0, photo, photo / 2], [0, 0, 1.0]])
    shape = (side, side)
    return View(
        name="wall",
        photo_size=(photo, photo),
        depth=np.full(shape, z, np.float32),
        confidence=np.ones(shape, np.float32),
        sky=np.zeros(shape, bool),
        color=np.zeros((*shape, 3), np.uint8),
        extrinsics=extrinsics,
        intrinsics=intrinsics,
    )


def points_of(choice: EvenChoice, views: list[View]) -> np.ndarray:
    parts = []
    for i, view in enumerate(views):
        mask = np.zeros(view.depth.size, bool)
        mask[choice.of(i)[0]] = True
        parts.append(unproject(view.depth, view.map_intrinsics, view.extrinsics, mask.reshape(view.depth.shape)))
    return np.concatenate(parts)


def test_all_stay_where_there_is_room() -> None:
    views = [wall(0, 2), wall(5, 2)]
    assert even_choice(views, lambda i: views[i].usable, 7200) is None
    assert even_choice(views, lambda i: views[i].usable, 7199) is not None


def test_the_choice_is_even_over_the_scene_and_not_over_the_photos() -> None:
    """Four photos show one stretch of the wall and one another: both get the same."""
    views = [*(wall(0.001 * i, 2) for i in range(4)), wall(5, 2)]
    choice = even_choice(views, lambda i: views[i].usable, 2000)
    assert choice is not None and 1000 < len(choice.place) <= 2000
    points = points_of(choice, views)
    left, right = (points[:, 0] < 2.5).sum(), (points[:, 0] > 2.5).sum()
    assert left == pytest.approx(right, rel=0.1)
    # Every point of the wall has one that was chosen near it, about as near as an even lattice of so many has.
    every = np.concatenate([unproject(v.depth, v.map_intrinsics, v.extrinsics, v.usable) for v in views])
    spacing = np.sqrt(2 * 2.0 * 2.0 / len(points))
    assert KDTree(points).query(every)[0].max() < 2 * spacing
    # Each stands for what it was chosen from, all together for everything.
    assert choice.stands_for.sum() == sum(view.depth.size for view in views)


def test_what_others_repeat_goes_first() -> None:
    views = [wall(0, 2), replace(wall(0.01, 2), repeated=np.ones((60, 60), bool))]
    choice = even_choice(views, lambda i: views[i].usable, 3600)
    assert choice is not None
    assert len(choice.of(0)[0]) > 2000 and len(choice.of(1)[0]) == 0


def test_near_pixels_stand_for_their_cell() -> None:
    """Of a near and a far view of one wall it is the near one that stays."""
    far, near = wall(0, 8), wall(0, 2)
    near = replace(near, depth=np.full((60, 60), 2, np.float32), extrinsics=_back(6.0))
    choice = even_choice([far, near], lambda i: [far, near][i].usable, 1500)
    assert choice is not None
    inside = points_of(choice, [far, near])
    middle = (np.abs(inside[:, :2]) < 0.8).all(1)
    count_near = (np.abs(points_of(choice, [far, near])[len(choice.of(0)[0]) :, :2]) < 0.8).all(1).sum()
    assert count_near > 0.9 * middle.sum()


def _back(z: float) -> np.ndarray:
    """A camera at (0, 0, z)."""
    extrinsics = np.eye(4)
    extrinsics[2, 3] = -z
    return extrinsics


def test_memory_is_that_of_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many views there are, few of them are looked at between two reductions."""
    views = [wall(3.0 * i, 2, 40) for i in range(30)]
    most = 0
    real = np.lexsort

    def watched(keys: tuple[np.ndarray, ...]) -> np.ndarray:
        nonlocal most
        most = max(most, len(keys[0]))
        return real(keys)

    monkeypatch.setattr(np, "lexsort", watched)
    choice = even_choice(views, lambda i: views[i].usable, 3000)
    assert choice is not None and len(choice.place) <= 3000
    assert most < 4 * 3000 < 30 * 1600
