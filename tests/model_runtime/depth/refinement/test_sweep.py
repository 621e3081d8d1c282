"""Costs of photos of the room, whose true depth is where they must be lowest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from model_runtime.depth.refinement.sweep import UNKNOWN, WINDOW, box, matching_cost
from model_runtime.depth.refinement.views import MatchingView, matching_view
from tests.model_runtime.depth.room import WALL, Camera, cast, grey, look

CPU = torch.device("cpu")
SIZE = (72, 96)
START = 1.25
"""What the true depth is multiplied by at first: the true factor."""
FACTORS = torch.linspace(0.8, 1.7, 19)
STEP = 0.05
CAMERAS = [look((x, 0.0, 0), (0, 0.3, 4)) for x in (0.0, -0.8, -0.4, 0.4, 0.8)]


def view(camera: Camera) -> MatchingView:
    return matching_view(grey(camera, SIZE), START * cast(camera, SIZE)[0], camera.map(SIZE), CPU)


def visible(camera: Camera, other: Camera) -> np.ndarray:
    """[h,w] bool: pixels of one camera's map whose point the other sees, nothing being before it."""
    pixels, depth = other.project(camera.points(cast(camera, SIZE)[0]))
    fine = other.photo[::-1]
    there, _ = cast(other, fine)
    column, row = np.floor(pixels).astype(int).transpose(2, 0, 1)
    inside = (column >= 0) & (column < fine[1]) & (row >= 0) & (row < fine[0])
    return inside & (depth < 1.02 * there[row.clip(0, fine[0] - 1), column.clip(0, fine[1] - 1)])


def chosen(cost: torch.Tensor) -> np.ndarray:
    return FACTORS[cost.argmin(2)].numpy()


def nothing() -> None:
    pass


@pytest.fixture(scope="module")
def views() -> list[MatchingView]:
    return [view(camera) for camera in CAMERAS]


def test_means_over_windows() -> None:
    pictures = np.random.default_rng(0).normal(size=(3, 20, 31)).astype(np.float32)
    for picture, mean in zip(pictures, box(torch.from_numpy(pictures)), strict=True):
        assert mean.numpy() == pytest.approx(uniform_filter(picture, WINDOW, mode="nearest"), abs=1e-6)


def test_the_true_factor_costs_least(views: list[MatchingView]) -> None:
    cost = matching_cost(views[0], views[1:], FACTORS, nothing)
    assert cost.shape == (*SIZE, 19) and cost.min() >= -1e-5 and cost.max() <= 2 + 1e-5
    off = np.abs(chosen(cost) - START)
    seen = np.sum([visible(CAMERAS[0], other) for other in CAMERAS[1:]], 0)
    assert (off[seen == 4] < 1.01 * STEP).mean() > 0.95
    # The cost itself: next to none at the true factor, that of two different pictures elsewhere.
    true = int((FACTORS - START).abs().argmin())
    assert cost[..., true].median() < 0.1 and cost[..., 0].median() > 0.4


def test_what_some_photos_do_not_see_is_right_from_the_others(views: list[MatchingView]) -> None:
    """Places on the wall that the box hides from two of the four photos: two see them, two see the box."""
    see = np.array([visible(CAMERAS[0], other) for other in CAMERAS[1:]])
    hidden = (see.sum(0) == 2) & (cast(CAMERAS[0], SIZE)[1] == WALL)
    hidden[:, :8] = hidden[:, -8:] = False
    assert hidden.sum() > 50
    off = np.abs(chosen(matching_cost(views[0], views[1:], FACTORS, nothing)) - START)[hidden]
    assert (off < 1.01 * STEP).mean() > 0.8
    # By the mean of all four, which is what it would be without leaving out the worse half, it is much less so.
    single = [matching_cost(views[0], [other], FACTORS, nothing) for other in views[1:]]
    mean = np.abs(chosen(torch.stack(single).mean(0)) - START)[hidden]
    assert (off < 1.01 * STEP).mean() > (mean < 1.01 * STEP).mean() + 0.1


def test_the_better_half_of_the_photos_counts(views: list[MatchingView]) -> None:
    single = torch.stack([matching_cost(views[0], [other], FACTORS, nothing) for other in views[1:]])
    for count, best in ((2, 1), (3, 2), (4, 2)):
        expected = single[:count].sort(0).values[:best].mean(0)
        assert torch.allclose(matching_cost(views[0], views[1 : 1 + count], FACTORS, nothing), expected, atol=1e-6)


def test_brighter_and_flatter_pictures_match_as_well(views: list[MatchingView]) -> None:
    faded = [replace(other, grey=0.3 + 0.5 * other.grey) for other in views[1:]]
    plain = chosen(matching_cost(views[0], views[1:], FACTORS, nothing))
    assert (chosen(matching_cost(views[0], faded, FACTORS, nothing)) == plain).mean() > 0.97


def test_an_even_picture_says_nothing(views: list[MatchingView]) -> None:
    even = replace(views[0], grey=torch.full(SIZE, 0.5))
    cost = matching_cost(even, views[3:4], FACTORS, nothing)
    assert (cost - UNKNOWN).abs().max() < 0.01


def test_a_photo_that_shows_nothing_of_it_costs_the_same_everywhere(views: list[MatchingView]) -> None:
    away = replace(views[1], camera=look((0.9, 0, 0), (0.9, 0, -5)).map(SIZE))
    assert (matching_cost(views[0], [away], FACTORS, nothing) == UNKNOWN).all()


def test_it_can_be_stopped(views: list[MatchingView]) -> None:
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
