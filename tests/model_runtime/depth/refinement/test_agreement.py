"""What other views say of depth that is right, of depth in the air, and of depth that only some of them have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model_runtime.depth.refinement.agreement import agreement, seen_points
from model_runtime.geometry.arrays import Array, as_numpy
from tests.model_runtime.depth.room import BOX, FLOOR, Camera, cast, look

SIZE = (60, 80)
CAMERAS = [look((x, y, 0.0), (0, 0.3, 4)) for x, y in ((0.0, 0), (-0.6, 0.1), (-0.3, -0.2), (0.3, 0.1), (0.6, 0))]
OTHERS = [1, 2, 3, 4]
STEADY = cast(CAMERAS[0], SIZE)[1] != FLOOR
"""The depth of the floor is another one in the next row of such small maps."""


@pytest.fixture
def logs(sent: Callable[..., Array]) -> list[Array]:
    return [sent(np.log(cast(camera, SIZE)[0])) for camera in CAMERAS]


def agreed(logs: list[Array], others: list[int], cameras: list[Camera] = CAMERAS) -> np.ndarray:
    return as_numpy(agreement(0, [camera.map(SIZE) for camera in cameras], logs, others))


def who_sees(others: list[int]) -> np.ndarray:
    """[h,w], by how many others each point of the first view is seen: in their photo, with nothing before it."""
    points, seen = CAMERAS[0].points(cast(CAMERAS[0], SIZE)[0]), np.zeros(SIZE, int)
    for camera in (CAMERAS[i] for i in others):
        pixels, depth = camera.project(points)
        column, row = np.floor(pixels).astype(int).transpose(2, 0, 1)
        there, _ = cast(camera, (240, 320))
        inside = (column >= 0) & (column < 320) & (row >= 0) & (row < 240)
        seen += inside & (depth < 1.02 * there[row.clip(0, 239), column.clip(0, 319)])
    return seen


def test_right_depth_that_three_see_is_as_sure_as_can_be(logs: list[Array]) -> None:
    found = agreed(logs, OTHERS)
    seen = (who_sees(OTHERS) >= 3) & STEADY
    assert seen.mean() > 0.6
    assert (found[seen] == 1).mean() > 0.97
    assert found.min() >= 0 and found.max() <= 1


def test_what_nobody_else_sees_has_no_agreement(logs: list[Array]) -> None:
    hidden = who_sees(OTHERS) == 0
    assert (agreed(logs, OTHERS)[hidden] == 0).all()
    away = [CAMERAS[0], *(look((x, 0, 0), (x, 0, -4)) for x in (-0.6, -0.3, 0.3, 0.6))]
    assert (agreed(logs, OTHERS, away) == 0).all()
    assert (agreed(logs, []) == 0).all()


def test_a_blob_in_the_air_has_none(logs: list[Array]) -> None:
    """Half as far as what is there: the others look through it."""
    logs[0][6:24, 30:50] -= np.log(2)
    found = agreed(logs, OTHERS)
    assert (found[6:24, 30:50] == 0).all()
    assert (found[6:24, 10:25] == 1).mean() > 0.9


def test_depth_that_is_too_far_has_none(logs: list[Array]) -> None:
    """Behind what the others see nothing can be told: no view speaks for it."""
    logs[0] += np.log(1.1)
    assert (agreed(logs, OTHERS) == 0).mean() > 0.97


def middle(found: np.ndarray) -> np.ndarray:
    """Of the wall, seen by all."""
    return found[8:22, 20:60]


@pytest.mark.parametrize(("count", "expected"), [(1, (1 / 3) ** 1.5), (2, (2 / 3) ** 1.5), (3, 1.0), (4, 1.0)])
def test_more_views_make_it_surer(logs: list[Array], count: int, expected: float) -> None:
    assert np.median(middle(agreed(logs, OTHERS[:count]))) == pytest.approx(expected)


def test_depth_that_is_near_counts_two_fifths(logs: list[Array]) -> None:
    logs = [logs[0], *(log + np.log(1.015) for log in logs[1:])]
    assert np.median(middle(agreed(logs, [1, 3, 4]))) == pytest.approx(0.4**1.5)


def test_a_view_that_looks_through_takes_away_what_one_that_agrees_gives(logs: list[Array]) -> None:
    logs[1] += 0.2
    assert np.median(middle(agreed(logs, OTHERS))) == pytest.approx((2 / 3) ** 1.5)
    logs[2] += 0.2
    assert (middle(agreed(logs, OTHERS)) == 0).mean() > 0.95
    logs[3] += 0.2
    assert (middle(agreed(logs, OTHERS)) == 0).all()


def test_points_of_others_are_where_the_photo_shows_them(logs: list[Array]) -> None:
    target, size = CAMERAS[0], (30, 40)
    sure = logs[0] < np.inf
    points = seen_points(target.map(size), [(CAMERAS[i].map(SIZE), logs[i], sure) for i in OTHERS])
    found, seen = (as_numpy(each) for each in points)
    truth, what = cast(target, size)
    error = np.abs(np.exp(found) / truth - 1)[seen & (what != FLOOR)]
    assert seen.mean() > 0.95 and np.quantile(error, 0.95) < 0.01
    # The box, which stands before the wall, is not seen through although points of the wall fall there, too.
    box = (what == BOX) & seen
    assert (np.exp(found) < 1.05 * truth)[box].mean() > 0.99


def test_points_that_are_not_sure_are_not_lent(logs: list[Array]) -> None:
    sure = logs[0] == np.inf
    none, seen = seen_points(CAMERAS[0].map(SIZE), [(CAMERAS[3].map(SIZE), logs[3], sure)])
    assert not seen.any() and np.isfinite(as_numpy(none)).all()
    sure[:20] = True
    _, seen = seen_points(CAMERAS[0].map(SIZE), [(CAMERAS[3].map(SIZE), logs[3], sure)])
    assert as_numpy(seen)[:16].mean() > 0.8 and not seen[30:].any()
