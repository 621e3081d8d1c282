"""Costs of photos of the room, whose true depth is where they must be lowest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates, uniform_filter

from model_runtime.depth.refinement import sweep
from model_runtime.depth.refinement.sweep import NOISE, UNKNOWN, WINDOW, matching_cost
from model_runtime.depth.refinement.views import MatchingView, matching_view
from model_runtime.geometry.arrays import Array, Device, as_numpy
from tests.model_runtime.depth.room import WALL, Camera, cast, grey, look

SIZE = (72, 96)
START = 1.25
"""What the true depth is multiplied by at first: the true factor."""
FACTORS = np.linspace(0.8, 1.7, 19, dtype=np.float32)
STEP = 0.05
CAMERAS = [look((x, 0.0, 0), (0, 0.3, 4)) for x in (0.0, -0.8, -0.4, 0.4, 0.8)]


def view(camera: Camera, device: Device) -> MatchingView:
    return matching_view(grey(camera, SIZE), START * cast(camera, SIZE)[0], camera.map(SIZE), device)


def costs(view: MatchingView, sources: list[MatchingView], threads: int = 1) -> np.ndarray:
    """[h,w,L]"""
    return as_numpy(matching_cost(view, sources, FACTORS, nothing, threads)).transpose(0, 2, 1)


def visible(camera: Camera, other: Camera) -> np.ndarray:
    """[h,w] bool: pixels of one camera's map whose point the other sees, nothing being before it."""
    pixels, depth = other.project(camera.points(cast(camera, SIZE)[0]))
    fine = other.photo[::-1]
    there, _ = cast(other, fine)
    column, row = np.floor(pixels).astype(int).transpose(2, 0, 1)
    inside = (column >= 0) & (column < fine[1]) & (row >= 0) & (row < fine[0])
    return inside & (depth < 1.02 * there[row.clip(0, fine[0] - 1), column.clip(0, fine[1] - 1)])


def chosen(cost: np.ndarray) -> np.ndarray:
    return FACTORS[cost.argmin(2)]


def nothing() -> None:
    pass


@pytest.fixture
def views(device: Device) -> list[MatchingView]:
    return [view(camera, device) for camera in CAMERAS]


def test_the_cost_of_each_place_is_that_of_its_window(views: list[MatchingView], device: Device) -> None:
    """Against windows worked out by scipy, at factors where the source's pixels are hit between each other."""
    picture, other = as_numpy(views[0].grey).astype(float), as_numpy(views[1].grey).astype(float)
    depth = START * cast(CAMERAS[0], SIZE)[0]

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, WINDOW, mode="nearest")

    found = costs(views[0], views[1:2])
    for i in (0, 9, 18):
        pixels, _ = CAMERAS[1].project(CAMERAS[0].points(depth / FACTORS[i]))
        column, row = (pixels * (SIZE[1] / 320)).transpose(2, 0, 1)
        seen = (column > 0) & (column < SIZE[1]) & (row > 0) & (row < SIZE[0])
        looked_up = map_coordinates(other, (row - 0.5, column - 0.5), order=1, mode="nearest")
        texture, variance = (mean(values**2) - mean(values) ** 2 for values in (picture, looked_up))
        covariance = mean(picture * looked_up) - mean(picture) * mean(looked_up)
        correlation = covariance / np.sqrt((texture + NOISE**2) * (variance + NOISE**2))
        expected = UNKNOWN + texture / (texture + NOISE**2) * (1 - UNKNOWN - correlation)
        assert seen.mean() > 0.1
        assert np.abs(found[..., i] - expected)[seen].max() < 2e-3
        assert (found[..., i][~seen] == np.float32(UNKNOWN)).all()


def test_how_the_work_is_cut_does_not_matter(views: list[MatchingView], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = costs(views[0], views[1:])
    for at_once in (3000, 20_000):
        for name in ("AT_ONCE", "BY_TORCH"):
            monkeypatch.setattr(sweep, name, at_once)
        assert np.abs(costs(views[0], views[1:], threads=2) - whole).max() < 1e-4


def test_the_true_factor_costs_least(views: list[MatchingView]) -> None:
    cost = costs(views[0], views[1:])
    assert cost.shape == (*SIZE, 19) and cost.min() >= -1e-5 and cost.max() <= 2 + 1e-5
    off = np.abs(chosen(cost) - START)
    seen = np.sum([visible(CAMERAS[0], other) for other in CAMERAS[1:]], 0)
    assert (off[seen == 4] < 1.01 * STEP).mean() > 0.95
    # The cost itself: next to none at the true factor, that of two different pictures elsewhere.
    true = int(np.abs(FACTORS - START).argmin())
    assert np.median(cost[..., true]) < 0.1 and np.median(cost[..., 0]) > 0.4


def test_what_some_photos_do_not_see_is_right_from_the_others(views: list[MatchingView]) -> None:
    """Places on the wall that the box hides from two of the four photos: two see them, two see the box."""
    see = np.array([visible(CAMERAS[0], other) for other in CAMERAS[1:]])
    hidden = (see.sum(0) == 2) & (cast(CAMERAS[0], SIZE)[1] == WALL)
    hidden[:, :8] = hidden[:, -8:] = False
    assert hidden.sum() > 50
    off = np.abs(chosen(costs(views[0], views[1:])) - START)[hidden]
    assert (off < 1.01 * STEP).mean() > 0.8
    # By the mean of all four, which is what it would be without leaving out the worse half, it is much less so.
    single = [costs(views[0], [other]) for other in views[1:]]
    mean = np.abs(chosen(np.mean(single, 0)) - START)[hidden]
    assert (off < 1.01 * STEP).mean() > (mean < 1.01 * STEP).mean() + 0.1


def test_the_better_half_of_the_photos_counts(views: list[MatchingView]) -> None:
    single = np.stack([costs(views[0], [other]) for other in views[1:]])
    for count, best in ((2, 1), (3, 2), (4, 2)):
        expected = np.sort(single[:count], 0)[:best].mean(0)
        assert np.abs(costs(views[0], views[1 : 1 + count]) - expected).max() < 1e-6


def test_brighter_and_flatter_pictures_match_as_well(views: list[MatchingView]) -> None:
    faded = [replace(other, grey=0.3 + 0.5 * other.grey) for other in views[1:]]
    plain = chosen(costs(views[0], views[1:]))
    assert (chosen(costs(views[0], faded)) == plain).mean() > 0.97


def test_an_even_picture_says_nothing(views: list[MatchingView], sent: Callable[..., Array]) -> None:
    even = replace(views[0], grey=sent(np.full(SIZE, 0.5)))
    cost = costs(even, views[3:4])
    assert np.abs(cost - UNKNOWN).max() < 0.01


def test_a_photo_that_shows_nothing_of_it_costs_the_same_everywhere(views: list[MatchingView]) -> None:
    away = replace(views[1], camera=look((0.9, 0, 0), (0.9, 0, -5)).map(SIZE))
    assert (costs(views[0], [away]) == np.float32(UNKNOWN)).all()


def test_it_can_be_stopped(views: list[MatchingView], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AT_ONCE", "BY_TORCH"):
        monkeypatch.setattr(sweep, name, 20_000)
    calls = []

    class Stop(Exception):
        pass

    def tick() -> None:
        calls.append(0)
        if len(calls) == 2:
            raise Stop

    with pytest.raises(Stop):
        matching_cost(views[0], views[1:], FACTORS, tick)
    assert len(calls) == 2
